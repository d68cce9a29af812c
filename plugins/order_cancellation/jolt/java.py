"""How Java prints, parses and converts the values that JSON can hold.

The mapping's results must be those of the Java original, down to ``1.0E-5`` and integers that wrap at 32
bits. Jackson reads a JSON integer as the smallest of ``Integer``, ``Long`` and ``BigInteger`` that holds
it; the functions of Jolt tell these apart, and so does this module.
"""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import Any

__all__ = [
    "INT_MAX",
    "JavaArray",
    "JavaLong",
    "is_integer",
    "is_long",
    "is_number",
    "parse_double",
    "parse_integer",
    "parse_long",
    "parse_number",
    "to_int32",
    "to_int64",
    "to_string",
    "truncate",
    "utf16_key",
    "utf16_length",
]

_PLAIN_DIGITS, _PLAIN_ZEROS = 7, 3  # beyond these, Double.toString writes an exponent
INT_MIN, INT_MAX = -(2**31), 2**31 - 1
LONG_MIN, LONG_MAX = -(2**63), 2**63 - 1

_INTEGER = re.compile(r"[+-]?[0-9]{1,40}", re.ASCII)
_DOUBLE = re.compile(
    r"[+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?[fFdD]?)", re.ASCII
)
_JAVA_BLANKS = "".join(map(chr, range(33)))


class JavaLong(int):
    """A ``Long`` that is small enough to be taken for an ``Integer``, which Jolt's functions refuse."""

    __slots__ = ()


class JavaArray(tuple[Any, ...]):
    """An ``Object[]``: what the function ``sort`` leaves, and what no other function takes for a list."""

    __slots__ = ()


def is_number(value: Any) -> bool:
    """Return whether Java holds the value as some ``Number``."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_integer(value: Any) -> bool:
    """Return whether Java holds the value as an ``Integer``."""
    return type(value) is int and INT_MIN <= value <= INT_MAX


def is_long(value: Any) -> bool:
    """Return whether Java holds the value as a ``Long``."""
    if isinstance(value, JavaLong):
        return True
    return type(value) is int and not INT_MIN <= value <= INT_MAX and LONG_MIN <= value <= LONG_MAX


def truncate(value: float, low: int, high: int) -> int:
    """Return a double as Java's cast to an integral type does: cut off, and clamped to the type's range."""
    if math.isnan(value):
        return 0
    if math.isinf(value):
        return high if value > 0 else low
    return max(low, min(high, int(value)))


def to_int32(value: float) -> int:
    """Return a number as ``Number.intValue()`` does: doubles are clamped, integers keep their low 32 bits."""
    if isinstance(value, float):
        return truncate(value, INT_MIN, INT_MAX)
    return (value + 2**31) % 2**32 - 2**31


def to_int64(value: float) -> int:
    """Return a number as ``Number.longValue()`` does."""
    if isinstance(value, float):
        return truncate(value, LONG_MIN, LONG_MAX)
    return (value + 2**63) % 2**64 - 2**63


def parse_integer(text: str) -> int | None:
    """Return what ``Integer.valueOf`` makes of a text, or None where it throws."""
    if not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return value if INT_MIN <= value <= INT_MAX else None


def parse_long(text: str) -> int | None:
    """Return what ``Long.valueOf`` makes of a text, marked as a ``Long``, or None where it throws."""
    if not _INTEGER.fullmatch(text):
        return None
    value = int(text)
    return JavaLong(value) if LONG_MIN <= value <= LONG_MAX else None


def parse_double(text: str) -> float | None:
    """Return what ``Double.valueOf`` makes of a text, or None where it throws.

    It trims control characters and blanks, and takes the suffixes ``d`` and ``f``. Hexadecimal doubles,
    which it takes as well, are read too.
    """
    text = text.strip(_JAVA_BLANKS)
    if _DOUBLE.fullmatch(text):
        return float(text.rstrip("fFdD") if not text.endswith("Infinity") else text)
    return _parse_hexadecimal(text)


def _parse_hexadecimal(text: str) -> float | None:
    if not re.fullmatch(r"[+-]?0[xX][0-9a-fA-F]*\.?[0-9a-fA-F]*[pP][+-]?[0-9]+[fFdD]?", text, re.ASCII):
        return None
    try:
        return float.fromhex(text.rstrip("fFdD"))
    except (ValueError, OverflowError):
        return None


def parse_number(text: str) -> int | float | None:
    """Return a text as the first of ``Integer``, ``Long`` and ``Double`` that takes it."""
    for parse in (parse_integer, parse_long, parse_double):
        value = parse(text)
        if value is not None:
            return value
    return None


def to_string(value: Any) -> str:  # noqa: PLR0911 — one line for each type
    """Return what ``String.valueOf`` prints for a value.

    Args:
        value: Any JSON value; lists and objects print as ``[1, null]`` and ``{k=v}``.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return _double_to_string(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}={_item(item, value)}" for key, item in value.items()) + "}"
    if isinstance(value, list | JavaArray):
        return "[" + ", ".join(_item(item, value) for item in value) + "]"
    return int.__repr__(value)


def _item(item: Any, parent: Any) -> str:
    """Return one entry as Java's collections print it, who see themselves but no deeper circle."""
    if item is parent:
        return "(this Map)" if isinstance(parent, dict) else "(this Collection)"
    return to_string(item)


def _double_to_string(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "-0.0" if math.copysign(1, value) < 0 else "0.0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)
    return ("-" if sign else "") + _place_point(text, point)


def _place_point(digits: str, point: int) -> str:
    """Print digits with the point after ``point`` of them, as ``Double.toString`` lays numbers out."""
    if 0 < point <= _PLAIN_DIGITS:
        return f"{digits[:point].ljust(point, '0')}.{digits[point:] or '0'}"
    if -_PLAIN_ZEROS < point <= 0:
        return f"0.{'0' * -point}{digits}"
    return f"{digits[0]}.{digits[1:] or '0'}E{point - 1}"


def utf16_length(text: str) -> int:
    """Return how many UTF-16 units a text has, which is what Java calls its length."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def utf16_key(text: str) -> bytes:
    """Return a key that sorts texts as ``String.compareTo`` does."""
    return text.encode("utf-16-be", "surrogatepass")
