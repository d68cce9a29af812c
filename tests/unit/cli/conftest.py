"""The command line as a person has it: an installation of its own, and calls with what they print."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from order_cancellation import commands
from order_cancellation.cli import main
from order_cancellation.service.doctor import COORDINATOR, EXECUTOR, MASKED
from order_cancellation.service.settings import AirflowSettings, Settings

PLUGINS = Path(__file__).resolve().parents[3] / "plugins"


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """An installation without flows; Airflow's configuration is not asked."""
    settings = Settings(
        flows_folder=tmp_path / "flows",
        ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}",
        payload_keys=(Fernet.generate_key().decode(),),
    )
    monkeypatch.setattr(commands, "_settings", lambda: settings)
    airflow = AirflowSettings(EXECUTOR, frozenset(MASKED), COORDINATOR, PLUGINS)
    monkeypatch.setattr(commands, "_airflow_settings", lambda: airflow)
    monkeypatch.chdir(tmp_path)
    return settings


@pytest.fixture
def call(capsys, monkeypatch):
    """Run a call, and return its exit code, standard output and standard error."""

    def run(*words: str, stdin: bytes = b"") -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code
        out, err = capsys.readouterr()
        return code, out, err

    return run
