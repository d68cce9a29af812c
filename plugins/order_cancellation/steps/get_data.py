"""Get Data From Omnitron step: which cancellation requests this run works on.

First comes what earlier runs left unfinished, since money may have moved there; then what a person wants
done again; then everything that Omnitron lists, which is entered in the ledger page by page, while the next
one is being read. Nothing is sent before all of them are. What is taken up is put into batches, and only
their numbers leave this step.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from order_cancellation.errors import Refused, UnreadableAnswer
from order_cancellation.http.reading import ListQuery, ReadingSummary, one_ahead
from order_cancellation.http.seen import Seen
from order_cancellation.ledger import Batch, Limits, Record
from order_cancellation.ledger.decisions import POSTPONED_TOO_LONG
from order_cancellation.ledger.intake import Taken
from order_cancellation.steps.context import Context

__all__ = [
    "RunParams",
    "batch_sizes",
    "even",
    "label_of",
    "query_of",
    "read_named",
    "read_one",
    "run",
    "told_of_reading",
]

T = TypeVar("T")
STEP = "get_data"
OWN_ROW = 8
"""Up to so many requests each get a row of their own in Airflow's grid."""

_MOST_SHOWN = 5


@dataclass(frozen=True)
class RunParams:
    """What a person may ask of one run.

    Args:
        request_ids: Only these, whatever their status.
        modified_from: Only those modified at or after this time.
        modified_to: Only those modified before this time.
        limit: At most so many.
        dry_run: Nothing is written anywhere outside.
        redo: With ``request_ids``: also those that are done, parked or in doubt.
    """

    request_ids: tuple[int, ...] | None = None
    modified_from: datetime | None = None
    modified_to: datetime | None = None
    limit: int | None = None
    dry_run: bool = False
    redo: bool = False


@dataclass
class _Taking:
    """A run's taking up, as it goes on.

    Args:
        room: How many may be taken up.
        limits: The flow's.
        seen: What was taken up before the list is read, so that it is not entered once more.
        kept: That, and what is listed: it is not withdrawn.
        counts: How many were met, by reason.
        lines: What the reading found, as lines for people.
        problems: What went wrong with the run itself.
    """

    room: int
    limits: Limits
    seen: Seen = field(default_factory=Seen)
    kept: Seen = field(default_factory=Seen)
    counts: Counter[str] = field(default_factory=Counter)
    lines: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return self.counts["taken"]

    def see(self, uuid: str) -> None:
        """Leave a request as it was taken up, whether Omnitron lists it or not."""
        self.seen.add(uuid)
        self.kept.add(uuid)

    def add(self, counts: Counter[str]) -> None:
        self.counts.update(counts)
        if parked := counts[POSTPONED_TOO_LONG]:  # every run so far was green with them: one has to say so
            self.problems.append(f"{parked} request(s) {POSTPONED_TOO_LONG}: a person has to decide")


async def run(context: Context, params: RunParams, interval: tuple[datetime, datetime] | None) -> list[int]:
    """Take up what this run works on.

    Args:
        context: Ledger and Omnitron are used.
        params: What a person asked for.
        interval: Of a backfill run: only requests modified in it.

    Returns:
        The batches' numbers.

    Raises:
        OrderCancellationError: Omnitron could not be read; what was entered so far waits for the next run.
    """
    delivery = context.flow.delivery
    room = min(context.flow.get_data.max_requests, params.limit or context.flow.get_data.max_requests)
    taking = _Taking(room, Limits(delivery.max_attempts, delivery.max_age.total_seconds()))
    if params.request_ids is not None:
        await _take_named(context, taking, params.request_ids, redo=params.redo)
    else:
        whole = _is_whole(params, interval)
        if whole:
            await _take_unfinished(context, taking)
        await _take_asked(context, taking)
        await _take_listed(context, taking, query_of(context, params, interval), whole=whole)
    return await _put_into_batches(context, taking)


def query_of(context: Context, params: RunParams, interval: tuple[datetime, datetime] | None) -> ListQuery:
    """Return what is asked of Omnitron: the flow's settings, narrowed by parameters and interval."""
    settings = context.flow.get_data
    starts = [one for one in (params.modified_from, interval and interval[0]) if one]
    ends = [one for one in (params.modified_to, interval and interval[1]) if one]
    return ListQuery(
        status=settings.status,
        cancel_type=settings.cancel_type,
        channel_id=settings.channel_id,
        page_size=settings.page_size,
        modified_from=max(starts, default=None),
        modified_to=min(ends, default=None),
    )


def _is_whole(params: RunParams, interval: tuple[datetime, datetime] | None) -> bool:
    return interval is None and params.modified_from is None and params.modified_to is None


async def _take_unfinished(context: Context, taking: _Taking) -> None:
    flow, run_id, intake = context.flow.id, context.run_id, context.ledger.intake
    limits, room = taking.limits, taking.room
    taking.add(
        await asyncio.to_thread(intake.take_unfinished, flow, run_id, limits=limits, position=0, room=room)
    )
    for uuid in await asyncio.to_thread(intake.unfinished, flow, run_id):
        taking.see(uuid)


async def _take_asked(context: Context, taking: _Taking) -> None:
    """Take up what a person named; where Omnitron has it no longer, the word falls away."""
    flow, intake = context.flow.id, context.ledger.intake
    for request_id, uuid, redo in await asyncio.to_thread(intake.asked_for, flow):
        if uuid in taking.seen:
            continue
        request, problem = await read_one(context, request_id)
        if problem:
            taking.problems.append(problem)
            continue
        if request is not None and request.get("uuid") == uuid:
            await _enter(context, taking, [request], redo=redo, named=True)
            taking.see(uuid)
            continue
        has = "no request of this number" if request is None else "another request under this number"
        word = "the redo" if redo else "the wish to have it done"
        why = f"Omnitron has {has}, so {word} falls away"
        await asyncio.to_thread(intake.drop_word, flow, uuid, run_id=context.run_id, why=why)
        taking.problems.append(f"{_not_taken(request_id)}: {why}.")


async def _take_listed(context: Context, taking: _Taking, query: ListQuery, *, whole: bool) -> None:
    flow, run_id, intake = context.flow.id, context.run_id, context.ledger.intake
    reading = context.the_omnitron().read(query)
    async with aclosing(one_ahead(reading)) as pages:
        async for requests in pages:
            taking.kept.update(request["uuid"] for request in requests)
            fresh = [request for request in requests if request["uuid"] not in taking.seen]
            await _enter(context, taking, fresh)
    summary = reading.summary
    taking.kept.update(summary.left_out)
    _tell_reading(taking, summary)
    if whole and summary.complete:
        refusals_told = context.flow.write_to_omnitron.on_failure is not None
        gone = await asyncio.to_thread(
            intake.withdraw, flow, run_id, taking.kept, refusals_told=refusals_told
        )
        taking.counts["withdrawn"] += gone


def _tell_reading(taking: _Taking, summary: ReadingSummary) -> None:
    taking.lines.append(
        f"Omnitron listed {summary.listed} entries on {_pages(summary)}: {summary.distinct} distinct, "
        f"{summary.matching} of them match"
    )
    if summary.missing:
        taking.lines.append(f"{summary.missing} may be missing from the list; the next poll takes them")
    taking.problems.extend(told_of_reading(summary))


def told_of_reading(summary: ReadingSummary) -> list[str]:
    """Return what is wrong with Omnitron's list, with the step that read it: another one reports it."""
    return [f"{STEP}: {problem}" for problem in summary.problems]


def _pages(summary: ReadingSummary) -> str:
    pages = "1 page" if summary.pages == 1 else f"{summary.pages} pages"
    return pages if summary.rounds == 1 else f"{pages}, read in {summary.rounds} rounds"


async def _take_named(context: Context, taking: _Taking, request_ids: Sequence[int], *, redo: bool) -> None:
    for request_id in dict.fromkeys(request_ids):
        request, problem = await read_named(context, request_id)
        if request is None:
            taking.problems.append(problem)
            continue
        left = taking.counts["left"]
        await _enter(context, taking, [request], redo=redo, named=True)
        if redo and taking.counts["left"] > left:  # the parameter is this run's, and no later one knows it
            why = "there was no room for it (max_requests or limit), and no later run does it again"
            taking.problems.append(f"{_not_taken(request_id)}: {why}; name it in another one.")


async def read_named(context: Context, request_id: int) -> tuple[dict[str, Any] | None, str]:
    """Read one request that a person named: whatever its status, but of the flow's channel and type.

    Args:
        context: Omnitron is used for reading.
        request_id: Omnitron's number.

    Returns:
        The request, or None and why it is not taken up: what is wrong with one hinders none of the others.

    Raises:
        OrderCancellationError: Omnitron can't be asked at all, for this one or any other.
    """
    request, problem = await read_one(context, request_id)
    if problem:
        return None, problem
    if request is None:
        return None, f"{_not_taken(request_id)}: Omnitron has no request of this number."
    if not isinstance(request.get("uuid"), str) or not request["uuid"]:
        return None, f"{_not_taken(request_id)}: Omnitron's answer has no uuid, so it can't be tracked."
    if other := query_of(context, RunParams(), None).other_than(request):
        return None, f"{_not_taken(request_id)}: {other}."
    return request, ""


async def read_one(context: Context, request_id: int) -> tuple[dict[str, Any] | None, str]:
    """Read one request by its number; one that can't be read hinders none of the others.

    Args:
        context: Omnitron is used for reading.
        request_id: Omnitron's number.

    Returns:
        The request, or None where Omnitron has none; and why it could not be read, else an empty text.

    Raises:
        OrderCancellationError: Omnitron can't be asked at all, for this one or any other.
    """
    try:
        return await context.the_omnitron().get(request_id), ""
    except (UnreadableAnswer, Refused) as error:
        return None, f"{_not_taken(request_id)}: it could not be read: {error}"


def _not_taken(request_id: int) -> str:
    return f"Request {request_id}: not taken up at {STEP}"


async def _enter(
    context: Context,
    taking: _Taking,
    requests: Sequence[Mapping[str, Any]],
    *,
    redo: bool = False,
    named: bool = False,
) -> None:
    steps = context.flow.steps
    counts = await asyncio.to_thread(
        context.ledger.intake.enter,
        context.flow.id,
        context.run_id,
        requests,
        first_step=steps[0],
        ready=steps[0] == "write_to_erp",
        limits=taking.limits,
        position=taking.taken,
        room=taking.room - taking.taken,
        redo=redo,
        named=named,
        former=context.former_flows,
    )
    taking.add(counts)


async def _put_into_batches(context: Context, taking: _Taking) -> list[int]:
    flow, ledger = context.flow, context.ledger
    taken = await asyncio.to_thread(ledger.intake.taken, flow.id, context.run_id)
    count = batch_sizes(taken, flow.write_to_erp.concurrency, flow.delivery.parallel_batches)
    await asyncio.to_thread(ledger.intake.assign, flow.id, context.run_id, count)
    rows = [await _batch(context, number, len(range(number, taken, count))) for number in range(count)]
    lines = [*taking.lines, _counted(taking)]
    await asyncio.to_thread(
        ledger.runs.listed, flow.id, context.run_id, rows, lines=lines, problems=taking.problems
    )
    for line in lines:
        context.log.info("%s", line)
    for problem in taking.problems:
        context.log.warning("Flow '%s': %s", flow.id, problem)
    return [row.number for row in rows]


async def _batch(context: Context, number: int, size: int) -> Batch:
    first_of = context.ledger.intake.first_of
    first = await asyncio.to_thread(first_of, context.flow.id, context.run_id, number, limit=_MOST_SHOWN)
    return Batch(number, context.loaded.revision, label_of(first, size), size)


def _counted(taking: _Taking) -> str:
    reasons = ", ".join(
        f"{count} {why}"
        for why, count in sorted(taking.counts.items())
        if why not in ("taken", "left") and count
    )
    left = taking.counts["left"]
    told = f"{taking.taken} taken up ({reasons or 'nothing there'})"
    return f"{told}; {left} left for the next run (max_requests or limit)" if left else told


def batch_sizes(requests: int, concurrency: int, parallel_batches: int) -> int:
    """Return how many batches there are.

    Up to eight requests (or ``concurrency``, if less) get one each, so that each has its own row in
    Airflow's grid; more are spread over ``parallel_batches``, and never over more than ``concurrency``.
    """
    if requests <= min(OWN_ROW, concurrency):
        return requests
    return min(parallel_batches, concurrency, requests)


def even(items: Sequence[T], count: int) -> list[list[T]]:
    """Spread items over ``count`` lists whose lengths differ by one at most."""
    return [list(items[start::count]) for start in range(count)]


def label_of(first: Sequence[Record | Taken], size: int) -> str:
    """Return a batch's name in the grid: its request, or how many and which. No personal data.

    Args:
        first: Its first requests; more than five are not named.
        size: How many it has.
    """
    if size == 1 and first:  # a person may have resolved it meanwhile
        [record] = first
        order = f" · order {record.order_number}" if record.order_number else ""
        return f"#{record.id}{order}"
    shown = ", ".join(f"#{record.id}" for record in first[:_MOST_SHOWN])
    return f"{size} requests: {shown}{' …' if size > _MOST_SHOWN else ''}"
