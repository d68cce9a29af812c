"""An event loop whose time is made up: nothing waits, and the same seed runs the same way each time.

Time passes only when nobody has anything to do; then it jumps to the next timer. What the engine gives to
threads (the ledger's calls) is handed to the worker on whose behalf it runs, and done in the loop's own
thread.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

__all__ = ["CURRENT", "Stuck", "VirtualLoop"]

CURRENT: ContextVar[Any] = ContextVar("worker", default=None)
"""The worker on whose behalf the running task works; tasks inherit it from the task that made them."""


class Stuck(Exception):
    """Somebody waits for what can never come: in the real world, a task that hangs."""


class _Jump(selectors.BaseSelector):
    """A selector without files: to wait is to let time pass."""

    def __init__(self) -> None:
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        if timeout is None:
            raise Stuck("everybody waits and nothing is under way")
        self.now += max(timeout, 0.0)
        return []

    def register(self, fileobj: Any, events: int, data: Any = None) -> Any:
        return None

    def unregister(self, fileobj: Any) -> Any:
        return None

    def get_map(self) -> Any:
        return {}

    def close(self) -> None:
        pass


class VirtualLoop(asyncio.SelectorEventLoop):
    """The simulation's event loop."""

    def __init__(self) -> None:
        self._jump = _Jump()
        super().__init__(self._jump)
        self._clock_resolution = 1e-9
        self.set_task_factory(_known_to_its_worker)
        self.set_exception_handler(lambda _loop, _context: None)  # killed workers leave tasks behind

    def time(self) -> float:
        return self._jump.now

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> Any:
        future = self.create_future()
        worker = CURRENT.get()
        if worker is None:
            future.set_result(func(*args))
        else:
            worker.submit(lambda: func(*args), future)
        return future


def _known_to_its_worker(loop: asyncio.AbstractEventLoop, coro: Any, **kwargs: Any) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coro, loop=loop, **kwargs)
    context = kwargs.get("context")
    worker = CURRENT.get() if context is None else context.get(CURRENT)
    if worker is not None:
        worker.tasks[task] = None
        task.add_done_callback(lambda done: worker.tasks.pop(done, None))
    return task
