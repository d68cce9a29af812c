"""Nothing leaves while the breaker is open, and one call finds out whether it may close."""

from __future__ import annotations

import asyncio

import pytest

from order_cancellation.errors import InDoubt, LeaseLost, LedgerUnavailable, NotSent
from order_cancellation.http.breaker import Breaker
from order_cancellation.http.messages import Answer
from order_cancellation.http.traffic import MemoryTraffic, Traffic
from unit.http.fakes import FakeClock, a_watch

FINE, BROKEN = Answer(200), Answer(500)

pytestmark = pytest.mark.usefixtures("no_threads")


class Line:
    """Breakers of some batches before one line whose next results are given."""

    def __init__(self, threshold=3, batches=1):
        self.clock = FakeClock()
        self.store = MemoryTraffic(self.clock)
        self.breakers = [self.a_breaker(f"batch-{number}", threshold) for number in range(batches)]
        self.sent = 0

    def a_breaker(self, owner, threshold=3):
        watch = a_watch(self.clock, self.store)
        return Breaker("Connection 'erp'", self.clock, watch, owner=owner, threshold=threshold, pause_s=30)

    async def call(self, result, batch=0, prepare=None):
        async def send():
            self.sent += 1
            await asyncio.sleep(0)
            if isinstance(result, Exception):
                raise result
            return result

        breaker = self.breakers[batch]
        try:
            return await breaker.guard(send, prepare=prepare)
        except (NotSent, InDoubt, LeaseLost) as error:
            return error
        finally:
            await breaker._watch.settle()

    def calls(self, *results, batch=0):
        async def story():
            return [await self.call(result, batch) for result in results]

        return asyncio.run(story())

    @property
    def traffic(self):
        return self.store.load(("acme", "erp_default"))


@pytest.mark.parametrize("failure", [BROKEN, NotSent("refused"), InDoubt("cut")], ids=["500", "down", "cut"])
def test_failures_in_a_row_open_it_and_then_nothing_leaves(failure):
    line = Line()
    *_, last = line.calls(failure, failure, failure, FINE)
    assert isinstance(last, NotSent)
    assert "Connection 'erp' was not called" in str(last)
    assert line.sent == 3


@pytest.mark.parametrize("between", [FINE, Answer(404), Answer(401)], ids=["200", "404", "401"])
def test_any_answer_but_a_5xx_ends_the_row(between):
    line = Line()
    line.calls(BROKEN, BROKEN, between, BROKEN, BROKEN, FINE)
    assert line.sent == 6


def test_who_says_when_to_come_back_is_no_failure():
    line = Line()
    line.calls(*[Answer(503, headers={"retry-after": "1"})] * 5)
    assert line.sent == 5


def test_a_lost_lease_says_nothing_about_the_line():
    line = Line()
    line.calls(*[LeaseLost("taken over")] * 5)
    assert line.sent == 5


def test_a_healthy_line_is_never_written():
    line = Line()
    line.store.change = None
    line.calls(*[FINE] * 20)
    assert line.sent == 20


def test_a_failed_login_counts_and_nothing_is_sent():
    line = Line(threshold=1)

    async def no_login():
        raise NotSent("no token")

    asyncio.run(line.call(FINE, prepare=no_login))
    line.calls(FINE)
    assert line.sent == 0


def test_after_the_pause_one_probe_goes_out_at_a_time():
    line = Line()
    line.calls(BROKEN, BROKEN, BROKEN)
    line.clock.passed += 30

    async def story():
        return await asyncio.gather(*(line.call(FINE) for _ in range(5)))

    results = asyncio.run(story())
    assert results.count(FINE) == 1
    assert line.calls(FINE) == [FINE]


def test_a_failed_probe_begins_another_pause():
    line = Line()
    line.calls(BROKEN, BROKEN, BROKEN)
    line.clock.passed += 30
    line.calls(BROKEN)
    line.clock.passed += 29
    line.calls(FINE)
    assert line.sent == 4
    line.clock.passed += 1
    assert line.calls(FINE) == [FINE]


class TestTogether:
    def test_failures_of_all_batches_count_together(self):
        line = Line(batches=3)
        for batch in range(3):
            line.calls(BROKEN, batch=batch)
        line.clock.passed += 1.01
        assert isinstance(line.calls(FINE, batch=1)[0], NotSent)
        assert line.sent == 3

    def test_what_one_batch_opened_holds_for_the_others_within_a_second(self):
        line = Line(batches=2)
        line.calls(FINE, batch=1)
        line.calls(BROKEN, BROKEN, BROKEN)
        line.clock.passed += 1.01
        line.calls(FINE, batch=1)
        assert line.sent == 4

    def test_of_all_batches_one_sends_the_probe(self):
        line = Line(batches=4)
        line.calls(BROKEN, BROKEN, BROKEN)
        line.clock.passed += 30

        async def story():
            return await asyncio.gather(*(line.call(BROKEN, batch) for batch in range(4)))

        asyncio.run(story())
        assert line.sent == 4

    def test_a_probe_whose_process_died_is_replaced_after_its_time(self):
        line = Line(batches=2)
        line.calls(BROKEN, BROKEN, BROKEN)
        line.clock.passed += 30
        asyncio.run(line.breakers[0].check())  # and then it dies
        assert line.traffic.probe_owner.startswith("batch-0/")
        assert isinstance(line.calls(FINE, batch=1)[0], NotSent)
        line.clock.passed += 15.5
        assert line.calls(FINE, batch=1) == [FINE]

    def test_the_next_run_begins_with_a_probe(self):
        """A line that was dead when the last run ended costs this one a single call."""
        line = Line()
        line.calls(BROKEN, BROKEN, BROKEN)
        line.clock.passed += 600
        line.breakers = [line.a_breaker("next run")]
        line.calls(BROKEN, BROKEN, BROKEN)
        assert line.sent == 4

    @pytest.mark.parametrize("hours", [-2, 2])
    def test_a_clock_that_was_set_leaves_nothing_closed(self, hours):
        line = Line()
        line.calls(BROKEN, BROKEN, BROKEN)
        line.clock.passed += hours * 3600
        line.breakers = [line.a_breaker("next")]
        assert line.calls(FINE) == [FINE]


class TestWaitingForIt:
    def test_who_opened_it_gives_up_at_once(self):
        line = Line()
        line.calls(BROKEN, BROKEN, BROKEN)
        with pytest.raises(NotSent):
            asyncio.run(line.breakers[0].check())
        assert line.clock.slept == []

    def test_a_retry_waits_for_the_end_of_the_pause(self):
        line = Line()
        line.calls(BROKEN, BROKEN, BROKEN)
        line.breakers = [line.a_breaker("retry")]
        line.clock.passed += 10
        asyncio.run(line.breakers[0].check())
        assert line.clock.slept == [20]
        assert line.calls(FINE) == [FINE]

    def test_the_others_wait_for_what_the_probe_finds_out(self):
        line = Line()
        line.calls(BROKEN, BROKEN, BROKEN)
        line.clock.passed += 30

        async def checked_call():
            await line.breakers[0].check()
            return await line.call(FINE)

        async def story():
            return await asyncio.gather(*(checked_call() for _ in range(5)))

        assert asyncio.run(story()) == [FINE] * 5
        assert line.traffic.failures == 0


class TestLedgerAway:
    def test_nothing_is_sent_when_nobody_can_say_whether_it_is_open(self):
        line = Line()

        def away(_line):
            raise LedgerUnavailable("away")

        line.store.load = away
        with pytest.raises(LedgerUnavailable):
            line.calls(FINE)
        assert line.sent == 0

    def test_an_answer_is_not_lost_by_what_can_not_be_written_after_it(self):
        line = Line(threshold=2)
        line.calls(FINE)

        def away(_line, _change):
            raise LedgerUnavailable("away")

        line.store.change = away
        answers = line.calls(BROKEN, BROKEN)
        assert answers == [BROKEN, BROKEN]
        assert line.traffic == Traffic()
