"""``cardinality``: values become lists (``MANY``), or lists their first entry (``ONE``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from order_cancellation.jolt.errors import JoltTransformError
from order_cancellation.jolt.hashing import hash_order
from order_cancellation.jolt.keys import (
    At,
    Element,
    KeySyntaxError,
    Literal,
    Pattern,
    PatternKind,
    parse_pattern,
)
from order_cancellation.jolt.limits import PaddingBudget
from order_cancellation.jolt.patterns import Matcher, compile_matcher, pattern_order
from order_cancellation.jolt.report import Reporter, child_path
from order_cancellation.jolt.trace import Note, Trace
from order_cancellation.jolt.walk import Walk

__all__ = ["CardinalityNode", "compile_cardinality", "parse_cardinality"]


@dataclass(frozen=True)
class CardinalityNode:
    """A rule (with a relation) or a level (with rules below).

    Args:
        rule: Where it stands in the specification.
        element: Its key.
        relation: ``ONE`` or ``MANY`` for a rule, None for a level.
        own: The relation that ``@`` gives the level's value itself, if any.
        literals: The level's rules for names.
        computed: The level's rules for patterns.
    """

    rule: str
    element: Element
    relation: str | None = None
    own: CardinalityNode | None = None
    literals: dict[str, CardinalityNode] = field(default_factory=dict)
    computed: tuple[CardinalityNode, ...] = ()

    def children(self) -> Iterator[CardinalityNode]:
        """Give all rules of this level."""
        yield from self.literals.values()
        yield from self.computed


def parse_cardinality(spec: Any, reporter: Reporter) -> CardinalityNode | None:
    """Parse a ``cardinality`` specification.

    Args:
        spec: The operation's ``spec``.
        reporter: Takes the problems.
    """
    if not isinstance(spec, dict):
        reporter.error("spec", "cardinality needs an object here: keys, and ONE or MANY for each.")
        return None
    return _parse_node("spec", Literal("root"), spec, reporter)


def _parse_node(rule: str, element: Element, value: Any, reporter: Reporter) -> CardinalityNode | None:
    if not isinstance(value, dict):
        if value not in ("ONE", "MANY"):
            reporter.error(rule, f'{value!r} is no cardinality. Write "ONE" or "MANY".')
            return None
        return CardinalityNode(rule, element, relation=value)
    if isinstance(element, At):
        reporter.error(rule, "The key @ is the value itself and can't have rules below. Write ONE or MANY.")
        return None
    if not value:
        reporter.error(
            rule, "The object is empty. Write keys with ONE or MANY, or one of these as the value."
        )
        return None
    children = list(_parse_children(rule, value, reporter))
    computed = [child for child in children if isinstance(child.element, Pattern)]
    _check_order(rule, computed, reporter)
    return CardinalityNode(
        rule,
        element,
        own=next((child for child in children if isinstance(child.element, At)), None),
        literals={child.element.key: child for child in children if isinstance(child.element, Literal)},
        computed=tuple(sorted(computed, key=lambda child: pattern_order(child.element))),
    )


def _parse_children(rule: str, spec: dict[str, Any], reporter: Reporter) -> Iterator[CardinalityNode]:
    for raw, value in spec.items():
        path = child_path(rule, raw)
        element = reporter.attempt(path, _parse_cardinality_key, raw)
        if element is None:
            continue
        if "|" in raw or raw.startswith(("[", "\\")):
            reporter.silent(
                path, f"'{raw}' is a plain name here. Write one key for each name, without signs."
            )
        child = _parse_node(path, element, value, reporter)
        if child is not None:
            yield child


def _parse_cardinality_key(raw: str) -> Element:
    """Parse a key by this operation's own grammar: names, stars, ``@``; nothing else means anything."""
    if raw == "@":
        return At()
    if raw.startswith("@"):
        raise KeySyntaxError(
            f"'{raw}' looks something up, which no key can do here. Write @ for the value itself."
        )
    stars = raw.count("*")
    if stars > 1:
        return Pattern(PatternKind.REGEX, tuple(raw.split("*")))
    return parse_pattern(raw, stars) if stars else Literal(raw)


def _check_order(rule: str, computed: list[CardinalityNode], reporter: Reporter) -> None:
    """Refuse what Java's comparison fails on: one star with text beside another kind of pattern."""
    kinds = {c.element.kind if isinstance(c.element, Pattern) else None for c in computed}
    if PatternKind.SINGLE in kinds and len(kinds) > 1:
        reporter.error(
            rule,
            "A pattern with one star and text ('p*') stands beside '*' or a pattern of another kind, which "
            "Java's cardinality can't put in order. Use two operations, one for each.",
        )


Apply = Callable[[Walk, tuple[str, ...], Any, Any, Any], None]
"""Runs a rule: the walk, the matched key, the value, its container, and its key or index there."""


class _Rules(NamedTuple):
    """The compiled rules of one level."""

    literals: dict[str, Apply]
    computed: tuple[tuple[Matcher, Apply], ...]

    def apply_first(self, walk: Walk, item: Any, holder: Any, key: Any) -> None:
        """Run the rule that an entry belongs to: its name's, else the first pattern's that matches."""
        name = str(key)
        literal = self.literals.get(name)
        if literal is not None:
            literal(walk, (name,), item, holder, key)
            return
        for matches, run in self.computed:
            match = matches(walk, name)
            if match is not None:
                run(walk, match, item, holder, key)
                return


def compile_cardinality(
    root: CardinalityNode, trace: Trace | None = None
) -> Callable[[Any, PaddingBudget], Any]:
    """Compile a parsed specification.

    Args:
        root: The specification.
        trace: Where each change is noted, for ``explain``.

    Returns:
        A function that changes the document it is given and returns it.
    """
    run = _compile_level(root, 1, trace)
    levels = _depth(root) + 2

    def cardinality(document: Any, budget: PaddingBudget) -> Any:
        run(Walk(document, levels, budget), ("root",), document, None, None)
        return document

    return cardinality


def _depth(node: CardinalityNode) -> int:
    return 1 + max(map(_depth, node.children()), default=0)


def _compile(node: CardinalityNode, level: int, trace: Trace | None) -> Apply:
    if node.relation is None:
        return _compile_level(node, level, trace)
    change = _compile_change(node, trace)

    def apply(_walk: Walk, _match: tuple[str, ...], value: Any, holder: Any, key: Any) -> None:
        if type(holder) is list:
            raise _below_list(node.rule)
        change(value, holder, key)

    return apply


def _below_list(rule: str) -> JoltTransformError:
    return JoltTransformError(
        f"{rule} sets the cardinality of a list's entries, which only keys of objects can have. "
        f"Shift the entries to keys first."
    )


def _compile_change(node: CardinalityNode, trace: Trace | None) -> Callable[[Any, Any, Any], Any]:
    if trace is not None:
        trace.expect(node.rule)

    def change(value: Any, holder: Any, key: Any) -> Any:
        if node.relation == "MANY":
            new: Any = value if type(value) is list else [] if value is None else [value]
        else:
            new = (value[0] if value else None) if type(value) is list else value
        if new is not value and holder is not None:
            if type(holder) is dict and node.relation == "MANY" and value is not None:
                del holder[key]
            holder[key] = new
            if trace is not None:
                trace.reshaped(holder, key, Note(node.rule, (), whole=True), node.relation or "")
        elif trace is not None:
            trace.hit(node.rule)
        return new

    return change


def _reorders(node: CardinalityNode) -> bool:
    """Return whether several keys of this level may be put back at the end, so that their order shows."""
    literal = sum(map(_puts_back, node.literals.values()))
    return literal > 1 or any(map(_puts_back, node.computed))


def _puts_back(node: CardinalityNode) -> bool:
    return "MANY" in (node.relation, node.own.relation if node.own else None)


def _compile_level(node: CardinalityNode, level: int, trace: Trace | None) -> Apply:
    own = None if node.own is None else _compile_change(node.own, trace)
    reorders = _reorders(node)
    rules = _Rules(
        {key: _compile(child, level + 1, trace) for key, child in node.literals.items()},
        tuple((compile_matcher(c.element, level), _compile(c, level + 1, trace)) for c in node.computed),
    )

    def descend(walk: Walk, match: tuple[str, ...], value: Any, holder: Any, key: Any) -> None:
        if own is not None:
            if type(holder) is list:
                raise _below_list(node.rule)
            value = own(value, holder, key)
        walk.match[level] = match
        walk.tree[level] = value
        if type(value) is dict:
            for name, item in hash_order(value) if reorders else list(value.items()):
                rules.apply_first(walk, item, value, name)
        elif type(value) is list:
            for index, item in enumerate(value):
                rules.apply_first(walk, item, value, index)

    return descend
