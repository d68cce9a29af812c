"""What all batches know together of the lines to the remote systems (see ``http.traffic``)."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from sqlalchemy import Connection, bindparam, select

from order_cancellation.clock import Clock
from order_cancellation.http.traffic import Change, Line, Traffic, changed
from order_cancellation.ledger import schema
from order_cancellation.ledger.database import Database

__all__ = ["LedgerTraffic"]

_T = schema.traffic.c
_LOAD = select(*(_T[one.name] for one in fields(Traffic))).where(
    _T.flow == bindparam("at_flow"), _T.connection == bindparam("at_connection")
)
_LOCK = _LOAD.with_for_update()
"""Made once, as the one above: making a statement costs as much as running it."""


class LedgerTraffic:
    """The :class:`~order_cancellation.http.traffic.TrafficStore` of production.

    Args:
        database: Where.
        clock: For the changes' times.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def load(self, line: Line) -> Traffic:
        """Return a line's traffic as it was written last."""
        with self._database.read() as connection:
            return _row(connection, line)

    def change(self, line: Line, change: Change) -> Traffic:
        """Change a line's traffic, with no other process in between, and return what it is then."""
        with self._database.write() as connection:
            self._database.insert_missing(connection, schema.traffic, [_values(line, Traffic())])
            before = _row(connection, line, lock=True)
            after = changed(before, change, self._clock.now())
            if after != before:
                self._database.upsert(connection, schema.traffic, [_values(line, after)])
        return after


def _row(connection: Connection, line: Line, *, lock: bool = False) -> Traffic:
    flow, name = line
    here = {"at_flow": flow, "at_connection": name}
    row = connection.execute(_LOCK if lock else _LOAD, here).one_or_none()
    return Traffic() if row is None else Traffic(*row)


def _values(line: Line, traffic: Traffic) -> dict[str, Any]:
    return {"flow": line[0], "connection": line[1], **asdict(traffic)}
