"""How many calls may be under way to one system, how many may start in a second, and when none may.

The settings are the most that is ever used. Where the other side throttles (429 or 503), the pace is halved,
and it grows by a tenth a second while answers are good again; where it names a time, nothing begins before.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus

from order_cancellation.clock import Clock
from order_cancellation.errors import NotSent
from order_cancellation.http.messages import Answer
from order_cancellation.http.retry_after import retry_after
from order_cancellation.http.statuses import SERVER_ERRORS
from order_cancellation.http.traffic import MemoryTraffic, Traffic, Watch

__all__ = ["LONGEST_WAIT_S", "Limits"]

log = logging.getLogger(__name__)

LONGEST_WAIT_S = 60.0
"""Longer than this nothing is waited out inside a step: the task's retry takes over."""
MOST_HEEDED_S = 900.0
"""A longer ``Retry-After`` holds the one request that got it; all others ask again after this time."""
THROTTLED_WAIT_S = 1.0
"""How long a 429 that names no time is heeded."""
SLOWEST, FASTER, STEP_S = 1 / 16, 0.1, 1.0
ROUNDING = 1e-6
_LATER = "the step sends it when it is run again, in the next run at the latest"


class Limits:
    """A concurrency limit and a rate limit, held together, at the pace that the other side bears.

    The rate is kept by a token bucket that holds one second's worth (at least one call), so that a pause
    never turns into a longer burst. An intent is committed only inside ``slot()``: what waits here has not
    begun.

    Args:
        concurrency: The most calls under way at once, at least 1.
        rate_per_second: The most calls that may start per second, or None for no limit.
        clock: For waiting.
        watch: What all batches know of the line; without it the pace is this process's own.
    """

    def __init__(
        self, concurrency: int, rate_per_second: float | None, clock: Clock, watch: Watch | None = None
    ) -> None:
        self._concurrency = concurrency
        self._clock = clock
        self._watch = watch or Watch(MemoryTraffic(clock), ("", ""), clock)
        self._interval = 1 / rate_per_second if rate_per_second else 0.0
        self._burst = max(rate_per_second or 0.0, 1.0)
        self._next_at = clock.monotonic()
        self._under_way = 0
        self._changed = asyncio.Condition()
        self._throttled_since: float | None = None
        self._throttled_for = 0.0
        self._throttled_with = 0

    @property
    def in_flight(self) -> int:
        """How many calls may be under way at the present pace, at least one."""
        return max(int(self._concurrency * self._watch.known.pace + ROUNDING), 1)

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a concurrency slot, taken together with a rate token, when the other side is to be called.

        Raises:
            LedgerUnavailable: Nobody can say what the other batches know.
        """
        async with self._changed:
            await self._changed.wait_for(lambda: self._under_way < self.in_flight)
            self._under_way += 1
        try:
            await self._wait_as_asked()
            await self._take_token()
            yield
        finally:
            async with self._changed:
                self._under_way -= 1
                self._changed.notify(self.in_flight)

    async def check(self) -> None:
        """Make sure that the other side does not want to be left alone for longer than a step waits.

        Raises:
            NotSent: It does.
            LedgerUnavailable: Nobody can say.
        """
        left = await self._left()
        if left > LONGEST_WAIT_S:
            asks = f"asks to wait for longer than a step does ({left:.0f} s more)"
            raise NotSent(f"Not sent now: the ERP {asks}; {_LATER}")
        if self._throttled_for > LONGEST_WAIT_S:
            raise NotSent(
                f"Not sent now: for {self._throttled_for:.0f} s the ERP has answered nothing but "
                f"{self._throttled_with:d}, come back later; {_LATER}"
            )

    def learn(self, answer: Answer) -> None:
        """Take from an answer how fast the other side wants to be called."""
        if answer.status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            self._throttled(answer)
        elif answer.status not in SERVER_ERRORS:
            self._throttled_since, self._throttled_for = None, 0.0
            self._grow()

    def _throttled(self, answer: Answer) -> None:
        asked = retry_after(answer.headers, self._clock.now())
        if asked is None:
            asked = THROTTLED_WAIT_S if answer.status == HTTPStatus.TOO_MANY_REQUESTS else 0.0
        if asked:
            now = self._clock.monotonic()
            self._throttled_since = now if self._throttled_since is None else self._throttled_since
            self._throttled_for, self._throttled_with = now - self._throttled_since, answer.status

        def slower(traffic: Traffic, now: float) -> Traffic:
            until = max(traffic.wait_until, now + min(asked, MOST_HEEDED_S) if asked else 0.0)
            if until - traffic.wait_until < STEP_S / 2:  # many answers at once ask for the same
                until = traffic.wait_until
            if now - traffic.paced_at < STEP_S:
                return replace(traffic, wait_until=until)
            return replace(traffic, wait_until=until, pace=max(traffic.pace / 2, SLOWEST), paced_at=now)

        before = self.in_flight
        if slower(self._watch.known, self._watch.now) != self._watch.known:
            self._watch.tell(slower)
        if self.in_flight < before:
            log.warning(
                "The ERP throttles (%s): from %s to %s call(s) at a time",
                answer.status,
                before,
                self.in_flight,
            )

    def _grow(self) -> None:
        known = self._watch.known
        if known.pace >= 1.0 or self._watch.now - known.paced_at < STEP_S:
            return

        def faster(traffic: Traffic, now: float) -> Traffic:
            if now - traffic.paced_at < STEP_S:  # another batch was first
                return traffic
            return replace(traffic, pace=min(round(traffic.pace + FASTER, 4), 1.0), paced_at=now)

        self._watch.tell(faster)
        if self._watch.known.pace >= 1.0:
            log.info("The ERP bears the full pace again: %s call(s) at a time", self.in_flight)

    async def _wait_as_asked(self) -> None:
        """Wait while the other side wants it, up to a minute; ``check`` tells what is longer."""
        patience = LONGEST_WAIT_S
        while 0 < (left := await self._left()) <= patience:
            await self._clock.sleep(left)
            patience -= left

    async def _left(self) -> float:
        traffic = await self._watch.look()
        return traffic.wait_until - self._watch.now

    async def _take_token(self) -> None:
        """Reserve the next place in the row and wait for it.

        The bucket is kept as one number, the time at which a steady stream would send the next call: a call
        may go ahead of that time by the burst, and never further.
        """
        if not self._interval:
            return
        now = self._clock.monotonic()
        interval = self._interval / self._watch.known.pace
        wait = self._next_at - (self._burst - 1) * interval - now
        self._next_at = max(self._next_at, now) + interval
        if wait > 0:
            await self._clock.sleep(wait)
