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
"""How long a request waits for a child before one more is started."""


class ScriptPool:
    """Several ``ScriptRunner``s of one script behind one asynchronous ``run``.

    The first child starts with the pool, so that a package or a protection that is missing is found out
    before the first request; each other one starts when a request has waited for longer than its start takes.
    Most scripts are through in less than a millisecond, and the other batches need the cores, too.

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
        self._idle: asyncio.Queue[ScriptRunner] = asyncio.LifoQueue()
        self._executor: ThreadPoolExecutor | None = None

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
        work.add_done_callback(lambda _done: self._idle.put_nowait(runner))
        return await asyncio.shield(work)

    async def _next_idle(self) -> ScriptRunner:
        if self._idle.empty() and len(self._all) < self._size:
            with suppress(TimeoutError):
                async with asyncio.timeout(PATIENCE_S):
                    return await self._idle.get()
            if len(self._all) < self._size:
                self._all.append(self._new())
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
