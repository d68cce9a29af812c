"""A morning at a made-up merchant's: ten cancellation requests, one run, and what became of each."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from order_cancellation.demo.environment import LOOPBACK, Place
from order_cancellation.demo.programs import Program
from order_cancellation.demo.rest import ENDED, AirflowApi, Task
from order_cancellation.demo.standing import Standing
from order_cancellation.errors import ConfigurationError, OrderCancellationError
from order_cancellation.sandbox.scenarios import READY_MADE
from order_cancellation.sandbox.settings import Settings

FLOW = "returns_to_erp"
SCENARIO = "demo"

_DAG_WAIT = 90.0
_RUN_WAIT = 150.0
_LOOK_EVERY = 0.5


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

    def connections(self) -> dict[str, dict[str, Any]]:
        """Return the Airflow connections that lead here."""
        made_up = Settings()
        return {
            "omnitron_default": {
                "conn_type": "omnitron",
                "description": "Made by make demo: the sandbox's Omnitron.",
                "host": self.url,
                "login": made_up.omnitron_user,
                "password": made_up.omnitron_password,
            },
            "erp_default": {
                "conn_type": "erp",
                "description": "Made by make demo: the sandbox's ERP.",
                "host": f"{self.url}/erp",
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


def next_scenario(first_id: int) -> dict[str, Any]:
    """Return the demo's scenario with requests that no earlier morning had."""
    requests = {**READY_MADE[SCENARIO]["requests"], "first_id": first_id}
    return {"name": SCENARIO, "requests": requests}


def first_new_id(known: list[dict[str, Any]]) -> int:
    """Return the first request's number: behind all that the ledger knows."""
    usual = int(READY_MADE[SCENARIO]["requests"]["first_id"])
    return max([usual, *(int(request["id"]) + 1 for request in known)])


def list_requests(place: Place) -> list[dict[str, Any]]:
    """Return what the ledger knows of the demo's requests, by the command line that people use.

    Raises:
        ConfigurationError: If the command fails.
    """
    command = [place.program("order-cancellation"), "requests", "list", "--flow", FLOW, "--format", "json"]
    done = subprocess.run(  # noqa: S603  the project's own program
        command, env=dict(place.variables), capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise ConfigurationError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return list(json.loads(done.stdout))


def wait_for_flow(airflow: Standing) -> None:
    """Wait until Airflow has read the demo's flow.

    Raises:
        ConfigurationError: If it does not come, with the reason where Airflow tells one.
    """
    try:
        airflow.program.wait_until(lambda: _is_there(airflow.api), _DAG_WAIT, f"Reading the flow {FLOW}")
    except ConfigurationError as error:
        raise ConfigurationError("\n".join([str(error), *airflow.api.import_errors()])) from error


def _is_there(api: AirflowApi) -> bool:
    dag = api.find_dag(FLOW)
    if dag and any(tag["name"] == "broken" for tag in dag["tags"]):
        raise ConfigurationError(f"Flow '{FLOW}' is broken: .venv/bin/order-cancellation validate {FLOW}")
    return dag is not None


def start_run(api: AirflowApi) -> str:
    """Start a run and return its id; a run that an earlier, killed demo left behind is ended first."""
    for left in api.unfinished_runs(FLOW):
        api.end_run(FLOW, left)
    run_id = f"demo-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}"
    api.unpause(FLOW)
    api.trigger(FLOW, run_id)
    return run_id


def follow(airflow: Standing, run_id: str, show: Callable[[Sequence[Task], float], None]) -> str:
    """Show a run until it ends.

    Args:
        airflow: Where it runs.
        run_id: Which run.
        show: Gets the tasks and the seconds since the start, again and again.

    Returns:
        The run's last state, ``success`` or ``failed``.

    Raises:
        OrderCancellationError: If it takes too long.
    """
    begun = time.monotonic()
    while True:
        state = str(airflow.api.run(FLOW, run_id)["state"])
        seconds = time.monotonic() - begun
        show(airflow.api.tasks(FLOW, run_id), seconds)
        if state in ENDED:
            return state
        airflow.program.check()
        if seconds > _RUN_WAIT:
            raise OrderCancellationError(
                f"The run did not end within {_RUN_WAIT:.0f} s: {run_url(airflow, run_id)}"
            )
        time.sleep(_LOOK_EVERY)


def run_url(airflow: Standing, run_id: str) -> str:
    """Return the address of a run's page."""
    return f"{airflow.place.url}/dags/{FLOW}/runs/{quote(run_id, safe='')}"
