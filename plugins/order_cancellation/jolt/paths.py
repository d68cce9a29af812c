"""Paths in dot notation: the right-hand sides of ``shift``, and the inside of look-ups."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from order_cancellation.jolt.keys import At, Dollar, Element, Hash, KeySyntaxError, Pattern, parse_key

__all__ = ["Path", "parse_path", "split_path"]


@dataclass(frozen=True)
class Path:
    """A path, parsed.

    Args:
        text: As written.
        elements: Its steps.
    """

    text: str
    elements: tuple[Element, ...]


def parse_path(text: str) -> Path:
    """Parse a path.

    Args:
        text: The path, such as ``lines[&1].@(2,name)``.

    Raises:
        KeySyntaxError: A step is not allowed, or parentheses do not match.
    """
    elements = tuple(parse_key(step) for step in split_path(text))
    if any(isinstance(element, At) for element in elements):
        raise KeySyntaxError(
            f"'{text}' has a step '@' that looks up nothing. Write @(1,name), or '\\@' for the character."
        )
    if any(isinstance(element, Hash | Dollar | Pattern) for element in elements):
        raise KeySyntaxError(
            f"'{text}' has a step that only keys on the left can have. Use names, &, @(…) and […]."
        )
    return Path(text, elements)


def split_path(text: str) -> list[str]:
    r"""Split a path at its dots; brackets are steps of their own, look-ups stay whole, empty steps fall out.

    Args:
        text: The path. ``\.`` is a dot in a name; other backslashes stay, for the key's own parser.

    Raises:
        KeySyntaxError: A look-up's parentheses do not match.
    """
    return _Splitter(_with_dots_before_brackets(text)).split()


def _with_dots_before_brackets(text: str) -> str:
    spread = text[:1]
    for before, char in pairwise(text):
        spread += f".{char}" if char == "[" and before not in "\\@." else char
    return spread


class _Splitter:
    """Walks a path character by character."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.steps: list[str] = []
        self.step = ""

    def split(self) -> list[str]:
        escaped = False
        while self.position < len(self.text):
            char = self.text[self.position]
            self.position += 1
            escaped = self._take_escaped(char) if escaped else self._take(char)
        self._end_step()
        return self.steps

    def _take_escaped(self, char: str) -> bool:
        self.step += char if char in ".\\" else f"\\{char}"
        return False

    def _take(self, char: str) -> bool:
        if char == "@":
            self.step += "@" + self._lookup()
            if "[" not in self.step or "]" in self.step:
                self._end_step()
        elif char == ".":
            self._end_step()
        elif char != "\\":
            self.step += char
        return char == "\\"

    def _end_step(self) -> None:
        if self.step:
            self.steps.append(self.step)
        self.step = ""

    def _lookup(self) -> str:
        """Take what follows an ``@``: up to its closing parenthesis, or up to the next dot."""
        rest = self.text[self.position :]
        if rest.startswith("."):
            raise KeySyntaxError(f"'{self.text}' has a step '@' that looks up nothing. Write @(1,name).")
        if rest.startswith("("):
            return self._parenthesised(rest)
        name, dot, _ = rest.partition(".")
        self.position += len(name) + len(dot)
        return f"({name})" if dot else name

    def _parenthesised(self, rest: str) -> str:
        end = rest.find(")")
        if end < 0:
            raise KeySyntaxError(f"'{self.text}' opens a parenthesis and does not close it.")
        if "(" in rest[1:end]:
            raise KeySyntaxError(
                f"'{self.text}' has parentheses within a look-up's parentheses. Use one pair."
            )
        self.position += end + 1
        return rest[: end + 1]
