"""``sort``: every object's keys in order, those that start with ``~`` first."""

from __future__ import annotations

from typing import Any

from order_cancellation.jolt.java import utf16_key

__all__ = ["sort_document"]


def sort_document(value: Any) -> Any:
    """Return a document with the keys of all objects sorted as Java compares texts.

    Args:
        value: The document; its lists are kept, and their objects replaced.
    """
    if type(value) is dict:
        return {
            key: sort_document(item) if type(item := value[key]) in _CONTAINERS else item
            for key in _sorted_keys(value)
        }
    if type(value) is list:
        value[:] = [sort_document(item) if type(item) in _CONTAINERS else item for item in value]
    return value


_CONTAINERS = frozenset({dict, list})


def _sorted_keys(keys: dict[str, Any]) -> list[str]:
    """Sort keys; only keys beyond ASCII can stand elsewhere in Java's order, which is that of UTF-16."""
    ordered = sorted(keys) if "".join(keys).isascii() else sorted(keys, key=utf16_key)
    if not ordered or ordered[-1] < "~":
        return ordered
    return sorted(ordered, key=lambda key: not key.startswith("~"))
