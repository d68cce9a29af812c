"""OAuth2 (RFC 6749) without a browser: client credentials, password, or a refresh token."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote_plus, urlencode

from order_cancellation.errors import ConfigurationError
from order_cancellation.http.logins.exchange import LOGIN_TIMEOUT_S, exchange, renew_at, token_in
from order_cancellation.http.logins.kind import (
    Credentials,
    LoginKind,
    Visit,
    bearer,
    required,
    text_option,
)
from order_cancellation.http.messages import Call
from order_cancellation.http.urls import join_url

__all__ = ["OAUTH2"]

FORM: dict[str, Any] = {
    "about": "token from the OAuth URL",
    "fields": {
        "grant_type": {
            "label": "Grant type",
            "description": "which grant is asked for",
            "enum": ["client_credentials", "password", "refresh_token"],
            "default": "client_credentials",
        },
        "oauth_url": {
            "label": "OAuth URL",
            "description": "the token URL; absolute, or relative to the base URL",
        },
        "client_id": {"label": "Client id", "description": "the client's name"},
        "client_secret": {
            "label": "Client secret",
            "description": "the client's secret",
            "format": "password",
        },
        "scope": {"label": "Scope", "description": "scopes, separated by blanks"},
        "client_auth": {
            "label": "Client authentication",
            "description": "whether id and secret travel in the Basic header or in the form",
            "enum": ["basic", "body"],
            "default": "basic",
        },
        "refresh_token": {
            "label": "Refresh token",
            "description": "for the grant refresh_token",
            "format": "password",
        },
    },
}
"""What the connection's form says of it; a literal, since the form is made without importing this."""

GRANT_TYPES = ("client_credentials", "password", "refresh_token")
CLIENT_AUTHS = ("basic", "body")


async def _log_in(visit: Visit) -> Credentials:
    data = await exchange(visit, _call(visit))
    token = token_in(visit, data, "$.access_token")
    fresh = data.get("refresh_token") if isinstance(data, dict) else None
    life = data.get("expires_in") if isinstance(data, dict) else None
    return Credentials(
        bearer(token, header="Authorization", prefix="Bearer"),
        renew_at(visit.clock.now(), life),
        refresh_token=fresh if isinstance(fresh, str) and fresh else visit.refresh_token,
    )


def _call(visit: Visit) -> Call:
    endpoint = visit.endpoint
    headers, form = _client(visit)
    form = {"grant_type": _one_of(visit, "grant_type", GRANT_TYPES), **form, **_grant(visit)}
    return Call(
        "POST",
        join_url(endpoint.base_url, required(endpoint, "oauth_url", text_option(endpoint, "oauth_url"))),
        headers={
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            **headers,
        },
        body=urlencode(form).encode(),
        timeout_s=LOGIN_TIMEOUT_S,
    )


def _client(visit: Visit) -> tuple[dict[str, str], dict[str, str]]:
    """Return the headers and form fields that name the client (RFC 6749, 2.3.1)."""
    endpoint = visit.endpoint
    client_id, secret = text_option(endpoint, "client_id"), text_option(endpoint, "client_secret")
    if _one_of(visit, "client_auth", CLIENT_AUTHS) == "body":
        form = {"client_id": client_id, "client_secret": secret}
        return {}, {name: value for name, value in form.items() if value}
    if not client_id:
        return {}, {}
    pair = f"{quote_plus(client_id)}:{quote_plus(secret)}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}, {}


def _grant(visit: Visit) -> dict[str, str]:
    endpoint = visit.endpoint
    scope = text_option(endpoint, "scope")
    fields = {"scope": scope} if scope else {}
    match _one_of(visit, "grant_type", GRANT_TYPES):
        case "password":
            user = required(endpoint, "login", endpoint.login)
            return fields | {"username": user, "password": endpoint.password or ""}
        case "refresh_token":
            given = visit.refresh_token or text_option(endpoint, "refresh_token")
            return fields | {"refresh_token": required(endpoint, "refresh_token", given)}
        case _:
            required(endpoint, "client_id", text_option(endpoint, "client_id"))
            return fields


def _one_of(visit: Visit, name: str, allowed: tuple[str, ...]) -> str:
    value = text_option(visit.endpoint, name, allowed[0])
    if value not in allowed:
        raise ConfigurationError(
            f"Connection '{visit.endpoint.connection_id}': {name} is '{value}'; choose {', '.join(allowed)}"
        )
    return value


OAUTH2 = LoginKind("oauth2", _log_in)
