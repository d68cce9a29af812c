"""What the mapping engine raises, and what it says about a specification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from order_cancellation.errors import ConfigurationError, MappingFailed

__all__ = ["JoltSpecError", "JoltTransformError", "SpecProblem"]


@dataclass(frozen=True)
class SpecProblem:
    """One thing wrong with a specification.

    Args:
        operation: The operation's index in the chain, or None where the chain itself is wrong.
        path: Where in the specification (``spec.lines.*.sku``); for text, ``line 3, column 7``.
        message: What is wrong, and what to write instead.
        java_accepts: Whether the Java original takes this without a word, and does something that is
            hardly meant. ``mapping: {strict: false}`` lets such specifications through.
    """

    operation: int | None
    path: str
    message: str
    java_accepts: bool = False

    def __str__(self) -> str:
        """Return the problem as one line for people."""
        where = [] if self.operation is None else [f"operation {self.operation}"]
        if self.path:
            where.append(self.path)
        return f"{', '.join(where)}: {self.message}" if where else self.message

    def as_json(self) -> dict[str, Any]:
        """Return the problem as plain values, for the API and the command line."""
        return asdict(self)


class JoltSpecError(ConfigurationError):
    """A specification that can't be run; Java finds the same at construction.

    Args:
        problems: All that is wrong with it, in the order of the specification.
    """

    def __init__(self, problems: Sequence[SpecProblem]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class JoltTransformError(MappingFailed):
    """A document on which a valid specification fails, as the Java original does or for its safety."""
