"""Specifications as people bring them: JSON with ``//`` and ``/* */`` comments, as NiFi reads them."""

from __future__ import annotations

import json
import re
from typing import Any

from order_cancellation.jolt.errors import JoltSpecError, SpecProblem
from order_cancellation.jolt.limits import MAX_SPEC_DEPTH

__all__ = ["parse_spec", "too_deep"]

_PIECES = re.compile(r'"(?:\\.|[^"\\])*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_OPEN_COMMENT = re.compile(r'"(?:\\.|[^"\\])*"|(?P<open>/\*)', re.DOTALL)


def parse_spec(text: str) -> Any:
    """Parse the text of a specification.

    Args:
        text: JSON, comments allowed wherever blanks are.

    Returns:
        The specification as ``compile_spec`` takes it.

    Raises:
        JoltSpecError: It is no JSON; the problem's path is its line and column in the text.
    """
    blank = _PIECES.sub(_blank, text.removeprefix("\ufeff"))
    opened = next((found for found in _OPEN_COMMENT.finditer(blank) if found["open"]), None)
    if opened is not None:
        raise _at(text, opened.start(), "A comment is opened by /* and not closed. Write */ after it.")
    try:
        return json.loads(blank, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise _at(text, error.pos, f"{error.msg}. Write JSON; only comments go beyond it.") from error
    except RecursionError as error:
        raise JoltSpecError([too_deep()]) from error
    except ValueError as error:
        raise JoltSpecError([SpecProblem(None, "", f"{error}")]) from error


def too_deep() -> SpecProblem:
    """Return the problem of a specification that is nested deeper than any that is meant."""
    return SpecProblem(
        None,
        "",
        f"The specification is nested more than {MAX_SPEC_DEPTH} levels deep. Split it into operations.",
    )


def _blank(piece: re.Match[str]) -> str:
    """Replace a comment by blanks, so that all other positions stay."""
    text = piece.group()
    return text if text.startswith('"') else re.sub(r"[^\n]", " ", text)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON. Write a number, or a text in quotes.")


def _at(text: str, position: int, message: str) -> JoltSpecError:
    line = text.count("\n", 0, position) + 1
    column = position - text.rfind("\n", 0, position)
    return JoltSpecError([SpecProblem(None, f"line {line}, column {column}", message)])
