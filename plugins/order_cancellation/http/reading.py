"""Reading a list that changes while it is read.

The rules are those of Omnitron's paging: a page object ends when ``next`` is null, a bare array with an empty
page or 404, and a short page ends nothing. Between two pages requests may leave the list or move to its end,
and others slip over the border unseen. Where ``count`` says so, the list is read again and the union is
taken, five rounds at most; what is missing then, the next poll takes.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeVar

from order_cancellation.flow.model import CANCEL_TYPES, STATUSES
from order_cancellation.http.listing import Entry, Page
from order_cancellation.http.seen import Seen

__all__ = ["ListQuery", "Reading", "ReadingSummary", "one_ahead"]

MAX_ROUNDS = 5
MAX_EMPTY_PAGES = 10
MAX_PROBLEMS = 100

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class ListQuery:
    """Which cancellation requests to read.

    Args:
        status: The wire literal, such as ``approved``.
        cancel_type: ``cancel``, ``refund`` or ``all``.
        channel_id: Only those of this sales channel, or None for all.
        page_size: How many to ask for at once.
        modified_from: Only those modified at or after this time, or None.
        modified_to: Only those modified before this time, or None.
    """

    status: str
    cancel_type: str
    channel_id: int | None = None
    page_size: int = 100
    modified_from: datetime | None = None
    modified_to: datetime | None = None

    def __post_init__(self) -> None:
        """Read times without zone as UTC, as Omnitron writes them."""
        for name in ("modified_from", "modified_to"):
            moment = getattr(self, name)
            if moment is not None and moment.tzinfo is None:
                object.__setattr__(self, name, moment.replace(tzinfo=UTC))

    def parameters(self, page: int) -> dict[str, Any]:
        """Return the query parameters of one page, as the contract names them."""
        parameters: dict[str, Any] = {
            "status": self.status,
            "sort": "modified_date",
            "limit": self.page_size,
            "page": page,
        }
        if self.cancel_type != "all":
            parameters["cancellation_type"] = self.cancel_type
        if self.channel_id is not None:
            parameters["channel"] = self.channel_id
        return parameters

    def other_than(self, request: dict[str, Any]) -> str | None:
        """Say of what other type or channel a request is that was asked for by its number, or None."""
        kind, channel = request.get("cancellation_type"), _channel(request)
        if self.cancel_type not in ("all", kind) and kind in CANCEL_TYPES:
            return f"it is of type {kind}, and the flow takes {self.cancel_type}"
        if self.channel_id not in (None, channel):
            of = "no channel that can be compared" if channel is None else f"channel {channel}"
            return f"it is of {of}, and the flow takes channel {self.channel_id}"
        return None

    @property
    def is_dated(self) -> bool:
        """Whether ``modified_date`` decides."""
        return self.modified_from is not None or self.modified_to is not None


@dataclass(frozen=True)
class ReadingSummary:
    """What a reading found.

    Args:
        pages: How many pages were read, in all rounds.
        listed: How many entries they held, in all rounds.
        distinct: How many different ones.
        missing: How many may have been missed in the last round, by the list's own count.
        rounds: How often the list was read.
        complete: Whether the reading came to its end and nothing is known to be missing.
        problems: What could not be taken up and why, as lines for people.
        matching: How many of the distinct ones were handed out.
        left_out: The keys of those that could not be taken up: their uuids, where they have one.
    """

    pages: int = 0
    listed: int = 0
    distinct: int = 0
    missing: int = 0
    rounds: int = 0
    complete: bool = False
    problems: tuple[str, ...] = ()
    matching: int = 0
    left_out: tuple[str, ...] = ()


@dataclass
class _Round:
    """One reading of the list from its first page to its last.

    Args:
        seen: The keys of its entries.
        counts: What each page said of the whole list's length.
        seen_pages: The marks on each page, to notice a circle.
        seen_bad: How often each entry without uuid was there.
        newest: The last ``modified_date`` seen, while the list is sorted by it.
        is_sorted: Whether it has been so far.
        empty_pages: How many pages in a row were empty.
        past_end: Whether the rest is all newer than what is wanted.
        circles: Whether the pages began to repeat.
        trouble: What kept the round from its end, as a line for people.
    """

    seen: Seen
    counts: list[int] = field(default_factory=list)
    seen_pages: Seen = field(default_factory=Seen)
    seen_bad: Counter[str] = field(default_factory=Counter)
    newest: datetime | None = None
    is_sorted: bool = True
    empty_pages: int = 0
    past_end: bool = False
    circles: bool = False
    trouble: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether no further page of this round is worth reading."""
        return self.past_end or self.circles

    @property
    def missing(self) -> int:
        """How many entries may have slipped by, by the list's own count.

        Only what this round saw is counted: entries of earlier rounds may have left the list, and would hide
        others that were never seen.
        """
        if not self.counts:
            return 0
        if self.past_end:  # the rest was left out on purpose; a falling count means that some slipped by
            return max(self.counts) - self.counts[-1]
        return max(0, max(self.counts) - len(self.seen))


class Reading:
    """A reading under way: iterate over it for lists of new, distinct requests, then look at ``summary``.

    Args:
        query: What to read.
        fetch: Reads one page by its number; None where there is no such page (404).
    """

    def __init__(self, query: ListQuery, fetch: Callable[[int], Awaitable[Page | None]]) -> None:
        self._query = query
        self._fetch = fetch
        self._known = Seen()
        self._problems: dict[str, str] = {}
        self._pages = self._listed = self._rounds = self._matching = self._missing = 0
        self._complete = False
        self._trouble: str | None = None
        self._strayed: Counter[str] = Counter()

    @property
    def summary(self) -> ReadingSummary:
        """What was found so far; ``complete`` only after the last page of the last round."""
        strayed = [
            f"Omnitron listed {count} request(s) of {what}, which was not asked for; they were left out"
            for what, count in sorted(self._strayed.items())
        ]
        lines = [*([self._trouble] if self._trouble else []), *strayed, *self._problems.values()]
        more = len(lines) - MAX_PROBLEMS
        shown = [*lines[:MAX_PROBLEMS], f"… and {more} more of this kind"] if more > 0 else lines
        return ReadingSummary(
            pages=self._pages,
            listed=self._listed,
            distinct=len(self._known),
            missing=self._missing,
            rounds=self._rounds,
            complete=self._complete,
            problems=tuple(shown),
            matching=self._matching,
            left_out=tuple(self._problems),
        )

    async def __aiter__(self) -> AsyncIterator[list[dict[str, Any]]]:
        """Read all pages, and again while some are missing; pages without new requests give nothing."""
        while self._rounds < MAX_ROUNDS:
            self._rounds += 1
            # what the first round has seen is what is known; kept twice, it would take twice the memory
            this_round = _Round(self._known if self._rounds == 1 else Seen())
            async for new in self._read_round(this_round):
                yield new
            self._trouble, self._missing = this_round.trouble, this_round.missing
            if not self._missing:
                self._complete = self._trouble is None
                return

    async def _read_round(self, this_round: _Round) -> AsyncIterator[list[dict[str, Any]]]:
        for number in itertools.count(1):
            page = await self._fetch(number)
            if page is None:
                return
            new = self._take(this_round, page, number)
            if new:
                yield new
            if not page.more or this_round.is_over:
                return

    def _take(self, this_round: _Round, page: Page, number: int) -> list[dict[str, Any]]:
        """Enter a page, and return the requests on it that are new and match."""
        entries = list(page.entries(this_round.seen_bad))
        self._pages += 1
        self._listed += len(entries)
        if page.count is not None:
            this_round.counts.append(page.count)
        new = [(place, entry) for place, entry in enumerate(entries, 1) if self._known.add(entry.key)]
        this_round.seen.update(entry.key for entry in entries)
        self._watch(this_round, page, entries, number)
        taken = [entry.value for place, entry in new if self._matches(entry, number, place)]
        self._matching += len(taken)
        return taken

    def _watch(self, this_round: _Round, page: Page, entries: list[Entry], number: int) -> None:
        """Notice when a round turns in a circle, and when the rest of it can't match any more."""
        is_new = this_round.seen_pages.add(json.dumps([entry.mark for entry in entries]))
        this_round.empty_pages = 0 if entries else this_round.empty_pages + 1
        if entries and not is_new:
            self._stop_circle(this_round, page, f"Page {number} repeats an earlier page")
        elif this_round.empty_pages > MAX_EMPTY_PAGES:
            self._stop_circle(this_round, page, f"Page {number} is empty like those before it")
        self._stop_when_past(this_round, entries)

    def _stop_circle(self, this_round: _Round, page: Page, what: str) -> None:
        """End a round that would never end; a bare array that ignores ``page`` is simply whole."""
        this_round.circles = True
        falls_short = page.promises_more if page.count is None else page.count > len(this_round.seen)
        if falls_short:
            this_round.trouble = f"{what}, though Omnitron says that more follow; reading stopped there"

    def _stop_when_past(self, this_round: _Round, entries: list[Entry]) -> None:
        """Stop early once a sorted list has passed ``modified_to``."""
        for entry in entries:
            moment = _modified(entry.value)
            if moment is None or (this_round.newest is not None and moment < this_round.newest):
                this_round.is_sorted = False
                return
            this_round.newest = moment
        end, newest = self._query.modified_to, this_round.newest
        if this_round.is_sorted and end is not None and newest is not None and newest >= end:
            this_round.past_end = True

    def _matches(self, entry: Entry, number: int, place: int) -> bool:
        problem = entry.problem or self._unfit(entry.value)
        if problem is not None:
            shown = entry.value.get("id") if isinstance(entry.value, dict) else None
            name = f" (id {shown})" if isinstance(shown, int) else ""
            self._problems[entry.key] = f"Page {number}, entry {place}{name} {problem}; it was left out"
            return False
        strayed = self._strays(entry.value)
        if strayed is not None:
            self._strayed[strayed] += 1
            return False
        return self._is_wanted(entry.value)

    def _strays(self, request: dict[str, Any]) -> str | None:
        """Say of what other status or type a request is, should Omnitron not heed what was asked for.

        A word that we don't know may be another spelling of the one that was asked for, and does not count.
        """
        query = self._query
        status, kind = request.get("status"), request.get("cancellation_type")
        if status != query.status and status in STATUSES:
            return f"status {status}"
        if query.cancel_type not in ("all", kind) and kind in CANCEL_TYPES:
            return f"type {kind}"
        return None

    def _unfit(self, request: dict[str, Any]) -> str | None:
        """Say why a filter can't be applied, which must not pass for a match."""
        if self._query.is_dated and _modified(request) is None:
            return "has no modified_date that can be compared"
        if self._query.channel_id is not None and _channel(request) is None:
            return "has no channel that can be compared"
        return None

    def _is_wanted(self, request: dict[str, Any]) -> bool:
        query = self._query
        if query.channel_id is not None and _channel(request) != query.channel_id:
            return False
        if not query.is_dated:
            return True
        moment = _modified(request)
        assert moment is not None
        return (query.modified_from is None or moment >= query.modified_from) and (
            query.modified_to is None or moment < query.modified_to
        )


def _channel(request: dict[str, Any]) -> int | None:
    channel = request.get("channel")
    pk = channel.get("pk") if isinstance(channel, dict) else channel
    return pk if isinstance(pk, int) and not isinstance(pk, bool) else None


def _modified(request: Any) -> datetime | None:
    """Return when a request was modified; a time without zone is UTC, as Omnitron writes it."""
    text = request.get("modified_date") if isinstance(request, dict) else None
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def one_ahead(items: AsyncIterable[_Item]) -> AsyncGenerator[_Item]:
    """Hand out items, each while the next one is being fetched.

    Args:
        items: Where they come from; what it raises comes after the items before it. Left half-way, this is to
            be closed (``contextlib.aclosing``), so that nothing is being fetched any more.
    """
    rest = aiter(items)
    coming = asyncio.ensure_future(anext(rest))
    try:
        while True:
            try:
                item = await coming
            except StopAsyncIteration:
                return
            coming = asyncio.ensure_future(anext(rest))
            yield item
    finally:
        coming.cancel()
        with suppress(asyncio.CancelledError, Exception):
            await coming
