"""Concurrency and rate are held, and a pause never turns into a longer burst."""

from __future__ import annotations

import asyncio
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_cancellation.errors import NotSent
from order_cancellation.http.limits import Limits
from order_cancellation.http.messages import Answer
from order_cancellation.http.traffic import MemoryTraffic
from unit.http.fakes import FakeClock, a_watch


def starts_of(count, concurrency, rate, took=0.0, pauses=None):
    """Start calls through the limits; return their starting times and the most that were under way."""
    clock = FakeClock()
    starts, under_way, most = [], 0, 0

    async def call(limits, wait):
        nonlocal under_way, most
        await clock.sleep(wait)
        async with limits.slot():
            under_way += 1
            most = max(most, under_way)
            starts.append(clock.passed)
            await clock.sleep(took)
            under_way -= 1

    async def story():
        limits = Limits(concurrency, rate, clock)
        await asyncio.gather(*(call(limits, wait) for wait in pauses or [0] * count))

    asyncio.run(story())
    return starts, most


class TestLimits:
    def test_no_more_are_under_way_than_allowed(self):
        assert starts_of(10, 3, None, took=1)[1] == 3

    def test_one_seconds_worth_starts_at_once_and_then_one_by_one(self):
        assert starts_of(8, 100, 4)[0] == [0, 0, 0, 0, 0.25, 0.5, 0.75, 1]

    def test_a_rate_below_one_starts_one_at_once(self):
        assert starts_of(3, 100, 0.5)[0] == [0, 2, 4]

    def test_without_a_rate_nothing_waits(self):
        assert starts_of(50, 100, None)[0] == [0] * 50

    def test_a_slot_is_given_back_when_a_call_fails(self):
        async def story():
            limits = Limits(1, None, FakeClock())
            for _ in range(3):
                with pytest.raises(ZeroDivisionError):
                    async with limits.slot():
                        _ = 1 / 0
            async with limits.slot():
                return True

        assert asyncio.run(story())

    @settings(max_examples=30)
    @given(
        rate=st.sampled_from([0.5, 1, 3, 10]),
        pauses=st.lists(st.floats(0, 20), min_size=1, max_size=25),
    )
    def test_no_window_holds_more_than_the_burst_and_the_rate_allow(self, rate, pauses):
        starts = sorted(starts_of(0, 100, rate, pauses=pauses)[0])
        burst = max(1, rate)
        for begin, first in enumerate(starts):
            for end in range(begin, len(starts)):
                assert end - begin + 1 <= burst + rate * (starts[end] - first) + 1e-6


class Throttled:
    """Limits of some batches before one line."""

    def __init__(self, concurrency=16, rate=None, batches=1):
        self.clock = FakeClock()
        self.store = MemoryTraffic(self.clock)
        self.limits = [
            Limits(concurrency, rate, self.clock, a_watch(self.clock, self.store)) for _ in range(batches)
        ]

    def answers(self, *answers, batch=0, every_s=0.0):
        async def story():
            for answer in answers:
                self.limits[batch].learn(answer)
                await self.limits[batch]._watch.settle()
                self.clock.passed += every_s

        asyncio.run(story())

    def begins_at(self, batch=0):
        async def story():
            async with self.limits[batch].slot():
                return self.clock.passed

        return asyncio.run(story())


FINE, SLOW_DOWN = Answer(200), Answer(429)


def later(seconds, status=429):
    return Answer(status, headers={"retry-after": str(seconds)})


@pytest.mark.usefixtures("no_threads")
class TestPace:
    def test_it_is_halved_by_each_throttling_down_to_one_at_a_time(self):
        line = Throttled(16)
        seen = []
        for _ in range(6):
            line.answers(SLOW_DOWN, every_s=1.1)
            seen.append(line.limits[0].in_flight)
        assert seen == [8, 4, 2, 1, 1, 1]

    def test_many_answers_at_once_count_as_one(self):
        line = Throttled(16)
        line.answers(*[SLOW_DOWN] * 16)
        assert line.limits[0].in_flight == 8

    def test_a_503_slows_down_too(self):
        line = Throttled(16)
        line.answers(Answer(503))
        assert line.limits[0].in_flight == 8

    def test_other_failures_say_nothing_of_the_pace(self):
        line = Throttled(16)
        line.answers(Answer(500), Answer(404), Answer(401))
        assert line.limits[0].in_flight == 16

    def test_good_answers_bring_it_back_by_a_tenth_a_second(self):
        line = Throttled(10)
        line.answers(SLOW_DOWN, every_s=1)
        seen = []
        for _ in range(6):
            line.answers(*[FINE] * 50, every_s=0.0201)
            seen.append(line.limits[0].in_flight)
        assert (seen[0], seen[-1]) == (6, 10)
        assert all(0 <= after - before <= 1 for before, after in itertools.pairwise(seen))

    def test_each_decrease_and_the_full_recovery_are_one_line_of_the_log(self, caplog):
        caplog.set_level("INFO")
        line = Throttled(4)
        line.answers(*[SLOW_DOWN] * 9, every_s=0.1)
        line.answers(*[FINE] * 100, every_s=0.1)
        assert [record.getMessage() for record in caplog.records] == [
            "The ERP throttles (429): from 4 to 2 call(s) at a time",
            "The ERP bears the full pace again: 4 call(s) at a time",
        ]

    def test_the_rate_follows_it(self):
        line = Throttled(100, rate=4)
        line.answers(SLOW_DOWN, every_s=1)
        times = []

        async def call():
            async with line.limits[0].slot():
                times.append(line.clock.passed)

        async def story():
            await asyncio.gather(*(call() for _ in range(6)))

        asyncio.run(story())
        assert [round(time - times[0], 3) for time in times] == [0, 0, 0, 0, 0.5, 1]

    def test_the_other_batches_slow_down_as_well(self):
        line = Throttled(8, batches=2)
        line.answers(SLOW_DOWN)
        line.begins_at(batch=1)
        assert line.limits[1].in_flight == 4

    def test_it_never_exceeds_what_is_configured(self):
        line = Throttled(3)
        line.answers(*[FINE] * 100, every_s=1)
        assert line.limits[0].in_flight == 3

    def test_what_is_under_way_stays_and_new_ones_wait(self):
        line = Throttled(4)
        most = 0

        async def call():
            nonlocal most
            async with line.limits[0].slot():
                most = max(most, line.limits[0]._under_way) if line.limits[0].in_flight < 4 else most
                await line.clock.sleep(1)

        async def story():
            first = [asyncio.create_task(call()) for _ in range(4)]
            await asyncio.sleep(0)
            line.limits[0].learn(SLOW_DOWN)
            await asyncio.gather(*first, *(call() for _ in range(6)))

        asyncio.run(story())
        assert most == 2


@pytest.mark.usefixtures("no_threads")
class TestRetryAfter:
    @pytest.mark.parametrize("status", [429, 503])
    def test_nothing_begins_before_whichever_call_was_told(self, status):
        line = Throttled(4, batches=2)
        line.answers(later(20, status))
        assert (line.begins_at(), line.begins_at(batch=1)) == (20, 20)

    def test_a_date_is_heeded_like_seconds(self):
        line = Throttled(4)
        line.answers(later("Thu, 01 Jan 2026 00:00:30 GMT"))
        assert line.begins_at() == 30

    def test_a_429_without_it_means_a_second(self):
        line = Throttled(4)
        line.answers(SLOW_DOWN)
        assert line.begins_at() == 1

    def test_what_is_longer_than_a_minute_is_left_to_the_tasks_retry(self):
        line = Throttled(4)
        line.answers(later(120))
        assert line.begins_at() == 0
        with pytest.raises(NotSent, match=r"asks to wait .*\(120 s more\)"):
            asyncio.run(line.limits[0].check())

    def test_a_week_by_mistake_holds_nobody_for_longer_than_a_quarter_of_an_hour(self):
        line = Throttled(4)
        line.answers(later(604800))
        line.clock.passed += 900
        asyncio.run(line.limits[0].check())

    def test_throttling_without_end_is_left_to_the_tasks_retry(self):
        line = Throttled(4)
        line.answers(*[later(5)] * 14, every_s=5)
        for_a_minute = (
            r"for 65 s the ERP has answered nothing but 429, come back later; the step sends it when"
        )
        with pytest.raises(NotSent, match=for_a_minute):
            asyncio.run(line.limits[0].check())
        line.answers(FINE)
        asyncio.run(line.limits[0].check())
