"""A token that never changes, kept as the connection's password."""

from __future__ import annotations

from order_cancellation.http.logins.kind import Credentials, LoginKind, Visit, bearer, required, text_option

__all__ = ["PERMANENT_TOKEN"]

HEADER = "Authorization"


async def _log_in(visit: Visit) -> Credentials:
    """Build the header; only ``Authorization`` has a prefix without being told."""
    endpoint = visit.endpoint
    token = required(endpoint, "password (the token)", endpoint.password)
    header = text_option(endpoint, "header", HEADER) or HEADER
    prefix = text_option(endpoint, "prefix", "Bearer" if header == HEADER else "")
    return Credentials(bearer(token, header=header, prefix=prefix))


PERMANENT_TOKEN = LoginKind("permanent_token", _log_in, lasting=True)
