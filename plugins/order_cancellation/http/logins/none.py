"""No login: the system asks for none, or the flow's own headers carry what it asks for."""

from __future__ import annotations

from order_cancellation.http.logins.kind import Credentials, LoginKind, Visit

__all__ = ["NONE"]


async def _log_in(_visit: Visit) -> Credentials:
    return Credentials({})


NONE = LoginKind("none", _log_in, lasting=True)
