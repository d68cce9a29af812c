"""Airflow's own application in this process, with a caller for each role."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# by its full name a folder called airflow would be Airflow
from ..conftest import FILES, PLAIN_FLOW, WHOLE_FLOW, write_flow  # noqa: TID252

__all__ = ["FILES", "PLAIN_FLOW", "WHOLE_FLOW", "known", "write_flow"]

ROLES = ("viewer", "user", "op", "admin")
PREFIX = "/order-cancellation"


@pytest.fixture(scope="session")
def airflow_app(airflow_db) -> Any:
    """Airflow's API server, made once: with its plugins, so with our application mounted."""
    from airflow.api_fastapi.app import create_app

    return create_app(apps="core")


@pytest.fixture(scope="session")
def tokens(airflow_app) -> dict[str, str]:
    """A token for each role."""
    from airflow.api_fastapi.app import get_auth_manager
    from airflow.api_fastapi.auth.managers.simple.user import SimpleAuthManagerUser

    manager = get_auth_manager()
    return {
        role: manager.generate_jwt(SimpleAuthManagerUser(username=role, role=role.upper())) for role in ROLES
    }


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory) -> Path:
    """A ledger with nothing in it, to be copied: making one takes longer than most tests."""
    from order_cancellation.ledger.opening import open_database

    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def ledger_file(tmp_path, empty_ledger, monkeypatch) -> Iterator[Path]:
    """The ledger of one test."""
    from order_cancellation.api.place import close_ledger

    path = tmp_path / "ledger.db"
    shutil.copy(empty_ledger, path)
    monkeypatch.setenv("AIRFLOW__ORDER_CANCELLATION__LEDGER_URL", f"sqlite:///{path}")
    yield path
    close_ledger()


@pytest.fixture
def caller(airflow_app, tokens, flows, ledger_file) -> Callable[[str | None], Any]:
    """Return a client for a role, or for nobody; its base is our part of the API."""
    from starlette.testclient import TestClient

    def client(role: str | None = "admin") -> TestClient:
        headers = {} if role is None else {"Authorization": f"Bearer {tokens[role]}"}
        return TestClient(
            airflow_app, base_url=f"http://testserver{PREFIX}", headers=headers, raise_server_exceptions=False
        )

    return client


@contextmanager
def known(dag_id: str, file: str, **facts: Any) -> Iterator[None]:
    """Let Airflow know a DAG for a moment."""
    from airflow.models.dag import DagModel
    from airflow.models.dagbundle import DagBundleModel
    from airflow.utils.session import create_session
    from sqlalchemy import delete

    plain = {
        "is_stale": False,
        "is_paused": False,
        "max_active_tasks": 1,
        "has_task_concurrency_limits": False,
    }
    with create_session() as session:
        session.merge(DagBundleModel(name="dags"))
        session.flush()
        session.merge(
            DagModel(dag_id=dag_id, bundle_name="dags", relative_fileloc=file, **{**plain, **facts})
        )
    try:
        yield
    finally:
        with create_session() as session:
            session.execute(delete(DagModel).where(DagModel.dag_id == dag_id))
