"""Any headers with secret values, as the connection's ``secret_headers`` name them."""

from __future__ import annotations

from typing import Any

from order_cancellation.errors import ConfigurationError
from order_cancellation.http.logins.kind import Credentials, LoginKind, Visit, mapping_option

__all__ = ["CUSTOM_HEADER"]

FORM: dict[str, Any] = {
    "about": "the secret headers with each call",
    "fields": {
        "secret_headers": {
            "label": "Secret headers",
            "description": "headers sent with each call; their values are not shown again",
            "type": "object",
        },
    },
}
"""What the connection's form says of it; a literal, since the form is made without importing this."""


async def _log_in(visit: Visit) -> Credentials:
    headers = mapping_option(visit.endpoint, "secret_headers")
    if not headers:
        raise ConfigurationError(
            f"Connection '{visit.endpoint.connection_id}': secret_headers is missing; "
            "login kind 'custom_header' needs at least one header"
        )
    return Credentials({str(name): str(value) for name, value in headers.items()})


CUSTOM_HEADER = LoginKind("custom_header", _log_in, lasting=True)
