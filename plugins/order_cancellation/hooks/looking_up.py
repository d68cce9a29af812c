"""Connections as the API server and the command line look them up, outside any task."""

from __future__ import annotations

from airflow.models.connection import Connection
from airflow.sdk.exceptions import AirflowNotFoundException

from order_cancellation.errors import ConfigurationError
from order_cancellation.hooks.endpoints import endpoint_from
from order_cancellation.http.endpoint import Endpoint

__all__ = ["look_up_endpoint"]


def look_up_endpoint(conn_id: str) -> Endpoint:
    """Look a connection up: environment, secrets backend, Airflow's database.

    Args:
        conn_id: The connection's name, as flows write it.

    Raises:
        ConfigurationError: There is none, or it is not complete; the message says what to do.
    """
    try:
        return endpoint_from(Connection.get_connection_from_secrets(conn_id))
    except AirflowNotFoundException:
        raise ConfigurationError(
            f"Connection '{conn_id}' does not exist: add it in Airflow under Admin, Connections."
        ) from None
