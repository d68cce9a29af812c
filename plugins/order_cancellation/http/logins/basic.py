"""Basic authentication (RFC 7617): user name and password in each call, under a prefix of choice."""

from __future__ import annotations

import base64
from typing import Any

from order_cancellation.http.logins.kind import Credentials, LoginKind, Visit, bearer, required, text_option

__all__ = ["BASIC"]

FORM: dict[str, Any] = {
    "about": "login and password with each call",
    "fields": {
        "prefix": {"label": "Prefix", "description": "what stands before the credentials; 'Basic' if empty"},
    },
}
"""What the connection's form says of it; a literal, since the form is made without importing this."""


async def _log_in(visit: Visit) -> Credentials:
    endpoint = visit.endpoint
    user = required(endpoint, "login", endpoint.login)
    pair = f"{user}:{endpoint.password or ''}".encode()
    prefix = text_option(endpoint, "prefix", "Basic")
    return Credentials(bearer(base64.b64encode(pair).decode(), header="Authorization", prefix=prefix))


BASIC = LoginKind("basic", _log_in, lasting=True)
