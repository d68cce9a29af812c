"""Matching the keys of a document against patterns, for all operations that walk both."""

from __future__ import annotations

from collections.abc import Callable

from order_cancellation.jolt.java import utf16_key
from order_cancellation.jolt.keys import Amp, Element, Pattern, PatternKind, match_pattern
from order_cancellation.jolt.walk import Walk, compile_key

__all__ = ["Matcher", "compile_matcher", "match_anything", "pattern_order"]

Matcher = Callable[[Walk, str], tuple[str, ...] | None]


def compile_matcher(element: Element, last: int) -> Matcher:
    """Compile the question whether a key of the document matches.

    Args:
        element: A pattern, or a name with references in it.
        last: The level of the last key met, from which references count.

    Returns:
        A function that gives the key with what its stars matched, or None.
    """
    if isinstance(element, Amp):
        name = compile_key(element, last)
        return lambda walk, key: (key,) if key == name(walk) else None
    if isinstance(element, Pattern):
        if element.kind is PatternKind.ALL:
            return match_anything
        return lambda _walk, key: match_pattern(element, key)
    raise TypeError(element)


def match_anything(_walk: Walk, key: str) -> tuple[str, ...]:
    """Match as a lone ``*`` does."""
    return (key,)


def pattern_order(element: Element) -> tuple[int, int, bytes]:
    """Return a sort key that puts the most specific pattern first: by kind, then the longest."""
    if isinstance(element, Pattern):
        text = "*".join(element.parts) if element.kind is not PatternKind.ALL else "*"
        return element.kind.value, -len(text), utf16_key(text)
    if isinstance(element, Amp):
        text = "".join(
            part if isinstance(part, str) else f"&({part.up},{part.group})" for part in element.parts
        )
        return 1, -len(text), utf16_key(text)
    raise TypeError(element)
