"""Texts: case, blanks, padding, pieces. Positions and lengths count UTF-16 units, as in Java."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from order_cancellation.jolt.functions.families import (
    Function,
    each,
    of_list,
    with_setting_each,
    with_setting_list,
)
from order_cancellation.jolt.java import is_integer, to_string, utf16_length
from order_cancellation.jolt.regex import java_split, replace_all
from order_cancellation.jolt.walk import NOTHING

__all__ = ["TEXT"]

_LONGEST_PAD = 500
_TRIPLE = 3
_TRIMMED = "".join(map(chr, range(33)))


def _of_text(change: Callable[[str], str]) -> Function:
    return each(lambda value: change(value) if isinstance(value, str) else NOTHING)


def _concat(items: list[Any]) -> str:
    return "".join(to_string(item) for item in items if item is not None)


def _join(separator: str, items: list[Any]) -> str:
    """Join what is not empty; a separator follows every text but the last argument's, even before nothing."""
    texts = ["" if item is None else to_string(item) for item in items]
    last = len(texts) - 1
    return "".join(text + separator * (index < last) for index, text in enumerate(texts) if text)


def _split(pattern: str, value: Any) -> Any:
    return java_split(pattern, value) if isinstance(value, str) else NOTHING


def _substring(items: list[Any]) -> Any:
    if len(items) != _TRIPLE or not isinstance(items[0], str) or not all(map(is_integer, items[1:])):
        return NOTHING
    text, start, end = items
    if not 0 <= start < end <= utf16_length(text):
        return NOTHING
    if text.isascii():
        return text[start:end]
    units = text.encode("utf-16-le", "surrogatepass")
    return units[2 * start : 2 * end].decode("utf-16-le", "surrogatepass")


def _pad(place: Callable[[str, str], str]) -> Function:
    def pad(items: list[Any]) -> Any:
        if len(items) != _TRIPLE or not (isinstance(items[0], str) and isinstance(items[2], str)):
            return NOTHING
        text, width, filler = items
        if not is_integer(width) or not 0 < width <= _LONGEST_PAD or utf16_length(filler) != 1:
            return NOTHING
        return place(text, filler * (width - utf16_length(text)))

    return of_list(pad)


def _replacing(change: Callable[[str, str, str], str]) -> Function:
    def replace(items: list[Any]) -> Any:
        if len(items) != _TRIPLE or not all(isinstance(item, str) for item in items):
            return NOTHING
        return change(*items)

    return of_list(replace)


TEXT: dict[str, Function] = {
    "toLower": _of_text(str.lower),
    "toUpper": _of_text(str.upper),
    "trim": _of_text(lambda text: text.strip(_TRIMMED)),
    "concat": of_list(_concat),
    "join": with_setting_list(str, _join),
    "split": with_setting_each(str, _split),
    "substring": of_list(_substring),
    "leftPad": _pad(lambda text, padding: padding + text),
    "rightPad": _pad(lambda text, padding: text + padding),
    "replace": _replacing(lambda text, old, new: text.replace(old, new)),
    "replaceAll": _replacing(replace_all),
}
