"""The wall's clock is set forward: nothing is believed to be over that is not over by a worker's own time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from types import SimpleNamespace

import pytest

from contract.ledgers import KEY, LEASE_S
from order_cancellation.errors import LeaseLost
from order_cancellation.flow.model import Flow
from order_cancellation.flow.store import LoadedFlow
from order_cancellation.ledger import Ledger, State
from order_cancellation.steps.context import Context
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.settle import settle
from unit.ledger.test_decisions import a_record

URL = "https://erp.test/cancellations"


@dataclass
class TwoClocks:
    """A wall's clock that can be set, and a worker's own time, which only sleeping moves."""

    wall: datetime = field(default_factory=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    own: float = 0.0
    slept: list[float] = field(default_factory=list)

    def now(self):
        return self.wall

    def monotonic(self):
        return self.own

    async def sleep(self, seconds):
        self.slept.append(seconds)
        if len(self.slept) > 1:  # the desk's renewal: nobody waits for it here
            await asyncio.Event().wait()
        self.wall += timedelta(seconds=seconds)
        self.own += seconds


def a_context(clock, ledger):
    document = {
        "id": "acme",
        "get_data": {"connection": "o", "cancel_type": "all", "status": "approved"},
        "write_to_erp": {
            "connection": "e",
            "url": URL,
            "method": "POST",
            "look_up": {"url": URL, "found": "$.found", "after": "10s"},
        },
        "write_to_omnitron": {"on_success": None},
        "delivery": {"lease": f"{LEASE_S:.0f}s"},
    }
    loaded = LoadedFlow(Flow.model_validate(document), {}, "r1")
    return Context(loaded, "run-1", ledger, clock, Random(1), "worker")


def test_a_lease_that_others_see_ended_is_not_sent_under(tmp_path):
    """Others look at the wall's clock: they may have taken the request over already."""
    clock = TwoClocks(slept=[0.0])
    ledger = Ledger(f"sqlite:///{tmp_path / 'ledger.db'}", (KEY,), clock)

    async def work():
        async with Desk(a_context(clock, ledger), "write_to_erp", 0) as desk:
            desk.check_lease()
            clock.wall += timedelta(hours=1)
            with pytest.raises(LeaseLost):
                desk.check_lease()

    asyncio.run(work())
    ledger.close()


def test_a_look_up_waits_its_time_whatever_the_walls_clock_says():
    """Sent a moment ago, and the clock was set an hour forward: "not found" would be believed too early."""
    clock = TwoClocks()
    sent_at = clock.wall.timestamp()
    clock.wall += timedelta(hours=1)
    asked_at = []

    async def look_up(*_args, **_more):
        asked_at.append(clock.own)
        return True

    async def check_open():
        """Nothing is wrong with the line."""

    erp = SimpleNamespace(base_url="https://erp.test", look_up=look_up, check_open=check_open)
    ledger = SimpleNamespace(queries=SimpleNamespace(was_booked=lambda *_: False))
    record = a_record(State.IN_DOUBT, doubt=True, step="write_to_erp", last_send_at=sent_at, sends=1)
    record.payloads.update(
        {
            "request": {"id": 1},
            "sent": {"method": "POST", "url": URL, "headers": {}, "body": "{}", "timeout_s": 5},
        }
    )

    async def write_down(change):
        return change.new

    desk = SimpleNamespace(context=replace(a_context(clock, ledger), erp=erp), record=write_down)
    settled = asyncio.run(settle(desk, record))

    assert settled.state == State.ACCEPTED
    assert asked_at == [10.0]
