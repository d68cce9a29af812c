"""The one door to the network: a call goes out at most once, and every failure says whether it left.

Sending a refund twice is the worst that can happen, so all that the ledger decides rests on one question: did
any byte of the request leave? It is answered by *where* a call was when it failed and not by the exception's
class: a mark is set when a connection is at hand, right before the first byte is written. A failure before
the mark is ``NotSent``, one after it is ``InDoubt``.

aiohttp on its own repeats GET and PUT when a kept-alive connection turns out to be dead. It does so only for
``ClientOSError`` and ``ServerDisconnectedError``, so a client middleware turns these into an exception that
it does not know. Redirects are followed here and not by aiohttp, for the same reason: each hop is a send.
"""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Protocol, Self
from weakref import WeakSet

import aiohttp
from aiohttp import ClientHandlerType, ClientRequest, ClientResponse
from aiohttp.connector import Connection
from multidict import CIMultiDict
from yarl import URL

from order_cancellation.clock import Clock
from order_cancellation.errors import ConfigurationError, InDoubt, NotSent, OrderCancellationError
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.messages import Answer, Call
from order_cancellation.http.tls import proxy_of, tls_of, warn_if_plain
from order_cancellation.http.urls import same_origin

__all__ = ["AiohttpTransport", "Transport", "describe"]

BeforeWrite = Callable[[], None]

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
METHODS = frozenset({"GET", "POST", "PUT", "PATCH"})
SIZE_CAP = 10 * 1024 * 1024
CONNECT_TIMEOUT_S = 10.0
IDLE_S = 2.0
"""How long a connection is kept unused: shorter than the servers' usual 5 s, so that few are found dead."""
MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Transport(Protocol):
    """What the engine knows of the network."""

    async def send(self, call: Call, *, before_write: BeforeWrite | None = None) -> Answer:
        """Send a call once and read its answer to the end.

        Args:
            call: The complete call, credentials included.
            before_write: Called when a connection is at hand, right before the first byte of the request is
                written. What it raises goes through unchanged, and nothing is sent then.

        Raises:
            NotSent: Surely nothing left.
            InDoubt: The request may have arrived, and no whole answer came back.
        """
        ...


def describe(call: Call) -> str:
    """Name a call for messages: method, host and path, without query and credentials."""
    try:
        url = URL(call.url, encoded=True)
        return f"{call.method} {url.scheme}://{url.host}{_port(url)}{url.raw_path}"
    except ValueError:
        return f"{call.method} (an address that can't be read)"


def _port(url: URL) -> str:
    return "" if url.is_default_port() or url.port is None else f":{url.port}"


@dataclass
class _Departure:
    """Whether a call's bytes may have left, and what has to be asked right before they do."""

    before_write: BeforeWrite | None
    left: bool = False

    def mark(self) -> None:
        if self.before_write is not None:
            self.before_write()
        self.left = True


class _Stale(Exception):
    """A kept connection on which something arrived unasked; nothing was written to it."""


class _Cut(Exception):
    """A connection that broke, in a class that aiohttp does not take as a reason to send again."""


WHY: tuple[tuple[type[Exception], str], ...] = (
    (aiohttp.ClientConnectorCertificateError, "its TLS certificate is not trusted"),
    (aiohttp.ClientConnectorSSLError, "no TLS connection could be made"),
    (aiohttp.ClientConnectorDNSError, "the host name is not known"),
    (aiohttp.ClientProxyConnectionError, "the proxy can't be reached"),
    (aiohttp.ClientHttpProxyError, "the proxy refused it"),
    (aiohttp.ClientConnectorError, "no connection: refused or unreachable"),
    (aiohttp.ConnectionTimeoutError, "no connection in time"),
    (TimeoutError, "time-out"),
    (_Cut, "the connection was cut"),
    (aiohttp.ClientPayloadError, "the answer broke off"),
    (aiohttp.ClientResponseError, "the answer is not HTTP"),
    (ValueError, "its address or a header can't be sent as it is"),
)
"""Failures in our own words, most special first: the library's words may hold the query."""


_used: WeakSet[Any] = WeakSet()
"""The connections that have carried a call before."""


class _MarkedRequest(ClientRequest):
    """A request that marks its departure between getting a connection and writing to it."""

    departure: _Departure | None = None

    async def send(self, conn: Connection) -> ClientResponse:
        """Mark, then write; on a kept connection only if it is open and nobody has spoken on it since.

        Balancers say 408 on an idle connection. aiohttp would take those bytes for the answer to this
        request, which the server may process all the same.
        """
        protocol = conn.protocol
        if protocol is not None and protocol in _used:
            for _ in range(2):  # one turn of the loop reads what has arrived, the next one hands it over
                await asyncio.sleep(0)
            if protocol.should_close or not protocol.is_connected():
                raise _Stale
        elif protocol is not None:
            _used.add(protocol)
        if self.departure is not None:
            self.departure.mark()
        return await super().send(conn)


class AiohttpTransport:
    """The transport over aiohttp: pooled, verified, capped, and never repeating by itself.

    Use it as an async context manager; its connections live as long as that.

    Args:
        connections: The most connections open at once.
        clock: For measuring how long a call has left across redirects.
        tls: The TLS context, or None for the system's own certificates.
        proxy: The proxy's URL, or None.
        size_cap: The most bytes of an answer, decompressed.
        connect_timeout_s: How long opening a connection may take.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        connections: int = 16,
        tls: ssl.SSLContext | None = None,
        proxy: str | None = None,
        size_cap: int = SIZE_CAP,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
    ) -> None:
        self._clock = clock
        self._connections = connections
        self._tls = tls
        self._proxy = proxy
        self._size_cap = size_cap
        self._connect_timeout_s = connect_timeout_s
        self._client: aiohttp.ClientSession | None = None

    @classmethod
    def for_endpoint(cls, endpoint: Endpoint, *, clock: Clock, connections: int = 16) -> Self:
        """Build the transport that a connection's options ask for (``verify``, ``ca``, ``cert``, ``proxy``).

        Raises:
            ConfigurationError: An option can't be used; the message names it.
        """
        warn_if_plain(endpoint)
        return cls(
            clock=clock,
            connections=connections,
            tls=tls_of(endpoint),
            proxy=proxy_of(endpoint),
        )

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=self._connections, keepalive_timeout=IDLE_S, ssl=self._tls or True
        )
        self._client = aiohttp.ClientSession(
            connector=connector,
            request_class=_MarkedRequest,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers={"User-Agent": "order-cancellation"},
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def send(self, call: Call, *, before_write: BeforeWrite | None = None) -> Answer:
        """Send a call once and read its answer to the end (see ``Transport``).

        A GET that only reads follows up to five redirects on the same host; any other call's redirect is an
        answer like any other, and so is a redirect to another host, since our credentials must not go there.
        """
        departure = _Departure(before_write)
        ends_at = self._clock.monotonic() + call.timeout_s
        answer = await self._send_once(call, departure)
        for _ in range(MAX_REDIRECTS):
            target = _redirect_target(call, answer)
            if target is None:
                break
            call = replace(call, url=target, timeout_s=max(0.001, ends_at - self._clock.monotonic()))
            answer = await self._send_once(call, departure)
        return answer

    async def _send_once(self, call: Call, departure: _Departure) -> Answer:
        client = self._opened(call)
        try:
            return await self._exchange(client, call, departure)
        except (TimeoutError, aiohttp.ClientError, _Cut, OSError, ValueError) as error:
            failure = _told(call, error, left=departure.left)
        raise failure  # outside, so that the library's error, which may hold the query, is not chained

    def _opened(self, call: Call) -> aiohttp.ClientSession:
        if call.method not in METHODS:
            raise ConfigurationError(f"{call.method} is never sent; use one of {', '.join(sorted(METHODS))}")
        if not all(_fits(name, value) for name, value in call.headers.items()):
            raise NotSent(f"{describe(call)} was not sent: a header has a character that no header may have")
        if self._client is None:
            raise NotSent(f"{describe(call)} was not sent: the transport is closed")
        return self._client

    async def _exchange(self, client: aiohttp.ClientSession, call: Call, departure: _Departure) -> Answer:
        async def send_once(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
            assert isinstance(request, _MarkedRequest)
            request.departure = departure
            try:
                return await _on_a_fresh_connection(request, handler)
            except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                raise  # no connection at all; aiohttp does not repeat these
            except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
                raise _Cut(str(error)) from error

        async with client.request(
            call.method,
            URL(call.url, encoded=True),
            data=call.body,
            headers=CIMultiDict(call.headers),
            skip_auto_headers=("Content-Type", "User-Agent"),
            allow_redirects=False,
            timeout=aiohttp.ClientTimeout(total=call.timeout_s, sock_connect=self._connect_timeout_s),
            proxy=self._proxy,
            middlewares=(send_once,),
        ) as response:
            return await self._read(call, response)

    async def _read(self, call: Call, response: ClientResponse) -> Answer:
        body = bytearray()
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > self._size_cap:
                response.close()
                raise InDoubt(
                    f"{describe(call)} answered {response.status} with more than {self._size_cap} bytes; "
                    "the rest was not read, so the outcome is not known"
                )
        return Answer(
            status=response.status,
            reason=response.reason or "",
            headers={name.lower(): value for name, value in response.headers.items()},
            body=bytes(body),
            url=str(response.url),
            charset=response.charset,
        )


async def _on_a_fresh_connection(request: ClientRequest, handler: ClientHandlerType) -> ClientResponse:
    """Send over the first connection that is not stale; aiohttp drops each stale one."""
    while True:
        try:
            return await handler(request)
        except _Stale:
            continue


def _told(call: Call, error: Exception, *, left: bool) -> OrderCancellationError:
    """Turn a failure into what it means."""
    why = next((words for kind, words in WHY if isinstance(error, kind)), type(error).__name__)
    if left:
        return InDoubt(f"{describe(call)} was sent, but no whole answer came back ({why})")
    return NotSent(f"{describe(call)} was not sent ({why})")


def _fits(name: str, value: str) -> bool:
    """Say whether a header can be written; aiohttp finds out only when the call counts as under way."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return HEADER_NAME.fullmatch(name) is not None and not CONTROLS.search(value)


def _redirect_target(call: Call, answer: Answer) -> str | None:
    """Return where a reading GET has to go on, on its own host only."""
    location: Any = answer.headers.get("location")
    if call.method != "GET" or not call.only_reads or answer.status not in REDIRECTS or not location:
        return None
    try:
        there = URL(call.url, encoded=True).join(URL(location)).with_fragment(None)
    except ValueError:
        return None
    return str(there) if same_origin(call.url, str(there)) else None
