"""What all batches of a run know together of the traffic to one system: failures, waits, and the pace.

Batches are processes of their own. What one of them learns of the ERP stands in a row that all of them read
(a second old at most) and that is written only when something has changed: a healthy line costs one read a
second, and no write.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Protocol

from order_cancellation.clock import Clock
from order_cancellation.errors import LedgerUnavailable

__all__ = ["Change", "Line", "MemoryTraffic", "Traffic", "TrafficStore", "Watch", "changed"]

log = logging.getLogger(__name__)

FRESH_S = 1.0
"""How old the knowledge may be by which a call is let out."""
FORGET_S = 3600.0
"""Failures and a slow pace this old say nothing of now; until then a dead line costs each run one probe."""
SKEW_S = 60.0
"""How far two machines' clocks may differ; what lies further ahead was written before a clock was set."""
LOOKS = 5
"""How often a row is read again that took longer to come than it stays fresh."""

Line = tuple[str, str]
"""Whose traffic: a flow's id, and a connection's."""


@dataclass(frozen=True)
class Traffic:
    """The state of a line. Times are seconds since 1970.

    Args:
        failures: Failed calls in a row, of all batches together.
        closed_until: After too many failures: nothing leaves before.
        probe_owner: Whose call finds out whether the line is good again, or an empty text.
        probe_until: How long that call may take.
        wait_until: The other side asked to begin nothing before.
        pace: The share of concurrency and rate that it bears at present, above 0 and at most 1.
        paced_at: When the pace was changed last.
        changed_at: When any of these was changed last.
    """

    failures: int = 0
    closed_until: float = 0.0
    probe_owner: str = ""
    probe_until: float = 0.0
    wait_until: float = 0.0
    pace: float = 1.0
    paced_at: float = 0.0
    changed_at: float = 0.0

    def at(self, now: float) -> Traffic:
        """Return what still counts: nothing of it where it is old, or from a clock that has been set."""
        lasts_until = max(self.closed_until, self.probe_until, self.wait_until, self.changed_at + FORGET_S)
        return self if self.changed_at - SKEW_S <= now < lasts_until else Traffic()


Change = Callable[[Traffic, float], Traffic]
"""Says what becomes of the traffic at a time."""


def changed(traffic: Traffic, change: Change, now: datetime) -> Traffic:
    """Return the traffic after a change; the same where nothing differs."""
    moment = now.timestamp()
    before = traffic.at(moment)
    after = change(before, moment)
    return before if after == before else replace(after, changed_at=moment)


class TrafficStore(Protocol):
    """The traffic of all lines; shared by all processes that use one ledger."""

    def load(self, line: Line) -> Traffic:
        """Return a line's traffic as it was written last."""
        ...

    def change(self, line: Line, change: Change) -> Traffic:
        """Change a line's traffic, with no other process in between, and return what it is then."""
        ...


class MemoryTraffic:
    """Traffic for one process: tests, and lines that nobody shares.

    Args:
        clock: For the changes' times.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lines: dict[Line, Traffic] = {}
        self._lock = Lock()

    def load(self, line: Line) -> Traffic:
        """Return a line's traffic as it was written last."""
        return self._lines.get(line, Traffic())

    def change(self, line: Line, change: Change) -> Traffic:
        """Change a line's traffic, and return what it is then."""
        with self._lock:
            self._lines[line] = changed(self.load(line), change, self._clock.now())
            return self._lines[line]


class Watch:
    """One process's view of a line.

    Args:
        store: Where the line's traffic stands; it may do SQL, so it is called in threads.
        line: Which line.
        clock: For the knowledge's age.
    """

    def __init__(self, store: TrafficStore, line: Line, clock: Clock) -> None:
        self._store = store
        self._line = line
        self._clock = clock
        self._known = Traffic()
        self._read_at = -math.inf
        self._one_at_a_time = asyncio.Lock()
        self._telling: set[asyncio.Task[None]] = set()

    @property
    def now(self) -> float:
        """The time of day, in seconds since 1970."""
        return self._clock.now().timestamp()

    @property
    def known(self) -> Traffic:
        """What was known last, without a look."""
        return self._known.at(self.now)

    async def look(self) -> Traffic:
        """Return the traffic, a second old at most.

        Raises:
            LedgerUnavailable: It can't be read, so nothing may be sent.
        """
        for _ in range(LOOKS):
            if not self._is_stale():
                break
            await self.settle()  # what was told before is written before
            async with self._one_at_a_time:
                if self._is_stale():
                    begun = self._clock.monotonic()
                    self._known = await asyncio.to_thread(self._store.load, self._line)
                    self._read_at = begun
        return self.known

    async def change(self, change: Change) -> Traffic:
        """Change the traffic, and return what it is then.

        Raises:
            LedgerUnavailable: It can't be written.
        """
        await self.settle()
        async with self._one_at_a_time:
            begun = self._clock.monotonic()
            self._known = await asyncio.to_thread(self._store.change, self._line, change)
            self._read_at = begun
        return self.known

    def tell(self, change: Change) -> None:
        """Change the traffic: here at once, and for the others as soon as it is written.

        An answer that has come must neither wait for this nor get lost by its failing.
        """
        self._known = changed(self._known, change, self._clock.now())
        task = asyncio.get_running_loop().create_task(self._written(change))
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    async def settle(self) -> None:
        """Wait until all that was told is written."""
        while telling := list(self._telling):
            await asyncio.gather(*telling)
            # since Python 3.12 that does not wait where all have ended, and none would leave the set
            self._telling.difference_update(telling)

    async def _written(self, change: Change) -> None:
        async with self._one_at_a_time:
            try:
                written = await asyncio.to_thread(self._store.change, self._line, change)
            except LedgerUnavailable as error:
                log.warning("What was learnt of the line to '%s' stays here: %s", self._line[1], error)
                return
            if len(self._telling) == 1:  # nothing told meanwhile that this row does not know
                self._known = written

    def _is_stale(self) -> bool:
        return self._clock.monotonic() - self._read_at > FRESH_S
