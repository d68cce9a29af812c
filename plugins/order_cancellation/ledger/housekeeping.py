"""What is deleted when its time is over: payloads, never rows."""

from __future__ import annotations

from sqlalchemy import delete, distinct, select, tuple_

from order_cancellation.clock import Clock
from order_cancellation.ledger import schema
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.states import OPEN

__all__ = ["Housekeeping"]

_AT_ONCE = 500
"""How many payloads one transaction deletes: others want to write in between."""


class Housekeeping:
    """Deletes old payloads.

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
            return list(connection.execute(select(distinct(schema.requests.c.flow))).scalars())

    def delete_payloads(self, flow: str, *, older_than_days: int) -> int:
        """Delete a flow's payloads of finished requests that are older than so many days.

        Payloads of anything unfinished, failed, in doubt or parked stay, whatever their age.

        Returns:
            How many were deleted.
        """
        before = self._clock.now().timestamp() - older_than_days * 86_400
        deleted = 0
        while count := self._delete_some(flow, before):
            deleted += count
        return deleted

    def _delete_some(self, flow: str, before: float) -> int:
        p, r = schema.payloads.c, schema.requests.c
        open_ones = select(r.uuid).where(r.flow == flow, r.state.in_(OPEN))
        with self._database.write() as connection:
            keys = connection.execute(
                select(p.flow, p.uuid, p.kind, p.number)
                .where(p.flow == flow, p.created_at < before, p.uuid.not_in(open_ones))
                .limit(_AT_ONCE)
            ).all()
            if keys:
                where = tuple_(p.flow, p.uuid, p.kind, p.number).in_([tuple(key) for key in keys])
                connection.execute(delete(schema.payloads).where(where))
        return len(keys)
