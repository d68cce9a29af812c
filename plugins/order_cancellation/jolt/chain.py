"""Chains of operations: what makes one valid, and the one place that knows the operations by name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from order_cancellation.jolt.cardinality import compile_cardinality, parse_cardinality
from order_cancellation.jolt.default import compile_default, parse_default
from order_cancellation.jolt.errors import SpecProblem
from order_cancellation.jolt.limits import MAX_SPEC_DEPTH, PaddingBudget
from order_cancellation.jolt.modify import Mode, ModifyNode, compile_modify, parse_modify
from order_cancellation.jolt.remove import compile_remove, parse_remove
from order_cancellation.jolt.report import Reporter, nearest
from order_cancellation.jolt.shift import compile_shift
from order_cancellation.jolt.shift_spec import Node, is_plain, parse_shift
from order_cancellation.jolt.sort import sort_document
from order_cancellation.jolt.text import too_deep
from order_cancellation.jolt.trace import Trace

__all__ = ["OPERATIONS", "Operation", "Run", "parse_chain"]

Run = Callable[[Any, PaddingBudget], Any]


@dataclass(frozen=True)
class Operation:
    """One operation of a chain, parsed.

    Args:
        index: Its place in the chain.
        name: Its name as written.
        compile: Gives its run, with a trace for ``explain`` or without. Runs take the document over.
        compile_copying: Gives a run that leaves the document alone, where there is a cheaper way to that than
            a copy of the whole.
        shares: Whether its result may hold one object in several places, or Java's own types.
    """

    index: int
    name: str
    compile: Callable[[Trace | None], Run]
    compile_copying: Callable[[], Run] | None = None
    shares: bool = False


@dataclass(frozen=True)
class _Kind:
    """How one operation is parsed and compiled; ``parse`` is None for the one that has no specification."""

    parse: Callable[[Any, Reporter], Any] | None
    compile: Callable[[Any, Trace | None], Run]


def _modify(mode: Mode) -> _Kind:
    return _Kind(lambda spec, reporter: parse_modify(spec, mode, reporter), compile_modify)


def _compile_sort(_parsed: Any, _trace: Trace | None) -> Run:
    return lambda document, _budget: sort_document(document)


OPERATIONS: dict[str, _Kind] = {
    "shift": _Kind(parse_shift, compile_shift),
    "default": _Kind(parse_default, compile_default),
    "remove": _Kind(parse_remove, compile_remove),
    "cardinality": _Kind(parse_cardinality, compile_cardinality),
    "sort": _Kind(None, _compile_sort),
    "modify-overwrite": _modify(Mode.OVERWRITE),
    "modify-default": _modify(Mode.DEFAULT),
    "modify-define": _modify(Mode.DEFINE),
    "modify-overwrite-beta": _modify(Mode.OVERWRITE),
    "modify-default-beta": _modify(Mode.DEFAULT),
    "modify-define-beta": _modify(Mode.DEFINE),
}


def parse_chain(spec: Any) -> tuple[list[Operation], list[SpecProblem]]:
    """Parse a whole specification.

    Args:
        spec: A list of operations, or one operation.

    Returns:
        The operations that could be parsed, and everything that is wrong with the specification.
    """
    entries = [spec] if isinstance(spec, dict) else spec
    if not isinstance(entries, list):
        return [], [_whole('A specification is a list of operations: [{"operation": "shift", "spec": {…}}].')]
    if not entries:
        return [], [
            _whole(
                "The list of operations is empty. Write at least one; leave the mapping out to map nothing."
            )
        ]
    if _depth_exceeds(spec, MAX_SPEC_DEPTH):
        return [], [too_deep()]
    operations: list[Operation] = []
    problems: list[SpecProblem] = []
    for index, entry in enumerate(entries):
        reporter = Reporter(index)
        operation = _parse_entry(index, entry, reporter)
        problems += reporter.problems
        if operation is not None:
            operations.append(operation)
    return operations, problems


def _whole(message: str) -> SpecProblem:
    return SpecProblem(None, "", message)


def _depth_exceeds(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return False
    if levels == 0:
        return True
    return any(
        _depth_exceeds(item, levels - 1) for item in (value.values() if isinstance(value, dict) else value)
    )


def _parse_entry(index: int, entry: Any, reporter: Reporter) -> Operation | None:
    if not isinstance(entry, dict):
        reporter.error("", 'An operation is an object: {"operation": "shift", "spec": {…}}.')
        return None
    name = entry.get("operation")
    if not isinstance(name, str):
        reporter.error(
            "operation",
            f'The operation\'s name is missing. Write "operation": one of {", ".join(OPERATIONS)}.',
        )
        return None
    kind = OPERATIONS.get(name)
    if kind is None:
        reporter.error("operation", f"There is no operation '{name}'. {nearest(name, list(OPERATIONS))}")
        return None
    return _parse_kind(index, name, kind, entry, reporter)


def _parse_kind(
    index: int, name: str, kind: _Kind, entry: dict[str, Any], reporter: Reporter
) -> Operation | None:
    if kind.parse is None:
        return Operation(index, name, lambda trace: kind.compile(None, trace))
    if entry.get("spec") is None:
        reporter.error(
            "spec", f'The operation {name} needs a "spec" that says what to do. Only sort has none.'
        )
        return None
    parsed = kind.parse(entry["spec"], reporter)
    if parsed is None:
        return None
    plain = isinstance(parsed, Node) and is_plain(parsed)
    return Operation(
        index,
        name,
        compile=lambda trace: kind.compile(parsed, trace),
        compile_copying=(lambda: compile_shift(parsed, copying=True)) if plain else None,
        shares=isinstance(parsed, ModifyNode) or (isinstance(parsed, Node) and not plain),
    )
