"""What differs between two tries of a step on the same input."""

from __future__ import annotations

import json
from typing import Any

from order_cancellation.service.diffs import diff_texts
from order_cancellation.service.trial import Attempt

__all__ = ["compare"]


def compare(saved: Attempt, draft: Attempt) -> str | None:
    """Return what a draft makes of an input otherwise than the saved flow, or None where nothing differs.

    Args:
        saved: What the saved flow left.
        draft: What the draft left.
    """
    return diff_texts(_written(saved), _written(draft), names=("saved", "draft")) or None


def _written(attempt: Attempt) -> str:
    shown: dict[str, Any] = {"result_data": attempt.result_data, "attributes": attempt.attributes}
    return json.dumps(shown, indent=2, sort_keys=True, ensure_ascii=False)
