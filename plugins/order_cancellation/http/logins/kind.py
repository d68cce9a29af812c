"""What a login kind is, and how it reads the connection's fields."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Any

from order_cancellation.clock import Clock
from order_cancellation.errors import ConfigurationError
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.transport import Transport

__all__ = ["Credentials", "LoginKind", "Visit", "bearer", "mapping_option", "required", "text_option"]


@dataclass(frozen=True)
class Visit:
    """All that a login needs.

    Args:
        endpoint: The connection.
        transport: The way there.
        clock: For expiry and pauses.
        random: For the pauses' jitter.
        refresh_token: The refresh token that the last login left, or None.
    """

    endpoint: Endpoint
    transport: Transport
    clock: Clock
    random: Random
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Credentials:
    """What a login yields.

    Args:
        headers: The headers that prove who we are. Never shown.
        renew_at: When to log in again, a while ahead of the end, or None where nobody said.
        refresh_token: What the next login has to show, or None. Never shown.
    """

    headers: dict[str, str] = field(repr=False)
    renew_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class LoginKind:
    """One way to log in.

    Args:
        name: The connection's ``login_kind``.
        log_in: Gets the credentials; raises ``LoginFailed`` or ``ConfigurationError``.
        lasting: Whether the credentials stand in the connection itself: nothing is asked, nothing renewed.
    """

    name: str
    log_in: Callable[[Visit], Awaitable[Credentials]]
    lasting: bool = False


def required(endpoint: Endpoint, name: str, value: str | None) -> str:
    """Return a field that the login kind can't do without.

    Raises:
        ConfigurationError: It is missing or empty.
    """
    if not value:
        raise ConfigurationError(
            f"Connection '{endpoint.connection_id}': {name} is missing; "
            f"login kind '{endpoint.login_kind}' needs it"
        )
    return value


def text_option(endpoint: Endpoint, name: str, default: str = "") -> str:
    """Return an option that is a text, or its default where it is absent.

    Raises:
        ConfigurationError: It is something else.
    """
    value = endpoint.options.get(name, default)
    if not isinstance(value, str):
        raise ConfigurationError(f"Connection '{endpoint.connection_id}': {name} has to be a text")
    return value


def mapping_option(endpoint: Endpoint, name: str) -> Mapping[str, Any]:
    """Return an option that is an object, empty where it is absent.

    Raises:
        ConfigurationError: It is something else.
    """
    value = endpoint.options.get(name) or {}
    if not isinstance(value, Mapping):
        raise ConfigurationError(
            f'Connection \'{endpoint.connection_id}\': {name} has to be an object such as {{"name": "value"}}'
        )
    return value


def bearer(token: str, *, header: str, prefix: str) -> dict[str, str]:
    """Return the header that carries a token, with its prefix and one space where there is one."""
    return {header: f"{prefix} {token}".strip()}
