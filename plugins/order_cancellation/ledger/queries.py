"""What people ask the ledger: lists, one request's life, and their decisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, func, insert, select, tuple_, update

from order_cancellation.clock import Clock
from order_cancellation.errors import ChangedMeanwhile, ConfigurationError
from order_cancellation.ledger import schema
from order_cancellation.ledger.cipher import Cipher
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.records import MUTABLE, Record
from order_cancellation.ledger.states import State
from order_cancellation.ledger.work import RECORDS, live_claims, record_from

__all__ = ["BECAUSE", "REVEALED", "Queries", "find_record", "refuse_held"]

REVEALED = "personal data shown to"
"""How the line in the history begins that tells who saw personal data."""

BECAUSE = ", because: "
"""What stands between an act and a person's reason for it."""

_SHOWN_TO_S = 0.001
"""Times are shown in milliseconds, and cut there."""

_R = schema.requests.c


class Queries:
    """Lists, single requests, and people's decisions on them.

    Args:
        database: Where.
        cipher: For payloads.
        clock: For times.
    """

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    def list(
        self,
        *,
        flow: str | None = None,
        state: str | None = None,
        limit: int = 1000,
        after: tuple[str, str] | None = None,
    ) -> list[Record]:
        """Return requests in the order of flow and uuid.

        Args:
            flow: Only this flow's.
            state: Only those in this state.
            limit: At most so many.
            after: Flow and uuid of the last one that was seen already.
        """
        query = RECORDS.order_by(_R.flow, _R.uuid).limit(limit)
        if flow is not None:
            query = query.where(_R.flow == flow)
        if state is not None:
            query = query.where(_R.state == state)
        if after is not None:
            query = query.where(tuple_(_R.flow, _R.uuid) > tuple_(*after))
        with self._database.read() as connection:
            return [record_from(row) for row in connection.execute(query)]

    def find(self, flow: str, uuid_or_id: str) -> Record | None:
        """Return one request by its uuid or its number, or None.

        Raises:
            ConfigurationError: The number is that of several requests.
        """
        with self._database.read() as connection:
            return find_record(connection, flow, uuid_or_id)

    def events(self, flow: str, uuid: str) -> Sequence[Mapping[str, Any]]:
        """Return all that happened to a request, oldest first."""
        e = schema.events.c
        with self._database.read() as connection:
            rows = connection.execute(
                select(schema.events).where(e.flow == flow, e.uuid == uuid).order_by(e.id)
            ).mappings()
            return [dict(row) for row in rows]

    def was_booked(self, flow: str, uuid: str) -> bool:
        """Say whether the ERP's yes to a request was written down at any time, by an earlier attempt too."""
        e = schema.events.c
        booked = (State.ACCEPTED, State.WRITTEN_BACK, State.DONE)
        query = select(e.id).where(e.flow == flow, e.uuid == uuid, e.state.in_(booked)).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).first() is not None

    def payloads(self, flow: str, uuid: str) -> dict[tuple[str, int], Any]:
        """Return all kept payloads of a request, by kind and number. They hold personal data."""
        p = schema.payloads.c
        with self._database.read() as connection:
            rows = connection.execute(
                select(p.kind, p.number, p.data).where(p.flow == flow, p.uuid == uuid).order_by(p.number)
            ).all()
        return {(kind, number): self._cipher.unpack(data) for kind, number, data in rows}

    def is_held(self, record: Record) -> bool:
        """Say whether a worker is on a request right now."""
        with self._database.read() as connection:
            return _is_held(connection, record, self._now())

    def standing(self, since: float) -> dict[str, dict[str, int]]:
        """Return how many requests of each flow wait for a person, and how many ended lately.

        Args:
            since: ``done`` and ``failed`` count only if they changed at or after this time.

        Returns:
            Flow → state → count, for ``done``, ``failed``, ``in_doubt`` and ``parked``.
        """
        waiting, ended = (State.IN_DOUBT, State.PARKED), (State.DONE, State.FAILED)
        counts: dict[str, dict[str, int]] = {}
        with self._database.read() as connection:
            # by values made of the columns: by the columns, SQLite would go through all that was ever done
            flow_of, state_of = (_R.flow + "").label("of"), (_R.state + "").label("standing")
            for states, which in ((waiting, _R.state.in_(waiting)), (ended, _R.last_changed >= since)):
                query = select(flow_of, state_of, func.count()).where(which).group_by(flow_of, state_of)
                for flow, state, count in connection.execute(query):
                    if state in states:
                        counts.setdefault(flow, {})[str(state)] = count
        return counts

    def ask_again(
        self, flow: str, uuid_or_id: str, *, who: str, why: str = "", seen: float | None = None
    ) -> Record:
        """Note that a person wants a request done again at the next run.

        Args:
            flow: The flow's id.
            uuid_or_id: Which request.
            who: The person.
            why: The person's reason; empty: none was given.
            seen: When what the person saw of it had last changed; None: whatever it is now.

        Raises:
            ChangedMeanwhile: The person saw it otherwise.
            ConfigurationError: There is no such request, or it is booked and only waits for its end.
        """
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            record = self._known(connection, flow, uuid_or_id)
            _refuse_unseen(record, seen)
            _refuse_booked(record)
            connection.execute(
                update(schema.requests)
                .where(_R.flow == flow, _R.uuid == record.uuid)
                .values(redo=True, last_changed=self._now())
            )
            because = f"{BECAUSE}{why}" if why else ""
            self._note(connection, record, f"to be done again at the next run, asked by {who}{because}")
            return self._known(connection, flow, record.uuid)

    def resolve(
        self,
        flow: str,
        uuid_or_id: str,
        *,
        accepted: bool,
        step: str,
        why: str,
        who: str,
        seen: float | None = None,
    ) -> Record:
        """Write down a person's decision on a request that is parked, or in doubt: by an earlier call, too.

        Args:
            flow: The flow's id.
            uuid_or_id: Which request.
            accepted: Whether the ERP has booked it; then it is only written back, else on_failure is.
            step: The step that goes on with it.
            why: The person's reason.
            who: The person.
            seen: When what the person saw of it had last changed; None: whatever it is now.

        Raises:
            ChangedMeanwhile: The person saw it otherwise.
            ConfigurationError: There is no such request, it needs no decision, or a worker is on it.
        """
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            record = self._known(connection, flow, uuid_or_id)
            _refuse_unseen(record, seen)
            self._refuse_undecidable(connection, record)
            known_now: dict[str, Any] = {
                "parked_from": "",
                "next_at": None,
                "settled": not accepted,
                "doubt": False,
                "redo": False,
            }
            if not accepted:
                known_now |= {"key_number": record.key_number + 1, "body_digest": None}
            new = record.moved(State.ACCEPTED if accepted else State.REFUSED, step=step, **known_now)
            values = {name: getattr(new, name) for name in MUTABLE} | {"last_changed": self._now()}
            if not accepted:
                values["error"] = f"decided by {who}: not booked ({why})"
            connection.execute(
                update(schema.requests).where(_R.flow == flow, _R.uuid == record.uuid).values(values)
            )
            decision = "booked" if accepted else "not booked"
            self._note(connection, new, f"decided by {who}: {decision}{BECAUSE}{why}")
            return self._known(connection, flow, record.uuid)

    def note_reveal(self, flow: str, uuid: str, *, who: str, why: str) -> None:
        """Write down that a person is about to see a request's personal data.

        Args:
            flow: The flow's id.
            uuid: Which request.
            who: The person.
            why: The person's reason.

        Raises:
            ConfigurationError: There is no such request.
        """
        with self._database.write() as connection:
            record = self._known(connection, flow, uuid)
            self._note(connection, record, f"{REVEALED} {who}{BECAUSE}{why}")

    def _refuse_undecidable(self, connection: Connection, record: Record) -> None:
        if not record.is_undecided:
            raise ConfigurationError(
                f"Flow '{record.flow}', request {record.id}: it is {record.state}; "
                "only a request that is in_doubt or parked, or of which an earlier call may be booked, "
                "needs a decision."
            )
        refuse_held(connection, record, self._now())

    def _known(self, connection: Connection, flow: str, uuid_or_id: str) -> Record:
        record = find_record(connection, flow, uuid_or_id)
        if record is None:
            raise ConfigurationError(f"Flow '{flow}': the ledger has no request {uuid_or_id}.")
        return record

    def _note(self, connection: Connection, record: Record, note: str) -> None:
        connection.execute(
            insert(schema.events).values(
                flow=record.flow,
                uuid=record.uuid,
                at=self._now(),
                run_id=record.run_id,
                step="",
                attempt=record.attempts,
                send=record.sends,
                state=record.state,
                note=note,
            )
        )

    def _now(self) -> float:
        return self._clock.now().timestamp()


def find_record(connection: Connection, flow: str, uuid_or_id: str) -> Record | None:
    """Return one request by its uuid, else by its number, or None.

    Args:
        connection: A transaction.
        flow: The flow's id.
        uuid_or_id: Which request.

    Raises:
        ConfigurationError: The number is that of several requests.
    """
    query = RECORDS.where(_R.flow == flow)
    rows = connection.execute(query.where(_R.uuid == uuid_or_id)).all()
    if not rows and uuid_or_id.isascii() and uuid_or_id.isdigit() and len(uuid_or_id) < len(str(2**63)):
        rows = connection.execute(query.where(_R.id == int(uuid_or_id)).limit(2)).all()
    if len(rows) > 1:
        raise ConfigurationError(
            f"Flow '{flow}': {uuid_or_id} is the number of several requests; "
            "name the one you mean by its uuid."
        )
    return record_from(rows[0]) if rows else None


def _refuse_unseen(record: Record, seen: float | None) -> None:
    """Refuse a word on what its person never saw: a run may have brought it to its end meanwhile."""
    if seen is not None and abs(record.last_changed - seen) >= _SHOWN_TO_S:
        raise ChangedMeanwhile(
            f"Flow '{record.flow}', request {record.id}: it has changed meanwhile "
            f"(it is {record.state} now). Nothing was done: read it again."
        )


def _refuse_booked(record: Record) -> None:
    """Refuse what would only take effect after the end, as a second booking that nobody meant."""
    if record.state in (State.ACCEPTED, State.WRITTEN_BACK):
        raise ConfigurationError(
            f"Flow '{record.flow}', request {record.id}: it is {record.state}. The ERP has booked it, and "
            "the next run brings it to its end without sending it. Redo it when it is done, if it shall be "
            "booked a second time."
        )


def refuse_held(connection: Connection, record: Record, now: float) -> None:
    """Make sure that no worker is on a request.

    Raises:
        ConfigurationError: One is.
    """
    if _is_held(connection, record, now):
        raise ConfigurationError(
            f"Flow '{record.flow}', request {record.id}: a worker is on it right now; try again in a minute."
        )


def _is_held(connection: Connection, record: Record, now: float) -> bool:
    held = select(_R.uuid).where(
        _R.flow == record.flow, _R.uuid == record.uuid, _R.claim_id.in_(live_claims(now))
    )
    return connection.execute(held).first() is not None
