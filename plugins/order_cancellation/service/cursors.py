"""Cursors: the place at which a list goes on, as one word that nobody has to understand."""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any

from order_cancellation.errors import ConfigurationError

__all__ = ["read_cursor", "write_cursor"]


def write_cursor(place: Sequence[Any]) -> str:
    """Return the cursor of a place.

    Args:
        place: What is last seen, in the values by which the list is ordered.
    """
    return urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def read_cursor(cursor: str, *kinds: Callable[[Any], Any]) -> list[Any]:
    """Return the place that a cursor names.

    Args:
        cursor: What :func:`write_cursor` returned, or whatever somebody says instead.
        kinds: What makes of each value what it is.

    Raises:
        ConfigurationError: It is none of ours.
    """
    try:
        values = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return [kind(value) for kind, value in zip(kinds, values, strict=True)]
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise ConfigurationError(f"'{cursor[:40]}' is no cursor of this list.") from error
