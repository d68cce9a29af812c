"""Concurrency and rate are held, and a pause never turns into a longer burst."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_cancellation.http.limits import Limits
from unit.http.fakes import FakeClock


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

    @settings(max_examples=30, deadline=None)
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
