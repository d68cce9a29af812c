"""A crash of all of Airflow in the middle of a run: how soon the run goes on once Airflow is there again."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from figure import Figure
from whole import FLOW, LOOK_EVERY_S, a_place, a_sandbox

from order_cancellation.demo.environment import is_taken
from order_cancellation.demo.keeper import session_members
from order_cancellation.demo.made_up import Sandbox, connect
from order_cancellation.demo.rest import ENDED, Task
from order_cancellation.demo.runs import start_run, wait_for_flow
from order_cancellation.demo.standing import Standing, standing

COUNT = 8
SLOW = {
    "name": "bench",
    "requests": {"count": COUNT, "seed": "bench"},
    "settings": {"erp_latency": 2.5, "idempotency": True},
}
Place = tuple[str, int]
"""A task instance's step and batch."""
MOST_S = 60
"""The scheduler's silence and the pause between two looks for what it left, as ``airflow.env`` sets them."""


def measure() -> list[Figure]:
    """Return the seconds from Airflow's second start until each task that the crash ended has begun again."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = a_place(Path(folder))
        with a_sandbox(place) as sandbox:
            sandbox.begin(SLOW)
            with standing(place) as airflow:
                connect(airflow.api, sandbox.connections())
                wait_for_flow(airflow, FLOW)
                run_id = start_run(airflow.api, FLOW)
                wait_for_the_first_booking(airflow, sandbox)
                interrupted = running(airflow, run_id)
                crash(airflow)
            while is_taken(place.port):
                time.sleep(LOOK_EVERY_S)
            with standing(place) as airflow:
                begun = time.perf_counter()
                again = seconds_until_begun_again(airflow, run_id, interrupted, begun)
                ended = seconds_until_ended(airflow, run_id, begun)
            state = sandbox.state()
    assert (state["booked"], state["booked_twice"]) == (COUNT, []), state
    return [
        Figure("all of Airflow killed: each running task begun again", again, "s", most=MOST_S),
        Figure("all of Airflow killed: the run of eight requests ended", ended, "s"),
    ]


def wait_for_the_first_booking(airflow: Standing, sandbox: Sandbox) -> None:
    while not sandbox.state()["booked"]:
        airflow.program.check()
        time.sleep(LOOK_EVERY_S)


def crash(airflow: Standing) -> None:
    """Kill every process of this Airflow, and those that were started meanwhile."""
    while members := session_members(airflow.program.pid):
        for pid in members:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.1)


def running(airflow: Standing, run_id: str) -> dict[Place, str]:
    """Return the task instances that are under way, with the times at which they began."""
    tasks = airflow.api.tasks(FLOW, run_id)
    return {place_of(task): task["start_date"] for task in tasks if task["state"] == "running"}


def place_of(task: Task) -> Place:
    """Return what a task instance keeps when it is tried again; its id is another one each time."""
    return task["task_id"], task["map_index"]


def seconds_until_begun_again(
    airflow: Standing, run_id: str, interrupted: dict[Place, str], begun: float
) -> float:
    waiting = set(interrupted)
    while waiting:
        airflow.program.check()
        time.sleep(LOOK_EVERY_S)
        tasks = {place_of(task): task["start_date"] for task in airflow.api.tasks(FLOW, run_id)}
        waiting = {each for each in waiting if tasks[each] in (None, interrupted[each])}
    return time.perf_counter() - begun


def seconds_until_ended(airflow: Standing, run_id: str, begun: float) -> float:
    while (state := airflow.api.run(FLOW, run_id)["state"]) not in ENDED:
        airflow.program.check()
        time.sleep(LOOK_EVERY_S)
    assert state == "success", f"the run ended {state}"
    return time.perf_counter() - begun
