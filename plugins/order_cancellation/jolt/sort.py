"""``sort``: every object's keys in order, those that start with ``~`` first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from order_cancellation.jolt.java import utf16_key

__all__ = ["sort_document"]


def sort_document(value: Any) -> Any:
    """Return a document with the keys of all objects sorted as Java compares texts.

    Args:
        value: The document; its lists are kept, and their objects replaced.
    """
    if type(value) is dict:
        return {key: sort_document(value[key]) for key in _sorted_keys(value)}
    if type(value) is list:
        value[:] = [sort_document(item) if type(item) in _CONTAINERS else item for item in value]
    return value


_CONTAINERS = (dict, list)


def _sorted_keys(keys: dict[str, Any]) -> list[str]:
    order: Callable[[str], Any] = _ascii_order if all(map(str.isascii, keys)) else _any_order
    return sorted(keys, key=order)


def _ascii_order(key: str) -> tuple[bool, str]:
    return not key.startswith("~"), key


def _any_order(key: str) -> tuple[bool, bytes]:
    return not key.startswith("~"), utf16_key(key)
