"""``modify-overwrite``, ``-default``, ``-define``: values are set in the document, also by functions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, NamedTuple

from order_cancellation.jolt.calls import Expression, compile_choice, lookups_of, parse_choice
from order_cancellation.jolt.errors import JoltTransformError
from order_cancellation.jolt.java import to_string
from order_cancellation.jolt.keys import (
    Array,
    ArrayKind,
    Element,
    KeySyntaxError,
    Literal,
    Pattern,
    PatternKind,
    canonical,
    parse_key,
    split_alternatives,
)
from order_cancellation.jolt.limits import PaddingBudget
from order_cancellation.jolt.patterns import Matcher, compile_matcher, pattern_order
from order_cancellation.jolt.report import Reporter, child_path
from order_cancellation.jolt.trace import Note, Trace
from order_cancellation.jolt.walk import NOTHING, Walk

__all__ = ["Mode", "ModifyLeaf", "ModifyNode", "compile_modify", "parse_modify"]


class Mode(Enum):
    """When a value is set, and the sign by which one key chooses it for itself."""

    OVERWRITE = "+"
    DEFAULT = "~"
    DEFINE = "_"


class Shape(Enum):
    """What a level of the specification expects of the document."""

    OBJECT = "object"
    LIST = "list"
    ANY = "any"


@dataclass(frozen=True)
class ModifyLeaf:
    """A rule: the key's value becomes the first available of ``choice``.

    Args:
        rule: Where the rule stands in the specification.
        element: The key: a name, a pattern, or a fixed index.
        mode: When it is set.
        only_present: Whether the key must be there already (``"key?"``).
        choice: The alternatives.
    """

    rule: str
    element: Element
    mode: Mode
    only_present: bool
    choice: tuple[Expression, ...]


@dataclass(frozen=True)
class ModifyNode:
    """A level of the specification; ``fixed`` are its names and indexes, ``computed`` its patterns."""

    rule: str
    element: Element
    mode: Mode
    only_present: bool
    shape: Shape
    fixed: tuple[ModifyLeaf | ModifyNode, ...]
    computed: tuple[ModifyLeaf | ModifyNode, ...]

    def children(self) -> Iterator[ModifyLeaf | ModifyNode]:
        """Give all rules of this level."""
        yield from self.fixed
        yield from self.computed

    def size(self) -> int:
        """Return how long a list must be for all fixed indexes that need not be there already."""
        indexes = (c.element.index for c in self.fixed if isinstance(c.element, Array) and not c.only_present)
        return max(indexes, default=-1) + 1


def parse_modify(spec: Any, mode: Mode, reporter: Reporter) -> ModifyNode | None:
    """Parse the specification of one of the three ``modify`` operations.

    Args:
        spec: The operation's ``spec``.
        mode: Which of the three.
        reporter: Takes the problems.
    """
    if not isinstance(spec, dict):
        reporter.error(
            "spec", "modify needs an object here: the keys to set, and the values or functions for them."
        )
        return None
    return _parse_node("spec", Literal("root"), mode, spec, reporter, only_present=False)


def _parse_node(
    rule: str, element: Element, mode: Mode, spec: dict[str, Any], reporter: Reporter, *, only_present: bool
) -> ModifyNode:
    children = list(_parse_children(rule, mode, spec, reporter))
    shape = _shape(rule, children, reporter)
    fixed = tuple(child for child in children if not isinstance(child.element, Pattern))
    computed = [child for child in children if isinstance(child.element, Pattern)]
    computed.sort(key=lambda child: pattern_order(child.element))
    return ModifyNode(rule, element, mode, only_present, shape, fixed, tuple(computed))


def _shape(rule: str, children: list[ModifyLeaf | ModifyNode], reporter: Reporter) -> Shape:
    indexes = [child for child in children if isinstance(child.element, Array)]
    names = [
        child for child in children if not isinstance(child.element, Array) and not _is_star(child.element)
    ]
    if indexes and names:
        reporter.error(
            rule,
            "List indexes and names stand at one level, but a value is a list or an object. Keep one kind.",
        )
    if indexes:
        return Shape.LIST
    return Shape.ANY if children and not names else Shape.OBJECT


def _is_star(element: Element) -> bool:
    return isinstance(element, Pattern) and element.kind is PatternKind.ALL


def _parse_children(
    rule: str, mode: Mode, spec: dict[str, Any], reporter: Reporter
) -> Iterator[ModifyLeaf | ModifyNode]:
    seen: set[str] = set()
    for written, value in spec.items():
        path = child_path(rule, written)
        for raw in split_alternatives(written):
            parsed = reporter.attempt(path, _parse_modified_key, raw)
            if parsed is None:
                continue
            sign, element, only_present = parsed
            name = canonical(element, raw)
            if name in seen:
                reporter.error(
                    path, f"The key '{raw}' stands at this level twice. Write its rules under one key."
                )
                continue
            seen.add(name)
            own_mode = Mode(sign) if sign else mode
            if isinstance(value, dict) and value:
                child = _parse_node(path, element, mode, value, reporter, only_present=only_present)
                yield replace(child, mode=own_mode)
            else:
                choice = parse_choice(path, value, reporter)
                yield ModifyLeaf(path, element, own_mode, only_present, choice)


def _parse_modified_key(raw: str) -> tuple[str, Element, bool]:
    """Return a key's own mode sign, what it means, and whether it only applies to keys that are there."""
    if not raw:
        raise KeySyntaxError("The key is empty. Write the name of the key to set.")
    sign = raw[0] if raw[0] in "+~_" else ""
    key = raw[len(sign) :]
    only_present = len(raw) > 1 and key.endswith("?") and not key.endswith("\\?")
    element = parse_key(key[:-1] if only_present else key)
    if isinstance(element, Array) and element.kind is not ArrayKind.EXPLICIT:
        raise KeySyntaxError(f"'{raw}' is no fixed index. Write [0], [1] …, or * for all entries.")
    if not isinstance(element, Literal | Pattern | Array):
        raise KeySyntaxError(
            f"'{raw}' is a reference, which can't be a key here. Write names, patterns or [0]."
        )
    return sign, element, only_present


class Slot(NamedTuple):
    """Where a value stands.

    Args:
        holder: The object or list that holds it; a scalar where the document has one instead.
        key: Its key or index there.
        size: How long a list was before this operation added to it.
    """

    holder: Any
    key: Any
    size: int


Apply = Callable[[Walk, tuple[str, ...], Any, Slot], None]
"""Runs a rule: the walk, the matched key, the value (or NOTHING), and where it stands."""


def compile_modify(root: ModifyNode, trace: Trace | None = None) -> Callable[[Any, PaddingBudget], Any]:
    """Compile a parsed specification.

    Args:
        root: The specification.
        trace: Where each value set is noted, for ``explain``.

    Returns:
        A function that changes the document it is given and returns it.
    """
    run = _compile(root, 1, (), trace)
    levels = _depth(root) + 2

    def modify(document: Any, budget: PaddingBudget) -> Any:
        walk = Walk(document, levels, budget)
        run(walk, ("root",), document, Slot(None, "root", 0))
        return document

    return modify


def _depth(rule: ModifyLeaf | ModifyNode) -> int:
    return 1 + max(map(_depth, rule.children()), default=0) if isinstance(rule, ModifyNode) else 1


def _compile(
    rule: ModifyLeaf | ModifyNode, level: int, way: tuple[Element, ...], trace: Trace | None
) -> Apply:
    below = (*way, rule.element) if level > 1 else ()
    if isinstance(rule, ModifyLeaf):
        run = _compile_leaf(rule, level, below, trace)
    else:
        run = _compile_node(rule, level, below, trace)
    return _when_present(run) if rule.only_present else run


def _when_present(run: Apply) -> Apply:
    def when_present(walk: Walk, match: tuple[str, ...], value: Any, slot: Slot) -> None:
        if value is not NOTHING:
            run(walk, match, value, slot)

    return when_present


def _applies(mode: Mode, slot: Slot) -> bool:
    """Return whether a mode lets a value be set at a key of an object, or an index of a list."""
    if mode is Mode.OVERWRITE:
        return True
    holder, key, size = slot
    if type(holder) is dict:
        return holder.get(key) is None if mode is Mode.DEFAULT else key not in holder
    return holder[key] is None and (mode is Mode.DEFAULT or key >= size)


def _compile_leaf(leaf: ModifyLeaf, level: int, way: tuple[Element, ...], trace: Trace | None) -> Apply:
    evaluate = compile_choice(leaf.choice, level)
    mode = leaf.mode
    noting = None if trace is None else trace.modify_noter(leaf.rule, way, lookups_of(leaf.choice))

    def set_value(walk: Walk, match: tuple[str, ...], value: Any, slot: Slot) -> None:
        walk.match[level] = match
        walk.tree[level] = None if value is NOTHING else value
        new = evaluate(walk, value)
        if new is NOTHING:
            return
        if type(slot.holder) not in _CONTAINERS:
            raise JoltTransformError(
                f"{leaf.rule} sets a value below one that is neither an object nor a list. "
                f"Shift that value to a key of its own first."
            )
        if _applies(mode, slot):
            if noting is not None:
                noting(walk, slot.holder, slot.key, value)
            slot.holder[slot.key] = new

    return set_value


_CONTAINERS = (dict, list)


def _compile_node(node: ModifyNode, level: int, way: tuple[Element, ...], trace: Trace | None) -> Apply:
    children = _compile_children(node, level + 1, way, trace)
    shape, mode, needed = node.shape, node.mode, node.size()

    def descend(walk: Walk, match: tuple[str, ...], value: Any, slot: Slot) -> None:
        tree: Any = None if value is NOTHING else value
        if not _fits(shape, tree) or (mode is Mode.DEFINE and _was_just_added(slot, tree)):
            return
        if tree is None:
            if type(slot.holder) not in _CONTAINERS or not _applies(mode, slot):
                return
            tree = slot.holder[slot.key] = [] if shape is Shape.LIST else {}
            if trace is not None:
                trace.note(slot.holder, slot.key, Note(node.rule, (), whole=False))
        former = len(tree) if type(tree) is list else 0
        if needed > former and shape is Shape.LIST:
            walk.budget.extend(tree, needed)
        walk.match[level] = match
        walk.tree[level] = tree
        children(walk, tree, former)

    return descend


def _was_just_added(slot: Slot, tree: Any) -> bool:
    """Return whether another rule has made this entry of a list, which "define" then leaves alone."""
    return type(slot.holder) is list and slot.key >= slot.size and tree is not None


def _fits(shape: Shape, tree: Any) -> bool:
    if shape is Shape.ANY:
        return tree is not None
    return tree is None or type(tree) is (list if shape is Shape.LIST else dict)


def _compile_children(
    node: ModifyNode, level: int, way: tuple[Element, ...], trace: Trace | None
) -> Callable[[Walk, Any, int], None]:
    fixed = tuple((*_place(child.element), _compile(child, level, way, trace)) for child in node.fixed)
    computed = tuple(
        (compile_matcher(child.element, level - 1), _compile(child, level, way, trace))
        for child in node.computed
    )

    def apply_fixed(walk: Walk, tree: Any, size: int) -> None:
        for key, match, run in fixed:
            run(walk, match, _value_at(tree, key, size), Slot(tree, key, size))

    if not computed:
        return apply_fixed

    def apply_both(walk: Walk, tree: Any, size: int) -> None:
        apply_fixed(walk, tree, size)
        _apply_computed(walk, tree, size, computed)

    return apply_both


def _place(element: Element) -> tuple[Any, tuple[str, ...]]:
    if isinstance(element, Array):
        return element.index, (str(element.index),)
    assert isinstance(element, Literal)
    return element.key, (element.key,)


def _value_at(tree: Any, key: Any, size: int) -> Any:
    """Return the value at a key; what was only just added to a list is not there yet."""
    if type(tree) is dict:
        return tree.get(key, NOTHING)
    value = tree[key] if key < len(tree) else None
    return NOTHING if value is None and key >= size else value


def _apply_computed(walk: Walk, tree: Any, size: int, computed: tuple[tuple[Matcher, Apply], ...]) -> None:
    if type(tree) is dict:
        keys: list[Any] = list(tree)
    elif type(tree) is list:
        keys = list(range(len(tree)))
    else:
        keys = [to_string(tree)]
    for key in keys:
        for matches, run in computed:
            match = matches(walk, str(key))
            if match is not None:
                value = _value_at(tree, key, size) if type(tree) in _CONTAINERS else None
                run(walk, match, value, Slot(tree, key, size))
                break
