"""The ``Retry-After`` header, in both of its forms (RFC 9110, 10.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

__all__ = ["retry_after"]

SHORTEST_S = 1.0
"""0, or a time that is over, means soon: taken literally it would be hundreds of calls in a second."""
LONGEST_S = 7 * 86_400.0
"""What is longer than a week is a mistake of the sender's, and would be an overflow of ours."""


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return how long the other side asks to wait, in seconds.

    Args:
        headers: The answer's headers, names in lower case.
        now: The time of day, against which a date is read.

    Returns:
        Seconds, at least one; None where the header is absent or can't be read.
    """
    text = headers.get("retry-after", "").strip()
    seconds = float(text) if text.isascii() and text.isdigit() else _until(text, now)
    return None if seconds is None else min(max(seconds, SHORTEST_S), LONGEST_S)


def _until(text: str, now: datetime) -> float | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - now).total_seconds()
