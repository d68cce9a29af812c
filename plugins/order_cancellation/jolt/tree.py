"""Copies of documents, and the checks that keep what comes in and what goes out a finite tree.

The operations of Jolt work on the objects of the input themselves and put the same object in several
places; both can be seen in its results. So each run works on one copy of the document, made here, and
is free to share and change it as Java does.
"""

from __future__ import annotations

from math import isfinite
from typing import Any

from order_cancellation.jolt.errors import JoltTransformError
from order_cancellation.jolt.java import JavaArray, JavaLong, to_string
from order_cancellation.jolt.limits import MAX_DEPTH

__all__ = ["SCALARS", "copy_document", "finished"]

SCALARS = frozenset({str, int, float, bool, type(None)})
"""The types of JSON values that hold no others; subclasses are not among them."""

_SETTLED = SCALARS - {float}


def copy_document(value: Any, depth: int = 0) -> Any:
    """Return a deep copy of a JSON document, sharing nothing that can be changed.

    Args:
        value: The document, as ``json.loads`` gives it.
        depth: The level at which it stands.

    Raises:
        JoltTransformError: It is nested too deeply (or contains itself), or holds what JSON has not.
    """
    kind = type(value)
    if kind is dict:
        if depth > MAX_DEPTH:
            raise _too_deep()
        below = depth + 1
        return {
            key: item if type(item) in SCALARS else copy_document(item, below) for key, item in value.items()
        }
    if kind is list:
        if depth > MAX_DEPTH:
            raise _too_deep()
        below = depth + 1
        return [item if type(item) in SCALARS else copy_document(item, below) for item in value]
    return value if kind in SCALARS else _copy_unusual(value, depth)


def _copy_unusual(value: Any, depth: int) -> Any:
    """Copy subclasses of the JSON types as the plain type, and refuse the rest."""
    if isinstance(value, dict):
        return copy_document({str(key): item for key, item in value.items()}, depth)
    if isinstance(value, list | tuple):
        return copy_document(list(value), depth)
    if isinstance(value, str | float):
        return value
    if isinstance(value, int):
        return int(value)
    raise JoltTransformError(
        f"The document holds a {type(value).__name__}, which JSON has not. Give the mapping parsed JSON."
    )


def finished(value: Any) -> Any:
    """Return a result as plain JSON values, having made sure that it is a finite tree.

    The engine's markers for Java's own types (a ``Long`` that would fit an ``Integer``, an array) end here,
    and so do infinite doubles: JSON has none, and Java writes them as texts.

    Args:
        value: What the last operation left. It is changed in place.

    Raises:
        JoltTransformError: The result contains itself, or is nested too deeply.
    """
    holder = [value]
    _finish_list(holder, set(), set(), 0)
    return holder[0]


def _finish(value: Any, open_: set[int], done: set[int], depth: int) -> Any:
    if depth > MAX_DEPTH:
        raise _too_deep()
    mark = id(value)
    if mark in open_:
        raise JoltTransformError(
            'The result contains itself (an operation stored an object inside of itself, such as "x": "@1"). '
            "Shift the object to another key first, or name the single values that are meant."
        )
    if mark in done:
        return value
    open_.add(mark)
    if isinstance(value, dict):
        _finish_dict(value, open_, done, depth)
    else:
        value = list(value) if isinstance(value, JavaArray) else value
        _finish_list(value, open_, done, depth)
    open_.discard(mark)
    done.add(mark)
    return value


def _finish_dict(value: dict[str, Any], open_: set[int], done: set[int], depth: int) -> None:
    for key, item in value.items():
        if type(item) not in _SETTLED:
            value[key] = _plain(item, open_, done, depth)


def _finish_list(value: list[Any], open_: set[int], done: set[int], depth: int) -> None:
    for index, item in enumerate(value):
        if type(item) not in _SETTLED:
            value[index] = _plain(item, open_, done, depth)


def _plain(item: Any, open_: set[int], done: set[int], depth: int) -> Any:
    if type(item) is float:
        return item if isfinite(item) else to_string(item)
    return int(item) if isinstance(item, JavaLong) else _finish(item, open_, done, depth + 1)


def _too_deep() -> JoltTransformError:
    return JoltTransformError(
        f"The document is nested more than {MAX_DEPTH} levels deep. The mapping takes at most that many."
    )
