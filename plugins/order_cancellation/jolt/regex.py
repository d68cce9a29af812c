"""Java's regular expressions, as far as Python's differ: syntax, ``split``, the ``$1`` of replacements."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["compile_regex", "java_split", "replace_all"]

_CLASSES = {
    "Lower": "a-z",
    "Upper": "A-Z",
    "Alpha": "a-zA-Z",
    "Digit": "0-9",
    "Alnum": "a-zA-Z0-9",
    "Punct": r"!-/:-@\[-`{-~",
    "Space": r"\s",
    "Blank": r" \t",
    "XDigit": "0-9a-fA-F",
    "ASCII": r"\x00-\x7f",
}
_TOKEN = re.compile(
    r"\\Q(?P<quoted>.*?)(?:\\E|$)|\\p\{(?P<class>\w+)\}|\\(?P<special>[hzZ])|(?P<named>\(\?<(?=\w))|\\.|.",
    re.DOTALL,
)


@lru_cache(maxsize=256)
def compile_regex(pattern: str) -> re.Pattern[str]:
    r"""Return the Python form of a Java pattern.

    Args:
        pattern: The pattern; classes such as ``\d`` are those of ASCII, as in Java.

    Raises:
        ValueError: The pattern is wrong, or uses what Python has nothing for.
    """
    try:
        return re.compile(_translate(pattern), re.ASCII)
    except re.error as error:
        raise ValueError(f"'{pattern}' is no regular expression: {error}") from error


def _translate(pattern: str) -> str:
    pieces, in_class = [], False
    for token in _TOKEN.finditer(pattern):
        text = token.group()
        if text == "[":
            in_class = True
        elif text == "]":
            in_class = False
        pieces.append(_piece(token, in_class=in_class))
    return "".join(pieces)


def _piece(token: re.Match[str], *, in_class: bool) -> str:
    if token["quoted"] is not None:
        return re.escape(token["quoted"])
    if token["class"] is not None:
        if token["class"] not in _CLASSES:
            raise ValueError(f"The character class \\p{{{token['class']}}} is not supported.")
        inside = _CLASSES[token["class"]]
        return inside if in_class else f"[{inside}]"
    if token["special"] is not None:
        return {"h": r" \t\xa0" if in_class else r"[ \t\xa0]", "z": r"\Z", "Z": r"(?=\n?\Z)"}[
            token["special"]
        ]
    return "(?P<" if token["named"] else token.group()


def java_split(pattern: str, text: str) -> list[str]:
    """Split a text as ``String.split``: by a regular expression, without empty texts at the end."""
    regex = compile_regex(pattern)
    pieces, start = [], 0
    for found in regex.finditer(text):
        if found.end() == 0:
            continue  # an empty match at the very start splits nothing off
        if found.start() == found.end() == len(text):
            continue
        pieces.append(text[start : found.start()])
        start = found.end()
    if start == 0 and not pieces:
        return [text]
    pieces.append(text[start:])
    while pieces and not pieces[-1]:
        pieces.pop()
    return pieces


_GROUP = re.compile(r"\\(?P<plain>.)|\$\{(?P<name>\w+)\}|\$(?P<number>\d+)|(?P<wrong>[$\\])", re.DOTALL)


def replace_all(text: str, pattern: str, replacement: str) -> str:
    """Replace every match as ``String.replaceAll``, with ``$1`` and ``${name}`` in the replacement.

    Args:
        text: The text.
        pattern: The regular expression.
        replacement: What to put instead.

    Raises:
        ValueError: The pattern or the replacement is wrong.
        IndexError: The replacement names a group that is not there.
    """
    return compile_regex(pattern).sub(lambda found: _expand(found, replacement), text)


def _expand(found: re.Match[str], replacement: str) -> str:
    def piece(token: re.Match[str]) -> str:
        if token["wrong"]:
            raise ValueError(
                f"'{replacement}' has a $ or \\ that means nothing. Write \\$ or \\\\ for the character."
            )
        if token["plain"] is not None:
            return token["plain"]
        if token["name"] is not None:
            return found[token["name"]] or ""
        return _numbered(found, token["number"])

    return _GROUP.sub(piece, replacement)


def _numbered(found: re.Match[str], digits: str) -> str:
    """Give a numbered group: as many digits as there are groups for, the others are text."""
    length = 1
    while length < len(digits) and int(digits[: length + 1]) <= found.re.groups:
        length += 1
    return (found[int(digits[:length])] or "") + digits[length:]
