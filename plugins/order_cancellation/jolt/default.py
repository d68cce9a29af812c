"""``default``: what is missing, or null, gets a value; what is there stays."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from order_cancellation.jolt.errors import JoltTransformError
from order_cancellation.jolt.java import parse_integer
from order_cancellation.jolt.keys import KeySyntaxError, split_alternatives
from order_cancellation.jolt.limits import PaddingBudget
from order_cancellation.jolt.report import Reporter, child_path
from order_cancellation.jolt.trace import Note, Trace
from order_cancellation.jolt.tree import copy_document

__all__ = ["DefaultRule", "DefaultSpec", "compile_default", "parse_default"]

_LITERAL, _ALTERNATIVES, _STAR = range(3)


@dataclass(frozen=True)
class DefaultRule:
    """One key of the specification.

    Args:
        rule: Where it stands.
        kind: A name, some names to choose from, or ``*``; they are tried in this order.
        keys: The names, or indexes where the level is a list's.
        makes_list: Whether the key ends in ``[]``, so that a list is made and expected there.
        value: The value, where there is nothing below.
        below: The rules below, or None.
    """

    rule: str
    kind: int
    keys: tuple[Any, ...]
    makes_list: bool
    value: Any
    below: tuple[DefaultRule, ...] | None

    def size(self) -> int:
        """Return how long a list must be for the rules below."""
        literal = [rule for rule in self.below or () if rule.kind == _LITERAL]
        return max((key + 1 for rule in literal for key in rule.keys), default=0)

    def leaves(self) -> Iterator[DefaultRule]:
        """Give the rules that set values."""
        if self.below is None:
            yield self
        for rule in self.below or ():
            yield from rule.leaves()


@dataclass(frozen=True)
class DefaultSpec:
    """A whole specification, as it is for an object, and for a list (or None, if it can't be for one)."""

    for_object: DefaultRule
    for_list: DefaultRule | None


def parse_default(spec: Any, reporter: Reporter) -> DefaultSpec | None:
    """Parse a ``default`` specification.

    Args:
        spec: The operation's ``spec``.
        reporter: Takes the problems.
    """
    if not isinstance(spec, dict):
        reporter.error(
            "spec", "default needs an object here: the keys that may be missing, and their values."
        )
        return None
    for_object = DefaultRule(
        "spec", _LITERAL, ("root",), False, None, _parse_level("spec", spec, reporter, in_list=False)
    )
    unheard = Reporter(reporter.operation)
    entries = _parse_level("spec", spec, unheard, in_list=True)
    if unheard.problems:
        return DefaultSpec(for_object, None)
    return DefaultSpec(for_object, DefaultRule("spec", _LITERAL, ("root",), True, None, entries))


def _parse_level(
    rule: str, spec: dict[str, Any], reporter: Reporter, *, in_list: bool
) -> tuple[DefaultRule, ...]:
    rules = []
    for raw, value in spec.items():
        path = child_path(rule, raw)
        parsed = reporter.attempt(path, lambda text: _parse_key(text, in_list=in_list), raw)
        if parsed is None:
            continue
        kind, keys, makes_list = parsed
        below = _parse_level(path, value, reporter, in_list=makes_list) if isinstance(value, dict) else None
        rules.append(DefaultRule(path, kind, keys, makes_list, value, below))
    return tuple(sorted(rules, key=_precedence))


def _precedence(rule: DefaultRule) -> tuple[int, int, tuple[str, ...]]:
    return rule.kind, len(rule.keys) if rule.kind == _ALTERNATIVES else 0, tuple(map(str, rule.keys))


def _parse_key(raw: str, *, in_list: bool) -> tuple[int, tuple[Any, ...], bool]:
    makes_list = raw.endswith("[]")
    key = raw[:-2] if makes_list else raw
    if key == "*":
        return _STAR, (), makes_list
    if "*" in key:
        raise KeySyntaxError(
            f"'{raw}' has a * among other characters. In default, a * stands alone: write '*'."
        )
    kind = _ALTERNATIVES if "|" in key else _LITERAL
    names: list[Any] = split_alternatives(key) if kind == _ALTERNATIVES else [key]
    if in_list:
        names = [_index(raw, name) for name in names]
    return kind, tuple(names), makes_list


def _index(raw: str, name: str) -> int:
    number = parse_integer(name)
    if number is None:
        raise KeySyntaxError(
            f"'{raw}' is no list index, but stands below a key with []. Write '0', '1' … or '*'."
        )
    return number


Apply = Callable[[Any, PaddingBudget], None]


def compile_default(spec: DefaultSpec, trace: Trace | None = None) -> Callable[[Any, PaddingBudget], Any]:
    """Compile a parsed specification.

    Args:
        spec: The specification.
        trace: Where each value set is noted, for ``explain``.

    Returns:
        A function that changes the document it is given and returns it; null counts as an empty object.
    """
    for_object = _compile_below(spec.for_object, trace)
    for_list = None if spec.for_list is None else _compile_below(spec.for_list, trace)

    def default(document: Any, budget: PaddingBudget) -> Any:
        document = {} if document is None else document
        if type(document) is not list:
            for_object(document, budget)
        elif for_list is None:
            raise JoltTransformError(
                "The document is a list, but this default's keys are names. Write '*' for all entries."
            )
        else:
            for_list(document, budget)
        return document

    return default


def _compile_below(rule: DefaultRule, trace: Trace | None) -> Apply:
    rules = tuple(_compile_rule(child, trace, in_list=rule.makes_list) for child in rule.below or ())
    size = rule.size() if rule.makes_list else 0

    def apply(target: Any, budget: PaddingBudget) -> None:
        if type(target) is list and size:
            budget.extend(target, size)
        for run in rules:
            run(target, budget)

    return apply


def _compile_rule(rule: DefaultRule, trace: Trace | None, *, in_list: bool) -> Apply:
    set_one = _compile_value(rule, trace) if rule.below is None else _compile_nested(rule, trace)
    expected = list if in_list else dict

    def apply(target: Any, budget: PaddingBudget) -> None:
        if type(target) is expected:
            for key in _matching(rule, target):
                set_one(target, key, budget)

    return apply


def _matching(rule: DefaultRule, target: Any) -> list[Any]:
    """Return the keys that a rule applies to: names make keys, alternatives and stars need them."""
    if rule.kind == _STAR:
        return list(target) if type(target) is dict else list(range(len(target)))
    if type(target) is list:
        return [key for key in rule.keys if 0 <= key < len(target)]
    return [key for key in rule.keys if rule.kind == _LITERAL or key in target]


SetOne = Callable[[Any, Any, PaddingBudget], None]


def _get(target: Any, key: Any) -> Any:
    return target.get(key) if type(target) is dict else target[key]


def _compile_value(rule: DefaultRule, trace: Trace | None) -> SetOne:
    if trace is not None:
        trace.expect(rule.rule)

    def set_value(target: Any, key: Any, _budget: PaddingBudget) -> None:
        if _get(target, key) is None:
            target[key] = copy_document(rule.value)
            if trace is not None:
                trace.note(target, key, Note(rule.rule, (), whole=False))

    return set_value


def _compile_nested(rule: DefaultRule, trace: Trace | None) -> SetOne:
    below = _compile_below(rule, trace)

    def set_below(target: Any, key: Any, budget: PaddingBudget) -> None:
        value = _get(target, key)
        if value is None:
            value = target[key] = [] if rule.makes_list else {}
        below(value, budget)

    return set_below
