"""One task's process: it has its own ports, can be killed at any moment, and can freeze for a while.

Killing is as SIGKILL does it: from that moment on nothing that the worker does reaches the ledger or the
network, so no clean-up of its code counts. What it had sent already goes on its way.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from order_cancellation.errors import LedgerUnavailable

if TYPE_CHECKING:
    from simulation.world import World

__all__ = ["Killed", "Worker"]

TICK = 1e-6
"""Times closer than this are the same: sums of floats are never quite what they should be."""
START = datetime(2026, 3, 1, tzinfo=UTC)


class Killed(BaseException):
    """The process is gone."""


class Worker:
    """A process of the simulation; also the clock that it sees.

    Args:
        world: Everything around it.
        name: What the story calls it.
    """

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.dead = False
        self.frozen_until = 0.0
        self.tasks: dict[asyncio.Task[Any], None] = {}  # in their order, which a set has not

    # the clock

    def now(self) -> datetime:
        return START + timedelta(seconds=self.world.loop.time() + self.world.wall_offset)

    def monotonic(self) -> float:
        return self.world.loop.time()

    async def sleep(self, seconds: float) -> None:
        await self.pause(seconds)

    # what can happen to it

    def point(self, name: str) -> None:
        """A named point of the engine: here it may die or freeze."""
        self.world.tell(self, f"point {name}")
        self.fate(name)

    def fate(self, where: str, weight: float = 1.0) -> None:
        """Let the seed decide whether the worker dies or freezes here.

        Args:
            where: The place, for the story.
            weight: How much more likely that is here than elsewhere.
        """
        if self.dead:
            raise Killed
        faults = self.world.faults
        if faults.strikes("crash", weight):
            self.kill(where)
            raise Killed
        if faults.strikes("freeze", weight):
            self.freeze(faults.random.uniform(0.3, 6.0) * self.world.scenario.lease_s, where)
        if faults.strikes("clock_jump"):
            self.world.jump_clock()

    def kill(self, where: str) -> None:
        """End the process at once."""
        self.world.tell(self, f"KILLED at {where}")
        self.dead = True
        for task in list(self.tasks):
            task.cancel()

    def freeze(self, seconds: float, where: str) -> None:
        """Stop the whole process for a while; its timers go on."""
        self.frozen_until = max(self.frozen_until, self.world.loop.time() + seconds)
        self.world.tell(self, f"FROZEN at {where} for {seconds:.2f}s")

    # its ways out

    async def pause(self, seconds: float) -> None:
        """Wait; a frozen process wakes up late."""
        loop = self.world.loop
        await asyncio.sleep(max(seconds, 0.0))
        while (left := self.frozen_until - loop.time()) > TICK:  # noqa: ASYNC110 -- it may freeze anew
            await asyncio.sleep(left)
        if self.dead:
            raise Killed

    def submit(self, work: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        """Do one of the ledger's calls some moments from now, and give its result some moments later."""
        random = self.world.random
        self._later(random.uniform(0, 0.002), lambda: self._do(work, future))

    def _do(self, work: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        try:
            self.fate("ledger")
            if self.frozen_until - self.world.loop.time() > TICK:
                self._later(0.0, lambda: self._do(work, future))
                return
            result = self.call_ledger(work)
            self.fate("ledger done")
        except BaseException as error:  # noqa: BLE001 -- handed on, whatever it is
            outcome: tuple[Any, BaseException | None] = (None, error)
        else:
            outcome = (result, None)
        self._later(self.world.random.uniform(0, 0.002), lambda: _settle(future, *outcome))

    def call_ledger(self, work: Callable[[], Any]) -> Any:
        """Do one of the ledger's calls now; the database may fail before it, or after it was committed."""
        if self.dead:
            raise Killed
        self.world.count()
        if self.world.faults.strikes("ledger"):
            self.world.tell(self, "ledger fails")
            raise LedgerUnavailable("The ledger can't be written: the simulation said so.")
        result = work()
        if self.world.faults.strikes("ledger_after"):
            self.world.tell(self, "ledger fails after its commit")
            raise LedgerUnavailable("The ledger can't be written: the connection broke at the commit.")
        return result

    def _later(self, seconds: float, what: Callable[[], None]) -> None:
        loop = self.world.loop
        loop.call_at(max(loop.time() + seconds, self.frozen_until), what)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
