"""A token that never changes, kept as the connection's password."""

from __future__ import annotations

from typing import Any

from order_cancellation.http.logins.kind import Credentials, LoginKind, Visit, bearer, required, text_option

__all__ = ["PERMANENT_TOKEN"]

FORM: dict[str, Any] = {
    "about": "the password is the token",
    "fields": {
        "header": {
            "label": "Header",
            "description": "which header carries the token; 'Authorization' if empty",
        },
        "prefix": {
            "label": "Prefix",
            "description": "what stands before the token; 'Bearer' for 'Authorization' if empty",
        },
    },
}
"""What the connection's form says of it; a literal, since the form is made without importing this."""

HEADER = "Authorization"


async def _log_in(visit: Visit) -> Credentials:
    """Build the header; only ``Authorization`` has a prefix without being told."""
    endpoint = visit.endpoint
    token = required(endpoint, "password (the token)", endpoint.password)
    header = text_option(endpoint, "header", HEADER) or HEADER
    prefix = text_option(endpoint, "prefix", "Bearer" if header == HEADER else "")
    return Credentials(bearer(token, header=header, prefix=prefix))


PERMANENT_TOKEN = LoginKind("permanent_token", _log_in, lasting=True)
