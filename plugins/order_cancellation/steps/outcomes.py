"""Endings that several steps share: a request that failed, how long it rests, and what nobody foresaw."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

from order_cancellation.errors import OrderCancellationError, recovery_of
from order_cancellation.flow.model import Delivery
from order_cancellation.ledger import Record, State
from order_cancellation.steps.attributes import safe_text
from order_cancellation.steps.context import Context

__all__ = ["failed", "retry_pause_s", "set_aside"]

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


def set_aside(context: Context, record: Record, error: Exception) -> Record:
    """Return the record with an error that its step did not foresee, so that the others can go on.

    An error of ours says whether repeating helps. Any other is a defect, or data that nobody thought of: what
    the ERP can't know of yet fails as if by its script, all else stays where it is and is counted.

    Args:
        context: The step's ports.
        record: As it was last written.
        error: What its step raised.
    """
    if isinstance(error, OrderCancellationError):
        hopeful = recovery_of(error).repeat
        return record.moved(record.state, error=safe_text(str(error), record), hopeful=hopeful)
    text = f"unforeseen error: {type(error).__name__} at {_place_of(error)}; tell the developers"
    where = f"Flow '{context.flow.id}', request {record.id} ({record.uuid}), {record.step}"
    context.log.error("%s: %s", where, text)
    if record.state in (State.FETCHED, State.PREPARED):
        return failed(context, record, record.step, text)
    return record.moved(
        record.state, error=text, tries=record.tries + 1, hopeful=record.state == State.SENDING
    )


def _place_of(error: Exception) -> str:
    """Return where an error was raised; its text is left out, since it may quote data."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
