"""Settings as Airflow's configuration gives them; each in a new process: Airflow reads its home once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from order_cancellation.project import project_root
from order_cancellation.service.settings import Settings

CODE = """
import json
from order_cancellation.airflow_settings import read_settings
s = read_settings()
values = [str(s.flows_folder), s.ledger_url, s.payload_keys, s.script_isolation, s.script_packages]
print("\\n" + json.dumps(values))
"""


def settings_with(tmp_path: Path, **written: str) -> list:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    own = {f"AIRFLOW__ORDER_CANCELLATION__{name.upper()}": value for name, value in written.items()}
    core = {"AIRFLOW_HOME": str(tmp_path), "AIRFLOW__CORE__FERNET_KEY": "core-key"}
    environment = {**kept, **core, **own}
    done = subprocess.run(
        [sys.executable, "-c", CODE], env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def test_the_defaults_are_the_contracts(tmp_path):
    assert settings_with(tmp_path) == [
        str(project_root() / "include" / "flows"),
        f"sqlite:///{tmp_path / 'ledger.db'}",
        ["core-key"],
        "best",
        [],
    ]


def test_what_is_written_is_taken_and_lists_are_split(tmp_path):
    written = settings_with(
        tmp_path,
        flows_folder="/srv/flows",
        ledger_url="sqlite:////srv/l.db",
        payload_key="new, old",
        script_isolation="required",
        script_packages="requests, lxml",
    )
    assert written == ["/srv/flows", "sqlite:////srv/l.db", ["new", "old"], "required", ["requests", "lxml"]]


def test_no_secret_is_in_the_repr():
    settings = Settings(Path("/x"), "postgresql://u:hidden@h/db", ("key-one",))
    assert "hidden" not in repr(settings)
    assert "key-one" not in repr(settings)
