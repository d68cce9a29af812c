"""What dry runs computed: kept apart from the requests, of which a dry run changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from order_cancellation.ledger import schema
from order_cancellation.ledger.cipher import Cipher
from order_cancellation.ledger.database import Database

__all__ = ["DryResult", "DryResults"]

_D = schema.dry_results.c


@dataclass(frozen=True)
class DryResult:
    """One request of a dry run.

    Args:
        uuid: Its identity.
        id: Omnitron's number of it.
        batch: Its batch.
        position: Its place in the batch.
        step: The next step to compute; empty where all is computed.
        error: Why the computing ended, or empty.
        data: What is known: ``request``, ``attributes``, ``script``, ``mapping``, ``call``, ``write_back``.
    """

    uuid: str
    id: int | None
    batch: int | None
    position: int
    step: str
    error: str = ""
    data: dict[str, Any] = field(default_factory=dict, repr=False)


class DryResults:
    """The table of dry runs.

    Args:
        database: Where.
        cipher: For what was computed.
    """

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def save(self, flow: str, run_id: str, results: Sequence[DryResult]) -> None:
        """Keep results, in place of earlier ones of the same requests."""
        rows = [
            {
                "flow": flow,
                "run_id": run_id,
                "uuid": one.uuid,
                "id": one.id,
                "batch": one.batch,
                "position": one.position,
                "step": one.step,
                "error": one.error,
                "data": self._cipher.pack(one.data),
            }
            for one in results
        ]
        with self._database.write() as connection:
            self._database.upsert(connection, schema.dry_results, rows)

    def load(self, flow: str, run_id: str, *, batch: int | None = None) -> list[DryResult]:
        """Return a dry run's results, or those of one batch, in their order."""
        where = [_D.flow == flow, _D.run_id == run_id]
        if batch is not None:
            where.append(_D.batch == batch)
        with self._database.read() as connection:
            rows = connection.execute(
                select(schema.dry_results).where(*where).order_by(_D.position, _D.uuid)
            ).all()
        return [
            DryResult(
                row.uuid, row.id, row.batch, row.position, row.step, row.error, self._cipher.unpack(row.data)
            )
            for row in rows
        ]
