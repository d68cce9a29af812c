"""Endings that several steps share: a request that failed, and how long it rests then."""

from __future__ import annotations

from typing import Any

from order_cancellation.flow.model import Delivery
from order_cancellation.ledger import Record, State
from order_cancellation.steps.context import Context

__all__ = ["failed", "retry_pause_s"]

LONGEST_PAUSE_S = 6 * 3600.0


def retry_pause_s(delivery: Delivery, failures: int) -> float:
    """Return how long a request rests after its n-th failure: ``retry_pause * 2^(n-1)``, at most six hours.

    Args:
        delivery: The flow's ``delivery`` block.
        failures: n, from 1.
    """
    first = delivery.retry_pause.total_seconds()
    return min(first * 2.0 ** min(failures - 1, 40), LONGEST_PAUSE_S)


def failed(context: Context, record: Record, step: str, error: str, **changes: Any) -> Record:
    """Return the record as failed at a step; the next poll takes it up again after its pause.

    Args:
        context: The step's ports.
        record: As it was.
        step: Where it failed.
        error: Why, in one line without personal data.
        changes: Further columns.
    """
    failures = changes.pop("failures", record.failures + 1)
    pause = retry_pause_s(context.flow.delivery, max(failures, 1))
    return record.moved(
        State.FAILED,
        step=step,
        error=error,
        failures=failures,
        next_at=context.clock.now().timestamp() + pause,
        **changes,
    )
