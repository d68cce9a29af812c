"""Turns a Python 2 script into today's Python, with the converter that is maintained for it."""

from __future__ import annotations

import ast
import difflib
import logging
import re
from functools import lru_cache
from typing import Any

from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts.source import check_source

__all__ = ["upgrade_source"]

_NOT_THESE = {"fix_asserts", "fix_buffer", "fix_idioms", "fix_isinstance", "fix_set_literal", "fix_ws_comma"}
"""Fixers of taste, or that change what works."""
_BY_HAND = [
    (re.compile(r"^[ \t]*(?:(?:imp|importlib)\.)?reload\(sys\)[ \t]*;?[ \t]*\n", re.MULTILINE), ""),
    (re.compile(r"^[ \t]*sys\.setdefaultencoding\(.*\)[ \t]*\n", re.MULTILINE), ""),
    (re.compile(r"^import (?:imp|importlib)\n(?![\s\S]*\b(?:imp|importlib)\.)", re.MULTILINE), ""),
    (re.compile(r"\bstring\.(letters|lowercase|uppercase)\b"), r"string.ascii_\1"),
]
"""What the converter leaves as it is, and today's spelling."""


def upgrade_source(source: str, name: str = "script.py") -> tuple[str, str]:
    """Return the script in today's Python, and what was changed as a unified diff.

    A script that needs nothing comes back as it is, with an empty diff. Division is left as it is: ``7 / 2``
    was 3 and is 3.5 today; write ``//`` where the old result is meant.

    Args:
        source: The script.
        name: Its file name, for the diff.

    Raises:
        ConfigurationError: It is neither Python 2 nor Python 3.
    """
    if _parses(source) and not any(" is Python 2" in problem for problem in check_source(source, name)):
        return source, ""
    text = source.replace("\r\n", "\n")
    text = text if text.endswith("\n") else text + "\n"
    modern = _parses(text) and not any(": print" in problem for problem in check_source(text, name))
    today = _by_hand(_converted(_without_tabs(text), name, modern=modern))
    before, after = source.splitlines(keepends=True), today.splitlines(keepends=True)
    return today, "".join(difflib.unified_diff(before, after, f"{name} (before)", f"{name} (after)"))


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return True


def _without_tabs(text: str) -> str:
    """Indent with spaces, as Python 2 read tabs: to the next multiple of eight."""
    return re.sub(r"^[ \t]+", lambda indent: indent[0].expandtabs(8), text, flags=re.MULTILINE)


def _by_hand(text: str) -> str:
    for pattern, today in _BY_HAND:
        text = pattern.sub(today, text)
    return text


def _converted(text: str, name: str, *, modern: bool) -> str:
    """Convert with print as a statement, or as a function where it can't be read otherwise."""
    from fissix.pgen2 import parse, tokenize  # noqa: PLC0415 - slow, and for this one command only

    for print_is_function in (True,) if modern else (False, True):
        try:
            return str(_converter(print_is_function=print_is_function).refactor_string(text, name))
        except (parse.ParseError, tokenize.TokenError, IndentationError):
            continue
        except RecursionError as error:
            raise ConfigurationError(f"{name} is nested too deeply to be converted") from error
    raise ConfigurationError(f"{name} is neither Python 2 nor Python 3: {check_source(text, name)[0]}")


@lru_cache(maxsize=2)
def _converter(*, print_is_function: bool) -> Any:
    from fissix import refactor  # noqa: PLC0415 - likewise

    logging.getLogger("RefactoringTool").setLevel(logging.CRITICAL)
    fixers = refactor.get_fixers_from_package("fissix.fixes")
    wanted = [fixer for fixer in fixers if fixer.rpartition(".")[2] not in _NOT_THESE]
    return refactor.RefactoringTool(wanted, {"print_function": print_is_function})
