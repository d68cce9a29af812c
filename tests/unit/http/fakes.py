"""A clock whose time passes only when everybody waits, a transport that is a function, and raw servers."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import json
import socket
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.messages import Answer
from order_cancellation.http.session import Session
from order_cancellation.http.tokens import MemoryTokenStore
from order_cancellation.http.traffic import MemoryTraffic, Watch

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """Virtual time: the earliest sleeper wakes once the loop has had many turns with nothing else to do."""

    def __init__(self):
        self.passed = 0.0
        self.slept = []
        self._sleepers = []
        self._order = itertools.count()

    def now(self):
        return START + timedelta(seconds=self.passed)

    def monotonic(self):
        return self.passed

    async def sleep(self, seconds):
        self.slept.append(seconds)
        mine = (self.passed + max(seconds, 0.0), next(self._order))
        heapq.heappush(self._sleepers, mine)
        try:
            while self.passed < mine[0]:
                for _ in range(20):
                    await asyncio.sleep(0)
                if self._sleepers[0] == mine:
                    self.passed = max(self.passed, mine[0])
        finally:
            self._sleepers.remove(mine)
            heapq.heapify(self._sleepers)


class FakeTransport:
    """Answers each call by a function of the call; remembers all calls."""

    def __init__(self, answer):
        self._answer = answer
        self.calls = []

    async def send(self, call, *, before_write=None):
        if before_write is not None:
            before_write()
        self.calls.append(call)
        await asyncio.sleep(0)
        result = self._answer(call)
        if isinstance(result, Exception):
            raise result
        return replace(result, url=call.url)


def in_turn(*results):
    """Answer the calls one after the other, the last result for ever."""
    left = list(results)
    return lambda _call: left.pop(0) if len(left) > 1 else left[0]


def json_answer(data, status=200, **headers):
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return Answer(status=status, headers=named, body=json.dumps(data).encode())


def an_endpoint(login_kind="none", **fields):
    options = fields.pop("options", {})
    values = {"login": "ayse", "password": "s3cret-pass", "base_url": "https://erp.test/api", **fields}
    return Endpoint("erp_default", login_kind=login_kind, options=options, **values)


def a_session(answer, endpoint=None, *, clock=None, tokens=None, seed=1):
    clock = clock or FakeClock()
    transport = answer if hasattr(answer, "send") else FakeTransport(answer)
    session = Session(
        endpoint or an_endpoint(), transport, tokens or MemoryTokenStore(clock), clock, Random(seed)
    )
    return session, transport


def a_watch(clock, store=None):
    return Watch(store or MemoryTraffic(clock), ("acme", "erp_default"), clock)


class RawServer:
    """A server on a socket that counts what arrives; the handler gets each request with its number."""

    def __init__(self, handle):
        self._handle = handle
        self.requests = []
        self.connections = 0
        self.arrived = asyncio.Event()
        self._writers = []
        self.url = ""

    async def serve(self, reader, writer):
        self.connections += 1
        self._writers.append(writer)
        try:
            await self._handle(self, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client or the test is through
        finally:
            writer.close()

    def hang_up(self):
        """Close the connections that are open, at once and without a turn of the loop."""
        for writer in self._writers:
            writer.get_extra_info("socket").shutdown(socket.SHUT_RDWR)

    async def request(self, reader):
        """Read one request with its body, and remember it."""
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if line)
        body = await reader.readexactly(int(fields.get(b"content-length", b"0")))
        self.requests.append(head + body)
        self.arrived.set()
        return head + body


@asynccontextmanager
async def raw_server(handle, **options):
    server = RawServer(handle)
    tasks = set()

    async def serve(reader, writer):
        tasks.add(asyncio.current_task())
        await server.serve(reader, writer)

    listener = await asyncio.start_server(serve, "127.0.0.1", 0, **options)
    scheme = "https" if options.get("ssl") else "http"
    server.url = f"{scheme}://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    try:
        yield server
    finally:
        listener.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def http_answer(body=b"{}", status="200 OK", **headers):
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def answering(server, reader, writer):
    """Answer every request on a connection with an empty object."""
    while True:
        await server.request(reader)
        writer.write(http_answer())
        await writer.drain()
