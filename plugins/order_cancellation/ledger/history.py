"""The history of a flow's folder: a row for each save, and for each change from outside that was noticed.

What the folder held stands in the revisions (see ``Runs``); here stands who changed it, when, and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, delete, insert, select

from order_cancellation.clock import Clock
from order_cancellation.ledger import schema
from order_cancellation.ledger.database import Database

__all__ = ["History", "Save"]

_S = schema.saves.c
_AUTHOR_CHARS = 200


@dataclass(frozen=True)
class Save:
    """One version of a flow's folder.

    Args:
        id: Counts all saves of all flows.
        flow: The flow's id.
        revision: The folder's content, as ``Runs.revision`` returns it.
        at: Seconds since 1970; of a change from outside, when it was first seen.
        author: Who saved it, or that it was changed from outside.
        note: Why.
    """

    id: int
    flow: str
    revision: str
    at: float
    author: str
    note: str


class History:
    """Who changed which flow.

    Args:
        database: Where.
        clock: For times.
    """

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add(self, flow: str, revision: str, *, author: str, note: str) -> Save:
        """Enter a save.

        Args:
            flow: The flow's id.
            revision: The folder as it is now.
            author: Who saved it.
            note: Why.
        """
        with self._database.write() as connection:
            return self._insert(connection, flow, revision, author, note)

    def see(self, flow: str, revision: str, *, author: str, note: str) -> None:
        """Enter a folder that was found, unless it is what the last row says.

        Args:
            flow: The flow's id.
            revision: The folder as it was found.
            author: Who changed it, where that is known.
            note: What is known of it.
        """
        if self._newest(flow) == revision:
            return
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            if connection.execute(_newest_of(flow)).scalar() != revision:  # nobody saw it meanwhile
                self._insert(connection, flow, revision, author, note)

    def take_back(self, save: Save) -> None:
        """Remove a save that did not come about."""
        with self._database.write() as connection:
            connection.execute(delete(schema.saves).where(_S.id == save.id))

    def list(self, flow: str, limit: int = 1000) -> list[Save]:
        """Return a flow's saves, newest first."""
        query = select(schema.saves).where(_S.flow == flow).order_by(_S.id.desc()).limit(limit)
        with self._database.read() as connection:
            return [Save(**row) for row in connection.execute(query).mappings()]

    def get(self, flow: str, number: int) -> Save | None:
        """Return one save of a flow, or None where it has none of this number."""
        query = select(schema.saves).where(_S.flow == flow, _S.id == number)
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else Save(**row)

    def _newest(self, flow: str) -> str | None:
        with self._database.read() as connection:
            return connection.execute(_newest_of(flow)).scalar()

    def _insert(self, connection: Connection, flow: str, revision: str, author: str, note: str) -> Save:
        row: dict[str, Any] = {
            "flow": flow,
            "revision": revision,
            "at": self._clock.now().timestamp(),
            "author": author[:_AUTHOR_CHARS],
            "note": note,
        }
        added = connection.execute(insert(schema.saves).values(row).returning(_S.id)).scalar_one()
        return Save(id=added, **row)


def _newest_of(flow: str) -> Any:
    return select(_S.revision).where(_S.flow == flow).order_by(_S.id.desc()).limit(1)
