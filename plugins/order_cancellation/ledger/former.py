"""What flows have had whose folders are gone: one that was renamed must send nothing twice.

While a worker is at work on a request under the old name, it is left to that worker. What was never booked
there is taken over, and closed under the old name in the same transaction: a later step of the old run works
with the revision in the ledger, needs no folder, and would send it as well. All else may be booked, so it is
parked here for a person.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, select

from order_cancellation.ledger import schema
from order_cancellation.ledger.decisions import Decision
from order_cancellation.ledger.entries import Place
from order_cancellation.ledger.records import Record
from order_cancellation.ledger.states import State
from order_cancellation.ledger.writes import Writes

__all__ = ["Former", "flows_with"]

_NEVER_BOOKED = (State.FETCHED, State.PREPARED, State.REFUSED, State.FAILED, State.WITHDRAWN)
_MAY_STILL_BE_SENT = (State.FETCHED, State.PREPARED, State.FAILED)
_MAY_BE_RENAMED = "parked: a flow whose folder is gone has had it"
_AT_WORK = "in work under the flow's old name; the next run looks again"
_IN = 500
_R = schema.requests.c


def flows_with(connection: Connection, former: Sequence[str], uuids: Sequence[str]) -> set[str]:
    """Return which of these flows have had any of the requests."""
    found: set[str] = set()
    for start in range(0, len(uuids) if former else 0, _IN):
        some = uuids[start : start + _IN]
        query = select(_R.flow).where(_R.flow.in_(former), _R.uuid.in_(some)).distinct()
        found |= set(connection.execute(query).scalars())
    return found


@dataclass
class Former:
    """What the ledger has of requests under the names of flows that are gone.

    Args:
        records: Flow → uuid → the request as it stands there.
        held: Uuids that a live claim of one of these flows holds.
    """

    records: Mapping[str, Mapping[str, Record]] = field(default_factory=dict)
    held: set[str] = field(default_factory=set)

    def decision(self, uuid: str, old: Record | None, *, redo: bool) -> Decision | None:
        """Decide about a request that the flow itself does not have, or had to leave to another name before.

        Args:
            uuid: Which request.
            old: What this flow has of it, or None.
            redo: Whether a person wants it done by this flow, whatever another one has booked.

        Returns:
            The decision, or None where the other names don't matter.
        """
        if uuid in self.held:
            return Decision(take=False, why=_AT_WORK)
        if redo or not (old is None or (old.state == State.WITHDRAWN and not old.redo)):
            return None
        for flow, records in self.records.items():
            record = records.get(uuid)
            if record is not None and (_may_be_booked(record) or record.state not in _NEVER_BOOKED):
                return Decision(False, _MAY_BE_RENAMED, State.PARKED, _told(flow, record))
        return None

    def hand_over(self, uuid: str, place: Place, writes: Writes) -> None:
        """Close under the old names what this flow takes up, as far as it could still be sent there."""
        for records in self.records.values():
            record = records.get(uuid)
            if record is not None and record.state in _MAY_STILL_BE_SENT and not _may_be_booked(record):
                error = f"flow '{place.flow}' has it now, and the folder of flow '{record.flow}' is gone"
                new = record.moved(State.WITHDRAWN, step="", next_at=None, redo=False, error=error)
                writes.change(record, new, place, "taken over")


def _may_be_booked(record: Record) -> bool:
    return record.doubt or record.pending


def _told(flow: str, record: Record) -> str:
    return (
        f"flow '{flow}' has had this request (it is {record.state} there), and its folder is gone: if it "
        f"was renamed, call it '{flow}' again; else look into the ERP, then resolve it, or redo it to have "
        "it sent"
    )
