"""Login with user name and password for a token: a JSON object is posted, the token is found by JSONPath."""

from __future__ import annotations

import json
from typing import Any

from order_cancellation.http.logins.exchange import (
    LOGIN_TIMEOUT_S,
    exchange,
    jwt_life_s,
    renew_at,
    token_in,
)
from order_cancellation.http.logins.kind import (
    Credentials,
    LoginKind,
    Visit,
    bearer,
    mapping_option,
    required,
    text_option,
)
from order_cancellation.http.messages import Call
from order_cancellation.http.urls import join_url

__all__ = ["JWT"]

FORM: dict[str, Any] = {
    "about": "a JSON login gives the token",
    "fields": {
        "login_url": {
            "label": "Login URL",
            "description": "where the token is asked for; absolute, or relative to the base URL",
        },
        "login_headers": {
            "label": "Login headers",
            "description": "headers of the login call; their values are not shown again",
            "type": "object",
        },
        "extra_body": {
            "label": "Extra login body",
            "description": "more fields of the login call's JSON; their values are not shown again",
            "type": "object",
        },
        "username_field": {
            "label": "Username field",
            "description": "the login field's name in that JSON; 'username' if empty",
        },
        "password_field": {
            "label": "Password field",
            "description": "the password field's name; 'password' if empty",
        },
        "token_path": {
            "label": "Token path",
            "description": "JSONPath of the token in the login's answer; '$.token' if empty",
        },
        "header": {
            "label": "Header",
            "description": "which header carries the token; 'Authorization' if empty",
        },
        "prefix": {"label": "Prefix", "description": "what stands before the token; 'Bearer' if empty"},
    },
}
"""What the connection's form says of it; a literal, since the form is made without importing this."""


async def _log_in(visit: Visit) -> Credentials:
    data = await exchange(visit, _call(visit))
    token = token_in(visit, data, text_option(visit.endpoint, "token_path", "$.token"))
    headers = bearer(
        token,
        header=text_option(visit.endpoint, "header", "Authorization"),
        prefix=text_option(visit.endpoint, "prefix", "Bearer"),
    )
    now = visit.clock.now()
    return Credentials(headers, renew_at(now, jwt_life_s(token, now)))


def _call(visit: Visit) -> Call:
    endpoint = visit.endpoint
    body = {
        **mapping_option(endpoint, "extra_body"),
        text_option(endpoint, "username_field", "username"): required(endpoint, "login", endpoint.login),
        text_option(endpoint, "password_field", "password"): endpoint.password or "",
    }
    headers = {str(name): str(value) for name, value in mapping_option(endpoint, "login_headers").items()}
    login_url = required(endpoint, "login_url", text_option(endpoint, "login_url"))
    return Call(
        "POST",
        join_url(endpoint.base_url, login_url),
        headers={"Content-Type": "application/json", "Accept": "application/json", **headers},
        body=json.dumps(body).encode(),
        timeout_s=LOGIN_TIMEOUT_S,
    )


JWT = LoginKind("jwt", _log_in)
