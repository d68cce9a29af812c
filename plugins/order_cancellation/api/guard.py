"""What stands before every route: signed in → right → same origin → JSON → size, and only then the body.

FastAPI reads a body before it runs a route's dependencies, so a dependency would check too late. The guard
is the route itself: none can be made that does not say which right it asks for.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Annotated, Any
from urllib.parse import urlsplit

from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.core_api.security import bearer_scheme, get_user
from airflow.configuration import conf
from fastapi import APIRouter, Depends, HTTPException, Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive

from order_cancellation.api.rights import Right, may

__all__ = ["MOST_BYTES", "Caller", "GuardedRoute", "area", "needs"]

MOST_BYTES = 4 * 1024 * 1024
"""The largest body."""

_RIGHT = "x-right"
_READING = frozenset({"GET", "HEAD"})
_SAME_SITE = frozenset({"same-origin", "none"})

Handler = Callable[[Request], Awaitable[Response]]


def needs(right: Right) -> dict[str, Any]:
    """Say which right a route asks for, as in ``@router.get(path, **needs(Right.SEE))``.

    The flow in question is the path parameter ``dag_id``, where the path has one.
    """
    return {"openapi_extra": {_RIGHT: str(right)}}


class GuardedRoute(APIRoute):
    """A route that answers only who may ask."""

    def get_route_handler(self) -> Any:
        """Put the checks before FastAPI's own work."""
        right = Right((self.openapi_extra or {})[_RIGHT])
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            await _let_in(request, right)
            if request.method not in _READING:
                _refuse_foreign(request)
                _refuse_other_content(request)
                _refuse_large(request)
            try:
                response = await handle(Request(request.scope, _limited(request.receive)))
            finally:
                _hide_search(request)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return guarded


def area() -> APIRouter:
    """Return a router for one area of the API; all its routes are guarded."""
    return APIRouter(route_class=GuardedRoute)


def _caller(request: Request) -> BaseUser:
    user: BaseUser = request.state.caller
    return user


Caller = Annotated[BaseUser, Depends(_caller)]
"""Who is signed in, as a route's parameter."""


async def _let_in(request: Request, right: Right) -> None:
    user = await get_user(request, None, await bearer_scheme(request))
    dag_id = request.path_params.get("dag_id")
    if not await run_in_threadpool(may, user, right, dag_id):
        what = "this" if dag_id is None else f"flow '{dag_id[:80]}'"
        raise HTTPException(403, f"You have no right to {right} {what}. Ask who administers Airflow.")
    request.state.caller = user


def _refuse_foreign(request: Request) -> None:
    """Refuse what another site's page sends with this user's cookie."""
    site = request.headers.get("sec-fetch-site", "none")
    origin = request.headers.get("origin")
    if site not in _SAME_SITE or (origin is not None and _host(origin) not in _own_hosts(request)):
        raise HTTPException(403, "A page of another site sent this. Use Airflow's own pages.")


def _own_hosts(request: Request) -> set[str]:
    """Return the hosts under which this server is reached; behind a proxy that is what Airflow was told."""
    told = conf.get("api", "base_url", fallback="") or ""
    return {request.headers.get("host", "").lower(), _host(told)} - {""}


def _host(url: str) -> str:
    try:
        return urlsplit(url).netloc.lower()
    except ValueError:
        return ""


def _refuse_other_content(request: Request) -> None:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise HTTPException(415, "Send Content-Type: application/json.")


def _refuse_large(request: Request) -> None:
    length = request.headers.get("content-length", "0")
    if not length.isdecimal() or int(length[:20]) > MOST_BYTES:
        raise _too_large()


def _hide_search(request: Request) -> None:
    """Keep what somebody searched for out of the access log, which Airflow writes after the answer."""
    query = request.scope.get("query_string", b"")
    request.scope["query_string"] = re.sub(rb"(^|&)text=[^&]+", rb"\1text=***", query)


def _limited(receive: Receive) -> Receive:
    """Count what comes in, for a body that does not say its length."""
    received = 0

    async def limited() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MOST_BYTES:
            raise _too_large()
        return message

    return limited


def _too_large() -> HTTPException:
    return HTTPException(413, f"The body is larger than {MOST_BYTES // 1024**2} MiB.")
