"""Airflow for tests: its environment is set before anything imports it, since it is read at import."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
HOME = Path(tempfile.mkdtemp(prefix="airflow-test-"))
FLOWS = HOME / "flows"

os.environ.update(
    {
        "AIRFLOW_HOME": str(HOME),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(ROOT / "plugins"),
        "AIRFLOW__CORE__FERNET_KEY": "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s=",
        "AIRFLOW__API_AUTH__JWT_SECRET": "test" * 32,
        "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
        "AIRFLOW__CORE__SENSITIVE_VAR_CONN_NAMES": "login_headers,extra_body",  # as airflow.env has it
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin,op:op,user:user,viewer:viewer",
        "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{HOME}/airflow.db",
        "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(HOME / "logs"),
        "AIRFLOW__ORDER_CANCELLATION__FLOWS_FOLDER": str(FLOWS),
        "AIRFLOW__ORDER_CANCELLATION__LEDGER_URL": f"sqlite:///{HOME}/ledger.db",
    }
)
for name in [name for name in os.environ if name.startswith("AIRFLOW_CONN_")]:
    del os.environ[name]

PLAIN_FLOW = """\
get_data: {connection: omnitron_default, cancel_type: all, status: approved}
write_to_erp: {connection: erp_default, url: /cancellations, method: POST}
write_to_omnitron: {on_success: {status: completed}}
"""

WHOLE_FLOW = """\
title: Acme to SAP
description: Cancellations of Acme.
owner: integration
tags: [acme]
get_data: {connection: omnitron_default, cancel_type: refund, status: approved, channel_id: 2}
script: {file: script.py}
mapping: {file: mapping.json}
write_to_erp: {connection: erp_default, url: /cancellations, method: POST}
custom_response: {file: response.py}
write_to_omnitron: {on_success: {status: completed}, on_failure: {tag: refused}}
post_script: {file: post.py}
delivery: {task_retries: 1, task_retry_delay: 1s}
"""

FILES = {
    "script.py": 'session.putAttribute(flowFile, "seen", "yes")\n',
    "mapping.json": '[{"operation": "shift", "spec": {"id": "id", "uuid": "uuid"}}]',
    "response.py": (
        'status = get_attribute("invokehttp.status.code")\n'
        'relation = {"2": "continue"}.get(status[:1], "auth_fail" if status == "401" else "failure")\n'
        'session.putAttribute("relation", relation)\n'
    ),
    "post.py": 'session.putAttribute(flowFile, "told", "yes")\n',
}


def pytest_configure(config: pytest.Config) -> None:
    """Excuse a warning of Airflow's own, whenever it reads an ``.airflowignore``."""
    config.addinivalue_line("filterwarnings", "ignore:GitWildMatchPattern:DeprecationWarning")


def write_flow(folder: Path, flow_id: str, text: str = PLAIN_FLOW) -> Path:
    """Write a flow's folder with every file that a flow here may name."""
    home = folder / flow_id
    home.mkdir(parents=True, exist_ok=True)
    for file, content in FILES.items():
        (home / file).write_text(content)
    (home / "flow.yaml").write_text(text)
    return home


def make_loaded(text: str = PLAIN_FLOW, flow_id: str = "acme") -> Any:
    """Make a loaded flow without a disk."""
    from order_cancellation.flow.store import open_files

    files = {name: content.encode() for name, content in FILES.items()}
    return open_files(flow_id, {**files, "flow.yaml": text.encode()})


@pytest.fixture
def flows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty flows folder of the test's own."""
    folder = tmp_path / "flows"
    folder.mkdir()
    monkeypatch.setenv("AIRFLOW__ORDER_CANCELLATION__FLOWS_FOLDER", str(folder))
    return folder


@pytest.fixture(scope="session")
def airflow_db() -> Iterator[None]:
    """Airflow's own database, once for all tests."""
    from airflow.utils import db

    db.initdb()
    return
