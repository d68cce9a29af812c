"""No login: the system asks for none, or the flow's own headers carry what it asks for."""

from __future__ import annotations

from typing import Any

from order_cancellation.http.logins.kind import Credentials, LoginKind, Visit

__all__ = ["NONE"]

FORM: dict[str, Any] = {"about": "no login", "fields": {}}
"""What the connection's form says of it; a literal, since the form is made without importing this."""


async def _log_in(_visit: Visit) -> Credentials:
    return Credentials({})


NONE = LoginKind("none", _log_in, lasting=True)
