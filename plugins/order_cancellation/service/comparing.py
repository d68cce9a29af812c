"""What differs between two tries of a step on the same input."""

from __future__ import annotations

from typing import Any

from order_cancellation.service.diffs import diff_values
from order_cancellation.service.trial import Attempt

__all__ = ["compare"]


def compare(saved: Attempt, draft: Attempt) -> str | None:
    """Return what a draft makes of an input otherwise than the saved flow, or None where nothing differs.

    Args:
        saved: What the saved flow left.
        draft: What the draft left.
    """
    return diff_values(_shown(saved), _shown(draft), names=("saved", "draft")) or None


def _shown(attempt: Attempt) -> dict[str, Any]:
    return {"result_data": attempt.result_data, "attributes": attempt.attributes}
