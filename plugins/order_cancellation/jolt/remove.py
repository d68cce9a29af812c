"""``remove``: keys and list entries are taken out of the document."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from order_cancellation.jolt.java import parse_integer
from order_cancellation.jolt.keys import (
    Pattern,
    PatternKind,
    match_pattern,
    parse_pattern,
    split_alternatives,
)
from order_cancellation.jolt.limits import PaddingBudget
from order_cancellation.jolt.report import Reporter, child_path
from order_cancellation.jolt.trace import Trace

__all__ = ["RemoveRule", "compile_remove", "parse_remove"]


@dataclass(frozen=True)
class RemoveRule:
    """One key of the specification.

    Args:
        rule: Where it stands.
        name: The key, where it is a name.
        pattern: The key, where it has stars.
        below: The rules below, or None where the key itself goes.
    """

    rule: str
    name: str
    pattern: Pattern | None
    below: tuple[RemoveRule, ...] | None


def parse_remove(spec: Any, reporter: Reporter) -> tuple[RemoveRule, ...] | None:
    """Parse a ``remove`` specification.

    Args:
        spec: The operation's ``spec``.
        reporter: Takes the problems.
    """
    if not isinstance(spec, dict):
        reporter.error(
            "spec", 'remove needs an object here: the keys to take out, each with "" as its value.'
        )
        return None
    return tuple(_parse_level("spec", spec, reporter))


def _parse_level(rule: str, spec: dict[str, Any], reporter: Reporter) -> Iterator[RemoveRule]:
    for written, value in spec.items():
        path = child_path(rule, written)
        if not isinstance(value, dict) and not (isinstance(value, str) and not value.strip()):
            reporter.error(
                path, 'Write "" as the value to take the key out, or an object with keys below it.'
            )
            continue
        below = tuple(_parse_level(path, value, reporter)) if isinstance(value, dict) else None
        for raw in split_alternatives(written):
            if raw.startswith("[") or "\\" in raw:
                reporter.silent(
                    path, f"'{raw}' is a plain name here. Write list indexes without brackets: \"0\"."
                )
            yield RemoveRule(path, raw, _pattern(raw), below)


def _pattern(raw: str) -> Pattern | None:
    if "*" not in raw:
        return None
    parts = raw.split("*")
    if len(parts) > 2 and not all(parts[1:-1]):  # noqa: PLR2004 — stars side by side match nothing
        return Pattern(PatternKind.REGEX, tuple(parts))
    return parse_pattern(raw, raw.count("*"))


Take = Callable[[Any], None]


def compile_remove(
    rules: tuple[RemoveRule, ...], trace: Trace | None = None
) -> Callable[[Any, PaddingBudget], Any]:
    """Compile a parsed specification.

    Args:
        rules: The specification.
        trace: Where removals are noted, for ``explain``.

    Returns:
        A function that changes the document it is given and returns it.
    """
    take = _compile_level(rules, trace)

    def remove(document: Any, _budget: PaddingBudget) -> Any:
        take(document)
        return document

    return remove


def _compile_level(rules: tuple[RemoveRule, ...], trace: Trace | None) -> Take:
    compiled = tuple(
        (rule, None if rule.below is None else _compile_level(rule.below, trace)) for rule in rules
    )
    if trace is not None:
        for rule in rules:
            if rule.below is None:
                trace.expect(rule.rule)

    def take(value: Any) -> None:
        if type(value) not in (dict, list):
            return
        gone: dict[Any, str] = {}
        for rule, below in compiled:
            for key in _matching(rule, value):
                if below is None:
                    gone.setdefault(key, rule.rule)
                else:
                    below(value[key])
        if gone:
            _remove(value, gone, trace)

    return take


def _matching(rule: RemoveRule, value: Any) -> list[Any]:
    if type(value) is list:
        return _matching_indexes(rule, len(value))
    if rule.pattern is None:
        return [rule.name] if rule.name in value else []
    return [key for key in value if match_pattern(rule.pattern, key) is not None]


def _matching_indexes(rule: RemoveRule, length: int) -> list[int]:
    if rule.pattern is not None:
        return list(range(length)) if rule.pattern.kind is PatternKind.ALL else []
    index = parse_integer(rule.name)
    return [index] if index is not None and 0 <= index < length else []


def _remove(value: Any, gone: dict[Any, str], trace: Trace | None) -> None:
    """Take keys out at once, so that the indexes of a list mean what they meant before."""
    if trace is not None:
        for rule in gone.values():
            trace.hit(rule)
    if type(value) is dict:
        for key in gone:
            del value[key]
        return
    if trace is not None:
        trace.removed(value, set(gone))
    value[:] = [item for index, item in enumerate(value) if index not in gone]
