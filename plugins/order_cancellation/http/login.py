"""Logging in to a connection, whatever its kind."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from order_cancellation.errors import ConfigurationError
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.logins import LOGIN_KINDS, Credentials, LoginKind, Visit

__all__ = ["kind_of", "log_in", "token_key"]


def kind_of(endpoint: Endpoint) -> LoginKind:
    """Return the login kind of a connection.

    Raises:
        ConfigurationError: There is no such kind.
    """
    try:
        return LOGIN_KINDS[endpoint.login_kind]
    except KeyError:
        raise ConfigurationError(
            f"Connection '{endpoint.connection_id}': there is no login kind '{endpoint.login_kind}'; "
            f"choose {', '.join(LOGIN_KINDS)}"
        ) from None


async def log_in(visit: Visit) -> Credentials:
    """Get credentials for a connection.

    Args:
        visit: The connection and the means.

    Returns:
        The headers to send, and when to renew them.

    Raises:
        LoginFailed: No token could be had; the message names the connection and what came back.
        ConfigurationError: A field of the connection is missing or wrong.
    """
    return await kind_of(visit.endpoint).log_in(visit)


def token_key(endpoint: Endpoint) -> str:
    """Return the name under which a connection's token is kept.

    It changes with anything that the login depends on, so changed credentials never meet an old token. The
    password goes into it by a slow digest, since the key is stored in plain.

    Args:
        endpoint: The connection.
    """
    options = json.dumps(dict(endpoint.options), sort_keys=True, default=str)
    parts = [endpoint.base_url, endpoint.login_kind, endpoint.login, endpoint.password, options]
    return f"{endpoint.connection_id}:{_digest(json.dumps(parts), endpoint.connection_id)}"


@lru_cache(maxsize=8)
def _digest(text: str, salt: str) -> str:
    """Return a slow digest; a process that opens one connection again and again waits for it once."""
    return hashlib.scrypt(text.encode(), salt=salt.encode(), n=2**12, r=8, p=1, dklen=16).hex()
