"""Where a run stands in the document, and how references and look-ups find their way from there.

Java keeps a path of the levels it has walked; ``&1`` and ``@(2,a)`` count back from its end. How deep a
rule of the specification stands is known when it is compiled, so each reference becomes a fixed place in two
lists.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from order_cancellation.jolt.errors import JoltTransformError
from order_cancellation.jolt.java import is_number, parse_integer, to_int64
from order_cancellation.jolt.keys import Amp, Array, ArrayKind, Element, Literal, Reference, Transpose
from order_cancellation.jolt.limits import PaddingBudget
from order_cancellation.jolt.paths import Path

__all__ = ["NOTHING", "Key", "Lookup", "Walk", "compile_key", "compile_lookup", "compile_reference"]


class _Nothing:
    """The absence of a value, which is not the same as null."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING: Any = _Nothing()


class Walk:
    """One run over one document, and therefore of one thread.

    Args:
        document: The operation's input.
        levels: How many levels the specification has at most.
        budget: What the whole run may still fill lists with.

    ``match[n]`` is the key met at level n with what its stars matched; ``tree[n]`` the value there;
    ``count[n]`` how many rules below have matched so far (a list of one number, which some levels share).
    Level 0 is a root above the root, as in Java, so that ``&`` and ``#`` mean something there.
    """

    __slots__ = ("budget", "context", "count", "match", "output", "tree")

    def __init__(self, document: Any, levels: int, budget: PaddingBudget) -> None:
        self.match: list[tuple[str, ...]] = [("root",)] * levels
        self.tree: list[Any] = [document] * levels
        self.count: list[list[int]] = [[0], [0], *([[0]] * (levels - 2))]
        self.output: dict[str, Any] = {}
        self.context: Any = None
        self.budget = budget


Key = Callable[[Walk], Any]
"""Gives a key (text), a list index (number), or None where nothing is to be written."""

Lookup = Callable[[Walk], Any]
"""Gives the value found, or NOTHING."""


def compile_reference(reference: Reference, last: int) -> Callable[[Walk], str]:
    """Compile ``&(up,group)``.

    Args:
        reference: The reference.
        last: The level of the last key met where the reference stands.

    Returns:
        A function that gives the key; it raises JoltTransformError where there is none, as Java does.
    """
    level, group = last - reference.up, reference.group
    if level < 0:
        return _beyond(f"&({reference.up},{group})", last)
    if group == 0:
        return lambda walk: walk.match[level][0]

    def star(walk: Walk) -> str:
        match = walk.match[level]
        if group >= len(match):
            raise JoltTransformError(
                f"&({reference.up},{group}) asks for star {group} of a key whose rule has {len(match) - 1}. "
                f"A lone * has none: write &({reference.up},0) for it."
            )
        return match[group]

    return star


def _beyond(what: str, last: int) -> Callable[[Walk], Any]:
    def fail(_walk: Walk) -> Any:
        raise JoltTransformError(
            f"{what} counts back further than the rule is deep. At most {last} levels up are possible there."
        )

    return fail


def compile_lookup(transpose: Transpose, last: int) -> Lookup:
    """Compile ``@(up,path)``.

    Args:
        transpose: The look-up.
        last: The level of the last key met where it stands.

    Returns:
        A function that gives the value, NOTHING where the path leads nowhere.
    """
    level = last - transpose.up
    if level < 0:
        return _beyond(f"@({transpose.up},…)", last)
    if transpose.path is None:
        return lambda walk: walk.tree[level]
    read = compile_read(transpose.path, last)
    return lambda walk: read(walk, walk.tree[level])


def compile_read(path: Path, last: int) -> Callable[[Walk, Any], Any]:
    """Compile the reading of a path below some value.

    Args:
        path: The path; its references count from ``last``.
        last: The level of the last key met.

    Returns:
        A function of the walk and the value that gives what is there, or NOTHING.
    """
    if all(isinstance(element, Literal) for element in path.elements):
        names = tuple(element.key for element in path.elements if isinstance(element, Literal))
        return _read_name(names[0]) if len(names) == 1 else _read_names(names)
    steps = tuple((isinstance(element, Array), compile_key(element, last)) for element in path.elements)

    def read(walk: Walk, value: Any) -> Any:
        keys = [key(walk) for _, key in steps]
        if None in keys:
            return NOTHING
        for (is_index, _), key in zip(steps, keys, strict=True):
            value = _step(value, key, is_index=is_index)
            if value is NOTHING:
                return NOTHING
        return value

    return read


def _read_name(name: str) -> Callable[[Walk, Any], Any]:
    return lambda _walk, value: value.get(name, NOTHING) if type(value) is dict else NOTHING


def _read_names(names: tuple[str, ...]) -> Callable[[Walk, Any], Any]:
    def read(_walk: Walk, value: Any) -> Any:
        for name in names:
            if type(value) is not dict or name not in value:
                return NOTHING
            value = value[name]
        return value

    return read


def _step(value: Any, key: Any, *, is_index: bool) -> Any:
    if is_index:
        return value[key] if type(value) is list and 0 <= key < len(value) else NOTHING
    return value.get(key, NOTHING) if type(value) is dict else NOTHING


def compile_key(element: Element, last: int) -> Key:
    """Compile one step of a path.

    Args:
        element: A name, reference, look-up or index.
        last: The level of the last key met.

    Returns:
        A function that gives a name, an index for an ``Array`` (-1 for ``[]``), or None for "write nothing".
    """
    match element:
        case Literal(key):
            return lambda _walk: key
        case Amp(parts):
            return _compile_amp(parts, last)
        case Transpose():
            return _compile_text_lookup(element, last)
        case Array():
            return _compile_index(element, last)
        case _:
            raise TypeError(element)


def _compile_amp(parts: tuple[str | Reference, ...], last: int) -> Key:
    if len(parts) == 1 and isinstance(parts[0], Reference):
        return compile_reference(parts[0], last)
    pieces = tuple(
        (part, None) if isinstance(part, str) else ("", compile_reference(part, last)) for part in parts
    )
    return lambda walk: "".join(text if refer is None else refer(walk) for text, refer in pieces)


def _compile_text_lookup(transpose: Transpose, last: int) -> Key:
    """A looked-up key: numbers lose their fraction, other values than text and booleans give none."""
    find = compile_lookup(transpose, last)

    def key(walk: Walk) -> str | None:
        value = find(walk)
        if isinstance(value, str):
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        return str(to_int64(value)) if is_number(value) else None

    return key


def _compile_index(array: Array, last: int) -> Key:
    if array.kind is ArrayKind.APPEND:
        return lambda _walk: -1
    if array.kind is ArrayKind.EXPLICIT:
        return lambda _walk: array.index
    if array.kind is ArrayKind.COUNT:
        level = last - array.reference.up
        return _beyond(f"[#{array.reference.up}]", last) if level < 0 else lambda walk: walk.count[level][0]
    if array.lookup is not None:
        text = _compile_text_lookup(array.lookup, last)
    else:
        text = compile_reference(array.reference, last)
    return lambda walk: _index(text(walk))


def _index(text: str | None) -> int | None:
    number = None if text is None else parse_integer(text)
    return None if number is None or number < 0 else number
