"""Spreads the requests of a batch over as many children as the load asks for, beside the event loop."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Self

from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts.outcome import Outcome, Protection
from order_cancellation.scripts.runner import ScriptRunner

__all__ = ["ScriptPool"]


class ScriptPool:
    """Several ``ScriptRunner``s of one script behind one asynchronous ``run``.

    The first child starts with the pool, so that a package or a protection that is missing is found out
    before the first request; each other one starts when all those there are busy.

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
        self._all = [self._new()]
        self._idle: list[ScriptRunner] = []
        self._executor: ThreadPoolExecutor | None = None
        self._free = asyncio.Semaphore(self._size)

    def _new(self) -> ScriptRunner:
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
        self._idle.append(self._all[0])
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
        await self._free.acquire()
        runner = self._take()
        work = self._in_thread(runner.run, input_text, attributes)
        work.add_done_callback(lambda _done: self._give_back(runner))
        return await asyncio.shield(work)

    def _take(self) -> ScriptRunner:
        if self._idle:
            return self._idle.pop()
        self._all.append(self._new())
        return self._all[-1]

    def _give_back(self, runner: ScriptRunner) -> None:
        """Take a runner back when its thread is done with it, which may be after its caller was cancelled."""
        self._idle.append(runner)
        self._free.release()

    def _in_thread(self, work: Any, *words: Any) -> asyncio.Future[Any]:
        if self._executor is None:
            raise ConfigurationError(
                f"{self._step}: the pool of scripts is closed; use it inside of 'async with'"
            )
        return asyncio.get_running_loop().run_in_executor(self._executor, work, *words)
