"""Lists: their entries, their order, and what can be squeezed out of them."""

from __future__ import annotations

from typing import Any

from order_cancellation.jolt.functions.families import Function, of_list, of_list_or_one, with_setting_list
from order_cancellation.jolt.java import JavaArray, is_integer, is_long, utf16_key
from order_cancellation.jolt.walk import NOTHING

__all__ = ["LISTS"]

_ORDERED = frozenset({"int", "long", "big", "double", "text", "boolean"})
_KINDS = {float: "double", str: "text", bool: "boolean", dict: "object", list: "list", type(None): "null"}


def _element_at(index: int, items: list[Any]) -> Any:
    return items[index] if 0 <= index < len(items) else NOTHING


def _sorted(items: list[Any]) -> Any:
    """Sort values of one Java type; mixed ones, and those without an order, have no sorted form."""
    if len(items) == 1:
        return JavaArray(items)
    kinds = {_kind(item) for item in items}
    if len(kinds) > 1 or not kinds <= _ORDERED:
        return NOTHING
    return JavaArray(sorted(items, key=utf16_key if kinds == {"text"} else None))


def _kind(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return "int" if is_integer(value) else "long" if is_long(value) else "big"
    return _KINDS.get(type(value), "array")


def _squash_nulls(value: Any) -> Any:
    """Take the nulls out of a list or object, which is changed, as Java changes it."""
    if isinstance(value, list):
        value[:] = [item for item in value if item is not None]
    elif isinstance(value, dict):
        for key in [key for key, item in value.items() if item is None]:
            del value[key]
    return value


def _squash_nulls_deeply(value: Any) -> Any:
    _squash_nulls(value)
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        _squash_nulls_deeply(item)
    return value


def _squash_duplicates(items: list[Any]) -> list[Any]:
    firsts: dict[Any, Any] = {}
    for item in items:
        firsts.setdefault(_identity(item), item)
    return list(firsts.values())


def _identity(value: Any) -> Any:
    """Return something equal for exactly those values that Java's ``equals`` takes for equal."""
    if isinstance(value, dict):
        return "object", frozenset((key, _identity(item)) for key, item in value.items())
    if isinstance(value, list):
        return "list", tuple(map(_identity, value))
    return _kind(value), repr(value) if isinstance(value, float) else value


def _itself(value: Any) -> Any:
    return value


LISTS: dict[str, Function] = {
    "toList": of_list_or_one(list, lambda value: [value]),
    "firstElement": of_list(lambda items: items[0]),
    "lastElement": of_list(lambda items: items[-1]),
    "elementAt": with_setting_list(int, _element_at),
    "sort": of_list_or_one(_sorted, _itself),
    "squashNulls": of_list_or_one(_squash_nulls, _squash_nulls),
    "recursivelySquashNulls": of_list_or_one(_squash_nulls_deeply, _squash_nulls_deeply),
    "squashDuplicates": of_list_or_one(_squash_duplicates, _itself),
}
