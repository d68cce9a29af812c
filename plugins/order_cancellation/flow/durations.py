"""Lengths of time as people write them in flow files: ``5m``, ``10s``, ``7d``, or plain seconds."""

from __future__ import annotations

import math
import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

__all__ = ["Duration", "Seconds", "parse_duration", "write_duration"]

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_WRITTEN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])", re.ASCII)
_LONGEST = timedelta(days=3650)
_PATTERN = r"^\d+(\.\d+)?\s*[smhd]$"
_ADVICE = "Write a number with s, m, h or d behind it, for example 30s, 5m, 6h or 7d."


def parse_duration(value: object) -> timedelta:
    """Read a length of time.

    Args:
        value: Text such as ``5m``, a plain number of seconds, or a timedelta, which is taken as it is.

    Returns:
        The length, at least zero and at most ten years.

    Raises:
        ValueError: It is none of these; the message says what to write.
    """
    seconds = _seconds_of(value)
    if seconds is None or not math.isfinite(seconds):
        raise ValueError(f"{_shown(value)} is no length of time. {_ADVICE}")
    if not 0 <= seconds <= _LONGEST.total_seconds():
        raise ValueError(f"{_shown(value)} is not between 0s and {_LONGEST.days}d.")
    return timedelta(seconds=seconds)


def write_duration(length: timedelta) -> str:
    """Write a length of time with the largest unit that takes it without a fraction.

    Args:
        length: Any length; a fraction of a second stays one.
    """
    seconds = length.total_seconds()
    for letter, size in reversed(_UNITS.items()):
        if seconds and seconds % size == 0:
            return f"{int(seconds // size)}{letter}"
    return f"{seconds:f}".rstrip("0").rstrip(".") + "s"


def _seconds_of(value: object) -> float | None:
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return float(value) if abs(value) < 10**12 else math.copysign(10**12, value)
    if isinstance(value, float):
        return value
    written = _WRITTEN.fullmatch(value.strip()) if isinstance(value, str) else None
    return float(written[1]) * _UNITS[written[2]] if written else None


def _shown(value: object) -> str:
    text = (
        f"'{value}'" if isinstance(value, str) else str(value) if isinstance(value, int | float) else "This"
    )
    return text if len(text) <= 40 else text[:37] + "…"  # noqa: PLR2004 (a line's worth)


def _duration(value: Any) -> timedelta:
    try:
        return parse_duration(value)
    except ValueError as error:
        raise PydanticCustomError("duration", "{reason}", {"reason": str(error)}) from None


def _whole_or_fraction(seconds: float) -> float | int:
    return int(seconds) if seconds == int(seconds) else seconds


_SCHEMA = WithJsonSchema(
    {"anyOf": [{"type": "string", "pattern": _PATTERN}, {"type": "number", "minimum": 0}]}
)

Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(write_duration, return_type=str, when_used="json"),
    _SCHEMA,
]
"""A length of time in a flow file; a timedelta in Python, ``5m`` in JSON."""

Seconds = Annotated[
    float,
    BeforeValidator(lambda value: _duration(value).total_seconds()),
    PlainSerializer(_whole_or_fraction, when_used="json"),
    _SCHEMA,
]
"""A time limit in a flow file: seconds as a number in Python; ``30`` or ``30s`` in the file."""
