"""A request as lists show it: no personal data, times in ISO 8601."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from order_cancellation.ledger import Record

__all__ = ["iso", "listed", "row"]


def listed(record: Record) -> dict[str, Any]:
    """Return a request with the keys that the command line's list has."""
    return {
        "flow": record.flow,
        "uuid": record.uuid,
        "id": record.id,
        "state": str(record.state),
        "attempts": record.attempts,
        "erp_status": record.erp_status,
        "relation": record.relation or None,
        "error": record.error or None,
        "run_id": record.run_id,
        "first_seen": iso(record.first_seen),
        "last_changed": iso(record.last_changed),
    }


def row(record: Record) -> dict[str, Any]:
    """Return a request with the keys that the pages' list has."""
    return {
        **listed(record),
        "order_number": record.order_number or None,
        "sku": record.sku or None,
        "channel": None if record.channel is None else str(record.channel),
        "sends": record.sends,
        "next_at": iso(record.next_at),
        "redo": record.redo,
    }


def iso(seconds: float | None) -> str | None:
    """Return a time of the ledger as ISO 8601, UTC, in milliseconds."""
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    )
