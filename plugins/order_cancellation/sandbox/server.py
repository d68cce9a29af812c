"""Serves the fake Omnitron and the fake ERP over HTTP: in a test, in a thread, or as a command."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Self

from aiohttp import web

from order_cancellation.sandbox.control import Control
from order_cancellation.sandbox.exchange import Asked, Reply, error_reply
from order_cancellation.sandbox.scenarios import Scenario
from order_cancellation.sandbox.world import World

DEFAULT_PORT = 8090


class Sandbox:
    """Both servers on one port, and if wanted the ERP on a port of its own besides.

    Use it as ``async with Sandbox(scenario="refusal") as s``.

    Args:
        port: The port; 0 takes a free one.
        scenario: A scenario, its name or its data.
        erp_port: A port for the ERP alone, on which a scenario can have nobody listen; 0 takes a free one.
        host: The address to listen on.
        settings: Changes to the settings that hold through all scenarios.
        now: The clock of tokens and dates, in seconds since 1970.
        on_call: Told of each call and its answer.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        scenario: Any = "all_fine",
        erp_port: int | None = None,
        host: str = "127.0.0.1",
        settings: Mapping[str, Any] | None = None,
        now: Callable[[], float] = time.time,
        on_call: Callable[[Asked, Reply], None] | None = None,
    ) -> None:
        self.world = World(scenario, settings or {}, now)
        self.most_in_flight: Counter[str] = Counter()
        self._now = now
        self._on_call = on_call
        self._in_flight: Counter[str] = Counter()
        self._released = asyncio.Event()
        self._control = Control(self.world, lambda: self.most_in_flight, self.release)
        self._main = _Door(host, port, self._handle)
        self._erp = None if erp_port is None else _Door(host, erp_port, self._handle)

    async def __aenter__(self) -> Self:
        try:
            await self._main.open()
            await self._open_or_close_erp()
        except OSError:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release()
        await self._main.shut()
        if self._erp:
            await self._erp.shut()

    @property
    def url(self) -> str:
        """The base URL of everything."""
        return self._main.url

    @property
    def omnitron_url(self) -> str:
        """The ``host`` of a connection to the fake Omnitron."""
        return self.url

    @property
    def erp_url(self) -> str:
        """The ``host`` of a connection to the fake ERP."""
        return f"{(self._erp or self._main).url}/erp"

    @property
    def book(self) -> list[dict[str, Any]]:
        """What the ERP has booked."""
        return self.world.book.as_data()

    @property
    def booked_twice(self) -> list[str]:
        """The requests that the ERP has booked more than once."""
        return self.world.book.twice()

    @property
    def calls(self) -> list[dict[str, Any]]:
        """Every call to both servers, with its headers."""
        return [call.as_data() for call in self.world.calls]

    @property
    def writes(self) -> list[dict[str, Any]]:
        """What was written to Omnitron."""
        return list(self.world.omnitron.writes)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The cancellation requests that Omnitron holds, as they are now."""
        return [held.document for held in self.world.store.all()]

    async def use(self, scenario: Any, *, keep: bool = False) -> Scenario:
        """Follow another scenario.

        Args:
            scenario: A scenario, its name or its data.
            keep: Whether requests, book, logs and tokens stay.

        Returns:
            The scenario.

        Raises:
            SandboxError: If it is none.
        """
        chosen = self.world.use(scenario, keep=keep)
        await self._open_or_close_erp()
        return chosen

    async def reset(self) -> None:
        """Begin the scenario anew."""
        self.release()
        self.world.reset()
        self.most_in_flight.clear()

    def release(self) -> None:
        """Let the answers go that a rule holds back; those to come are held again."""
        self._released.set()
        self._released = asyncio.Event()

    async def _open_or_close_erp(self) -> None:
        if self._erp is None:
            return
        if self.world.scenario.erp_listens:
            await self._erp.open()
        else:
            await self._erp.close()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.content.read()
        asked = _asked(request, body, self._now())
        if asked.path.startswith("/sandbox/"):
            return await self._controlled(request, asked)
        side = "erp" if asked.path.startswith("/erp/") else "omnitron"
        self._in_flight[side] += 1
        self.most_in_flight[side] = max(self.most_in_flight[side], self._in_flight[side])
        try:
            return await self._answered(request, asked)
        finally:
            self._in_flight[side] -= 1

    async def _controlled(self, request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
        if not is_loopback(request.remote):
            return _response(error_reply(403, "The controls answer this machine only."))
        reply = self._control.answer(asked)
        if asked.path.startswith("/sandbox/reset"):
            self.most_in_flight.clear()
        await self._open_or_close_erp()
        return _response(reply)

    async def _answered(self, request: web.BaseRequest, asked: Asked) -> web.StreamResponse:
        reply = self.world.answer(asked)
        if self._on_call:
            self._on_call(asked, reply)
        if reply.delay_s:
            await asyncio.sleep(reply.delay_s)
        if reply.hold:
            await self._released.wait()
        if reply.late:
            _later(reply.late, reply.late_s)
        if reply.cut:
            return await _cut(request, reply)
        return _response(reply)


class _Door:
    """One port: bound from the start, so that it stays ours, and listening while it is open."""

    def __init__(self, host: str, port: int, handler: Callable[[web.BaseRequest], Any]) -> None:
        self._host = host
        self._port = port
        self._handler = handler
        self._socket: socket.socket | None = None
        self._runner: web.ServerRunner | None = None

    @property
    def url(self) -> str:
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    async def open(self) -> None:
        if self._runner:
            return
        self._bind()
        assert self._socket is not None
        server = web.Server(self._handler, access_log=None)
        self._runner = web.ServerRunner(server, handle_signals=False, shutdown_timeout=0.01)
        await self._runner.setup()
        await web.SockSite(self._runner, self._socket, backlog=1024).start()

    async def close(self) -> None:
        await self.shut()
        # bound but not listening: connections are refused, and nobody else gets the port
        self._bind()

    async def shut(self) -> None:
        if self._runner:
            await self._runner.cleanup()
            self._runner = None
        if self._socket:
            self._socket.close()
            self._socket = None

    def _bind(self) -> None:
        if self._socket:
            return
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        bound = socket.socket(family, socket.SOCK_STREAM)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            bound.bind((self._host, self._port))
        except OSError:
            bound.close()
            raise
        self._socket, self._port = bound, bound.getsockname()[1]


def is_loopback(remote: str | None) -> bool:
    """Whether a caller's address is this machine's loopback; an unknown one is not."""
    return remote is not None and ipaddress.ip_address(remote).is_loopback


def _asked(request: web.BaseRequest, body: bytes, at: float) -> Asked:
    return Asked(
        method=request.method,
        path=request.path,
        pairs=tuple(request.query.items()),
        headers={name.lower(): value for name, value in request.headers.items()},
        body=body,
        at=at,
        base_url=f"http://{request.host}",
    )


def _response(reply: Reply) -> web.Response:
    return web.Response(status=reply.status, body=reply.body, headers=reply.headers)


async def _cut(request: web.BaseRequest, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = max(len(reply.body), 2)
    if reply.cut == "midway":
        await response.prepare(request)
        await response.write(reply.body[: len(reply.body) // 2] or b" ")
    if request.transport:
        request.transport.close()
    return response


def _later(effect: Callable[[], None], seconds: float) -> None:
    if seconds:
        asyncio.get_running_loop().call_later(seconds, effect)
    else:
        effect()
