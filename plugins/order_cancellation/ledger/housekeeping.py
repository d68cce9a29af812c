"""What is deleted: payloads whose time is over, and a customer's data at a person's word. Never rows."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from order_cancellation.clock import Clock
from order_cancellation.errors import ConfigurationError
from order_cancellation.ledger import schema
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.queries import BECAUSE, REVEALED, find_record, refuse_held
from order_cancellation.ledger.records import Record
from order_cancellation.ledger.runs import LAST_AT_WORK
from order_cancellation.ledger.states import OPEN, WITHDRAWABLE, State

__all__ = ["ERASED", "Housekeeping"]

ERASED = "personal data erased by"
"""How the line in the history begins that tells of an erasing."""

_AT_ONCE = 500
"""How many payloads one transaction deletes: others want to write in between."""

_ERASABLE = (State.DONE, State.FAILED, State.WITHDRAWN)
"""States in which no step needs a payload any more. What failed can be read from Omnitron again."""

_R = schema.requests.c
_P = schema.payloads.c

_DELETE = delete(schema.payloads).where(
    _P.flow == bindparam("at_flow"),
    _P.uuid == bindparam("at_uuid"),
    _P.kind == bindparam("at_kind"),
    _P.number == bindparam("at_number"),
)
"""One by one along the key: for a list of whole keys SQLite reads the table whole."""


class Housekeeping:
    """Deletes old payloads, and erases a customer's data.

    Args:
        database: Where.
        clock: For their age.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def flows(self) -> list[str]:
        """Return the flows of which there are requests."""
        with self._database.read() as connection:
            return list(connection.execute(select(_R.flow).distinct()).scalars())

    def delete_payloads(self, flow: str, *, older_than_days: int) -> int:
        """Delete a flow's payloads of finished requests that are older than so many days.

        Payloads of anything unfinished, failed, in doubt or parked stay, whatever their age. With them goes
        what dry runs computed, and claims that ended so long ago.

        Returns:
            How many payloads were deleted.
        """
        before = self._clock.now().timestamp() - older_than_days * 86_400
        since, deleted = 0.0, 0
        while written := self._delete_some(flow, since, before):
            since, deleted = written[-1], deleted + len(written)
        self._delete_dry_results(flow, before)
        self._delete_claims(flow, before)
        return deleted

    def erase(self, flow: str, request_id: str, *, who: str) -> Record:
        """Erase what the ledger holds of a customer through one request.

        Payloads and dry results are deleted, the customer's number and every text about the request are
        emptied. The row stays, with states, times and attempts: the request is never taken for a new one.

        Args:
            flow: The flow's id.
            request_id: Which request, by uuid or number.
            who: The person, kept in the history.

        Raises:
            ConfigurationError: There is no such request, or it is not at its end.
        """
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            record = find_record(connection, flow, request_id)
            if record is None:
                raise ConfigurationError(f"Flow '{flow}': the ledger has no request {request_id}.")
            _refuse_unfinished(record)
            refuse_held(connection, record, self._now())
            self._erase(connection, record, who)
            erased = find_record(connection, flow, record.uuid)
        assert erased is not None, "rows are never deleted"
        return erased

    def of_customer(self, customer: int, flow: str | None = None) -> list[tuple[str, str]]:
        """Return flow and uuid of a customer's requests that are not erased.

        Args:
            customer: Omnitron's number of the customer.
            flow: Only this flow's.
        """
        query = select(_R.flow, _R.uuid).where(_R.customer == customer).order_by(_R.flow, _R.uuid)
        if flow is not None:
            query = query.where(_R.flow == flow)
        with self._database.read() as connection:
            return [(row.flow, row.uuid) for row in connection.execute(query)]

    def _erase(self, connection: Connection, record: Record, who: str) -> None:
        now = self._now()
        for table in (schema.payloads, schema.dry_results):
            connection.execute(delete(table).where(table.c.flow == record.flow, table.c.uuid == record.uuid))
        self._erase_words(connection, record)
        connection.execute(
            update(schema.requests)
            .where(_R.flow == record.flow, _R.uuid == record.uuid)
            # a failed one must not be taken up from payloads that are gone: a redo reads it anew
            .values(
                customer=None,
                error="",
                next_at=None,
                settled=record.settled or record.state == State.FAILED,
                last_changed=now,
            )
        )
        connection.execute(
            insert(schema.events).values(
                flow=record.flow,
                uuid=record.uuid,
                at=now,
                run_id=record.run_id,
                step="",
                attempt=record.attempts,
                send=record.sends,
                state=record.state,
                note=f"{ERASED} {who}",
            )
        )

    @staticmethod
    def _erase_words(connection: Connection, record: Record) -> None:
        """Empty the history's words; that somebody saw the data, and who, stays, without the reason."""
        e = schema.events.c
        here = (e.flow == record.flow, e.uuid == record.uuid)
        seen = connection.execute(
            select(e.id, e.note).where(*here, e.step == "", e.note.startswith(REVEALED))
        ).all()
        connection.execute(update(schema.events).where(*here).values(note=""))
        for number, note in seen:
            who = note.partition(BECAUSE)[0]
            connection.execute(update(schema.events).where(e.id == number).values(note=who))

    def _delete_some(self, flow: str, since: float, before: float) -> list[float]:
        """Delete some of the oldest payloads; returns when each was written, in its order.

        Along the index of their age, and on from where the last part ended: what is young is not looked at,
        and what stays for its request's sake once.
        """
        open_ones = select(_R.uuid).where(_R.flow == flow, _R.state.in_(OPEN))
        with self._database.write() as connection:
            found = connection.execute(
                select(_P.uuid, _P.kind, _P.number, _P.created_at)
                .where(self._database.aside(_P.flow) == flow, _P.uuid.not_in(open_ones))
                .where(_P.created_at >= since, _P.created_at < before)
                .order_by(_P.created_at)
                .limit(_AT_ONCE)
            ).all()
            keys = [
                {"at_flow": flow, "at_uuid": row[0], "at_kind": row[1], "at_number": row[2]} for row in found
            ]
            if keys:
                connection.execute(_DELETE, keys)
        return [row.created_at for row in found]

    def _delete_dry_results(self, flow: str, before: float) -> None:
        d, r = schema.dry_results.c, schema.runs.c
        old_runs = select(r.run_id).where(r.flow == flow, r.dry_run.is_(True), before > LAST_AT_WORK)
        with self._database.write() as connection:
            connection.execute(delete(schema.dry_results).where(d.flow == flow, d.run_id.in_(old_runs)))

    def _delete_claims(self, flow: str, before: float) -> None:
        c = schema.claims.c
        with self._database.write() as connection:
            connection.execute(
                delete(schema.claims).where(c.flow == flow, c.lease_until < before, c.claimed_at < before)
            )

    def _now(self) -> float:
        return self._clock.now().timestamp()


def _refuse_unfinished(record: Record) -> None:
    if record.is_undecided:
        doubt = ", and an earlier call may be booked" if record.state in WITHDRAWABLE else ""
        raise ConfigurationError(
            f"Flow '{record.flow}', request {record.id}: it is {record.state}{doubt}. Resolve it first, and "
            "erase it when it is done or failed: nobody could settle it without its data."
        )
    if record.state not in _ERASABLE:
        raise ConfigurationError(
            f"Flow '{record.flow}', request {record.id}: it is {record.state}. Erase it when it is "
            f"{', '.join(_ERASABLE)}: until then the next steps need its data."
        )
