"""The made-up Omnitron and ERP that the demo talks to: the sandbox, as a program of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

from order_cancellation.demo.environment import LOOPBACK, Place
from order_cancellation.demo.programs import Program
from order_cancellation.demo.rest import AirflowApi
from order_cancellation.errors import ConfigurationError
from order_cancellation.sandbox.settings import Settings


@dataclass(frozen=True)
class Sandbox:
    """The fake Omnitron and the fake ERP, running.

    Args:
        port: Where both listen.
        program: Their process.
    """

    port: int
    program: Program

    @property
    def url(self) -> str:
        """The address of everything."""
        return f"http://{LOOPBACK}:{self.port}"

    def is_ready(self) -> bool:
        """Whether it answers."""
        try:
            return httpx.get(f"{self.url}/sandbox/state", trust_env=False, timeout=3).is_success
        except httpx.HTTPError:
            return False

    def begin(self, scenario: Mapping[str, Any]) -> None:
        """Begin a scenario with clean books."""
        answer = httpx.post(f"{self.url}/sandbox/scenario", json=scenario, trust_env=False, timeout=30)
        answer.raise_for_status()

    def state(self) -> dict[str, Any]:
        """Return what stands where, in numbers, and what is expected."""
        return dict(httpx.get(f"{self.url}/sandbox/state", trust_env=False, timeout=10).json())

    def writes(self) -> list[dict[str, Any]]:
        """Return what Omnitron was told, in its order."""
        told = httpx.get(f"{self.url}/sandbox/omnitron/writes", trust_env=False, timeout=10).json()
        return list(told)

    def connections(self) -> dict[str, dict[str, Any]]:
        """Return the Airflow connections that lead here."""
        made_up = Settings()
        return {
            "omnitron_default": {
                "conn_type": "omnitron",
                "description": "Made by make demo: the sandbox's Omnitron.",
                "host": f"http://{LOOPBACK}",
                # apart, since the Test button of Airflow 3.3 takes an empty port for a changed one
                "port": self.port,
                "login": made_up.omnitron_user,
                "password": made_up.omnitron_password,
            },
            "erp_default": {
                "conn_type": "erp",
                "description": "Made by make demo: the sandbox's ERP.",
                "host": f"http://{LOOPBACK}/erp",
                "port": self.port,
                "login": made_up.erp_user,
                "password": made_up.erp_password,
                "extra": json.dumps({"login_kind": made_up.erp_login, "login_url": "/login"}),
            },
        }


def start_sandbox(place: Place, port: int) -> Sandbox:
    """Start the sandbox; its program is to be stopped by the caller."""
    command = [place.program("order-cancellation"), "sandbox", "--port", str(port)]
    log = place.home / "sandbox.log"
    return Sandbox(port, Program("The sandbox", command, variables=place.variables, log=log))


def connect(api: AirflowApi, connections: Mapping[str, Mapping[str, Any]]) -> None:
    """Make the connections, where that takes nobody's real ones away.

    Raises:
        ConfigurationError: If one of these names leads to another machine.
    """
    for conn_id in connections:
        host = str((api.find_connection(conn_id) or {}).get("host") or "")
        if host and urlsplit(host).hostname not in (LOOPBACK, "localhost"):
            raise ConfigurationError(
                f"The connection {conn_id} of this Airflow leads to {host}, and the demo would replace it. "
                "Give the demo a home of its own: AIRFLOW_HOME=/tmp/airflow-demo make demo"
            )
    for conn_id, connection in connections.items():
        api.set_connection(conn_id, connection)
