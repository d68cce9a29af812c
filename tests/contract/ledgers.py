"""What the ledger's contract tests begin with: a clock that is set, requests with planted personal data."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet
from sqlalchemy import Connection, event

from order_cancellation.ledger import Change, Claim, Ledger, Limits, Record, State

KEY = Fernet.generate_key().decode()
FLOW = "acme"
LIMITS = Limits(max_attempts=3, max_age_s=7 * 86_400.0)
LEASE_S = 60.0
STEP = "write_to_erp"

PERSONAL = {
    "name": "Zerrin-Canary",
    "email": "canary@example.org",
    "phone": "+90-555-CANARY",
    "iban": "TR00CANARY0001",
    "address": "Canary Sokak 7",
    "ip": "203.0.113.77",
}
"""Found in every request, and nowhere in plain in the database."""


@dataclass
class FakeClock:
    """A clock that only moves when it is told to."""

    at: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, seconds: float) -> None:
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


def uuid_of(number: int) -> str:
    """The uuid of a request, by its number."""
    return f"00000000-0000-4000-8000-{number:012d}"


def a_request(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A request as Omnitron lists it, as far as the ledger looks at it."""
    request = {
        "id": number,
        "uuid": uuid_of(number),
        "channel": {"pk": 2},
        "customer": {"pk": 4000 + number, **PERSONAL},
        "order_item": {"order": {"number": f"ORD-{number}"}, "product": {"sku": f"SKU-{number}"}},
    }
    return request | changes


def requests(count: int) -> list[dict[str, Any]]:
    """Requests 1 to ``count``."""
    return [a_request(number) for number in range(1, count + 1)]


def enter(ledger: Ledger, listed: list[dict[str, Any]], run_id: str = "run-1", **changes: Any) -> Any:
    """Enter requests as ``get_data`` does, and return the counts."""
    settings = {"first_step": "script", "ready": False, "limits": LIMITS, "position": 0, "room": 100_000}
    return ledger.intake.enter(FLOW, run_id, listed, **(settings | changes))


def enter_batch(ledger: Ledger, count: int, run_id: str = "run-1", batches: int = 1) -> list[str]:
    """Enter new requests that are prepared, and put them into batches; returns their uuids."""
    enter(ledger, requests(count), run_id, first_step=STEP, ready=True)
    ledger.intake.assign(FLOW, run_id, batches)
    return [uuid_of(number) for number in range(1, count + 1)]


@contextmanager
def plans_of(ledger: Ledger, table: str) -> Iterator[list[str]]:
    """Gather how the database carries out each statement that names a table."""
    plans: list[str] = []
    how = "EXPLAIN QUERY PLAN" if ledger.database.sqlite else "EXPLAIN"

    def explain(
        connection: Connection, _cursor: Any, statement: str, values: Any, _context: Any, many: bool
    ) -> None:
        if table not in statement or statement.startswith("EXPLAIN"):
            return
        if not ledger.database.sqlite:  # it reads a table of few rows whole, whatever indices there are
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        rows = connection.exec_driver_sql(f"{how} {statement}", values[0] if many else values)
        plans.append(str([tuple(row) for row in rows]))

    event.listen(ledger.database.engine, "before_cursor_execute", explain)
    try:
        yield plans
    finally:
        event.remove(ledger.database.engine, "before_cursor_execute", explain)


def open_claim(ledger: Ledger, worker: str = "one", run_id: str = "run-1", batch: int = 0) -> Claim:
    """Open a claim on a batch."""
    return ledger.work.open_claim(FLOW, run_id, batch, STEP, worker=worker, lease_s=LEASE_S)


def take(ledger: Ledger, claim: Claim, states: tuple[State, ...] = (State.PREPARED,), **more: Any) -> Any:
    """Take what waits at ``write_to_erp``."""
    return ledger.work.take(claim, steps=(STEP,), states=states, **more)


def sending(record: Record) -> Change:
    """The intent to send, with what is sent."""
    new = record.moved(State.SENDING, sends=record.sends + 1)
    return Change(record, new, {"sent": {"body": f"{record.uuid}#{new.sends}"}}, "sending")


def brought_to(ledger: Ledger, state: State, number: int = 1, **told: Any) -> Record:
    """Let a new request of run-1 go the usual way until it stands in a state."""
    enter_one = a_request(number, **told)
    enter(ledger, [enter_one], first_step=STEP, ready=True)
    uuid = enter_one["uuid"]
    ledger.intake.assign(FLOW, "run-1", 1)
    claim = open_claim(ledger)
    [record] = take(ledger, claim)
    for following in _WAY[state]:
        new = record.moved(following, **_CHANGES.get(following, {}))
        assert ledger.work.apply(claim, [Change(record, new, {}, f"now {following}")]) == set()
        record = new
    ledger.work.release(claim)
    return find(ledger, uuid)


_SENT = (State.SENDING,)
_ANSWERED = (*_SENT, State.ANSWERED)
_WAY: dict[State, tuple[State, ...]] = {
    State.PREPARED: (),
    State.SENDING: _SENT,
    State.IN_DOUBT: (*_SENT, State.IN_DOUBT),
    State.PARKED: (*_SENT, State.IN_DOUBT, State.PARKED),
    State.ANSWERED: _ANSWERED,
    State.POSTPONED: (*_ANSWERED, State.POSTPONED),
    State.ACCEPTED: (*_ANSWERED, State.ACCEPTED),
    State.REFUSED: (*_ANSWERED, State.REFUSED),
    State.WRITTEN_BACK: (*_ANSWERED, State.ACCEPTED, State.WRITTEN_BACK),
    State.DONE: (*_ANSWERED, State.ACCEPTED, State.WRITTEN_BACK, State.DONE),
    State.FAILED: (State.FAILED,),
    State.WITHDRAWN: (State.WITHDRAWN,),
}
_CHANGES: dict[State, dict[str, Any]] = {
    State.SENDING: {"sends": 1, "body_digest": "d" * 64},
    State.IN_DOUBT: {"doubt": True, "hopeful": True, "error": "in doubt: the connection was cut"},
    State.PARKED: {"parked_from": State.IN_DOUBT, "error": "in doubt: the connection was cut"},
    State.ACCEPTED: {"step": "write_to_omnitron"},
    State.DONE: {"step": ""},
    State.POSTPONED: {"step": ""},
    State.WITHDRAWN: {"step": ""},
    State.FAILED: {"error": "the script failed", "failures": 1},
}


def find(ledger: Ledger, uuid_or_id: str) -> Record:
    """A request that is surely there."""
    record = ledger.queries.find(FLOW, uuid_or_id)
    assert record is not None
    return record


def states(ledger: Ledger) -> dict[int | None, str]:
    """Each request's state, by its number."""
    return {record.id: str(record.state) for record in ledger.queries.list()}
