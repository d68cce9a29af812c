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
print("dag", "order_cancellation.dag" in sys.modules, "jolt", "order_cancellation.jolt" in sys.modules)
print("service.runs", "order_cancellation.service.runs" in sys.modules)
"""


@pytest.mark.parametrize(
    ("command", "read", "run"),
    [
        (["scheduler"], True, True),
        (["dag-processor"], True, False),
        (["celery", "worker"], False, False),
        (["api-server"], False, False),
    ],
    ids=["scheduler", "dag-processor", "celery worker", "api-server"],
)
def test_makes_ready_what_is_forked_from_the_process(command, read, run) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOADED, *command],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
        timeout=120,
    )
    assert ended.stdout.splitlines()[-3:] == ["api False", f"dag {read} jolt {read}", f"service.runs {run}"]
    assert "could not be made ready" not in ended.stderr + ended.stdout
