"""What the ledger costs: time per request and step, listing a million rows, memory of one step.

Run by itself (``.venv/bin/python bench/ledger.py --million``) or through ``measure()``.
"""

from __future__ import annotations

import argparse
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet
from figure import Figure
from sqlalchemy import insert, text

from order_cancellation.clock import SystemClock
from order_cancellation.ledger import Change, Claim, Ledger, Limits, Record, State, schema
from order_cancellation.ledger.search import Place, Wanted

FLOW = "bench"
LIMITS = Limits(max_attempts=5, max_age_s=7 * 86_400.0)
PAGE, CHUNK, GROUP = 100, 250, 100  # as get_data reads, as a step takes, as it commits
MILLION = 1_000_000
CHANGED_AT = 1_700_000_000.0

Way = Callable[[Record], Sequence[Change]]


def measure(*, million: bool = True, url: str | None = None) -> list[Figure]:
    """Measure a step's cost, its memory and the lists.

    Args:
        million: Whether to list a million rows, too; making them takes a minute or two.
        url: An empty database; without it, SQLite in a folder that is deleted.
    """
    with _a_ledger(url) as ledger:
        where = "SQLite" if ledger.database.sqlite else "Postgres"
        figures = [*_overhead(ledger, where, 1_000), *_memory(ledger, where)]
        if million:
            figures += _listing(ledger, where)
    return figures


@contextmanager
def _a_ledger(url: str | None) -> Iterator[Ledger]:
    with tempfile.TemporaryDirectory() as folder:
        at = url or f"sqlite:///{Path(folder) / 'ledger.db'}"
        with closing(Ledger(at, (Fernet.generate_key().decode(),), SystemClock())) as ledger:
            yield ledger


def _request(number: int) -> dict[str, Any]:
    """A request of about four kilobytes, as Omnitron's are."""
    return {
        "id": number,
        "uuid": f"{number:08d}-0000-4000-8000-000000000000",
        "channel": {"pk": 2},
        "customer": {"pk": number % 900},
        "order_item": {
            "order": {"number": f"N{number}", "lines": [{"sku": f"{number}-{line}"} for line in range(60)]},
            "product": {
                "sku": f"S{number}",
                "attributes": {f"field_{name}": f"{number}" for name in range(40)},
            },
        },
    }


def _enter(ledger: Ledger, run_id: str, numbers: range) -> None:
    for start in range(0, len(numbers), PAGE):
        ledger.intake.enter(
            FLOW,
            run_id,
            [_request(number) for number in numbers[start : start + PAGE]],
            first_step="script",
            ready=False,
            limits=LIMITS,
            position=start,
            room=len(numbers),
        )
    ledger.intake.assign(FLOW, run_id, 1)


Step = tuple[str, State, tuple[str, ...], Way]


def _do_step(ledger: Ledger, run_id: str, how: Step) -> None:
    """Do what a step does with the ledger, and nothing else."""
    step, state, kinds, way = how
    claim = ledger.work.open_claim(FLOW, run_id, 0, step, worker="bench", lease_s=600.0)
    after = -1
    while records := ledger.work.take(
        claim, steps=(step,), states=(state,), kinds=kinds, after=after, limit=CHUNK
    ):
        after = records[-1].position
        _apply(ledger, claim, [way(record) for record in records])
    ledger.work.release(claim)
    ledger.runs.unfinished(FLOW, run_id, 0)
    ledger.runs.counts(FLOW, run_id, 0)


def _apply(ledger: Ledger, claim: Claim, changes: Sequence[Sequence[Change]]) -> None:
    stages = max(map(len, changes))
    for stage in range(stages):  # an intent and its answer are never in one transaction
        for start in range(0, len(changes), GROUP):
            group = [one[stage] for one in changes[start : start + GROUP]]
            lost = ledger.work.apply(claim, group, revision="r" * 64)
            assert not lost, lost


def _send(record: Record) -> Sequence[Change]:
    sending = record.moved(State.SENDING, sends=record.sends + 1, body_digest="d" * 64)
    answered = sending.moved(State.ANSWERED, step="custom_response", erp_status=200)
    body = {"body": record.payloads["mapping"]}
    return (
        Change(record, sending, {"sent": body}, "sending"),
        Change(sending, answered, {"answer": body}, "200"),
    )


def _to(state: State, step: str, *kinds: str) -> Way:
    def way(record: Record) -> Sequence[Change]:
        kept = {kind: record.payloads.get("request", {"a": "1"}) for kind in kinds}
        return (Change(record, record.moved(state, step=step), kept, "through"),)

    return way


def _judge(record: Record) -> Sequence[Change]:
    new = record.moved(State.ACCEPTED, step="write_to_omnitron", relation="continue")
    return (Change(record, new, {"attributes": {"a": "1"}}, "judged"),)


STEPS: tuple[Step, ...] = (
    ("script", State.FETCHED, ("request",), _to(State.FETCHED, "mapping", "script", "attributes")),
    ("mapping", State.FETCHED, ("request", "script"), _to(State.PREPARED, "write_to_erp", "mapping")),
    ("write_to_erp", State.PREPARED, ("request", "script", "mapping", "attributes"), _send),
    ("custom_response", State.ANSWERED, ("request", "sent", "answer", "attributes"), _judge),
    ("write_to_omnitron", State.ACCEPTED, ("request",), _to(State.WRITTEN_BACK, "post_script")),
    ("post_script", State.WRITTEN_BACK, ("sent", "answer"), _to(State.DONE, "")),
)


def _overhead(ledger: Ledger, where: str, count: int) -> list[Figure]:
    _enter(ledger, "warm-up", range(1, 3))
    begun = time.perf_counter()
    _enter(ledger, "overhead", range(100_000, 100_000 + count))
    entered = time.perf_counter()
    for how in STEPS:
        _do_step(ledger, "overhead", how)
    ended = time.perf_counter()
    assert ledger.runs.counts(FLOW, "overhead") == {"done": count}
    per_step = (ended - entered) * 1000 / count / len(STEPS)
    name = f"ledger, {where}, {count} requests"
    return [
        Figure(f"{name}: taking up, per request", (entered - begun) * 1000 / count, "ms"),
        Figure(f"{name}: per request and step", per_step, "ms", most=1.5 if ledger.database.sqlite else None),
    ]


def _memory(ledger: Ledger, where: str) -> list[Figure]:
    figures = []
    for place, count in enumerate((1_000, 20_000)):
        run_id = f"memory-{count}"
        _enter(ledger, run_id, range((place + 1) * 1_000_000, (place + 1) * 1_000_000 + count))
        tracemalloc.start()
        _take_all(ledger, run_id)
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
        figures.append(Figure(f"ledger, {where}: memory of a step over {count} requests", peak, "MiB"))
    growth = figures[1].value / figures[0].value
    return [
        *figures,
        Figure(f"ledger, {where}: memory, 20,000 over 1,000 requests", growth, "times", most=1.2),
    ]


def _take_all(ledger: Ledger, run_id: str) -> None:
    """Do the part of a step that could grow with its batch: the taking, and the writing."""
    claim = ledger.work.open_claim(FLOW, run_id, 0, "script", worker="bench", lease_s=600.0)
    way, after = _to(State.FETCHED, "mapping", "script", "attributes"), -1
    while records := ledger.work.take(
        claim, steps=("script",), states=(State.FETCHED,), kinds=("request",), after=after, limit=CHUNK
    ):
        after = records[-1].position
        _apply(ledger, claim, [way(record) for record in records])


def _listing(ledger: Ledger, where: str) -> list[Figure]:
    _make_many(ledger)
    middle = ("many", f"{MILLION // 2:08d}")
    calls: dict[str, Callable[[], Sequence[Any]]] = {
        "first page": lambda: ledger.queries.list(limit=1000),
        "a page in the middle": lambda: ledger.queries.list(limit=1000, after=middle),
        "one flow": lambda: ledger.queries.list(flow="many", limit=1000, after=middle),
        "a rare state of all flows": lambda: ledger.queries.list(state="parked", limit=1000),
        "a rare state of one flow": lambda: ledger.queries.list(flow="many", state="parked", limit=1000),
        "a common state, in the middle": lambda: ledger.queries.list(state="done", limit=1000, after=middle),
        "one request by its number": lambda: [one for one in [ledger.queries.find("many", "777777")] if one],
    }
    calls |= _searches(ledger)
    return [_timed(f"ledger, {where}, a million rows: {name}", call) for name, call in calls.items()]


def _searches(ledger: Ledger) -> dict[str, Callable[[], Sequence[Any]]]:
    """What the pages ask: each search with its counts by state."""

    def page(after: Place | None = None, **wanted: Any) -> Callable[[], Sequence[Any]]:
        return lambda: ledger.search.page(Wanted(**wanted), limit=50, after=after).records

    rare, many = frozenset({State.PARKED}), frozenset({"many"})
    begin = CHANGED_AT + MILLION / 4
    return {
        "search, newest changes": page(),
        "search, in the middle": page(Place(CHANGED_AT + MILLION / 2, "many", "")),
        "search, a rare state": page(states=rare),
        "search, a rare flow": page(flows=frozenset({FLOW})),
        "search, a time, a rare state": page(changed_from=begin, changed_to=begin * 1.0001, states=rare),
        "search, a number": page(text="777777"),
        "search, an order number": page(text="N77777"),
        "search, how all orders begin": page(text="N", flows=many),
        "search, how all orders begin, a rare state": page(text="N", states=rare),
        "search, how all orders begin, the oldest": page(text="N", changed_to=CHANGED_AT + 9),
        "outcomes over time": lambda: list(
            ledger.search.outcomes(many, None, begin=CHANGED_AT, bucket_s=86_400).values()
        ),
    }


def _timed(name: str, call: Callable[[], Sequence[Any]]) -> Figure:
    begun = time.perf_counter()
    found = call()
    took = time.perf_counter() - begun
    assert found, name
    return Figure(name, took, "s", most=1)


def _make_many(ledger: Ledger) -> None:
    """Insert a million rows, each with its outcome: each thousandth is parked, the others are done."""
    record = ledger.queries.list(limit=1)[0]
    values = record.columns() | {"flow": "many", "step": "", "run_id": "many", "batch": 0, "claim_id": None}
    with ledger.database.write() as connection:
        for start in range(0, MILLION, 10_000):
            rows = [
                values
                | {"uuid": f"{number:08d}", "id": number, "position": number}
                | {"state": "done" if number % 1000 else "parked", "last_changed": CHANGED_AT + number}
                | {"order_number": f"N{number}", "sku": f"S{number % 5000}"}
                for number in range(start, start + 10_000)
            ]
            connection.execute(insert(schema.requests), rows)
            connection.execute(insert(schema.events), [_outcome(row) for row in rows])
    if not ledger.database.sqlite:  # there the server does so by itself, somewhat later
        with ledger.database.write() as connection:
            connection.execute(text("ANALYZE"))
        with ledger.database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM requests"))


def _outcome(row: dict[str, Any]) -> dict[str, Any]:
    told = {name: row[name] for name in ("flow", "uuid", "run_id", "state")}
    counted = {"attempt": 1, "send": 1, "step": "post_script", "at": row["last_changed"]}
    return told | counted | {"note": "post script through"}


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--million", action="store_true", help="list a million rows, too")
    parser.add_argument("--url", help="an empty database instead of SQLite in a temporary folder")
    arguments = parser.parse_args()
    for one in measure(million=arguments.million, url=arguments.url):
        aim = f"  (aim: {one.aim} {one.unit})" if one.aim else ""
        print(f"{one.shown:>10} {one.unit:<5} {one.name}{aim}")


if __name__ == "__main__":
    main()
