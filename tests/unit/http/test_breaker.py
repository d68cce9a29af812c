"""Nothing leaves while the breaker is open, and one call finds out whether it may close."""

from __future__ import annotations

import asyncio

import pytest

from order_cancellation.errors import InDoubt, LeaseLost, NotSent
from order_cancellation.http.breaker import Breaker
from order_cancellation.http.messages import Answer
from unit.http.fakes import FakeClock

FINE, BROKEN = Answer(200), Answer(500)


class Line:
    """A breaker before a line whose next results are given."""

    def __init__(self, threshold=3):
        self.clock = FakeClock()
        self.breaker = Breaker("Connection 'erp'", self.clock, threshold=threshold, pause_s=30)
        self.sent = 0

    async def call(self, result):
        async def send():
            self.sent += 1
            await asyncio.sleep(0)
            if isinstance(result, Exception):
                raise result
            return result

        try:
            return await self.breaker.guard(send)
        except (NotSent, InDoubt, LeaseLost) as error:
            return error

    def calls(self, *results):
        async def story():
            return [await self.call(result) for result in results]

        return asyncio.run(story())


@pytest.mark.parametrize("failure", [BROKEN, NotSent("refused"), InDoubt("cut")], ids=["500", "down", "cut"])
def test_failures_in_a_row_open_it_and_then_nothing_leaves(failure):
    line = Line()
    *_, last = line.calls(failure, failure, failure, FINE)
    assert isinstance(last, NotSent)
    assert "Connection 'erp' was not called" in str(last)
    assert line.sent == 3
    assert line.breaker.is_open


@pytest.mark.parametrize("between", [FINE, Answer(404), Answer(401)], ids=["200", "404", "401"])
def test_any_answer_but_a_5xx_ends_the_row(between):
    line = Line()
    line.calls(BROKEN, BROKEN, between, BROKEN, BROKEN)
    assert not line.breaker.is_open


def test_who_says_when_to_come_back_is_no_failure():
    line = Line()
    line.calls(*[Answer(503, headers={"retry-after": "1"})] * 5)
    assert not line.breaker.is_open


def test_a_lost_lease_says_nothing_about_the_line():
    line = Line()
    line.calls(*[LeaseLost("taken over")] * 5)
    assert not line.breaker.is_open


def test_after_the_pause_one_probe_goes_out_at_a_time():
    line = Line()
    line.calls(BROKEN, BROKEN, BROKEN)
    line.clock.passed += 30

    async def story():
        return await asyncio.gather(*(line.call(FINE) for _ in range(5)))

    results = asyncio.run(story())
    assert results[0] is FINE
    assert all(isinstance(result, NotSent) for result in results[1:])
    assert not line.breaker.is_open


def test_a_failed_probe_begins_another_pause():
    line = Line()
    line.calls(BROKEN, BROKEN, BROKEN)
    line.clock.passed += 30
    line.calls(BROKEN)
    line.clock.passed += 29
    assert line.breaker.is_open
    line.clock.passed += 1
    assert not line.breaker.is_open
