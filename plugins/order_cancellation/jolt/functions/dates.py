"""Dates: texts in and out by Java's patterns, with a time zone where one is given (UTC where not)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from order_cancellation.jolt.functions.date_patterns import format_date, parse_date
from order_cancellation.jolt.functions.families import Function
from order_cancellation.jolt.java import JavaLong, is_number, to_int64
from order_cancellation.jolt.walk import NOTHING

__all__ = ["DATES"]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ISO_SECONDS = "yyyy-MM-dd'T'HH:mm:ss'Z'"
_MONTHS = 12


def _zone(name: str) -> tzinfo:
    """Return the zone that Java's ``ZoneId.of`` finds under a name.

    Raises:
        ValueError: There is none.
    """
    offset = re.fullmatch(r"(?:UTC|GMT|UT)?([+-])(\d{1,2}):?(\d{2})?", name)
    if name in ("Z", "UTC", "GMT", "UT"):
        return UTC
    if offset:
        minutes = int(offset[2]) * 60 + int(offset[3] or 0)
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (KeyError, OSError) as error:
        raise ValueError(f"There is no time zone '{name}'.") from error


def _all_texts(values: list[Any]) -> bool:
    return all(isinstance(value, str) for value in values)


def _from_epoch_milli(arguments: list[Any]) -> Any:
    if not 1 <= len(arguments) <= 3 or not is_number(arguments[0]) or not _all_texts(arguments[1:]):  # noqa: PLR2004
        return NOTHING
    moment = _EPOCH + timedelta(milliseconds=to_int64(arguments[0]))
    if len(arguments) == 1:
        return format_date(moment, _ISO_SECONDS)
    zone = _zone(arguments[2]) if len(arguments) > 2 else UTC  # noqa: PLR2004 — milliseconds, pattern, zone
    return format_date(moment.astimezone(zone), arguments[1])


def _to_epoch_milli(arguments: list[Any]) -> Any:
    if not 2 <= len(arguments) <= 3 or not _all_texts(arguments):  # noqa: PLR2004 — text, pattern, zone
        return NOTHING
    text, pattern, *zone = arguments
    moment = _localised(parse_date(text, pattern), _zone(zone[0]) if zone else UTC)
    return JavaLong((moment.astimezone(UTC) - _EPOCH) // timedelta(milliseconds=1))


def _localised(moment: datetime, zone: tzinfo) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


@dataclass(frozen=True)
class _Amount:
    """An ISO 8601 amount: calendar months and days, or an exact time."""

    months: int = 0
    days: int = 0
    exact: timedelta = timedelta()


_AMOUNT = re.compile(
    r"(?P<sign>[+-])?P(?=.)(?:(?P<Y>[+-]?\d+)Y)?(?:(?P<M>[+-]?\d+)M)?(?:(?P<W>[+-]?\d+)W)?(?:(?P<D>[+-]?\d+)D)?"
    r"(?P<time>T(?=.)(?:(?P<h>[+-]?\d+)H)?(?:(?P<m>[+-]?\d+)M)?(?:(?P<s>[+-]?\d+(?:\.\d{1,9})?)S)?)?",
    re.IGNORECASE | re.ASCII,
)


def _amount(text: str) -> _Amount:
    """Return an amount such as ``P1M`` (by the calendar) or ``PT2H`` (exact).

    Raises:
        ValueError: It is none, or mixes months with hours.
    """
    found = _AMOUNT.fullmatch(text)
    if found is None or (found["time"] and (found["Y"] or found["M"] or found["W"])):
        raise ValueError(f"'{text}' is no amount of time. Write P1D, P2M, P1Y2M3D or PT2H30M.")
    sign = -1 if found["sign"] == "-" else 1

    def number(name: str) -> int:
        return sign * int(found[name] or 0)

    if found["time"]:
        seconds = sign * float(found["s"] or 0)
        exact = timedelta(days=number("D"), hours=number("h"), minutes=number("m"), seconds=seconds)
        return _Amount(exact=exact)
    return _Amount(12 * number("Y") + number("M"), 7 * number("W") + number("D"))


def _plus(moment: datetime, amount: _Amount, direction: int) -> datetime:
    months = moment.year * _MONTHS + moment.month - 1 + direction * amount.months
    first = moment.replace(year=months // _MONTHS, month=months % _MONTHS + 1, day=1)
    following = (first.replace(day=28) + timedelta(days=4)).replace(day=1)
    length = (following - first).days
    moved = first.replace(day=min(moment.day, length)) + timedelta(days=direction * amount.days)
    if not amount.exact:
        return moved
    return (moved.astimezone(UTC) + direction * amount.exact).astimezone(moment.tzinfo)


def _shifted(direction: int) -> Function:
    """Make ``dateAdd`` (1) or ``dateSubstract`` (-1): text, pattern, amount, and perhaps a zone."""

    def shift(arguments: list[Any]) -> Any:
        if not 3 <= len(arguments) <= 4 or not _all_texts(arguments):  # noqa: PLR2004 — as in the docstring
            return NOTHING
        text, pattern, amount, *zone = arguments
        moment = _localised(parse_date(text, pattern), _zone(zone[0]) if zone else UTC)
        return format_date(_plus(moment, _amount(amount), direction), pattern)

    return shift


def _format_date(arguments: list[Any]) -> Any:
    """``formatDate(text, from, to)``, with the text's zone, and the zone that it is to be told in."""
    if not 3 <= len(arguments) <= 5 or not _all_texts(arguments):  # noqa: PLR2004 — as in the docstring
        return NOTHING
    text, source, target, *zones = arguments
    moment = _localised(parse_date(text, source), _zone(zones[0]) if zones else UTC)
    if len(zones) > 1:
        moment = moment.astimezone(_zone(zones[1]))
    return format_date(moment, target)


def _spread(function: Function) -> Callable[[list[Any]], Any]:
    """Let a single list stand for the arguments."""

    def apply(arguments: list[Any]) -> Any:
        only = arguments[0] if len(arguments) == 1 else None
        return function(only if isinstance(only, list) and only else arguments)

    return apply


DATES: dict[str, Function] = {
    "fromEpochMilli": _spread(_from_epoch_milli),
    "toEpochMilli": _spread(_to_epoch_milli),
    "dateAdd": _spread(_shifted(1)),
    "dateSubstract": _spread(_shifted(-1)),
    "formatDate": _spread(_format_date),
}
