"""The environment that Airflow's processes get: ``airflow.env``, and what follows from the ports."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from order_cancellation.errors import ConfigurationError
from order_cancellation.project import read_environment

AIRFLOW_PORT = 8080
SANDBOX_PORT = 8090
LOOPBACK = "127.0.0.1"

_REAL_SYSTEMS = (
    "AIRFLOW_CONN_OMNITRON_DEFAULT",
    "AIRFLOW_CONN_ERP_DEFAULT",
    "AIRFLOW__SECRETS__BACKEND",
    "AIRFLOW__WORKERS__SECRETS_BACKEND",
)
_LAST_PORT = 65_535


def read_port(name: str, default: int, given: Mapping[str, str]) -> int:
    """Return a port that a variable may set.

    Raises:
        ConfigurationError: If it is no port.
    """
    text = given.get(name) or str(default)
    if not text.isdecimal() or not 0 < int(text) <= _LAST_PORT:
        raise ConfigurationError(f"{name}={text} is no port. Give a number from 1 to {_LAST_PORT}.")
    return int(text)


@dataclass(frozen=True)
class Place:
    """Where this project's Airflow lives on this machine.

    Args:
        root: The project's root.
        variables: The whole environment for Airflow's processes.
        port: The port of its pages and APIs.
    """

    root: Path
    variables: Mapping[str, str]
    port: int

    @property
    def home(self) -> Path:
        """The folder of Airflow's database, logs and keys, and of the ledger."""
        return Path(self.variables["AIRFLOW_HOME"])

    @property
    def url(self) -> str:
        """The address that people open."""
        return f"http://localhost:{self.port}"

    @property
    def api(self) -> str:
        """The address for programs on this machine: a number, since ``localhost`` may first mean ``::1``."""
        return f"http://{LOOPBACK}:{self.port}"

    def program(self, name: str) -> str:
        """Return the path of a program of the project's own ``.venv``."""
        return str(self.root / ".venv" / "bin" / name)

    def without_real_systems(self) -> Place:
        """Return this place without variables by which a demo could reach somebody's real systems."""
        kept = {name: value for name, value in self.variables.items() if name not in _REAL_SYSTEMS}
        return replace(self, variables=kept)


def find_place(root: Path, given: Mapping[str, str]) -> Place:
    """Return where Airflow lives, by ``airflow.env`` and the variables that are set already, which win.

    Args:
        root: The project's root.
        given: The variables that are set, usually ``os.environ``.

    Raises:
        ConfigurationError: If a setting cannot be read.
    """
    port = read_port("AIRFLOW_PORT", AIRFLOW_PORT, given)
    variables = {**read_environment(root), **given, **_derived(port)}
    variables["AIRFLOW_HOME"] = str((root / variables["AIRFLOW_HOME"]).resolve())
    # standalone starts its parts as "airflow …", found by the path
    variables["PATH"] = f"{root / '.venv' / 'bin'}:{variables.get('PATH', '')}"
    proxied = variables.get("NO_PROXY") or variables.get("no_proxy")
    variables["NO_PROXY"] = variables["no_proxy"] = ",".join(filter(None, [proxied, LOOPBACK, "localhost"]))
    # with it, each of Airflow's many processes would compile our package anew
    variables.pop("PYTHONDONTWRITEBYTECODE", None)
    return Place(root, variables, port)


def _derived(port: int) -> dict[str, str]:
    # workers never read the API's port, only these two addresses; the log servers' usual ports are fixed ones
    # (8793, 8794), on which a second Airflow would fail
    worker_logs, trigger_logs = free_ports(2)
    return {
        "AIRFLOW__API__PORT": str(port),
        "AIRFLOW__API__BASE_URL": f"http://localhost:{port}",
        "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"http://{LOOPBACK}:{port}/execution/",
        "AIRFLOW__LOGGING__WORKER_LOG_SERVER_PORT": str(worker_logs),
        "AIRFLOW__LOGGING__TRIGGER_LOG_SERVER_PORT": str(trigger_logs),
    }


def free_ports(count: int) -> list[int]:
    """Return ports that nobody uses just now; all are held while looking, so that they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def is_taken(port: int) -> bool:
    """Whether somebody on this machine listens on a port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((LOOPBACK, port)) == 0
