"""What both hooks share: Airflow's HTTP hook, with the engine's login and its reading of connections."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from random import Random
from typing import Any

from airflow.providers.http.hooks.http import HttpHook
from requests import Session

from order_cancellation.clock import SystemClock
from order_cancellation.errors import OrderCancellationError, Unauthorized, UnreadableAnswer
from order_cancellation.hooks.endpoints import endpoint_from
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.logins import LOGIN_KINDS, Visit
from order_cancellation.http.masking import endpoint_secrets, excerpt
from order_cancellation.http.messages import Answer, Call
from order_cancellation.http.statuses import SERVER_ERRORS, SUCCESS
from order_cancellation.http.transport import AiohttpTransport, Transport

__all__ = ["EndpointHook"]

TEST_TIMEOUT_S = 15.0


class EndpointHook(HttpHook):
    """Airflow's HTTP hook over a connection whose login is one of our kinds.

    The flows' own calls never go through it: they go through ``order_cancellation.http``, which knows whether
    a call left. It is for the connection's form and its *Test* button, and for DAGs of one's own that want to
    read from the same system.

    :param http_conn_id: The connection's id.
    :param method: The HTTP method of ``run``.
    """

    def __init__(self, http_conn_id: str | None = None, *, method: str = "GET", **more: Any) -> None:
        super().__init__(method=method, http_conn_id=http_conn_id or self.default_conn_name, **more)

    def endpoint(self) -> Endpoint:
        """Return the connection as the engine knows it.

        Raises:
            ConfigurationError: The connection is not complete.
        """
        return endpoint_from(self.get_connection(self.http_conn_id))

    def get_conn(
        self, headers: dict[Any, Any] | None = None, extra_options: dict[str, Any] | None = None
    ) -> Session:
        """Return a session that is logged in.

        The parent would send each extra field that it does not know as a header, secrets included.

        :param headers: More headers.
        :param extra_options: Options of the calls, as the parent takes them.
        """
        endpoint = self.endpoint()
        session = Session()
        session.verify = endpoint.options.get("ca") or endpoint.options.get("verify", True)
        session.cert = endpoint.options.get("cert")
        session.headers.update(asyncio.run(_credentials(endpoint)))
        session.headers.update(headers or {})
        proxy = (extra_options or {}).get("proxy", endpoint.options.get("proxy"))
        if proxy:
            session.proxies = {"http": proxy, "https": proxy}
        self.base_url, self._base_url_initialized = endpoint.base_url, True
        return self._configure_session_from_mount_adapters(session)

    def test_connection(self) -> tuple[bool, str]:
        """Log in, and where a kind has no login of its own, call the base URL with the credentials.

        Returns:
            Whether it worked, and a sentence for the form, without secrets.
        """
        try:
            return True, asyncio.run(_tried(self.endpoint()))
        except OrderCancellationError as error:
            # Airflow tests under a name of its own making, which would mean nothing to the reader
            return False, str(error).replace(f"Connection '{self.http_conn_id}'", "This connection")


async def _credentials(endpoint: Endpoint) -> dict[str, str]:
    async with AiohttpTransport.for_endpoint(endpoint, clock=SystemClock()) as transport:
        return await _log_in(endpoint, transport)


async def _log_in(endpoint: Endpoint, transport: Transport) -> dict[str, str]:
    visit = Visit(endpoint, transport, SystemClock(), Random())  # noqa: S311 (jitter of pauses, no secret)
    credentials = await LOGIN_KINDS[endpoint.login_kind].log_in(visit)
    return credentials.headers


async def _tried(endpoint: Endpoint) -> str:
    async with AiohttpTransport.for_endpoint(endpoint, clock=SystemClock()) as transport:
        headers = await _log_in(endpoint, transport)
        if not LOGIN_KINDS[endpoint.login_kind].lasting:
            return f"Logged in to {endpoint.base_url} ({endpoint.login_kind})"
        answer = await transport.send(
            Call("GET", endpoint.base_url + "/", headers=headers, timeout_s=TEST_TIMEOUT_S, only_reads=True)
        )
    return _judged(endpoint, answer)


def _judged(endpoint: Endpoint, answer: Answer) -> str:
    """Say what an answer at the base URL tells of credentials that no login has tried.

    Raises:
        Unauthorized: They are refused.
        UnreadableAnswer: The server fails.
    """
    url, status = endpoint.base_url, answer.status
    words = excerpt(answer, secrets=endpoint_secrets(endpoint))
    if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
        raise Unauthorized(f"{url} does not accept these credentials ({status}): {words}", status=status)
    if status in SERVER_ERRORS:
        raise UnreadableAnswer(f"{url} is reached, but fails ({status}): {words}")
    if status not in SUCCESS:
        return (
            f"{url} is reached, but the credentials are not checked: it answers {status} at this address, "
            f"and login kind {endpoint.login_kind} has no login to try. A flow's first call shows more"
        )
    return f"{url} answers ({status}); login kind {endpoint.login_kind} has no login to try"
