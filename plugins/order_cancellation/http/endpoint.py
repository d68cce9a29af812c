"""A connection to a remote system, as the engine knows it: plain values, no Airflow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Endpoint:
    """Where a remote system is, and how to log in there.

    Args:
        connection_id: The connection's name, for messages.
        base_url: Scheme, host, port and path prefix, without a slash at the end.
        login_kind: One of the registered login kinds (``none``, ``basic``, ``jwt`` …; ``omnitron``).
        login: The user name, or None.
        password: The password or token, or None. Never shown.
        options: The connection's other fields (its extra), as the login kind names them. May hold secrets.
    """

    connection_id: str
    base_url: str
    login_kind: str = "none"
    login: str | None = None
    password: str | None = field(default=None, repr=False)
    options: Mapping[str, Any] = field(default_factory=dict, repr=False)
