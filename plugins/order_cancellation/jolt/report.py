"""Collecting what is wrong with a specification, all of it in one go."""

from __future__ import annotations

import re
from collections.abc import Callable
from difflib import get_close_matches
from typing import TypeVar

from order_cancellation.jolt.errors import SpecProblem
from order_cancellation.jolt.keys import KeySyntaxError

__all__ = ["Reporter", "child_path", "nearest"]

_PLAIN = re.compile(r"[\w*&@$#|+~?/ -]+")
Given = TypeVar("Given")
Parsed = TypeVar("Parsed")


def child_path(parent: str, key: str) -> str:
    """Return the path of a key in the specification; keys with dots and brackets are quoted."""
    return f"{parent}.{key}" if _PLAIN.fullmatch(key) else f"{parent}['{key}']"


def nearest(name: str, known: list[str] | tuple[str, ...]) -> str:
    """Return the hint to the most similar known name, or a list of all."""
    folded = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(name.lower(), folded, n=1, cutoff=0.5)
    return f"Did you mean '{folded[close[0]]}'?" if close else f"Known are: {', '.join(known)}."


class Reporter:
    """Takes the problems of one operation's specification.

    Args:
        operation: The operation's index in the chain.
    """

    def __init__(self, operation: int | None) -> None:
        self.operation = operation
        self.problems: list[SpecProblem] = []

    def error(self, path: str, message: str) -> None:
        """Note something that Java refuses too."""
        self.problems.append(SpecProblem(self.operation, path, message))

    def silent(self, path: str, message: str) -> None:
        """Note something that Java takes without a word, though it hardly does what is meant."""
        self.problems.append(SpecProblem(self.operation, path, message, java_accepts=True))

    def attempt(self, path: str, parse: Callable[[Given], Parsed], text: Given) -> Parsed | None:
        """Return what a parser makes of a text, or note why it makes nothing of it."""
        try:
            return parse(text)
        except KeySyntaxError as error:
            self.error(path, str(error))
            return None
