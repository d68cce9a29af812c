"""Omnitron's own login: user name and password for a key that does not expire by itself."""

from __future__ import annotations

import json

from order_cancellation.http.logins.exchange import LOGIN_TIMEOUT_S, exchange, token_in
from order_cancellation.http.logins.kind import Credentials, LoginKind, Visit, bearer, required
from order_cancellation.http.messages import Call
from order_cancellation.http.urls import join_url

__all__ = ["OMNITRON"]

LOGIN_PATH = "/api/v1/auth/login/"


async def _log_in(visit: Visit) -> Credentials:
    key = token_in(visit, await exchange(visit, _call(visit)), "$.key")
    return Credentials(bearer(key, header="Authorization", prefix="Token"))


def _call(visit: Visit) -> Call:
    endpoint = visit.endpoint
    body = {
        "username": required(endpoint, "login", endpoint.login),
        "password": required(endpoint, "password", endpoint.password),
    }
    return Call(
        "POST",
        join_url(endpoint.base_url, LOGIN_PATH),
        headers={"Content-Type": "application/json", "Accept": "application/json"},
        body=json.dumps(body).encode(),
        timeout_s=LOGIN_TIMEOUT_S,
    )


OMNITRON = LoginKind("omnitron", _log_in)
