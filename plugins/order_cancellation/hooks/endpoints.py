"""From an Airflow connection to the engine's ``Endpoint``, with its secrets made known to the log masker.

Apart from the hooks, so that a task instance gets its endpoints without importing ``requests`` and the HTTP
provider, which cost more than the rest of its work.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from urllib.parse import SplitResult, urlsplit, urlunsplit

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowNotFoundException
from airflow.sdk.log import mask_secret

from order_cancellation.errors import ConfigurationError
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.provider import LOGIN_KINDS, OBJECT_FIELDS, SECRET_FIELDS

__all__ = ["ConnectionLike", "endpoint_from", "find_endpoint"]

CONNECTION_TYPES = ("omnitron", "erp", "http")
PLAIN_HEADERS = frozenset({"accept", "content-type", "user-agent"})
HTTP_KINDS = ("none", "basic")


class ConnectionLike(Protocol):
    """What is read of an Airflow connection, be it the task SDK's or the API server's."""

    @property
    def conn_id(self) -> str:
        """Its name."""
        ...

    @property
    def conn_type(self) -> str | None:
        """``omnitron``, ``erp`` or ``http``."""
        ...

    @property
    def host(self) -> str | None:
        """The base URL, or a host name."""
        ...

    @property
    def schema(self) -> str | None:
        """The scheme, where ``host`` has none."""
        ...

    @property
    def port(self) -> int | None:
        """The port, where ``host`` has none."""
        ...

    @property
    def login(self) -> str | None:
        """The user name."""
        ...

    @property
    def password(self) -> str | None:
        """The password or token."""
        ...

    @property
    def extra_dejson(self) -> dict[str, Any]:
        """All other fields."""
        ...


def find_endpoint(conn_id: str) -> Endpoint:
    """Look a connection up as tasks do (secrets backend, environment, Airflow's database) and read it.

    Args:
        conn_id: The connection's name, as flows write it.

    Raises:
        ConfigurationError: There is none, or it is not complete; the message says what to do.
    """
    try:
        return endpoint_from(Connection.get(conn_id))
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"Connection '{conn_id}' does not exist: add it in Airflow under Admin, Connections, "
            f"or set AIRFLOW_CONN_{conn_id.upper()}"
        ) from None


def endpoint_from(connection: ConnectionLike) -> Endpoint:
    """Read an Airflow connection, and mask its secrets in this process's logs.

    Args:
        connection: Of type ``omnitron``, ``erp``, or ``http``, which works as ``erp`` with ``basic`` where it
            has a login and ``none`` where it has not.

    Returns:
        The endpoint; its options are the extra without empty fields.

    Raises:
        ConfigurationError: Its type, host, login kind or a field can't be used.
    """
    if connection.conn_type not in CONNECTION_TYPES:
        raise ConfigurationError(
            f"Connection '{connection.conn_id}' is of type '{connection.conn_type}': "
            f"use one of {', '.join(CONNECTION_TYPES)}"
        )
    options = _options(connection)
    for secret in _secrets(connection.password, options):
        mask_secret(secret)
    return Endpoint(
        connection_id=connection.conn_id,
        base_url=_base_url(connection),
        login_kind=_login_kind(connection, options),
        login=connection.login or None,
        password=connection.password or None,
        options=options,
    )


def _options(connection: ConnectionLike) -> dict[str, Any]:
    options = {name: value for name, value in connection.extra_dejson.items() if value not in (None, "")}
    if "verify_ssl" in options:  # the HTTP provider knows both names
        options.setdefault("verify", options.pop("verify_ssl"))
    for name in OBJECT_FIELDS:
        if name in options:
            options[name] = _object(connection.conn_id, name, options[name])
    return options


def _object(conn_id: str, name: str, value: Any) -> dict[str, Any]:
    """Return an object field, which environment variables often hold as JSON text within JSON."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            value = None
    if not isinstance(value, dict):
        raise ConfigurationError(f"Connection '{conn_id}', field {name}: give a JSON object, as {{}}")
    return value


def _secrets(password: str | None, options: Mapping[str, Any]) -> Iterator[str]:
    if password:
        yield password
    for name in SECRET_FIELDS:
        yield from _texts(options.get(name))


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts of a field; an object's headers that never hold a secret stay readable."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, one in value.items():
            if key.lower() not in PLAIN_HEADERS:
                yield from _texts(one)


def _base_url(connection: ConnectionLike) -> str:
    """Join scheme, host and port; a host without a scheme is https, but for Airflow's own type ``http``."""
    host = (connection.host or "").strip()
    usual = "http" if connection.conn_type == "http" else "https"
    parts = _split(host if "://" in host else f"{connection.schema or usual}://{host}")
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
        raise ConfigurationError(
            f"Connection '{connection.conn_id}' has no usable host: give a base URL, as https://erp.example.com"
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ConfigurationError(
            f"Connection '{connection.conn_id}': the base URL must not hold credentials, "
            "a query or a fragment; use the login and password fields"
        )
    netloc = parts.netloc if parts.port or not connection.port else f"{parts.netloc}:{connection.port}"
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))


def _split(url: str) -> SplitResult | None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _login_kind(connection: ConnectionLike, options: Mapping[str, Any]) -> str:
    if connection.conn_type == "omnitron":
        return "omnitron"
    allowed = HTTP_KINDS if connection.conn_type == "http" else LOGIN_KINDS
    kind = options.get("login_kind", "basic" if connection.login else "none")
    if kind not in allowed:
        raise ConfigurationError(
            f"Connection '{connection.conn_id}': login_kind '{kind}' is not one of {', '.join(allowed)}"
        )
    return str(kind)
