"""The specification of ``shift``, parsed: rules and levels, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from order_cancellation.jolt.keys import (
    Amp,
    Array,
    At,
    Dollar,
    Element,
    Hash,
    KeySyntaxError,
    Literal,
    Pattern,
    Transpose,
    canonical,
    parse_key,
    split_alternatives,
)
from order_cancellation.jolt.paths import Path, parse_path
from order_cancellation.jolt.patterns import pattern_order
from order_cancellation.jolt.report import Reporter, child_path

__all__ = ["Leaf", "Node", "is_plain", "parse_shift"]


@dataclass(frozen=True)
class Leaf:
    """A rule: what matches ``element`` is written to each of ``paths``.

    Args:
        rule: Where the rule stands in the specification.
        element: Its key.
        paths: Where values go; none for a value that is only to be matched.
    """

    rule: str
    element: Element
    paths: tuple[Path, ...]


@dataclass(frozen=True)
class Node:
    """A level of the specification.

    Args:
        rule: Where it stands in the specification.
        element: Its key.
        literals: Its rules for one name each.
        computed: Its rules for patterns and references, the most specific first.
        special: Its rules that take something else than the document's next level: ``@``, ``$``, ``#``.
    """

    rule: str
    element: Element
    literals: dict[str, Leaf | Node] = field(default_factory=dict)
    computed: tuple[Leaf | Node, ...] = ()
    special: tuple[Leaf | Node, ...] = ()

    def children(self) -> Iterator[Leaf | Node]:
        """Give all rules of this level."""
        yield from self.special
        yield from self.literals.values()
        yield from self.computed


def parse_shift(spec: Any, reporter: Reporter) -> Node | None:
    """Parse a ``shift`` specification, reporting whatever is wrong with it.

    Args:
        spec: The operation's ``spec``.
        reporter: Takes the problems.

    Returns:
        The specification's root, or None where there is nothing to run.
    """
    if not isinstance(spec, dict):
        reporter.error(
            "spec", "shift needs an object here: keys of the input, and the paths that their values go to."
        )
        return None
    return _parse_node("spec", Literal("root"), spec, reporter)


def _parse_node(rule: str, element: Element, spec: dict[str, Any], reporter: Reporter) -> Node | None:
    if not spec:
        reporter.error(rule, "The object is empty. Write where the value goes, or null to drop it.")
        return None
    if isinstance(element, At | Dollar | Hash):
        reporter.error(
            rule, "A key @, $ or # gives one value and can't have rules below. Write a path as its value."
        )
        return None
    children = list(_parse_children(rule, spec, reporter))
    return Node(
        rule,
        element,
        literals={child.element.key: child for child in children if isinstance(child.element, Literal)},
        computed=tuple(sorted((c for c in children if isinstance(c.element, Pattern | Amp)), key=_order)),
        special=tuple(c for c in children if isinstance(c.element, At | Dollar | Hash | Transpose)),
    )


def _order(child: Leaf | Node) -> tuple[int, int, bytes]:
    return pattern_order(child.element)


def _parse_children(rule: str, spec: dict[str, Any], reporter: Reporter) -> Iterator[Leaf | Node]:
    seen: set[str] = set()
    for written, value in spec.items():
        path = child_path(rule, written)
        for raw in split_alternatives(written):
            element = reporter.attempt(path, parse_key, raw)
            if element is None:
                continue
            name = canonical(element, raw)
            if name in seen:
                reporter.error(
                    path, f"The key '{raw}' stands at this level twice. Write its rules under one key."
                )
                continue
            seen.add(name)
            child = _parse_child(path, element, value, reporter)
            if child is not None:
                yield child


def _parse_child(rule: str, element: Element, value: Any, reporter: Reporter) -> Leaf | Node | None:
    if isinstance(element, Array):
        reporter.silent(
            rule, 'A list index is written without brackets on the left. Write "0" for the first entry.'
        )
    if isinstance(value, dict):
        return _parse_node(rule, element, value, reporter)
    texts = [] if value is None else value if isinstance(value, list) else [value]
    if any(not isinstance(text, str) for text in texts):
        reporter.error(
            rule, "Write a path, a list of paths, null, or an object with further keys as the value."
        )
        return None
    paths = [reporter.attempt(rule, _parse_target, text) for text in texts]
    return Leaf(rule, element, tuple(path for path in paths if path is not None))


def _parse_target(text: str) -> Path:
    for sign, example in (("*", "&"), ("$", "&1")):
        if sign in text and f"\\{sign}" not in text:
            raise KeySyntaxError(
                f"'{text}' has a {sign}, which only keys on the left have. Refer to a match with {example}."
            )
    return parse_path(text if text.strip() else "")


def is_plain(rule: Leaf | Node) -> bool:
    """Return whether no value is written twice or looked up, so that a copy would not be noticed."""
    if isinstance(rule, Node):
        return not any(isinstance(c.element, At | Transpose) for c in rule.special) and all(
            map(is_plain, rule.children())
        )
    return len(rule.paths) <= 1 and "@" not in "".join(path.text for path in rule.paths)
