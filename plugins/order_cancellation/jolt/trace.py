"""Noting, while a document is mapped, which rule wrote what from where.

A trace belongs to one operation of one explained run. Operations are compiled with a trace or without one,
so that ordinary runs pay nothing for it. What is noted is the container and the key that were written to:
from these, the paths are found when the operation has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from order_cancellation.jolt.keys import Array, At, Dollar, Element, Hash, Transpose
from order_cancellation.jolt.walk import NOTHING, Walk, compile_key
from order_cancellation.jolt.writing import Place, Writer

__all__ = ["DocumentPath", "Note", "Trace", "walked_path"]

DocumentPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Note:
    """What a rule did.

    Args:
        rule: Where the rule stands in the specification.
        inputs: The paths, in the operation's input, of what it took.
        whole: Whether the value went over as it is, so that what lies below it came along.
    """

    rule: str
    inputs: tuple[DocumentPath, ...]
    whole: bool


class Trace:
    """The notes of one operation.

    ``rules`` counts how often each rule did something; ``kept`` holds the former indexes of lists that lost
    entries; ``relations`` what a cardinality made of a value.
    """

    def __init__(self) -> None:
        self.rules: dict[str, int] = {}
        self.kept: dict[int, list[int]] = {}
        self.relations: dict[tuple[int, str | int], str] = {}
        self.root: Note | None = None
        self._notes: dict[tuple[int, str | int], Note] = {}
        self._alive: list[Any] = []

    def expect(self, rule: str) -> None:
        """Make a rule known, so that it is missed if it does nothing."""
        self.rules.setdefault(rule, 0)

    def hit(self, rule: str) -> None:
        """Count that a rule did something."""
        self.rules[rule] = self.rules.get(rule, 0) + 1

    def note(self, container: Any, key: str | int, note: Note) -> None:
        """Note that a rule wrote to a key of a container."""
        self.hit(note.rule)
        self._alive.append(container)
        self._notes[id(container), key] = note

    def note_at(self, container: Any, key: str | int) -> Note | None:
        """Return who wrote to a key of a container last, in this operation."""
        return self._notes.get((id(container), key))

    def relation_at(self, container: Any, key: str | int) -> str:
        """Return what a cardinality made of the value at a key, or nothing."""
        return self.relations.get((id(container), key), "")

    def former_index(self, container: Any, key: str | int) -> str | int:
        """Return the key of a value before its list lost entries."""
        kept = self.kept.get(id(container))
        return key if kept is None or not isinstance(key, int) else kept[key]

    def reshaped(self, container: Any, key: str | int, note: Note, relation: str) -> None:
        """Note that a value became a list of itself (``MANY``), or a list its first entry (``ONE``)."""
        self.note(container, key, note)
        self.relations[id(container), key] = relation

    def removed(self, target: list[Any], gone: set[int]) -> None:
        """Note that a list is about to lose entries."""
        self._alive.append(target)
        before = self.kept.get(id(target), list(range(len(target))))
        self.kept[id(target)] = [index for place, index in enumerate(before) if place not in gone]

    def matched(self, rule: str) -> Writer:
        """Return a writer for a rule that drops what it matches."""
        return lambda _walk, _value: self.hit(rule)

    def shift_writer(
        self, rule: str, way: tuple[Element, ...], write: Callable[[Walk, Any], Place | None]
    ) -> Writer:
        """Wrap a writer of ``shift`` so that each write is noted.

        Args:
            rule: Where the rule stands in the specification.
            way: The keys on the way to it, from the first below the root.
            write: Writes a value and gives its place.
        """

        def writer(walk: Walk, value: Any) -> None:
            place = write(walk, value)
            if place is None:
                return
            if place.moved is not None:
                self._move(*place.moved, place.container)
            is_whole = not isinstance(way[-1], Dollar | Hash)
            source = walked_path(walk, way)
            inputs = () if isinstance(way[-1], Hash) else (source,)
            self.note(place.container, place.key, Note(rule, inputs, is_whole))

        return writer

    def modify_noter(
        self, rule: str, way: tuple[Element, ...], lookups: tuple[Transpose, ...]
    ) -> Callable[[Walk, Any, Any, Any], None]:
        """Return a function that notes a value set by ``modify``.

        Args:
            rule: Where the rule stands in the specification.
            way: The keys on the way to it, from the first below the root.
            lookups: What its right-hand side reads.
        """
        self.expect(rule)

        def noter(walk: Walk, holder: Any, key: str | int, value: Any) -> None:
            own = walked_path(walk, way)
            level = len(way) + 1
            found = [walked_path(walk, (*way, lookup)) for lookup in lookups if lookup.up <= level]
            if not lookups and value is not NOTHING:
                found = [own]
            self.note(holder, key, Note(rule, tuple(found), whole=False))

        return noter

    def _move(self, container: Any, key: str | int, target: list[Any]) -> None:
        moved = self._notes.pop((id(container), key), None)
        if moved is not None:
            self._alive.append(target)
            self._notes[id(target), 0] = moved


def walked_path(walk: Walk, way: tuple[Element, ...]) -> DocumentPath:
    """Return where in the operation's input a rule stands, at this moment of a walk.

    Args:
        walk: The walk.
        way: The keys from the first below the root, so that the n-th stands at level n + 2.
    """
    paths: list[DocumentPath] = [(), ()]
    for level, element in enumerate(way, start=2):
        paths.append(_next_path(walk, paths, level, element))
    return paths[-1]


def _next_path(walk: Walk, paths: list[DocumentPath], level: int, element: Element) -> DocumentPath:
    match element:
        case At() | Hash():
            return paths[-1]
        case Dollar(reference):
            return paths[level - 1 - reference.up]
        case Transpose(up, path):
            steps = () if path is None else tuple(_steps(walk, path.elements, level - 1))
            return paths[level - 1 - up] + steps
        case _:
            return (*paths[-1], _key_in(walk.tree[level - 1], walk.match[level][0]))


def _steps(walk: Walk, elements: tuple[Element, ...], last: int) -> Iterator[str | int]:
    for element in elements:
        key = compile_key(element, last)(walk)
        yield key if isinstance(element, Array) else str(key)


def _key_in(tree: Any, key: str) -> str | int:
    return int(key) if isinstance(tree, list) and key.lstrip("+").isdigit() else key
