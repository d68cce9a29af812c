"""The breaker: when call after call fails, stop calling for a while, so that few requests end in doubt.

It is one for all batches of a run: they count together, stop together, and one of them finds out whether the
line is good again.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

from order_cancellation.clock import Clock
from order_cancellation.errors import InDoubt, NotSent
from order_cancellation.http.messages import Answer
from order_cancellation.http.statuses import SERVER_ERRORS
from order_cancellation.http.traffic import Traffic, Watch

__all__ = ["Breaker"]

log = logging.getLogger(__name__)

PATIENCE_S = 60.0
POLL_S = 0.5
CLAIM_S = 15.0
"""What a probe may take beyond its own time-out, then another may go out: its process may have died.

A login that takes longer costs a probe its turn, and nothing more: it is not sent.
"""
_numbers = itertools.count(1)
_Result = TypeVar("_Result")


class Breaker:
    """Counts failures in a row, and lets nothing out while it is open.

    A failure is a call that was not sent, that got no whole answer, or a 5xx. An answer that says when to
    come back (``Retry-After``) is neither failure nor success. After the pause one call goes out as a probe:
    its success closes the breaker, its failure begins another pause.

    Args:
        name: Whose breaker it is, for messages (``Connection 'erp_default'``).
        clock: For the waiting.
        watch: What all batches know of the line.
        owner: A name unique to this process, for its probes.
        threshold: How many failures in a row open it, at least 1.
        pause_s: How long it stays open, in seconds.
    """

    def __init__(
        self,
        name: str,
        clock: Clock,
        watch: Watch,
        *,
        owner: str = "",
        threshold: int = 10,
        pause_s: float = 30.0,
    ) -> None:
        self._name = name
        self._clock = clock
        self._watch = watch
        self._owner = owner
        self._threshold = threshold
        self._pause_s = pause_s
        self._claimed = ""
        self._has_sent = False

    async def check(self) -> None:
        """Make sure that a call may go out now; after the pause, as the one that finds out.

        Who has not sent anything yet (a task's retry) waits for the end of the pause, and everybody for the
        end of another's probe; a minute at most.

        Raises:
            NotSent: The breaker is open.
            LedgerUnavailable: Nobody can say whether it is.
        """
        patience = PATIENCE_S
        while self._is_open(traffic := await self._watch.look()):
            now = self._watch.now
            if now >= max(traffic.closed_until, traffic.probe_until):
                mine = self._new_name()
                if await self._claim(mine, 0.0):
                    self._claimed = mine
                    return
                pause = POLL_S
            elif now < traffic.probe_until:
                pause = POLL_S
            else:
                pause = PATIENCE_S if self._has_sent else traffic.closed_until - now
            patience -= pause
            if patience <= 0:
                raise self._refusal(traffic)
            await self._clock.sleep(pause)

    async def guard(
        self,
        send: Callable[[], Awaitable[Answer]],
        *,
        prepare: Callable[[], Awaitable[None]] | None = None,
        lasts_s: float = 30.0,
    ) -> Answer:
        """Send a call unless the breaker is open, and learn from what comes of it.

        Args:
            send: Sends the call once, with nothing before it that takes long: the breaker may open meanwhile.
            prepare: What may take long before (the login), and counts as a failure where it fails.
            lasts_s: How long the call takes at most, in seconds.

        Raises:
            NotSent: The breaker is open, and nothing left; or ``prepare`` or ``send`` raised it.
            InDoubt: ``send`` raised it.
            LedgerUnavailable: Nobody can say whether it is open; nothing left.
        """
        probe, self._claimed = self._claimed or self._new_name(), ""
        if prepare is not None:
            await self._pass(probe, lasts_s)
            await self._counted(prepare, probe)
        await self._pass(probe, lasts_s)
        self._has_sent = True
        answer = await self._counted(send, probe)
        if "retry-after" in answer.headers:
            self._give_back(probe)
        elif answer.status in SERVER_ERRORS:
            self._failed()
        elif self._watch.known.failures:
            self._watch.tell(_good)
        return answer

    async def _pass(self, probe: str, lasts_s: float) -> None:
        """Go through if it is closed, or as its probe."""
        traffic = await self._watch.look()
        if self._is_open(traffic) and not await self._claim(probe, lasts_s):
            raise self._refusal(traffic)

    async def _claim(self, mine: str, lasts_s: float) -> bool:
        """Become the one whose call finds out; of many that try, one is."""

        def claim(traffic: Traffic, now: float) -> Traffic:
            is_mine = traffic.probe_owner == mine
            taken = now < traffic.probe_until and not is_mine
            if not self._is_open(traffic) or now < traffic.closed_until or taken:
                return traffic
            return replace(traffic, probe_owner=mine, probe_until=now + lasts_s + CLAIM_S)

        await self._watch.change(claim)
        traffic = await self._watch.look()  # again, if the claim took its time
        return not self._is_open(traffic) or traffic.probe_owner == mine

    async def _counted(self, act: Callable[[], Awaitable[_Result]], probe: str) -> _Result:
        try:
            return await act()
        except (NotSent, InDoubt):
            self._failed()
            raise
        except BaseException:
            self._give_back(probe)
            raise

    def _give_back(self, probe: str) -> None:
        """End a probe that found nothing out."""
        if self._watch.known.probe_owner == probe:
            self._watch.tell(
                lambda traffic, _now: (
                    replace(traffic, probe_owner="", probe_until=0.0)
                    if traffic.probe_owner == probe
                    else traffic
                )
            )

    def _failed(self) -> None:
        def fail(traffic: Traffic, now: float) -> Traffic:
            failures = traffic.failures + 1
            if failures < self._threshold:
                return replace(traffic, failures=failures)
            until = now + self._pause_s
            return replace(traffic, failures=failures, closed_until=until, probe_owner="", probe_until=0.0)

        was_open = self._is_open(self._watch.known)
        self._watch.tell(fail)
        if not was_open and self._is_open(self._watch.known):
            log.warning(
                "%s: %s call(s) in a row failed, so nothing is sent for %g s, whichever batch it is for",
                self._name,
                self._watch.known.failures,
                self._pause_s,
            )

    def _new_name(self) -> str:
        return f"{self._owner}/{next(_numbers)}"

    def _is_open(self, traffic: Traffic) -> bool:
        return traffic.failures >= self._threshold

    def _refusal(self, traffic: Traffic) -> NotSent:
        return NotSent(
            f"{self._name} was not called: {traffic.failures} call(s) in a row failed, "
            f"so nothing is sent for {self._pause_s:g} s"
        )


def _good(traffic: Traffic, _now: float) -> Traffic:
    return replace(traffic, failures=0, closed_until=0.0, probe_owner="", probe_until=0.0)
