"""Walking one level of a document for ``shift``: which rule takes which entry, and in which order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from order_cancellation.jolt.errors import JoltTransformError
from order_cancellation.jolt.java import parse_integer, to_string
from order_cancellation.jolt.patterns import Matcher, match_anything
from order_cancellation.jolt.tree import copy_document
from order_cancellation.jolt.walk import Walk

__all__ = ["Computed", "Run", "each_entry", "each_literal", "each_moved", "literals_then_entries"]

Run = Callable[[Walk, tuple[str, ...], Any], None]
"""Runs a rule: the walk, the matched key with what its stars matched, and the value."""

Computed = tuple[tuple[Matcher, Run], ...]


def each_literal(literals: dict[str, Run]) -> Callable[[Walk, Any], None]:
    """Walk a level of names in the specification's order.

    Args:
        literals: The rules, by name; on a list, names are indexes.
    """
    rules = tuple((key, (key,), run) for key, run in literals.items())
    walk_other = _each_literal_of_other(literals)

    def walk_literals(walk: Walk, tree: Any) -> None:
        if type(tree) is not dict:
            walk_other(walk, tree)
            return
        for key, match, run in rules:
            if key in tree:
                run(walk, match, tree[key])

    return walk_literals


def _each_literal_of_other(literals: dict[str, Run]) -> Callable[[Walk, Any], None]:
    """Walk what is no object: a list by its indexes, a scalar as if it were a key without a value."""
    rules = tuple((_list_index(key), (key,), run) for key, run in literals.items())

    def walk_other(walk: Walk, tree: Any) -> None:
        if type(tree) is list:
            for index, match, run in rules:
                if index < len(tree):
                    run(walk, match, tree[index])
            return
        for key, value in _entries(tree):
            if key in literals:
                literals[key](walk, (key,), value)

    return walk_other


def _list_index(key: str) -> int:
    """Return a name as a list index, or one that no list reaches."""
    number = parse_integer(key)
    return 2**31 if number is None or number < 0 else number


def _entries(tree: Any) -> list[tuple[str, Any]]:
    """Return what a level of the document holds; a scalar is like an object whose one key is its text."""
    if type(tree) is dict:
        return list(tree.items())
    if type(tree) is list:
        return [(str(index), value) for index, value in enumerate(tree)]
    if isinstance(tree, dict | list | tuple):
        return _entries(copy_document(tree))
    return [] if tree is None else [(to_string(tree), None)]


def each_moved(move: Callable[[Walk, list[tuple[str, Any]]], None]) -> Callable[[Walk, Any], None]:
    """Walk a level all of whose entries go to one place.

    Args:
        move: Takes the entries.
    """

    def walk_entries(walk: Walk, tree: Any) -> None:
        entries = _entries(tree)
        move(walk, entries)
        _unchanged(tree, len(entries))

    return walk_entries


def _unchanged(tree: Any, size: int) -> None:
    if type(tree) is list and len(tree) != size:
        raise JoltTransformError(
            "A rule wrote into the very list that it was walking, which would never end. "
            "Write the list itself and its entries to different paths."
        )


def each_entry(
    literals: dict[str, Run], computed: Computed, skipped: frozenset[str] = frozenset()
) -> Callable[[Walk, Any], None]:
    """Walk a level in the document's order; names go before the patterns that match them too.

    Args:
        literals: The rules for names.
        computed: The rules for patterns.
        skipped: Names that have had their turn.
    """
    find = literals.get
    if len(computed) == 1 and computed[0][0] is match_anything:
        return _each_entry_or_star(literals, computed[0][1], skipped)

    def walk_entries(walk: Walk, tree: Any) -> None:
        entries = _entries(tree)
        for key, value in entries:
            literal = find(key)
            if literal is not None:
                literal(walk, (key,), value)
                continue
            if key in skipped:
                continue
            for matches, run in computed:
                match = matches(walk, key)
                if match is not None:
                    run(walk, match, value)
                    break
        _unchanged(tree, len(entries))

    return walk_entries


def _each_entry_or_star(
    literals: dict[str, Run], star: Run, skipped: frozenset[str]
) -> Callable[[Walk, Any], None]:
    """Walk a level whose only pattern is a lone ``*``."""
    find = literals.get

    def walk_entries(walk: Walk, tree: Any) -> None:
        entries = _entries(tree)
        for key, value in entries:
            if key not in skipped:
                (find(key) or star)(walk, (key,), value)
        _unchanged(tree, len(entries))

    return walk_entries


def literals_then_entries(literals: dict[str, Run], computed: Computed) -> Callable[[Walk, Any], None]:
    """Walk a level whose patterns and names do not meet: names in the specification's order, then the rest.

    Args:
        literals: The rules for names.
        computed: The rules for patterns, the most specific first.
    """
    walk_literals = each_literal(literals)
    walk_others = each_entry({}, computed, frozenset(literals))

    def walk_both(walk: Walk, tree: Any) -> None:
        walk_literals(walk, tree)
        walk_others(walk, tree)

    return walk_both
