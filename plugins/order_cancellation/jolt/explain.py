"""What a mapping did with a document: for each field of the result, which rule wrote it, and from where."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from order_cancellation.jolt.chain import Operation, parse_chain
from order_cancellation.jolt.errors import JoltSpecError, JoltTransformError
from order_cancellation.jolt.java import JavaArray
from order_cancellation.jolt.limits import PaddingBudget
from order_cancellation.jolt.report import child_path
from order_cancellation.jolt.trace import DocumentPath, Note, Trace
from order_cancellation.jolt.tree import copy_document, finished

__all__ = ["ExplainedField", "Explanation", "Step", "UnmatchedRule", "explain"]

_MOST_SOURCES = 50


@dataclass(frozen=True)
class Step:
    """One rule that had a part in a field.

    Args:
        operation: The operation's index in the chain.
        name: The operation's name.
        rule: Where the rule stands in the operation's specification.
        inputs: The paths that it took the value from, in what the operation was given; none for constants.
    """

    operation: int
    name: str
    rule: str
    inputs: list[str]


@dataclass(frozen=True)
class ExplainedField:
    """One field of the result.

    Args:
        path: Where it is.
        sources: The paths of the document that it comes from; none where it is made of constants.
        steps: The rules that had a part in it, the last one first; none where it was left as it came.
    """

    path: str
    sources: list[str]
    steps: list[Step]


@dataclass(frozen=True)
class UnmatchedRule:
    """A rule that did nothing with this document."""

    operation: int
    name: str
    rule: str


@dataclass(frozen=True)
class Explanation:
    """All that is to be said about one document.

    Args:
        result: The mapped document.
        fields: Its fields, in its order.
        unmatched: The rules that did nothing, in the order of the specification.
    """

    result: Any
    fields: list[ExplainedField]
    unmatched: list[UnmatchedRule]

    def as_json(self) -> dict[str, Any]:
        """Return the explanation as plain values; a field has its writer's entries beside its path."""
        return {
            "result": self.result,
            "fields": [_field_as_json(entry) for entry in self.fields],
            "unmatched": [asdict(rule) for rule in self.unmatched],
        }


def _field_as_json(entry: ExplainedField) -> dict[str, Any]:
    writer = entry.steps[0] if entry.steps else None
    return {
        "path": entry.path,
        "operation": None if writer is None else writer.operation,
        "name": None if writer is None else writer.name,
        "rule": None if writer is None else writer.rule,
        "inputs": entry.sources if writer is None else writer.inputs,
        "sources": entry.sources,
        "before": [asdict(step) for step in entry.steps[1:]],
    }


@dataclass(frozen=True)
class _Origin:
    """Where one place of an operation's output comes from."""

    note: Note | None
    inputs: tuple[DocumentPath, ...]


@dataclass
class _Pass:
    """One operation's run: who it was, what it noted, and where each place of its output comes from."""

    operation: Operation
    trace: Trace = field(default_factory=Trace)
    origins: dict[DocumentPath, _Origin] = field(default_factory=dict)


def explain(spec: Any, document: Any) -> Explanation:
    """Map a document, and tell how each field of the result came about.

    Takes many times as long as the mapping itself, and gives the same result.

    Args:
        spec: The specification, as ``compile_spec`` takes it (not strictly).
        document: The document, which is left alone.

    Raises:
        JoltSpecError: The specification can't be run.
        JoltTransformError: The mapping fails on the document.
    """
    operations, problems = parse_chain(spec)
    serious = [problem for problem in problems if not problem.java_accepts]
    if serious:
        raise JoltSpecError(serious)
    try:
        value, passes = _run(operations, copy_document(document))
        result = finished(value)
    except RecursionError as error:
        raise JoltTransformError("The document is nested too deeply, or contains itself.") from error
    fields = [_explained(path, passes) for path in _leaves(result, ())]
    return Explanation(result, fields, list(_unmatched(passes)))


def _run(operations: list[Operation], value: Any) -> tuple[Any, list[_Pass]]:
    budget = PaddingBudget()
    passes = []
    for operation in operations:
        current = _Pass(operation)
        value = operation.compile(current.trace)(value, budget)
        copy_document(value)  # raises where the value contains itself
        _collect_origins(current, value)
        passes.append(current)
    return value, passes


def _collect_origins(current: _Pass, value: Any) -> None:
    makes_new = current.operation.name == "shift"
    root = current.trace.root
    inputs = root.inputs if root is not None else () if makes_new else ((),)
    current.origins[()] = _Origin(root, inputs)
    _collect_below(current, value, (), current.origins[()])


def _collect_below(current: _Pass, value: Any, path: DocumentPath, origin: _Origin) -> None:
    for key, item in _entries(value):
        found = _origin_of(current.trace, value, key, origin)
        place = (*path, key)
        current.origins[place] = found
        if current.trace.relation_at(value, key) == "MANY":
            current.origins[(*place, 0)] = found
            _collect_below(current, item[0] if item else None, (*place, 0), found)
        else:
            _collect_below(current, item, place, found)


def _entries(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | JavaArray):
        yield from enumerate(value)


def _origin_of(trace: Trace, holder: Any, key: str | int, origin: _Origin) -> _Origin:
    note = trace.note_at(holder, key)
    relation = trace.relation_at(holder, key)
    if note is not None and not relation:
        return _Origin(note, note.inputs)
    if origin.note is not None and not origin.note.whole:
        return _Origin(origin.note, origin.inputs)
    former: str | int = trace.former_index(holder, key)
    steps = (former, 0) if relation == "ONE" else (former,)
    return _Origin(note or origin.note, tuple((*path, *steps) for path in origin.inputs))


def _leaves(value: Any, path: DocumentPath) -> Iterator[DocumentPath]:
    if not isinstance(value, dict | list) or not value:
        yield path
    for key, item in _entries(value):
        yield from _leaves(item, (*path, key))


def _explained(path: DocumentPath, passes: list[_Pass]) -> ExplainedField:
    places: list[DocumentPath] = [path]
    steps: list[Step] = []
    for current in reversed(passes):
        origins = [current.origins[place] for place in places if place in current.origins]
        steps += _steps(current.operation, origins)
        places = list(dict.fromkeys(place for origin in origins for place in origin.inputs))[:_MOST_SOURCES]
    return ExplainedField(_shown(path), [_shown(place) for place in places], steps)


def _steps(operation: Operation, origins: list[_Origin]) -> Iterator[Step]:
    inputs: dict[str, list[str]] = {}
    for origin in origins:
        if origin.note is not None:
            inputs.setdefault(origin.note.rule, []).extend(map(_shown, origin.inputs))
    for rule, paths in inputs.items():
        yield Step(operation.index, operation.name, rule, paths)


def _shown(path: DocumentPath) -> str:
    """Return a path as people write it: ``lines[0].sku``, and ``$`` for the whole document."""
    text = "$"
    for key in path:
        text = f"{text}[{key}]" if isinstance(key, int) else child_path(text, key)
    return text.removeprefix("$.") if text != "$" else text


def _unmatched(passes: list[_Pass]) -> Iterator[UnmatchedRule]:
    for current in passes:
        for rule, hits in current.trace.rules.items():
            if hits == 0:
                yield UnmatchedRule(current.operation.index, current.operation.name, rule)
