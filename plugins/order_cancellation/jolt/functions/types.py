"""Conversions between types, and the questions about presence that lists of alternatives are made of."""

from __future__ import annotations

from typing import Any

from order_cancellation.jolt.functions.families import Function, each
from order_cancellation.jolt.java import (
    JavaLong,
    is_number,
    parse_number,
    to_int32,
    to_int64,
    to_string,
    utf16_length,
)
from order_cancellation.jolt.walk import NOTHING

__all__ = ["TYPES", "as_double", "as_int", "as_long", "as_number"]


def as_number(value: Any) -> Any:
    """Return a number, or the number that a text spells, else NOTHING."""
    if isinstance(value, str):
        number = parse_number(value)
        return NOTHING if number is None else number
    return value if is_number(value) else NOTHING


def as_int(value: Any) -> Any:
    """Return a number or a text as an ``Integer``: cut off, low 32 bits; NOTHING for the rest."""
    number = as_number(value)
    return NOTHING if number is NOTHING else to_int32(number)


def as_long(value: Any) -> Any:
    """Return a number or a text as a ``Long``; NOTHING for the rest."""
    number = as_number(value)
    return NOTHING if number is NOTHING else JavaLong(to_int64(number))


def as_double(value: Any) -> Any:
    """Return a number or a text as a ``Double``; NOTHING for the rest."""
    number = as_number(value)
    return NOTHING if number is NOTHING else float(number)


def _as_boolean(value: Any) -> Any:
    if isinstance(value, str):
        return value.lower() == "true" if value.lower() in ("true", "false") else NOTHING
    return value if isinstance(value, bool) else NOTHING


def _size(arguments: list[Any]) -> Any:
    if len(arguments) != 1:
        return len(arguments) if arguments else NOTHING
    only = arguments[0]
    if isinstance(only, str):
        return utf16_length(only)
    return len(only) if isinstance(only, list | dict) else NOTHING


def _is_present(arguments: list[Any]) -> Any:
    return arguments[0] if arguments else NOTHING


def _not_null(arguments: list[Any]) -> Any:
    return arguments[0] if arguments and arguments[0] is not None else NOTHING


def _is_null(arguments: list[Any]) -> Any:
    return None if arguments and arguments[0] is None else NOTHING


def _noop(_arguments: list[Any]) -> Any:
    return NOTHING


TYPES: dict[str, Function] = {
    "toInteger": each(as_int),
    "toLong": each(as_long),
    "toDouble": each(as_double),
    "toBoolean": each(_as_boolean),
    "toString": each(to_string),
    "size": _size,
    "isPresent": _is_present,
    "notNull": _not_null,
    "isNull": _is_null,
    "noop": _noop,
}
