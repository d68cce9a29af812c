"""What the plugin file costs the processes that Airflow runs it in."""

from __future__ import annotations

import subprocess
import sys

import pytest

from .conftest import ROOT

LOADED = """
import sys
sys.argv = ["airflow", *sys.argv[1:]]
sys.path.insert(0, "plugins")
import order_cancellation_plugin
print("api", "order_cancellation.api.app" in sys.modules)
print("service.runs", "order_cancellation.service.runs" in sys.modules)
"""


@pytest.mark.parametrize(
    ("command", "ahead"),
    [(["scheduler"], True), (["celery", "worker"], False), (["api-server"], False)],
    ids=["scheduler", "celery worker", "api-server"],
)
def test_makes_the_engine_ready_in_the_scheduler_only(command, ahead) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *command],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=120,
    )
    assert ended.stdout.splitlines()[-2:] == ["api False", f"service.runs {ahead}"]
    assert "could not be made ready" not in ended.stderr + ended.stdout
