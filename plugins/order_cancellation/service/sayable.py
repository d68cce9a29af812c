"""What keeps odd values from breaking an answer: scripts and ERPs make some that JSON has no words for."""

from __future__ import annotations

import math
from typing import Any

__all__ = ["sayable"]

_DEEPEST = 150


def sayable(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON can say it: scripts make numbers that are none, and halves of characters.

    Args:
        value: Anything that Python's reader of JSON gives.
        depth: How deep it lies.
    """
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {sayable(str(key)): sayable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [sayable(item, depth + 1) for item in value]
    return value
