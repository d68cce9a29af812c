"""The date patterns of ``java.time``: the letters that mappings use, for reading and for writing.

Supported are ``y u M L d E H h k K m s S n? a X x Z V z`` with quotes; names of months and days are English.
Reading is "smart", as Java's default: the 31st of a shorter month is its last day.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import NamedTuple

__all__ = ["format_date", "parse_date"]

_MONTHS = tuple(calendar.month_name)[1:]
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TEXT_WIDTH, _FULL_WIDTH = 3, 4
_NOON = 12
_HALF_CENTURY_BASE = 2000
_LAST_POSSIBLE_DAY = 31


class Token(NamedTuple):
    """A letter with how often it stands, or (with no letter) a literal text."""

    letter: str
    width: int
    text: str = ""


_TOKENS = re.compile(r"'(?P<quoted>(?:[^']|'')*)'|(?P<letters>([A-Za-z])\3*)|(?P<other>[^A-Za-z'])")
_KNOWN = frozenset("yuMLdEHhkKmsSaXxZVz")


@lru_cache(maxsize=128)
def _tokens(pattern: str) -> tuple[Token, ...]:
    """Return the parts of a pattern.

    Raises:
        ValueError: A letter means nothing, or a quote stays open.
    """
    tokens, position = [], 0
    for found in _TOKENS.finditer(pattern):
        if found.start() != position:
            break
        position = found.end()
        tokens.append(_token(found))
    if position != len(pattern) or any(char in pattern for char in "[]{}#"):
        raise ValueError(f"'{pattern}' is no date pattern that can be read.")
    return tuple(tokens)


def _token(found: re.Match[str]) -> Token:
    letters = found["letters"]
    if not letters:
        quoted = found["quoted"]
        return Token("", 0, found["other"] if quoted is None else quoted.replace("''", "'") or "'")
    if letters[0] not in _KNOWN:
        raise ValueError(f"The letter '{letters[0]}' means nothing in a date pattern here. Quote text: 'T'.")
    return Token(letters[0], len(letters))


_NUMBER_FIELDS: dict[str, Callable[[datetime], int]] = {
    "y": lambda moment: moment.year,
    "u": lambda moment: moment.year,
    "M": lambda moment: moment.month,
    "L": lambda moment: moment.month,
    "d": lambda moment: moment.day,
    "H": lambda moment: moment.hour,
    "k": lambda moment: moment.hour or 24,
    "K": lambda moment: moment.hour % 12,
    "h": lambda moment: moment.hour % 12 or 12,
    "m": lambda moment: moment.minute,
    "s": lambda moment: moment.second,
}


def format_date(moment: datetime, pattern: str) -> str:
    """Write a moment by a pattern.

    Args:
        moment: The moment, with its zone.
        pattern: The pattern.

    Raises:
        ValueError: The pattern is none.
    """
    return "".join(token.text if not token.letter else _format(moment, token) for token in _tokens(pattern))


def _format(moment: datetime, token: Token) -> str:  # noqa: PLR0911 — one line for each letter
    letter, width, _ = token
    if letter in "ML" and width >= _TEXT_WIDTH:
        return _named(_MONTHS[moment.month - 1], width)
    if letter == "E":
        return _named(_DAYS[moment.weekday()], width)
    if letter == "a":
        return "AM" if moment.hour < _NOON else "PM"
    if letter == "S":
        return f"{moment.microsecond:06d}000"[:width]
    if letter in "XxZ":
        return _format_offset(moment, letter, width)
    if letter in "Vz":
        return str(moment.tzinfo)
    if letter in "yu" and width == 2:  # noqa: PLR2004 — two digits mean the century's year
        return f"{moment.year % 100:02d}"
    return str(_NUMBER_FIELDS[letter](moment)).zfill(width)


def _named(name: str, width: int) -> str:
    return name if width == _FULL_WIDTH else name[:_TEXT_WIDTH]


def _format_offset(moment: datetime, letter: str, width: int) -> str:
    seconds = int((moment.utcoffset() or timedelta()).total_seconds())
    if seconds == 0 and letter == "X":
        return "Z"
    hours, minutes = divmod(abs(seconds) // 60, 60)
    sign = "-" if seconds < 0 else "+"
    if width == 1 and letter != "Z":
        return f"{sign}{hours:02d}" + (f"{minutes:02d}" if minutes else "")
    colon = ":" if width in (3, 5) and letter != "Z" else ""
    return f"{sign}{hours:02d}{colon}{minutes:02d}"


def parse_date(text: str, pattern: str) -> datetime:
    """Read a moment by a pattern; a date alone is its midnight.

    Args:
        text: The text, all of which must fit.
        pattern: The pattern.

    Returns:
        The moment; without a zone where the pattern has none.

    Raises:
        ValueError: The text does not fit, or names no date.
    """
    found = _reader(pattern).fullmatch(text)
    if found is None:
        raise ValueError(f"'{text}' is no date of the form '{pattern}'.")
    fields: dict[str, str] = {}
    for name, value in found.groupdict().items():
        if fields.setdefault(name[0], value) != value:
            raise ValueError(f"'{text}' contradicts itself under '{pattern}'.")
    return _assemble(fields, {token.letter: token.width for token in _tokens(pattern)})


@lru_cache(maxsize=128)
def _reader(pattern: str) -> re.Pattern[str]:
    tokens = _tokens(pattern)
    pieces = []
    for index, token in enumerate(tokens):
        following = tokens[index + 1].letter if index + 1 < len(tokens) else ""
        inside = (
            re.escape(token.text) if not token.letter else _readable(token, adjacent=_is_number(following))
        )
        pieces.append(f"(?P<{token.letter}{index}>{inside})" if token.letter else inside)
    return re.compile("".join(pieces), re.ASCII)


def _is_number(letter: str) -> bool:
    return bool(letter) and (letter in _NUMBER_FIELDS or letter == "S")


def _readable(token: Token, *, adjacent: bool) -> str:  # noqa: PLR0911 — one line for each letter
    letter, width, _ = token
    if letter in "ML" and width >= _TEXT_WIDTH:
        return "|".join(_named(name, width) for name in _MONTHS)
    if letter == "E":
        return "|".join(_named(name, width) for name in _DAYS)
    if letter == "a":
        return "AM|PM"
    if letter in "XxZ":
        return r"[+-]\d\d(?::?\d\d)?" + ("|Z" if letter == "X" else "")
    if letter in "Vz":
        raise ValueError("Zone names can be written, not read. Give the zone as an argument of its own.")
    if letter in "yu" and width == _FULL_WIDTH and not adjacent:
        return r"\d{4}|[+-]\d{4,9}"
    if width == 1 and not adjacent:
        return r"\d{1,9}"
    return rf"\d{{{width}}}"


def _assemble(fields: dict[str, str], widths: dict[str, int]) -> datetime:
    year = _year(fields, widths)
    month = _month(fields["M"] if "M" in fields else fields["L"], widths)
    day = int(fields["d"])
    if not 1 <= day <= _LAST_POSSIBLE_DAY:
        raise ValueError(f"There is no day {day} in a month.")
    day = min(day, calendar.monthrange(year, month)[1])
    micro = int(fields["S"][:6].ljust(6, "0")) if "S" in fields else 0
    hour, extra_days = _hour(fields)
    moment = datetime(
        year, month, day, hour, int(fields.get("m", 0)), int(fields.get("s", 0)), micro, _offset(fields)
    )
    if extra_days and (moment.minute or moment.second or moment.microsecond):
        raise ValueError("The hour 24 is midnight only.")
    return moment + timedelta(days=extra_days)


def _year(fields: dict[str, str], widths: dict[str, int]) -> int:
    letter = "y" if "y" in fields else "u"
    year = int(fields[letter])
    return _HALF_CENTURY_BASE + year if widths[letter] == 2 else year  # noqa: PLR2004 — two digits


def _month(text: str, widths: dict[str, int]) -> int:
    if text.isdigit():
        return int(text)
    names = [_named(name, max(widths.get("M", 0), widths.get("L", 0))) for name in _MONTHS]
    return names.index(text) + 1


def _hour(fields: dict[str, str]) -> tuple[int, int]:
    """Return the hour of the day, and a day more for the hour 24."""
    for letter in "Hk":
        if letter in fields:
            hour = int(fields[letter])
            return (0, 1 if letter == "H" else 0) if hour == 24 else (hour, 0)  # noqa: PLR2004 — midnight
    if "a" not in fields or not ("h" in fields or "K" in fields):
        if "h" in fields or "K" in fields:
            raise ValueError("An hour of the half day needs AM or PM. Write HH for hours up to 23.")
        return 0, 0
    half = int(fields["h"]) % _NOON if "h" in fields else int(fields["K"])
    return half + (_NOON if fields["a"] == "PM" else 0), 0


def _offset(fields: dict[str, str]) -> timezone | None:
    text = next((fields[letter] for letter in "XxZ" if letter in fields), None)
    if text is None:
        return None
    if text == "Z":
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:].lstrip(":") or 0)
    return timezone(timedelta(minutes=-minutes if text[0] == "-" else minutes))
