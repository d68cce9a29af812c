"""Spreads the requests of a batch over as many children as the load asks for, beside the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from functools import partial
from typing import Any, Self

from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts.outcome import Outcome, Protection
from order_cancellation.scripts.runner import ScriptRunner

__all__ = ["ScriptPool"]

PATIENCE_S = 0.1
"""How often it is looked whether one more child would help."""

FEW_RUNS = 3
"""With as many runs of each child since the last look, a start costs more than it brings."""


class ScriptPool:
    """Several ``ScriptRunner``s of one script behind one asynchronous ``run``.

    The first child starts with the pool, so that a package or a protection that is missing is found out
    before the first request; each other one starts where requests wait and hardly one was through for longer
    than a start takes. Most scripts need less than a millisecond, and the other batches need the cores, too.

    Args:
        source: The script.
        step: The step that runs it.
        size: The most children; None for as many as the machine has cores.
        options: All other arguments of ``ScriptRunner``.

    Raises:
        ConfigurationError: As ``ScriptRunner`` raises it.
    """

    def __init__(self, source: str, *, step: str = "script", size: int | None = None, **options: Any) -> None:
        self._source, self._step, self._options = source, step, options
        self._size = size if size is not None else os.cpu_count() or 1
        if self._size < 1:
            raise ConfigurationError(
                f"{step}: a pool of {self._size} children can run nothing. Choose 1 or more"
            )
        self._all = [self.new_runner()]
        self._idle: asyncio.Queue[ScriptRunner] = asyncio.LifoQueue()
        self._ended_runs = 0
        self._under_way: set[asyncio.Task[Outcome]] = set()
        self._waiting = 0
        self._growing: asyncio.Task[None] | None = None

    def new_runner(self) -> ScriptRunner:
        """Return one more child's runner, not started yet."""
        return ScriptRunner(self._source, self._step, **self._options)

    @property
    def protections(self) -> tuple[Protection, ...]:
        """What is in force in the children, known once the pool has been entered."""
        return self._all[0].protections

    @property
    def children(self) -> int:
        """How many children were needed so far."""
        return len(self._all)

    async def __aenter__(self) -> Self:
        """Start the first child."""
        try:
            await asyncio.to_thread(self._all[0].start)
        except BaseException:
            await self._end()
            raise
        self._idle.put_nowait(self._all[0])
        self._growing = asyncio.create_task(self._grow())
        return self

    async def __aexit__(self, *_error: object) -> None:
        """End all children; runs that are under way fail."""
        await self._end()

    async def _end(self) -> None:
        if self._growing is not None:
            self._growing.cancel()
            self._growing = None
        for runner in self._all:
            runner.hang_up()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        for runner in self._all:
            await asyncio.to_thread(runner.close)

    async def run(self, input_text: str, attributes: Mapping[str, str] | None = None) -> Outcome:
        """Run the script over one request, as soon as a child is free.

        Args:
            input_text: The input, JSON text.
            attributes: The attributes at hand.

        Raises:
            ConfigurationError: No child can be started on this machine.
        """
        self._insist_on_open()
        self._waiting += 1
        try:
            runner = await self._idle.get()
        finally:
            self._waiting -= 1
        if self._growing is None:
            self._idle.put_nowait(runner)  # so that the next one who waits hears of the end as well
        self._insist_on_open()
        work = asyncio.ensure_future(runner.run_async(input_text, attributes))
        self._under_way.add(work)
        # given back when it is done with its run, which may be after its caller was cancelled
        work.add_done_callback(partial(self._give_back, runner))
        return await asyncio.shield(work)

    def _give_back(self, runner: ScriptRunner, work: asyncio.Task[Outcome]) -> None:
        self._under_way.discard(work)
        self._ended_runs += 1
        self._idle.put_nowait(runner)

    async def _grow(self) -> None:
        """Add children while requests wait and hardly one is through."""
        ended_before = 0
        while len(self._all) < self._size:
            await asyncio.sleep(PATIENCE_S)
            if self._waiting and self._ended_runs - ended_before < FEW_RUNS * len(self._all):
                self._all.append(self.new_runner())
                self._idle.put_nowait(self._all[-1])
            ended_before = self._ended_runs

    def _insist_on_open(self) -> None:
        if self._growing is None:
            raise ConfigurationError(
                f"{self._step}: the pool of scripts is closed; use it inside of 'async with'"
            )
