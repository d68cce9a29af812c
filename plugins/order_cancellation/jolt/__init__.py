"""Jolt mappings with the results of the Java original (JOLT Community Edition)."""

from __future__ import annotations

from order_cancellation.jolt.errors import JoltSpecError, JoltTransformError, SpecProblem
from order_cancellation.jolt.explain import ExplainedField, Explanation, Step, UnmatchedRule, explain
from order_cancellation.jolt.mapping import Mapping, check_spec, compile_spec
from order_cancellation.jolt.text import parse_spec

__all__ = [
    "ExplainedField",
    "Explanation",
    "JoltSpecError",
    "JoltTransformError",
    "Mapping",
    "SpecProblem",
    "Step",
    "UnmatchedRule",
    "check_spec",
    "compile_spec",
    "explain",
    "parse_spec",
]
