"""What a SIGKILL leaves behind goes on by itself, and nothing is sent twice."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from live_airflow import write_flow
from order_cancellation.demo.environment import is_taken
from order_cancellation.demo.keeper import session_members
from order_cancellation.sandbox.thread import SandboxThread

pytestmark = pytest.mark.timeout(400)

FOUR = {"name": "all_fine", "requests": {"count": 4}}
SLOW = {**FOUR, "settings": {"erp_latency": 2.5}}


def test_a_killed_airflow_takes_its_tasks_up_again_within_a_minute(live):
    """Everything is killed while the ERP is being called; after a start the run ends, each booked once."""
    write_flow(live.flows, "killed_whole")
    live.begin(SLOW)
    run_id = live.start("killed_whole")
    live.wait(lambda: being_booked(live.sandbox) > 0, "the first call to the ERP")
    live.wait(lambda: not killed(live.airflow.program.pid), "the end of what was killed")
    live.wait(lambda: not is_taken(live.place.port), "the port")
    live.end()
    live.begin(FOUR, keep=True)
    live.rise()
    begun = time.monotonic()
    state = live.end_of("killed_whole", run_id, seconds=150)
    took = time.monotonic() - begun

    assert state == "success"
    assert live.booked() == [1, 2, 3, 4]
    assert took < 100


def test_a_killed_task_is_retried_and_sends_nothing_twice(live):
    """The process of a running write_to_erp is killed; Airflow's retry settles by the look-up."""
    write_flow(live.flows, "killed_task")
    live.begin(SLOW)
    run_id = live.start("killed_task")
    live.wait(lambda: being_booked(live.sandbox) > 0, "the first call to the ERP")
    kill(task_processes(live.airflow.program.pid, "write_to_erp"))
    state = live.end_of("killed_task", run_id, seconds=150)

    assert state == "success"
    assert live.booked() == [1, 2, 3, 4]


def being_booked(sandbox: SandboxThread) -> int:
    """How many bookings the ERP has been asked for."""
    return sum(call["path"].startswith("/erp/cancellations") for call in sandbox.calls)


def killed(session: int) -> set[int]:
    """Kill whoever is in a session; whom that has hit, for they may have started others meanwhile."""
    members = session_members(session)
    kill(members)
    return members


def kill(pids: set[int]) -> None:
    """SIGKILL for each of these processes, which this test has started."""
    for pid in pids:
        if pid > 1:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue


def task_processes(session: int, step: str) -> set[int]:
    """The processes of running task instances, by the title that Airflow gives them."""
    return {pid for pid in session_members(session) if step in title_of(pid)}


def title_of(pid: int) -> str:
    """A process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
