"""Searching requests, and what came of them over time, as the pages ask for it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from order_cancellation.ledger import Ledger
from order_cancellation.ledger.search import OUTCOMES, Place, Wanted
from order_cancellation.service.cursors import read_cursor, write_cursor
from order_cancellation.service.requests import known_state
from order_cancellation.service.rows import iso, listed, row

__all__ = ["LONGEST_HOURS", "MOST_ROWS", "found", "outcomes", "search_requests"]

MOST_ROWS = 500
LONGEST_HOURS = 24 * 92
_HOUR_S = 3600
_BUCKETS_S = (60, 300, 900, _HOUR_S, 6 * _HOUR_S, 24 * _HOUR_S)
_MOST_BUCKETS = 100


def search_requests(
    ledger: Ledger, wanted: Wanted, *, limit: int = 50, after: str | None = None
) -> dict[str, Any]:
    """Return a page of requests, newest change first.

    Args:
        ledger: The truth.
        wanted: What is searched for.
        limit: At most so many.
        after: ``next`` of the page before.

    Returns:
        ``requests``; ``next``, a cursor or None; and ``counts`` by state, whatever state is wanted.

    Raises:
        ConfigurationError: The cursor is none of ours.
    """
    page = ledger.search.page(wanted, limit=limit, after=None if after is None else _read(after))
    return {
        "requests": [row(record) for record in page.records],
        "next": None if page.following is None else write_cursor(page.following),
        "counts": {str(state): count for state, count in page.counts.items()},
    }


def found(
    ledger: Ledger,
    flow: str | None,
    state: str | None,
    limit: int,
    after: str | None,
    *,
    run_id: str | None,
    text: str,
) -> tuple[list[dict[str, Any]], str | None]:
    """Search for the command line.

    Args:
        ledger: The truth.
        flow: Only this flow's.
        state: Only those in this state.
        limit: At most so many.
        after: The cursor that the call before told.
        run_id: Only those that this run took up last.
        text: The number, or the beginning of uuid, order number or SKU.

    Returns:
        The requests with the keys of the list, and the cursor of the next page.

    Raises:
        ConfigurationError: There is no such state, or the cursor is none of a search.
    """
    wanted = Wanted(
        flows=None if flow is None else frozenset({flow}),
        states=frozenset() if state is None else frozenset({known_state(state)}),
        run_id=run_id,
        text=text.strip(),
    )
    page = ledger.search.page(wanted, limit=limit, after=None if after is None else _read(after))
    following = None if page.following is None else write_cursor(page.following)
    return [listed(record) for record in page.records], following


@dataclass(frozen=True)
class _Span:
    begin: int
    bucket_s: int
    buckets: int


def outcomes(
    ledger: Ledger, *, flows: frozenset[str] | None, run_id: str | None, hours: int, now: float
) -> dict[str, Any]:
    """Count over time how often requests came to be done, failed, in doubt, parked or postponed.

    Args:
        ledger: The truth.
        flows: Only of these flows; None: of all.
        run_id: Only in this run.
        hours: How far back.
        now: The time, in seconds since 1970.

    Returns:
        ``from``, ``to``, ``bucket_s`` and ``buckets``, each of which begins ``at`` and has all ``counts``.
    """
    span = _span(hours, now)
    counts = ledger.search.outcomes(flows, run_id, begin=float(span.begin), bucket_s=span.bucket_s)
    return {
        "from": iso(span.begin),
        "to": iso(now),
        "bucket_s": span.bucket_s,
        "buckets": [
            {
                "at": iso(span.begin + number * span.bucket_s),
                "counts": {str(state): counts.get((number, state), 0) for state in OUTCOMES},
            }
            for number in range(span.buckets)
        ],
    }


def _span(hours: int, now: float) -> _Span:
    """Cut the time into whole minutes, hours or days, so that the same event is always in the same part."""
    length = hours * _HOUR_S
    bucket_s = next((one for one in _BUCKETS_S if length / one <= _MOST_BUCKETS), _BUCKETS_S[-1])
    begin = math.floor((now - length) / bucket_s) * bucket_s
    return _Span(begin, bucket_s, math.floor((now - begin) / bucket_s) + 1)


def _finite(value: Any) -> float:
    if not math.isfinite(number := float(value)):
        raise ValueError("no time is infinite")
    return number


def _read(cursor: str) -> Place:
    return Place(*read_cursor(cursor, _finite, str, str))
