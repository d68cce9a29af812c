"""How many calls may be under way to one system, and how many may start in a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from order_cancellation.clock import Clock

__all__ = ["Limits"]


class Limits:
    """A concurrency limit and a rate limit, held together.

    The rate is kept by a token bucket that holds one second's worth (at least one call), so that a pause
    never turns into a longer burst. An intent is committed only inside ``slot()``: what waits here has not
    begun.

    Args:
        concurrency: The most calls under way at once, at least 1.
        rate_per_second: The most calls that may start per second, or None for no limit.
        clock: For waiting.
    """

    def __init__(self, concurrency: int, rate_per_second: float | None, clock: Clock) -> None:
        self._slots = asyncio.Semaphore(concurrency)
        self._clock = clock
        self._interval = 1 / rate_per_second if rate_per_second else 0.0
        self._burst = max(rate_per_second or 0.0, 1.0)
        self._next_at = clock.monotonic()

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a concurrency slot, taken together with a rate token."""
        async with self._slots:
            await self._take_token()
            yield

    async def _take_token(self) -> None:
        """Reserve the next place in the row and wait for it.

        The bucket is kept as one number, the time at which a steady stream would send the next call: a call
        may go ahead of that time by the burst, and never further.
        """
        if not self._interval:
            return
        now = self._clock.monotonic()
        wait = self._next_at - (self._burst - 1) * self._interval - now
        self._next_at = max(self._next_at, now) + self._interval
        if wait > 0:
            await self._clock.sleep(wait)
