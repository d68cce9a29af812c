"""How Jolt's functions take their arguments: as one value, as a list, or with a leading setting.

A single argument that is a list counts as the list of arguments. NOTHING as a result leaves the key as it
is, and lets the next alternative of the specification have its turn.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from order_cancellation.jolt.java import JavaArray
from order_cancellation.jolt.walk import NOTHING

__all__ = [
    "Function",
    "each",
    "no_value",
    "of_list",
    "of_list_or_one",
    "with_setting_each",
    "with_setting_list",
]

Function = Callable[[list[Any]], Any]
One = Callable[[Any], Any]


def no_value(_argument: Any) -> Any:
    """Give no value, for functions that a single argument is not enough for."""
    return NOTHING


def of_list_or_one(of_many: Function, of_one: One) -> Function:
    """Make a function that treats several arguments, or one list, differently from one value.

    Args:
        of_many: Applied to several arguments, or to the entries of a single list that is not empty.
        of_one: Applied to a single value that is neither a list nor null.
    """

    def apply(arguments: list[Any]) -> Any:
        if len(arguments) != 1:
            return of_many(arguments) if arguments else NOTHING
        only = arguments[0]
        if isinstance(only, list | JavaArray):
            return of_many(list(only) if isinstance(only, JavaArray) else only) if only else NOTHING
        return NOTHING if only is None else of_one(only)

    return apply


def of_list(of_many: Function) -> Function:
    """Make a function of several arguments, or of the entries of one list."""
    return of_list_or_one(of_many, no_value)


def each(of_one: One) -> Function:
    """Make a function of one value that is applied to each of several; those it gives nothing for stay."""
    return of_list_or_one(lambda items: _map(of_one, items), of_one)


def _map(of_one: One, items: list[Any]) -> list[Any]:
    results = [(item, of_one(item)) for item in items]
    return [item if result is NOTHING else result for item, result in results]


def with_setting_list(kind: type, of_many: Callable[[Any, list[Any]], Any]) -> Function:
    """Make a function whose first argument is a setting, and whose others, or one list, it is applied to.

    Args:
        kind: The setting's type; a setting of another gives no value.
        of_many: Applied to the setting and the list.
    """
    return _with_setting(kind, of_many, lambda _setting, _item: NOTHING)


def with_setting_each(kind: type, of_one: Callable[[Any, Any], Any]) -> Function:
    """Make a function of a setting and one value that is applied to each of several.

    Args:
        kind: The setting's type; a setting of another gives no value.
        of_one: Applied to the setting and a value.
    """
    return _with_setting(kind, lambda setting, items: _map(lambda item: of_one(setting, item), items), of_one)


def _with_setting(
    kind: type, of_many: Callable[[Any, list[Any]], Any], of_one: Callable[[Any, Any], Any]
) -> Function:
    def apply(arguments: list[Any]) -> Any:
        if len(arguments) < 2 or type(arguments[0]) is not kind:  # noqa: PLR2004 — the setting and a value
            return NOTHING
        setting, *items = arguments
        if len(items) > 1:
            return of_many(setting, items)
        return of_many(setting, items[0]) if isinstance(items[0], list) else of_one(setting, items[0])

    return apply
