"""Airflow's REST API, as far as the demo and the benchmark speak it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from order_cancellation.errors import ConfigurationError, OrderCancellationError, Refused

PARTS = {
    "metadatabase": "database",
    "scheduler": "scheduler",
    "dag_processor": "DAG processor",
    "triggerer": "triggerer",
}
"""What Airflow calls its parts, and what people are told."""
ENDED = ("success", "failed")
PASSWORDS_FILE = "simple_auth_manager_passwords.json.generated"

_PAUSES = (0.5, 1.0, 2.0, 4.0)

Task = Mapping[str, Any]


class NoGoodAnswer(OrderCancellationError):
    """Airflow did not answer, or with an error of its own, and calling again may help."""


def read_password(home: Path, user: str = "admin") -> str:
    """Return the password that Airflow made for a user at its first start.

    Raises:
        ConfigurationError: If there is none.
    """
    try:
        return str(json.loads((home / PASSWORDS_FILE).read_text())[user])
    except (OSError, ValueError, KeyError) as cause:
        raise ConfigurationError(f"{home / PASSWORDS_FILE} holds no password of {user}.") from cause


class AirflowApi:
    """A user of Airflow's REST API.

    Args:
        url: Airflow's address, without path.
        sleep: Waits the given seconds; tests put something else here.
        transport: For tests: what answers instead of a network.
    """

    def __init__(
        self,
        url: str,
        *,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._sleep = sleep
        # no proxies: it is this machine that is spoken to
        self._client = httpx.Client(base_url=url, timeout=20, trust_env=False, transport=transport)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def is_healthy(self) -> bool:
        """Whether all four parts are; Airflow answers 200 even when they are not."""
        return not self.silent_parts()

    def silent_parts(self) -> list[str]:
        """Name the parts that give no sign of life; where nobody answers, the API server."""
        try:
            parts = self._client.get("/api/v2/monitor/health", timeout=3).json()
        except (httpx.HTTPError, ValueError):
            return ["API server"]
        return [name for part, name in PARTS.items() if (parts.get(part) or {}).get("status") != "healthy"]

    def sign_in(self, user: str, password: str) -> None:
        """Get a token, and use it from now on.

        Raises:
            Refused: If Airflow does not let this user in.
        """
        answer = self._call("POST", "/auth/token", json={"username": user, "password": password})
        self._client.headers["Authorization"] = f"Bearer {answer['access_token']}"

    def find_connection(self, conn_id: str) -> dict[str, Any] | None:
        """Return a connection without its secrets, or None."""
        return self._find(f"/api/v2/connections/{conn_id}")

    def set_connection(self, conn_id: str, connection: Mapping[str, Any]) -> None:
        """Make a connection, or change it."""
        body = {"connection_id": conn_id, **connection}
        if self.find_connection(conn_id) is None:
            self._call("POST", "/api/v2/connections", json=body, also=httpx.codes.CONFLICT)
        else:
            self._call("PATCH", f"/api/v2/connections/{conn_id}", json=body)

    def find_dag(self, dag_id: str) -> dict[str, Any] | None:
        """Return a DAG, or None while Airflow does not know it."""
        return self._find(f"/api/v2/dags/{dag_id}")

    def unpause(self, dag_id: str) -> None:
        """Let a DAG run."""
        self._call("PATCH", f"/api/v2/dags/{dag_id}", json={"is_paused": False})

    def import_errors(self) -> list[str]:
        """Return why files of the DAG folder could not be read."""
        found = self._call("GET", "/api/v2/importErrors")["import_errors"]
        return [str(each["stack_trace"]) for each in found]

    def trigger(self, dag_id: str, run_id: str, conf: Mapping[str, Any] | None = None) -> None:
        """Start a run. The run's id is ours, so that a repeat after a lost answer starts no second one."""
        body = {"logical_date": None, "dag_run_id": run_id, "conf": dict(conf or {})}
        self._call("POST", f"/api/v2/dags/{dag_id}/dagRuns", json=body, also=httpx.codes.CONFLICT)

    def run(self, dag_id: str, run_id: str) -> dict[str, Any]:
        """Return a run, with its ``state``, ``start_date`` and ``end_date``."""
        return dict(self._call("GET", _run_path(dag_id, run_id)))

    def unfinished_runs(self, dag_id: str) -> list[str]:
        """Return the ids of the runs that have not ended."""
        query = {"state": ["queued", "running"], "limit": 100}
        runs = self._call("GET", f"/api/v2/dags/{dag_id}/dagRuns", params=query)["dag_runs"]
        return [str(run["dag_run_id"]) for run in runs]

    def end_run(self, dag_id: str, run_id: str) -> None:
        """End a run as failed, with all its tasks."""
        self._call("PATCH", _run_path(dag_id, run_id), json={"state": "failed"})

    def tasks(self, dag_id: str, run_id: str) -> list[dict[str, Any]]:
        """Return a run's task instances."""
        path = f"{_run_path(dag_id, run_id)}/taskInstances"
        return list(self._call("GET", path, params={"limit": 200})["task_instances"])

    def _find(self, path: str) -> dict[str, Any] | None:
        answer = self._ask("GET", path, also=httpx.codes.NOT_FOUND)
        return None if answer.status_code == httpx.codes.NOT_FOUND else dict(answer.json())

    def _call(self, method: str, path: str, *, also: int = 0, **more: Any) -> Any:
        answer = self._ask(method, path, also=also, **more)
        return answer.json() if answer.content else {}

    def _ask(self, method: str, path: str, *, also: int, **more: Any) -> httpx.Response:
        """Call, and again while SQLite is busy: Airflow answers 500 when several write at a time."""
        for pause in _PAUSES:
            try:
                return self._once(method, path, also=also, **more)
            except NoGoodAnswer:
                self._sleep(pause)
        return self._once(method, path, also=also, **more)

    def _once(self, method: str, path: str, *, also: int, **more: Any) -> httpx.Response:
        call = f"Airflow, {method} {path}"
        try:
            answer = self._client.request(method, path, **more)
        except httpx.HTTPError as cause:
            raise NoGoodAnswer(f"{call}: no answer ({type(cause).__name__}).") from cause
        if answer.is_success or answer.status_code == also:
            return answer
        words = f"{call}: {answer.status_code} {answer.text[:500]}"
        if answer.is_server_error:
            raise NoGoodAnswer(words)
        raise Refused(words, status=answer.status_code)


def _run_path(dag_id: str, run_id: str) -> str:
    return f"/api/v2/dags/{dag_id}/dagRuns/{quote(run_id, safe='')}"
