"""Runs the sandbox beside code that is not asynchronous."""

from __future__ import annotations

import asyncio
import functools
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Self, TypeVar

from order_cancellation.sandbox.scenarios import Scenario
from order_cancellation.sandbox.server import Sandbox

T = TypeVar("T")


class SandboxThread:
    """A sandbox in a thread of its own: ``with SandboxThread(scenario="refusal") as s``.

    Args:
        *args: As for ``Sandbox``.
        **kwargs: As for ``Sandbox``.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._make: Callable[[], Sandbox] = functools.partial(Sandbox, *args, **kwargs)
        self._ready = threading.Event()
        self._failure: BaseException | None = None
        self._sandbox: Sandbox | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._over: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._main, name="sandbox", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        if self._failure:
            self._thread.join()
            raise self._failure
        return self

    def __exit__(self, *_: object) -> None:
        if self._loop and self._over:
            self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox itself; its properties may be read from any thread."""
        assert self._sandbox is not None, "the sandbox runs only inside its with block"
        return self._sandbox

    @property
    def url(self) -> str:
        """The base URL of everything."""
        return self.sandbox.url

    @property
    def omnitron_url(self) -> str:
        """The ``host`` of a connection to the fake Omnitron."""
        return self.sandbox.omnitron_url

    @property
    def erp_url(self) -> str:
        """The ``host`` of a connection to the fake ERP."""
        return self.sandbox.erp_url

    @property
    def book(self) -> list[dict[str, Any]]:
        """What the ERP has booked."""
        return self.sandbox.book

    @property
    def booked_twice(self) -> list[str]:
        """The requests that the ERP has booked more than once."""
        return self.sandbox.booked_twice

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Every call to both servers, with its headers."""
        return self.sandbox.calls

    @property
    def writes(self) -> list[dict[str, Any]]:
        """What was written to Omnitron."""
        return self.sandbox.writes

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The cancellation requests that Omnitron holds, as they are now."""
        return self.sandbox.requests

    def use(self, scenario: Any, *, keep: bool = False) -> Scenario:
        """Follow another scenario, as ``Sandbox.use`` does.

        Args:
            scenario: A scenario, its name or its data.
            keep: Whether requests, book, logs and tokens stay.
        """
        return self._run(self.sandbox.use(scenario, keep=keep))

    def reset(self) -> None:
        """Begin the scenario anew."""
        self._run(self.sandbox.reset())

    def release(self) -> None:
        """Let the answers go that a rule holds back."""
        self._run(_call(self.sandbox.release))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        assert self._loop is not None, "the sandbox runs only inside its with block"
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(timeout=30)

    def _main(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001  it is raised again in the thread that waits
            self._failure = failure
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        async with self._make() as self._sandbox:
            self._ready.set()
            await self._over.wait()


async def _call(function: Any) -> None:
    function()
