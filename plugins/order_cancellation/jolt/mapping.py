"""Compiled specifications, and what can be asked of a specification before it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from order_cancellation.jolt.chain import Operation, Run, parse_chain
from order_cancellation.jolt.errors import JoltSpecError, JoltTransformError, SpecProblem
from order_cancellation.jolt.limits import PaddingBudget
from order_cancellation.jolt.text import parse_spec
from order_cancellation.jolt.tree import copy_document, finished

__all__ = ["Mapping", "check_spec", "compile_spec"]

Mapping = Callable[[Any], Any]
"""Maps a document to a new one; the document is left alone. May be called by several threads at once."""


def compile_spec(spec: Any, *, strict: bool = False) -> Mapping:
    """Compile a specification, once for all documents that it is to map.

    Args:
        spec: A chain of operations as a list, or one operation as an object.
        strict: Whether to refuse what Java takes without a word and hardly does as meant: unknown
            functions, keys that never match. Flows are loaded strictly unless they say otherwise.

    Returns:
        A function of a document; it gives None where Java gives null, and raises JoltTransformError where
        Java raises, or where the document asks for more memory or depth than is sane.

    Raises:
        JoltSpecError: The specification can't be run; it carries all problems at once.
    """
    operations, problems = parse_chain(spec)
    serious = [problem for problem in problems if strict or not problem.java_accepts]
    if serious:
        raise JoltSpecError(serious)
    return _assemble(operations)


def _assemble(operations: list[Operation]) -> Mapping:
    """Put operations behind each other, with no more copying and checking than they need."""
    first, *others = operations
    prepare = None if first.compile_copying is not None else copy_document
    start = first.compile_copying() if first.compile_copying is not None else first.compile(None)
    runs = ((first, start), *((operation, operation.compile(None)) for operation in others))
    complete = finished if any(operation.shares for operation in operations) else None

    def mapping(document: Any) -> Any:
        try:
            value = document if prepare is None else prepare(document)
            value = _run_all(runs, value)
            return value if complete is None else complete(value)
        except RecursionError as error:
            raise JoltTransformError(
                "The document is nested too deeply, or an operation stored an object inside of itself."
            ) from error

    return mapping


def _run_all(runs: tuple[tuple[Operation, Run], ...], value: Any) -> Any:
    budget = PaddingBudget()
    for operation, run in runs:
        try:
            value = run(value, budget)
        except JoltTransformError as error:
            raise JoltTransformError(f"Operation {operation.index} ({operation.name}): {error}") from error
    return value


def check_spec(spec_or_text: Any) -> list[SpecProblem]:
    """Return everything that is wrong with a specification.

    Args:
        spec_or_text: The specification, or its text (comments allowed).

    Returns:
        The problems in the order of the specification; those with ``java_accepts`` only matter where a flow
        is loaded strictly. Empty when all is well.
    """
    if isinstance(spec_or_text, str):
        try:
            spec_or_text = parse_spec(spec_or_text)
        except JoltSpecError as error:
            return error.problems
    return parse_chain(spec_or_text)[1]
