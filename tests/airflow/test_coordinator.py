"""When a task's slot is free again, and where what it says is found."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from order_cancellation.project import read_environment

from .conftest import ROOT

RUN_A_TASK = '''
import os, sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from uuid import uuid4

import structlog
from airflow.sdk.api.datamodels._generated import BundleInfo, DagRun, TaskInstance, TIRunContext
from airflow.sdk.execution_time.coordinator import get_coordinator_manager

SUPERVISOR = os.getpid()


def close_everything_and_end_later():
    """Be a task whose process takes long from its last socket's end to its own."""
    os.closerange(0, 64)
    while "(sleeping)" not in (Path("/proc") / str(SUPERVISOR) / "status").read_text():
        pass
    os._exit(0)


def say_something():
    """Be a task that prints a line."""
    print("what the task says", flush=True)
    os._exit(0)


now = datetime.now(UTC)
run = DagRun.model_construct(dag_id="d", run_id="r", logical_date=None, start_date=now, run_after=now)
context = TIRunContext.model_construct(dag_run=run, max_tries=0, should_retry=False, start_date=None)
tasks = SimpleNamespace(
    start=lambda *_: context, finish=lambda **_: None, heartbeat=lambda *_, **__: None
)
coordinator = get_coordinator_manager().for_queue("default")
result = coordinator.execute_task(
    what=TaskInstance.model_construct(
        id=uuid4(), task_id="t", dag_id="d", run_id="r", try_number=1, map_index=-1, dag_version_id=uuid4()
    ),
    dag_rel_path="d.py",
    bundle_info=BundleInfo(name="b"),
    client=SimpleNamespace(task_instances=tasks),
    logger=structlog.wrap_logger(structlog.PrintLogger(open(os.devnull, "w"))).bind(),  # the task's own log
    subprocess_logs_to_stdout=True,
    target=globals()[sys.argv[1]],
)
print(type(coordinator).__name__, result.exit_code)
'''


@pytest.mark.skipif(
    not hasattr(os, "pidfd_open"), reason="the system tells no end of a process by a descriptor"
)
def test_a_slot_is_free_as_soon_as_its_task_has_ended() -> None:
    """The next heartbeat, which Airflow alone would wait for, is an hour away."""
    ended = run_a_task("close_everything_and_end_later", AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL="3600")
    assert ended.stdout.splitlines()[-1:] == ["PromptCoordinator 0"], ended.stderr


def test_what_a_task_says_is_not_printed_among_the_lines_of_airflow_s_programs() -> None:
    assert "what the task says" not in run_a_task("say_something").stdout


def test_whoever_sets_nothing_finds_it_there_as_in_airflow() -> None:
    ours = {"prompt": {"classpath": "order_cancellation.airflow_coordinator.PromptCoordinator"}}
    ended = run_a_task("say_something", AIRFLOW__SDK__COORDINATORS=json.dumps(ours))
    assert "what the task says" in ended.stdout


def run_a_task(target: str, **variables: str) -> subprocess.CompletedProcess[str]:
    settings = read_environment(ROOT)
    coordinators = {name: settings[name] for name in settings if name.startswith("AIRFLOW__SDK__")}
    return subprocess.run(
        [sys.executable, "-c", RUN_A_TASK, target],
        env={**os.environ, **coordinators, **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
