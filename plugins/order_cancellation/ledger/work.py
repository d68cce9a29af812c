"""How a step gets hold of its requests, and writes what became of them.

A step's execution opens one **claim**: a row with a number and a lease. Taking requests writes that number
into them, and every later write names it: whoever lost the requests to a successor writes nothing any more.
That number is the fencing token, and the lease is one row to renew however many requests a claim holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Integer,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    update,
)

from order_cancellation.clock import Clock
from order_cancellation.errors import ConfigurationError, LeaseLost
from order_cancellation.ledger import schema
from order_cancellation.ledger.cipher import Cipher
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.records import COLUMNS, MUTABLE, Change, Record
from order_cancellation.ledger.states import BOOKED, State

__all__ = [
    "PER_SEND",
    "RECORDS",
    "Claim",
    "Work",
    "end_leases",
    "live_claims",
    "read_payloads",
    "record_from",
]

PER_SEND = ("sent", "answer")
"""Payload kinds numbered by send; all others are numbered by attempt."""

_R = schema.requests.c
_C = schema.claims.c
_P = schema.payloads.c
_IN = 500
"""How many values stand in one IN list: databases have limits."""

_TOLD_BY_OTHERS = ("id", "channel", "customer", "order_number", "sku", "redo")
"""Columns that no step changes. ``redo`` is a person's word, and may come while a step is at work; only when
the ERP turns out to have booked it falls away: it was said before that was known."""

_SAID_YES = (*BOOKED, State.DONE)

_WRITTEN = tuple(name for name in MUTABLE if name not in _TOLD_BY_OTHERS)


def live_claims(now: Any) -> Any:
    """Return the numbers of the claims whose lease has not ended, as a sub-query.

    Args:
        now: The time, or the parameter that stands for it.
    """
    return select(_C.id).where(_C.lease_until >= now)


RECORDS = select(*(_R[name] for name in COLUMNS))
"""Reads requests, as far as :func:`record_from` makes records of them."""


def _taking(free: ColumnElement[bool]) -> Select[Any]:
    """Return the statement that reads a batch's requests which are free to be taken."""
    return (
        RECORDS.where(
            _BATCH,
            or_(_FITS, _R.state.in_(bindparam("in_any_step", expanding=True))),
            _R.position > bindparam("after"),
            free,
        )
        .order_by(_R.position)
        .limit(bindparam("most", type_=Integer))
    )


# Statements are made once: making one costs as much as running it.
_UUIDS = _R.uuid.in_(bindparam("at_uuids", expanding=True))
_BATCH = and_(
    _R.flow == bindparam("at_flow"), _R.run_id == bindparam("at_run"), _R.batch == bindparam("at_batch")
)
_FITS = and_(
    _R.state.in_(bindparam("in_states", expanding=True)), _R.step.in_(bindparam("at_steps", expanding=True))
)
_FREE = or_(
    _R.claim_id.is_(None),
    _R.claim_id == bindparam("at_claim"),
    _R.claim_id.not_in(live_claims(bindparam("at_now"))),
)
_UPDATE = (
    update(schema.requests)
    .where(
        _R.flow == bindparam("at_flow"), _R.uuid == bindparam("at_uuid"), _R.claim_id == bindparam("at_claim")
    )
    .values({name: bindparam(f"to_{name}") for name in _WRITTEN})
    .values(redo=and_(_R.redo, bindparam("keeps_redo", type_=Boolean)))
)
_STANDING = select(_R.uuid, _R.state).where(
    _R.flow == bindparam("at_flow"), _UUIDS, _R.claim_id == bindparam("at_claim")
)
_TAKE = _taking(_FREE)
_MARK = (
    update(schema.requests)
    .where(_R.flow == bindparam("at_flow"), _UUIDS)
    .values(claim_id=bindparam("to_claim"))
)
_HELD_UNTIL = (
    select(func.min(_C.lease_until))
    .select_from(schema.requests.join(schema.claims, _R.claim_id == _C.id))
    .where(_BATCH, _FITS, _C.id != bindparam("at_claim"), _C.lease_until >= bindparam("at_now"))
)
_OPEN = insert(schema.claims)
_RENEW = (
    update(schema.claims)
    .where(_C.id == bindparam("at_claim"), _C.lease_until >= bindparam("at_now"))
    .values(lease_until=bindparam("to_end"))
)
_END = (
    update(schema.claims)
    .where(_C.id.in_(bindparam("at_claims", expanding=True)), _C.lease_until > 0)
    .values(lease_until=0.0)
)
_PAYLOADS = select(_P.uuid, _P.kind, _P.number, _P.data).where(
    _P.flow == bindparam("at_flow"),
    _P.kind.in_(bindparam("of_kinds", expanding=True)),
    _P.uuid.in_(bindparam("at_uuids", expanding=True)),
)


@dataclass(frozen=True)
class Claim:
    """The right to work on requests of one batch in one step.

    Args:
        id: The fencing number.
        flow: The flow's id.
        run_id: The run.
        batch: The batch.
        step: The step.
        lease_s: How long the claim holds without being renewed, in seconds.
    """

    id: int
    flow: str
    run_id: str
    batch: int
    step: str
    lease_s: float


def end_leases(connection: Connection, claims: Iterable[int | None]) -> None:
    """End claims whose requests are being taken over.

    Their leases have ended by our clock. By their own they may not have: this way they are told at the next
    renewal, and one that is on its way fails.
    """
    ids = sorted(number for number in claims if number is not None)
    for start in range(0, len(ids), _IN):
        connection.execute(_END, {"at_claims": ids[start : start + _IN]})


def record_from(row: Any) -> Record:
    """Return the record that a row of ``requests`` holds."""
    values = {name: getattr(row, name) for name in COLUMNS}
    values["state"] = State(values["state"])
    return Record(**values)


def read_payloads(
    connection: Connection, cipher: Cipher, flow: str, records: Sequence[Record], kinds: Iterable[str]
) -> None:
    """Put the newest payloads of the wanted kinds into the records."""
    wanted = tuple(kinds)
    by_uuid = {record.uuid: record for record in records}
    if not wanted or not by_uuid:
        return
    uuids = list(by_uuid)
    for start in range(0, len(uuids), _IN):
        some = {"at_flow": flow, "of_kinds": wanted, "at_uuids": uuids[start : start + _IN]}
        for uuid, kind, number, data in connection.execute(_PAYLOADS, some):
            record = by_uuid[uuid]
            if number == (record.sends if kind in PER_SEND else record.attempts):
                record.payloads.put_packed(kind, partial(cipher.unpack, data))


def _refuse_wrong_key(records: Sequence[Record]) -> None:
    """Refuse to take requests of which nothing can be decrypted: all of them would fail one by one.

    Where anything can be, the key is right, and what it does not read is those requests' own error, when a
    step asks for it. So mostly one payload is decrypted here, of which the step makes use, too.

    Raises:
        ConfigurationError: None of their payloads can be decrypted.
    """
    unreadable: ConfigurationError | None = None
    for record in records:
        for kind in record.payloads:
            try:
                record.payloads[kind]
            except ConfigurationError as error:
                unreadable = error
            else:
                return
    if unreadable is not None:
        raise unreadable


class Work:
    """Claims, and the changes made under them.

    Args:
        database: Where.
        cipher: For payloads.
        clock: For leases and times.
    """

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def open_claim(
        self, flow: str, run_id: str, batch: int, step: str, *, worker: str, lease_s: float
    ) -> Claim:
        """Start a claim that holds nothing yet."""
        now = self._now()
        with self._database.write() as connection:
            result = connection.execute(
                _OPEN,
                {
                    "flow": flow,
                    "run_id": run_id,
                    "batch": batch,
                    "step": step,
                    "worker": worker[:200],
                    "claimed_at": now,
                    "lease_until": now + lease_s,
                },
            )
            number = result.inserted_primary_key
        assert number is not None
        return Claim(int(number[0]), flow, run_id, batch, step, lease_s)

    def renew(self, claim: Claim) -> None:
        """Hold the claim for another lease.

        Raises:
            LeaseLost: The lease had ended already, so others may have taken the requests.
        """
        with self._database.write() as connection:
            self._database.lock_flow(connection, claim.flow, shared=True)
            now = self._now()  # only now: whoever takes requests over may have held the lock until here
            result = connection.execute(
                _RENEW, {"at_claim": claim.id, "at_now": now, "to_end": now + claim.lease_s}
            )
        if result.rowcount != 1:
            raise LeaseLost(
                f"Flow '{claim.flow}', {claim.step}, batch {claim.batch}: the lease has ended before "
                "it was renewed; another worker may have the requests now, so this one stops."
            )

    def release(self, claim: Claim) -> None:
        """End the claim: what it held is free for the next step at once."""
        with self._database.write() as connection:
            connection.execute(_END, {"at_claims": [claim.id]})

    def take(
        self,
        claim: Claim,
        *,
        steps: Sequence[str],
        states: Sequence[State],
        kinds: Iterable[str] = (),
        after: int = -1,
        limit: int = 250,
        any_step: Sequence[State] = (),
    ) -> list[Record]:
        """Take requests of the claim's batch that nobody else holds.

        Args:
            claim: Whose they become.
            steps: They wait at one of these steps …
            states: … in one of these states; or, whatever their step, in one of ``any_step``.
            kinds: Payloads to read with them.
            after: Only those whose position is greater.
            limit: At most so many, in the order of their positions.
            any_step: States taken whatever the step.

        Raises:
            ConfigurationError: They are the batch's first, and nothing of them can be decrypted: the key is
                wrong, so nothing is taken.
        """
        with self._database.write() as connection:
            self._database.lock_flow(connection, claim.flow)
            rows = connection.execute(
                _TAKE,
                _of_batch(claim)
                | {"at_steps": steps, "in_states": states, "in_any_step": any_step}
                | {"after": after, "at_now": self._now(), "most": limit},
            ).all()
            records = [record_from(row) for row in rows]
            if records:
                self._mark(connection, claim, records)
                end_leases(connection, {record.claim_id for record in records} - {claim.id})
            read_payloads(connection, self._cipher, claim.flow, records, kinds)
            if after < 0:
                _refuse_wrong_key(records)
        return records

    def held_until(self, claim: Claim, *, steps: Sequence[str], states: Sequence[State]) -> float | None:
        """Return when the first lease of others on such requests of the batch ends; None: there is none."""
        with self._database.read() as connection:
            value = connection.execute(
                _HELD_UNTIL,
                _of_batch(claim) | {"at_steps": steps, "in_states": states, "at_now": self._now()},
            ).scalar()
        return None if value is None else float(value)

    def apply(self, claim: Claim, changes: Sequence[Change], *, revision: str = "") -> set[str]:
        """Write changes in one transaction, each only if its request is still the claim's and as it was read.

        Args:
            claim: Under which claim.
            changes: In their order; several for one request may follow each other.
            revision: The flow's revision in force, for the history.

        Returns:
            The uuids that another worker has taken over: nothing was written about them.
        """
        now = self._now()
        packed = self._payload_rows(changes, now)  # before the transaction, for which others are waiting
        with self._database.write() as connection:
            self._database.lock_flow(connection, claim.flow, shared=True)
            lost = self._lost(connection, claim, changes)
            kept = [change for change in changes if change.new.uuid not in lost]
            self._update(connection, claim, kept, now)
            payloads = [row for row in packed if row["uuid"] not in lost]
            self._database.upsert(connection, schema.payloads, payloads)
            self._database.add(connection, schema.events, _event_rows(kept, claim, revision, now))
        return lost

    @staticmethod
    def _lost(connection: Connection, claim: Claim, changes: Sequence[Change]) -> set[str]:
        """Return those that are no longer the claim's, or not as they were read.

        What is found holds until the transaction ends: nobody takes over meanwhile (``lock_flow``).
        """
        uuids = list(dict.fromkeys(change.new.uuid for change in changes))
        standing: dict[str, str] = {}
        for start in range(0, len(uuids), _IN):
            some = {"at_flow": claim.flow, "at_uuids": uuids[start : start + _IN], "at_claim": claim.id}
            standing.update((uuid, state) for uuid, state in connection.execute(_STANDING, some))
        lost: set[str] = set()
        for change in changes:
            if standing.get(change.new.uuid) != change.old.state:
                lost.add(change.new.uuid)
            standing[change.new.uuid] = change.new.state
        return lost

    @staticmethod
    def _update(connection: Connection, claim: Claim, changes: Sequence[Change], now: float) -> None:
        last = {change.new.uuid: change.new for change in changes}
        if not last:
            return
        rows = [
            {f"to_{name}": getattr(new, name) for name in _WRITTEN}
            | {
                "to_last_changed": now,
                "at_uuid": new.uuid,
                "keeps_redo": new.state not in _SAID_YES,
            }
            | {"at_flow": claim.flow, "at_claim": claim.id}
            for new in last.values()
        ]
        connection.execute(_UPDATE, rows)

    def _payload_rows(self, changes: Sequence[Change], now: float) -> list[dict[str, Any]]:
        # a dict, because one statement must not name the same row twice: the last change counts
        rows: dict[tuple[str, str, int], dict[str, Any]] = {}
        for change in changes:
            for kind, value in change.payloads.items():
                number = change.new.sends if kind in PER_SEND else change.new.attempts
                rows[change.new.uuid, kind, number] = {
                    "flow": change.new.flow,
                    "uuid": change.new.uuid,
                    "kind": kind,
                    "number": number,
                    "data": self._cipher.pack(value),
                    "created_at": now,
                }
        return list(rows.values())

    def _mark(self, connection: Connection, claim: Claim, records: Sequence[Record]) -> None:
        uuids = [record.uuid for record in records]
        for start in range(0, len(uuids), _IN):
            some = {"at_flow": claim.flow, "at_uuids": uuids[start : start + _IN], "to_claim": claim.id}
            connection.execute(_MARK, some)


def _of_batch(claim: Claim) -> dict[str, Any]:
    return {"at_flow": claim.flow, "at_run": claim.run_id, "at_batch": claim.batch, "at_claim": claim.id}


def _event_rows(changes: Sequence[Change], claim: Claim, revision: str, now: float) -> list[dict[str, Any]]:
    return [
        {
            "flow": claim.flow,
            "uuid": change.new.uuid,
            "at": now,
            "run_id": claim.run_id,
            "batch": claim.batch,
            "step": claim.step,
            "attempt": change.new.attempts,
            "send": change.new.sends,
            "state": change.new.state,
            "revision": revision,
            "duration_ms": change.duration_ms,
            "note": change.note or change.new.error,
        }
        for change in changes
    ]
