"""Runs of flows in this process: Airflow's own ``dag.test()``, and the same loop again after a clear."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from order_cancellation.dag import build_dag
from order_cancellation.flow.store import FlowStore
from order_cancellation.sandbox.thread import SandboxThread

States = dict[tuple[str, int], str]
"""State by task id (without the group's name) and map index."""


def connect(
    monkeypatch: pytest.MonkeyPatch, sandbox: SandboxThread, *, password: str = "omnitron-secret"
) -> None:
    """Set the two connections of the flows here to a sandbox."""
    omnitron = {
        "conn_type": "omnitron",
        "host": sandbox.omnitron_url,
        "login": "omnitron",
        "password": password,
    }
    erp = {
        "conn_type": "erp",
        "host": sandbox.erp_url,
        "login": "erp",
        "password": "erp-secret",
        "extra": {"login_kind": "jwt", "login_url": "login"},
    }
    monkeypatch.setenv("AIRFLOW_CONN_OMNITRON_DEFAULT", json.dumps(omnitron))
    monkeypatch.setenv("AIRFLOW_CONN_ERP_DEFAULT", json.dumps(erp))


class Running:
    """One flow's runs.

    Args:
        folder: The flows folder.
        flow_id: The flow.
    """

    def __init__(self, folder: Path, flow_id: str) -> None:
        self.dag = build_dag(FlowStore(folder).load(flow_id))

    def start(self, conf: dict[str, Any] | None = None) -> Any:
        """Run the flow once, to its end, and return Airflow's run."""
        return self.dag.test(run_conf=conf or {})

    def clear_failed(self, run: Any) -> set[tuple[str, int]]:
        """Press *Clear → only failed* through Airflow's REST API, and return what that cleared."""
        body = {
            "dry_run": False,
            "only_failed": True,
            "include_downstream": True,
            "reset_dag_runs": True,
            "dag_run_id": run.run_id,
        }
        with api_client() as client:
            answer = client.post(f"/api/v2/dags/{self.dag.dag_id}/clearTaskInstances", json=body)
        assert answer.status_code == 200, answer.text
        return {(bare(one["task_id"]), one["map_index"]) for one in answer.json()["task_instances"]}

    def go_on(self, run: Any) -> Any:
        """Run what is open in a run, as a scheduler would, and return the run as it is then."""
        from airflow.models.dagrun import DagRun
        from airflow.sdk.definitions.dag import _run_task
        from airflow.serialization.serialized_objects import DagSerialization
        from airflow.utils.session import create_session
        from sqlalchemy import select

        with create_session() as session:
            again = session.scalar(
                select(DagRun).where(DagRun.dag_id == run.dag_id, DagRun.run_id == run.run_id)
            )
            again.dag = DagSerialization.deserialize_dag(DagSerialization.serialize_dag(self.dag))
            again.state = "running"
            for _ in range(50):
                session.expire_all()
                open_tis, _ = again.update_state(session=session)
                if again.state != "running":
                    return again
                for ti in open_tis:
                    ti.try_number += 1
                    ti.state = "scheduled"
                session.commit()
                for ti in open_tis:
                    _run_task(ti=ti, task=self.dag.task_dict[ti.task_id])
        raise AssertionError("the run does not end")


@contextmanager
def api_client() -> Iterator[Any]:
    """Airflow's REST API in this process, as an admin."""
    from airflow.api_fastapi.app import create_app, purge_cached_app
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser
    from fastapi.testclient import TestClient

    purge_cached_app()
    app = create_app(apps="core")
    token = app.state.auth_manager.generate_jwt(SimpleAuthManagerUser(username="ada", role="admin"))
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as client:
        yield client


def bare(task_id: str) -> str:
    return task_id.removeprefix("requests.")


def states(run: Any) -> States:
    """Return the state of each of a run's task instances."""
    return {(bare(ti.task_id), ti.map_index): str(ti.state) for ti in run.get_task_instances()}


def labels(run: Any) -> set[str]:
    """Return the names of the rows of Airflow's grid."""
    return {ti.rendered_map_index for ti in run.get_task_instances() if ti.map_index >= 0}


def tries(run: Any) -> dict[tuple[str, int], int]:
    """Return how often each task instance ran."""
    return {(bare(ti.task_id), ti.map_index): ti.try_number for ti in run.get_task_instances()}
