"""How ``shift`` puts a value at a path of its output.

A place that is empty, or null, takes the value. A list gets it appended. Anything else becomes a list of
what was there and the value. Below a value of the wrong kind nothing is written.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from order_cancellation.jolt.keys import Array, ArrayKind, Element, Literal
from order_cancellation.jolt.paths import Path
from order_cancellation.jolt.tree import SCALARS, copy_document
from order_cancellation.jolt.walk import Key, Walk, compile_key

__all__ = [
    "Place",
    "Writer",
    "compile_mover",
    "compile_own_key_writer",
    "compile_placing_writer",
    "compile_writer",
]

Writer = Callable[[Walk, Any], None]


class Place(NamedTuple):
    """Where a value went.

    Args:
        container: The object or list that holds it now.
        key: Its key or index there.
        moved: The container and key of a value that had to move to index 0 for it, if one had.
    """

    container: Any
    key: str | int
    moved: tuple[Any, str | int] | None = None


def compile_writer(path: Path, last: int) -> Writer:
    """Compile the writing of values at one path.

    Args:
        path: The path below the output's root.
        last: The level of the last key met.

    Returns:
        A function that writes a value into the walk's output.
    """
    if not path.elements:
        return _write_below((), "root")
    if all(isinstance(element, Literal) for element in path.elements):
        names = [element.key for element in path.elements if isinstance(element, Literal)]
        return _write_below(("root", *names[:-1]), names[-1])
    if any(isinstance(element, Array) for element in path.elements):
        return _write_mixed(path, last)
    if all(isinstance(element, Literal) for element in path.elements[:-1]):
        names = [element.key for element in path.elements[:-1] if isinstance(element, Literal)]
        return _write_below_computed(("root", *names), compile_key(path.elements[-1], last))
    return _write_computed(tuple(compile_key(element, last) for element in path.elements))


def compile_own_key_writer(path: Path, *, copying: bool) -> Callable[[Walk, tuple[str, ...], Any], None]:
    """Compile the most common of all rules, ``"*": "some.names.&"``, which needs nothing but the matched key.

    Args:
        path: The path: names, and ``&`` at its end.
        copying: Whether values are copied before they are written.

    Returns:
        A function of the walk, the matched key and the value.
    """
    head = _names_before_own_key(path)

    def write(walk: Walk, match: tuple[str, ...], value: Any) -> None:
        if copying and type(value) not in SCALARS:
            value = copy_document(value)
        node = walk.output
        for name in head:
            child = node.get(name)
            if child is None:
                child = node[name] = {}
            elif type(child) is not dict:
                return
            node = child
        key = match[0]
        if key in node:
            _put(node, key, value)
        else:
            node[key] = value

    return write


def _names_before_own_key(path: Path) -> tuple[str, ...]:
    return ("root", *(element.key for element in path.elements if isinstance(element, Literal)))


def compile_mover(path: Path, *, copying: bool) -> Callable[[Walk, list[tuple[str, Any]]], None]:
    """Compile a level whose only rule is ``"*": "some.names.&"``: all entries go to one object, found once.

    Args:
        path: The path: names, and ``&`` at its end.
        copying: Whether values are copied before they are written.

    Returns:
        A function of the walk and the level's entries.
    """
    head = _names_before_own_key(path)

    def move(walk: Walk, entries: list[tuple[str, Any]]) -> None:
        node = _reach(walk.output, head) if entries else None
        if node is None:
            return
        for key, value in entries:
            new = copy_document(value) if copying and type(value) not in SCALARS else value
            if key in node:
                _put(node, key, new)
            else:
                node[key] = new

    return move


def _reach(node: dict[str, Any], head: tuple[str, ...]) -> dict[str, Any] | None:
    """Return the object at a path of names, made where there is none; None below a value of another kind."""
    for name in head:
        child = node.get(name)
        if child is None:
            child = node[name] = {}
        elif type(child) is not dict:
            return None
        node = child
    return node


def _put(target: dict[str, Any], key: str, value: Any) -> None:
    old = target.get(key)
    if old is None:
        target[key] = value
    elif type(old) is list:
        old.append(value)
    else:
        target[key] = [old, value]


def _write_below(head: tuple[str, ...], last_name: str) -> Writer:
    """Write at a path of fixed names."""

    def write(walk: Walk, value: Any) -> None:
        node = walk.output
        for name in head:
            child = node.get(name)
            if child is None:
                child = node[name] = {}
            elif type(child) is not dict:
                return
            node = child
        old = node.get(last_name)
        if old is None:
            node[last_name] = value
        elif type(old) is list:
            old.append(value)
        else:
            node[last_name] = [old, value]

    return write


def _write_below_computed(head: tuple[str, ...], last_key: Key) -> Writer:
    """Write at a path of fixed names whose last one depends on the document."""

    def write(walk: Walk, value: Any) -> None:
        key = last_key(walk)
        if key is None:
            return
        node = walk.output
        for name in head:
            child = node.get(name)
            if child is None:
                child = node[name] = {}
            elif type(child) is not dict:
                return
            node = child
        if key in node:
            _put(node, key, value)
        else:
            node[key] = value

    return write


def _write_computed(keys: tuple[Key, ...]) -> Writer:
    """Write at a path of names that depend on the document."""

    def write(walk: Walk, value: Any) -> None:
        names = [key(walk) for key in keys]
        if None in names:
            return
        node, name = walk.output, "root"
        for following in names:
            child = node.get(name)
            if child is None:
                child = node[name] = {}
            elif type(child) is not dict:
                return
            node, name = child, following
        _put(node, name, value)

    return write


def _write_mixed(path: Path, last: int) -> Writer:
    """Write at a path with list indexes in it."""
    place = compile_placing_writer(path, last)

    def write(walk: Walk, value: Any) -> None:
        place(walk, value)

    return write


def compile_placing_writer(path: Path, last: int) -> Callable[[Walk, Any], Place | None]:
    """Compile the writing of values at any path, telling where each one went.

    Args:
        path: The path below the output's root.
        last: The level of the last key met.

    Returns:
        A function that writes a value and gives its place, or None where nothing was written.
    """
    keys = tuple(compile_key(element, last) for element in path.elements)
    kinds = tuple(_kind_of(element) for element in path.elements)
    steps = tuple(zip(("name", *kinds), (*kinds, "value"), strict=True))

    def write(walk: Walk, value: Any) -> Place | None:
        names = ["root"]
        for key in keys:
            name = key(walk)
            if name is None:
                return None
            names.append(name)
        node: Any = walk.output
        for (kind, following), name in zip(steps, names, strict=True):
            if kind == "name":
                if type(node) is not dict:
                    return None
            elif type(node) is not list:
                return None
            elif kind == "append":
                name = len(node)  # noqa: PLW2901 — the index that "[]" stands for
            if following == "value":
                return _finish(walk, node, name, value)
            node = _descend(walk, node, name, following)
        return None

    return write


def _kind_of(element: Element) -> str:
    if not isinstance(element, Array):
        return "name"
    return "append" if element.kind is ArrayKind.APPEND else "index"


def _descend(walk: Walk, node: Any, key: Any, following: str) -> Any:
    """Return the container at a key, made where there is none."""
    child = _get(node, key)
    if child is None:
        child = {} if following == "name" else []
        _set(walk, node, key, child)
    return child


def _finish(walk: Walk, node: Any, key: Any, value: Any) -> Place:
    old = _get(node, key)
    if old is None:
        _set(walk, node, key, value)
        return Place(node, key)
    if type(old) is list:
        old.append(value)
        return Place(old, len(old) - 1)
    both = [old, value]
    _set(walk, node, key, both)
    return Place(both, 1, (node, key))


def _get(node: Any, key: Any) -> Any:
    if type(node) is dict:
        return node.get(key)
    return node[key] if key < len(node) else None


def _set(walk: Walk, node: Any, key: Any, value: Any) -> None:
    if type(node) is list:
        walk.budget.extend(node, key + 1)
    node[key] = value
