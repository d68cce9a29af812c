"""One real request from Omnitron, to try a flow's steps on."""

from __future__ import annotations

import asyncio
import secrets
from random import Random
from typing import Any

from order_cancellation.clock import SystemClock
from order_cancellation.errors import ConfigurationError, NotSent
from order_cancellation.flow.model import Flow
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.session import Session
from order_cancellation.http.transport import AiohttpTransport
from order_cancellation.ledger import Ledger
from order_cancellation.omnitron import ListQuery, OmnitronReader

__all__ = ["read_example"]

_PATIENCE_S = 30.0


async def read_example(
    flow: Flow, endpoint: Endpoint, ledger: Ledger, request_id: int | None = None
) -> dict[str, Any]:
    """Read one request as the flow's runs read it. It holds personal data.

    Args:
        flow: The flow.
        endpoint: Its connection to Omnitron.
        ledger: Keeps the token.
        request_id: Omnitron's number of a request; None for the first that the flow would take up.

    Raises:
        LoginFailed: Omnitron did not let us in.
        ConfigurationError: Omnitron has no such request.
        OrderCancellationError: It could not be read.
    """
    clock, random = SystemClock(), Random(secrets.randbits(64))  # noqa: S311 (jitter, no secret)
    try:
        async with (
            asyncio.timeout(_PATIENCE_S),
            AiohttpTransport.for_endpoint(endpoint, clock=clock) as transport,
        ):
            reader = OmnitronReader(Session(endpoint, transport, ledger.tokens, clock, random), clock, random)
            found = await (_first(flow, reader) if request_id is None else reader.get(request_id))
    except TimeoutError:
        message = f"Connection '{endpoint.connection_id}': Omnitron has not answered within 30 s. Try again."
        raise NotSent(message) from None
    if found is None:
        what = "nothing that this flow would take up" if request_id is None else f"no request {request_id}"
        raise ConfigurationError(f"Omnitron has {what}. Name another request, or paste one.")
    return found


async def _first(flow: Flow, reader: OmnitronReader) -> dict[str, Any] | None:
    wanted = flow.get_data
    async for page in reader.read(
        ListQuery(wanted.status, wanted.cancel_type, wanted.channel_id, page_size=5)
    ):
        for request in page:
            return request
    return None
