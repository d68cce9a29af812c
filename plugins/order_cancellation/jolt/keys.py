"""What one key of a specification means: a name, a pattern, or a reference.

The grammar is that of the Community Edition: ``$``, ``#`` and ``[`` mean something at the start of a key
only, ``&`` and ``*`` anywhere, ``@`` at the start, and a backslash takes the meaning away.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from order_cancellation.jolt.java import parse_integer

if TYPE_CHECKING:
    from order_cancellation.jolt.paths import Path

__all__ = [
    "Amp",
    "Array",
    "ArrayKind",
    "At",
    "Dollar",
    "Element",
    "Hash",
    "KeySyntaxError",
    "Literal",
    "Pattern",
    "PatternKind",
    "Reference",
    "Transpose",
    "canonical",
    "match_pattern",
    "parse_key",
    "parse_pattern",
    "split_alternatives",
]


class KeySyntaxError(ValueError):
    """A key that the grammar does not allow; its text says what to write instead."""


@dataclass(frozen=True)
class Reference:
    """``&(levels,group)``: a key met on the way, counted upwards from here.

    Args:
        up: How many levels up.
        group: 0 for the whole key, else what its n-th star matched.
    """

    up: int = 0
    group: int = 0


@dataclass(frozen=True)
class Literal:
    """A name as it stands, its backslashes removed."""

    key: str


@dataclass(frozen=True)
class At:
    """``@``: the input at this level."""


@dataclass(frozen=True)
class Transpose:
    """``@(levels,path)``: a value looked up elsewhere in the input.

    Args:
        up: How many levels up the look-up starts.
        path: The way down from there, or None for the value itself.
    """

    up: int
    path: Path | None


@dataclass(frozen=True)
class Dollar:
    """``$``: a key met on the way, as a value."""

    reference: Reference


@dataclass(frozen=True)
class Hash:
    """``#text``: a constant as a value."""

    text: str


@dataclass(frozen=True)
class Amp:
    """A name with references in it, such as ``rating-&(1,2)``."""

    parts: tuple[str | Reference, ...]


class ArrayKind(Enum):
    """Where a list index comes from."""

    APPEND = "[]"
    EXPLICIT = "[5]"
    REFERENCE = "[&1]"
    COUNT = "[#1]"
    LOOKUP = "[@(1,x)]"


@dataclass(frozen=True)
class Array:
    """A list index in brackets."""

    kind: ArrayKind
    index: int = 0
    reference: Reference = Reference()
    lookup: Transpose | None = None


class PatternKind(Enum):
    """The kinds of keys with stars, in the order in which Java tries them."""

    REGEX = 2
    DOUBLE = 3
    SINGLE = 4
    ALL = 5


@dataclass(frozen=True)
class Pattern:
    """A key with stars.

    Args:
        kind: How many stars, and whether there is anything else.
        parts: The texts between the stars, one more than there are stars.
    """

    kind: PatternKind
    parts: tuple[str, ...] = ("", "")

    def __post_init__(self) -> None:
        inner = "".join(re.escape(part) + "(.+?)" for part in self.parts[:-1])
        object.__setattr__(self, "_regex", re.compile(inner + re.escape(self.parts[-1])))


Element = Literal | At | Transpose | Dollar | Hash | Amp | Array | Pattern

_DOUBLE_STARS = 2


def match_pattern(pattern: Pattern, key: str) -> tuple[str, ...] | None:
    """Return a matching key with what each star matched, or None.

    Every star matches one character at least, and as few as it can.

    Args:
        pattern: The pattern; a lone ``*`` matches everything and has no groups.
        key: The document's key, or an index as text.
    """
    if pattern.kind is PatternKind.ALL:
        return (key,)
    parts = pattern.parts
    if pattern.kind is PatternKind.SINGLE:
        prefix, suffix = parts
        if len(key) > len(prefix) + len(suffix) and key.startswith(prefix) and key.endswith(suffix):
            return (key, key[len(prefix) : len(key) - len(suffix)])
        return None
    if pattern.kind is PatternKind.DOUBLE:
        return _match_double(parts, key)
    found = pattern._regex.fullmatch(key)  # type: ignore[attr-defined]  # noqa: SLF001 — set by ourselves above
    return (key, *found.groups()) if found else None


def _match_double(parts: tuple[str, ...], key: str) -> tuple[str, ...] | None:
    prefix, middle, suffix = parts
    if not (key.startswith(prefix) and key.endswith(suffix)):
        return None
    end = len(key) - len(suffix)
    start = key.find(middle, len(prefix) + 1, end - 1)
    if start < 0 or len(prefix) + 1 >= end - 1:
        return None
    return (key, key[len(prefix) : start], key[start + len(middle) : end])


def split_alternatives(key: str) -> list[str]:
    """Split a key at ``|`` as Java's ``split`` does, which drops empty texts at the end."""
    parts = key.split("|")
    while len(parts) > 1 and not parts[-1]:
        parts.pop()
    return [] if parts == [""] and key else parts


def canonical(element: Element, raw: str) -> str:
    """Return the form by which Java sees that two keys of one level are the same."""
    match element:
        case Amp(parts):
            return "".join(part if isinstance(part, str) else f"&({part.up},{part.group})" for part in parts)
        case Dollar(reference):
            return f"$({reference.up},{reference.group})"
        case Transpose(up, path):
            return f"@({up},{path.text if path else ''})"
        case Literal(key):
            return key
        case _:
            return raw


def parse_key(raw: str) -> Element:  # noqa: PLR0911 — one line for each kind of key
    """Return the meaning of one key, on either side of a specification.

    Args:
        raw: The key as written, with its backslashes.

    Raises:
        KeySyntaxError: The grammar does not allow the key.
    """
    shown, key = (_without_escaped(raw), _unescape(raw)) if "\\" in raw else (raw, raw)
    if shown == "@":
        return At()
    if shown == "*":
        return Pattern(PatternKind.ALL)
    if shown.startswith("["):
        return _parse_array(raw, shown, key)
    if shown.startswith("@") or "@(" in shown:
        return parse_transpose(raw)
    if "@" in shown:
        raise KeySyntaxError(
            f"'{raw}' has an @ that is not at its front. Write '\\@' for the character itself."
        )
    if shown.startswith("$"):
        return Dollar(_parse_reference(key, "$"))
    if "&" in shown:
        return _parse_amp(raw, shown, key)
    if "*" in shown:
        return parse_pattern(key, shown.count("*"))
    if shown.startswith("#"):
        return _parse_hash(key)
    return Literal(key)


def _without_escaped(raw: str) -> str:
    return re.sub(r"\\.?", "", raw, flags=re.DOTALL)


def _unescape(raw: str) -> str:
    return re.sub(r"\\(.?)", r"\1", raw, flags=re.DOTALL)


def _parse_array(raw: str, shown: str, key: str) -> Array:
    if shown.count("[") != 1 or shown.count("]") != 1:
        raise KeySyntaxError(
            f"'{raw}' must have exactly one pair of brackets. Write [0], or '\\\\[' for the character itself."
        )
    if not key.endswith("]"):
        raise KeySyntaxError(f"'{raw}' goes on after its brackets. Write a dot after ']'.")
    inside = key[1:-1]
    if not inside:
        return Array(ArrayKind.APPEND)
    if inside[0] == "&":
        return Array(ArrayKind.REFERENCE, reference=_parse_reference(inside, "&"))
    if inside[0] == "#":
        return Array(ArrayKind.COUNT, reference=_parse_reference(inside, "#"))
    if inside[0] == "@":
        return Array(ArrayKind.LOOKUP, lookup=parse_transpose(inside))
    index = parse_integer(inside)
    if index is None or index < 0:
        raise KeySyntaxError(
            f"'{inside}' is no list index. Write a number from 0, or one of [], [&1], [#1], [@(1,x)]."
        )
    return Array(ArrayKind.EXPLICIT, index=index)


def _parse_reference(text: str, sign: str) -> Reference:
    inside = text[1:]
    if not inside:
        return Reference()
    wrapped = len(inside) > 2 and inside.startswith("(") and inside.endswith(")")  # noqa: PLR2004 — "()"
    words = _java_split(inside[1:-1]) if wrapped else [inside]
    numbers = [parse_integer(word) for word in words]
    if len(words) not in (1, 2) or None in numbers:
        raise KeySyntaxError(
            f"'{text}' is no reference. Write {sign}, {sign}1 or {sign}(1,2): levels up, and which star."
        )
    if any(number < 0 for number in numbers if number is not None):
        raise KeySyntaxError(f"'{text}' counts backwards. Levels and groups start at 0.")
    return Reference(*(number or 0 for number in numbers))


def _java_split(text: str) -> list[str]:
    words = text.split(",")
    while words and not words[-1]:
        words.pop()
    return words


_REFERENCE = re.compile(r"&[\d(),]*")


def _parse_amp(raw: str, shown: str, key: str) -> Amp:
    if "*" in shown:
        raise KeySyntaxError(f"'{raw}' mixes * and &. Match with * on the left, refer with & on the right.")
    parts: list[str | Reference] = []
    position = 0
    for found in _REFERENCE.finditer(key):
        if found.start() > position:
            parts.append(key[position : found.start()])
        parts.append(_parse_reference(found.group(), "&"))
        position = found.end()
    if position < len(key):
        parts.append(key[position:])
    return Amp(tuple(parts))


def parse_pattern(key: str, stars: int) -> Pattern:
    """Return the pattern of a key with stars.

    Args:
        key: The key.
        stars: How many of its stars are stars (and not escaped).

    Raises:
        KeySyntaxError: Stars follow each other with nothing between.
    """
    if key == "*":
        return Pattern(PatternKind.ALL)
    if stars == 1:
        return Pattern(PatternKind.SINGLE, _single_parts(key))
    parts = tuple(key.split("*"))
    if stars == _DOUBLE_STARS:
        if len(parts) > _DOUBLE_STARS and not parts[1] and not parts[2]:
            raise KeySyntaxError(f"'{key}' ends in two stars with nothing between. Write one star.")
        return Pattern(PatternKind.DOUBLE, parts[:3])
    return Pattern(PatternKind.REGEX, parts)


def _single_parts(key: str) -> tuple[str, str]:
    if key.startswith("*"):
        return "", key[1:]
    if key.endswith("*"):
        return key[:-1], ""
    prefix, _, suffix = key.partition("*")
    return prefix, suffix


def _parse_hash(key: str) -> Hash:
    if len(key) <= 1:
        raise KeySyntaxError("'#' stands alone. Write the constant after it, such as '#yes'.")
    if key[1] == "(":
        if not key.endswith(")"):
            raise KeySyntaxError(f"'{key}' opens a parenthesis and does not close it.")
        return Hash(key[2:-1])
    return Hash(key[1:])


def parse_transpose(raw: str) -> Transpose:
    """Return the look-up that ``@name``, ``@(2,a.b)`` or ``@2`` means.

    Args:
        raw: The look-up with its leading ``@``.

    Raises:
        KeySyntaxError: It is none.
    """
    from order_cancellation.jolt.paths import parse_path  # noqa: PLC0415 — paths are made of keys, keys hold paths

    inside = raw[1:]
    if not raw.startswith("@"):
        raise KeySyntaxError(
            f"'{raw}' has an @ that is not at its front. Write '\\@' for the character itself."
        )
    if "@" in inside or "*" in inside or "[]" in inside:
        raise KeySyntaxError(f"'{raw}' looks up one value: no second @, no * and no [] can stand in it.")
    if inside.startswith("("):
        if not inside.endswith(")"):
            raise KeySyntaxError(f"'{raw}' opens a parenthesis and does not close it.")
        inside = inside[1:-1]
    if not inside:
        raise KeySyntaxError(
            f"'{raw}' does not say what to look up. Write @(1,name): levels up, and the path from there."
        )
    levels, comma, path = inside.partition(",")
    if not inside[0].isdigit():
        return Transpose(0, parse_path(inside))
    if not levels.isdigit():
        raise KeySyntaxError(
            f"'{raw}' mixes digits and letters before its comma. Write @(1,name), or @(0,{inside})."
        )
    return Transpose(int(levels), parse_path(path) if comma and path else None)
