"""What a SIGKILL leaves behind goes on by itself, and nothing is sent twice."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from live_airflow import FLOW, Live, write_flow
from order_cancellation.demo.environment import is_taken
from order_cancellation.demo.keeper import session_members
from order_cancellation.sandbox.thread import SandboxThread

pytestmark = pytest.mark.timeout(400)

SLOW = {"name": "all_fine", "requests": {"count": 8}, "settings": {"erp_latency": 2.5}}
CANCELLATIONS, REFUNDS = [1, 3, 5, 7], [2, 4, 6, 8]


@dataclass(frozen=True)
class Aftermath:
    """What became of two runs that were killed while the ERP was being called.

    Args:
        whole: The last state of the one that was killed with all of Airflow.
        task: The last state of the one whose task's process was killed.
        story: What both did, where one did not end well.
    """

    whole: str
    task: str
    story: str


@pytest.fixture(scope="module")
def aftermath(live: Live) -> Aftermath:
    """Kill both, one soon after the other: what is dead is noticed after some 40 s, which pass for both."""
    write_flow(live.flows, "killed_whole", FLOW.replace("cancel_type: all", "cancel_type: cancel"))
    write_flow(live.flows, "killed_task", FLOW.replace("cancel_type: all", "cancel_type: refund"))
    live.begin(SLOW)
    whole = live.start("killed_whole")
    live.wait(lambda: asked_for(live.sandbox, CANCELLATIONS), "the first call to the ERP")
    live.wait(lambda: not killed(live.airflow.program.pid), "the end of what was killed")
    live.wait(lambda: not is_taken(live.place.port), "the port")
    live.end()
    live.rise()
    task = live.start("killed_task")
    live.wait(lambda: asked_for(live.sandbox, REFUNDS), "the second flow's first call to the ERP")
    doomed = processes_of_one(live, "killed_task", task, "write_to_erp")
    assert len(doomed) == 2
    kill(doomed)
    ended = live.end_of("killed_whole", whole, seconds=150)
    other = live.end_of("killed_task", task, seconds=150)
    runs = {"killed_whole": (whole, ended), "killed_task": (task, other)}
    story = [live.story(flow, run) for flow, (run, state) in runs.items() if state != "success"]
    return Aftermath(ended, other, "\n\n".join(story))


def test_a_killed_airflow_takes_its_tasks_up_again(live, aftermath):
    """After a start the run ends, each booked once; how soon it goes on, ``make bench`` measures."""
    assert aftermath.whole == "success", aftermath.story
    assert [number for number in live.booked() if number in CANCELLATIONS] == CANCELLATIONS


def test_a_killed_task_is_retried_and_sends_nothing_twice(live, aftermath):
    """The process of a running write_to_erp was killed; Airflow's retry settles by the look-up."""
    assert aftermath.task == "success", aftermath.story
    assert [number for number in live.booked() if number in REFUNDS] == REFUNDS


def asked_for(sandbox: SandboxThread, numbers: list[int]) -> bool:
    """Whether the ERP has been asked to book any of these."""
    bodies = [call["body"] for call in sandbox.calls if call["path"] == "/erp/cancellations"]
    return any(json.loads(body)["request_id"] in numbers for body in bodies)


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


def processes_of_one(live: Live, flow: str, run_id: str, step: str) -> set[int]:
    """The process of one of a step's task instances, and its supervisor: their titles hold its id."""
    members = session_members(live.airflow.program.pid)
    for task in live.airflow.api.tasks(flow, run_id):
        if task["task_id"] == f"requests.{step}":
            found = {pid for pid in members if task["id"] in title_of(pid)}
            if len(found) > 1:
                return found
    return set()


def title_of(pid: int) -> str:
    """A process's command line."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")
    except OSError:
        return ""
