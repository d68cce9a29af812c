"""What is known of a line to a system, and what is still being written of it."""

from __future__ import annotations

import asyncio

import pytest

from order_cancellation.http.traffic import Traffic
from unit.http.fakes import FakeClock, a_watch


def unchanged(traffic: Traffic, _: float) -> Traffic:
    return traffic


@pytest.mark.timeout(20)
def test_who_settles_in_the_moment_in_which_all_is_written_goes_on():
    """What has ended is taken out of the set a moment later; whoever waits for that must let others go on."""

    async def story() -> None:
        watch = a_watch(FakeClock())
        watch.tell(unchanged)
        [telling] = watch._telling
        while not telling.done():  # noqa: ASYNC110 -- an event would come too late
            await asyncio.sleep(0)
        await watch.settle()
        assert not watch._telling

    asyncio.run(story())
