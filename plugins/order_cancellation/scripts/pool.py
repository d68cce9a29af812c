"""Spreads the requests of a batch over as many children as the load asks for, beside the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Self

from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts.outcome import Outcome, Protection
from order_cancellation.scripts.runner import ScriptRunner

__all__ = ["ScriptPool"]

PATIENCE_S = 0.1
"""How long a request waits for a child before one more may be started."""

FEW_RUNS = 3
"""With as many runs ended meanwhile, the script is so fast that a start would cost more than it brings."""


class ScriptPool:
    """Several ``ScriptRunner``s of one script behind one asynchronous ``run``.

    The first child starts with the pool, so that a package or a protection that is missing is found out
    before the first request; each other one starts when a request has waited for longer than its start takes
    and hardly another was through meanwhile. Most scripts need less than a millisecond, and the other batches
    need the cores, too.

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
        self._executor: ThreadPoolExecutor | None = None

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
        self._executor = ThreadPoolExecutor(self._size, thread_name_prefix=f"{self._step}-script")
        try:
            await self._in_thread(self._all[0].start)
        except BaseException:
            await self._end()
            raise
        self._idle.put_nowait(self._all[0])
        return self

    async def __aexit__(self, *_error: object) -> None:
        """End all children; runs that are under way fail."""
        await self._end()

    async def _end(self) -> None:
        for runner in self._all:
            runner.close()
        executor, self._executor = self._executor, None
        if executor is not None:
            await asyncio.to_thread(executor.shutdown)

    async def run(self, input_text: str, attributes: Mapping[str, str] | None = None) -> Outcome:
        """Run the script over one request, as soon as a child is free.

        Args:
            input_text: The input, JSON text.
            attributes: The attributes at hand.

        Raises:
            ConfigurationError: No child can be started on this machine.
        """
        self._opened()
        runner = await self._next_idle()
        try:
            work = self._in_thread(runner.run, input_text, attributes)
        except BaseException:
            self._idle.put_nowait(runner)
            raise
        # given back when its thread is done with it, which may be after its caller was cancelled
        work.add_done_callback(lambda _done: self._give_back(runner))
        return await asyncio.shield(work)

    def _give_back(self, runner: ScriptRunner) -> None:
        self._ended_runs += 1
        self._idle.put_nowait(runner)

    async def _next_idle(self) -> ScriptRunner:
        while self._idle.empty() and len(self._all) < self._size:
            ended_before = self._ended_runs
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    return await self._idle.get()
            if len(self._all) < self._size and self._ended_runs - ended_before < FEW_RUNS:
                self._all.append(self.new_runner())
                return self._all[-1]
        return await self._idle.get()

    def _in_thread(self, work: Any, *words: Any) -> asyncio.Future[Any]:
        return asyncio.get_running_loop().run_in_executor(self._opened(), work, *words)

    def _opened(self) -> ThreadPoolExecutor:
        if self._executor is None:
            raise ConfigurationError(
                f"{self._step}: the pool of scripts is closed; use it inside of 'async with'"
            )
        return self._executor
