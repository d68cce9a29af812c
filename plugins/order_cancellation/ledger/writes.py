"""What a run's intake writes, gathered and then written together: one statement for each table."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Executable, bindparam, delete, or_, update

from order_cancellation.ledger import schema
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.entries import Place
from order_cancellation.ledger.records import MUTABLE, Record
from order_cancellation.ledger.work import end_leases

__all__ = ["Writes", "event"]

_R = schema.requests.c
_P = schema.payloads.c
_PREPARED_KINDS = ("script", "mapping", "attributes")
# Made once: making a statement costs as much as running it.
_HERE = (_R.flow == bindparam("at_flow"), _R.uuid == bindparam("at_uuid"))
_OWN = (
    update(schema.requests)
    .where(*_HERE)
    .values(run_id=bindparam("to_run_id"), position=bindparam("to_position"), batch=None, claim_id=None)
)
_CHANGE = (
    update(schema.requests)
    .where(*_HERE)
    .values({name: bindparam(f"to_{name}") for name in MUTABLE})
    .values(claim_id=None)
)
_OUTDATE = delete(schema.payloads).where(
    _P.flow == bindparam("at_flow"),
    _P.uuid == bindparam("at_uuid"),
    _P.number == bindparam("at_number"),
    or_(*(_P.kind == kind for kind in _PREPARED_KINDS)),  # an IN list can't be sent with many rows
)


@dataclass
class Writes:
    """Rows of one page, written together: one statement per table instead of three per request."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    owned: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    outdated: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    payloads: list[dict[str, Any]] = field(default_factory=list)
    freed: set[int | None] = field(default_factory=set)

    def add(self, new: Record, place: Place, note: str) -> None:
        """Enter a request that the ledger did not have."""
        self.requests.append(new.columns())
        self.events.append(event(new, place, note))

    def own(self, record: Record, place: Place) -> None:
        """Let the run have a request."""
        self.freed.add(record.claim_id)
        self.owned.append(_row(record) | {"to_run_id": place.run_id, "to_position": place.position})

    def change(self, old: Record, new: Record, place: Place, note: str) -> None:
        """Let a request be another, with a line in its history."""
        self.freed.add(old.claim_id)
        values = {f"to_{name}": getattr(new, name) for name in MUTABLE}
        self.changed.append(_row(new) | values | {"to_last_changed": place.now})
        self.events.append(event(new, place, note))

    def outdate(self, new: Record) -> None:
        """Drop what another revision prepared: it must not be taken for what this one does."""
        self.outdated.append(_row(new) | {"at_number": new.attempts})

    def write(self, database: Database, connection: Connection) -> None:
        """Write all of it.

        Args:
            database: Knows how rows are added.
            connection: The transaction.
        """
        end_leases(connection, self.freed)
        database.add(connection, schema.requests, self.requests)
        _each(connection, _OWN, self.owned)
        _each(connection, _CHANGE, self.changed)
        _each(connection, _OUTDATE, self.outdated)
        database.add(connection, schema.events, self.events)
        database.upsert(connection, schema.payloads, self.payloads)


def _each(connection: Connection, statement: Executable, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(statement, rows)


def _row(record: Record) -> dict[str, Any]:
    return {"at_flow": record.flow, "at_uuid": record.uuid}


def event(new: Record, place: Place, note: str) -> dict[str, Any]:
    """Return a line of a request's history."""
    return {
        "flow": new.flow,
        "uuid": new.uuid,
        "at": place.now,
        "run_id": place.run_id,
        "step": "get_data",
        "attempt": new.attempts,
        "send": new.sends,
        "state": new.state,
        "revision": "",
        "duration_ms": None,
        "note": f"{note}: {new.error}" if new.error else note,
    }
