"""Whole runs through a real Airflow: trigger to the end of the report, against the sandbox."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import plain
from figure import Figure
from processes import cpu_seconds

from order_cancellation.demo.environment import Place, find_place, free_ports
from order_cancellation.demo.made_up import Sandbox, connect, start_sandbox
from order_cancellation.demo.rest import ENDED
from order_cancellation.demo.runs import start_run, wait_for_flow
from order_cancellation.demo.standing import Standing, standing

ROOT = Path(__file__).resolve().parents[1]
FLOW = "bench"
FLOW_PER_CORE = "bench_per_core"
"""The same flow with as many batches as cores, which is fastest where the requests are many."""
ERP_LATENCY = 0.05
IN_FLIGHT = 16
MANY = 1000
ROUNDS = 3
LOOK_EVERY_S = 0.5
"""Looking at a run costs the API server time that the run's tasks need."""


def measure() -> list[Figure]:
    """Return the figures of the whole runs and of the plain script beside them."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, a_bench(Path(folder)) as bench:
        for flow in (FLOW, FLOW_PER_CORE):
            bench.run(0, flow)  # the first run after a start is slower
        return [*many(bench), *few(bench), change_of_schedule(bench)]


def many(bench: Bench) -> list[Figure]:
    script = min(bench.run_plain(MANY) for _ in range(ROUNDS))
    run = typical(bench.run(MANY) for _ in range(ROUNDS))
    per_core = typical(bench.run(MANY, FLOW_PER_CORE) for _ in range(ROUNDS))
    what = f"{MANY} requests, ERP {ERP_LATENCY * 1000:.0f} ms, {IN_FLIGHT} in flight"
    return [
        Figure(f"{what}: plain asyncio script", script, "s"),
        Figure(f"{what}: through Airflow, in twice that + 5 s", run.s, "s", most=2 * script + 5),
        Figure(f"{what}: ratio", run.s / script, "times"),
        cost(what, run),
        Figure(f"{what}: with a batch per core", per_core.s, "s"),
        cost(f"{what}: with a batch per core", per_core),
    ]


def few(bench: Bench) -> list[Figure]:
    figures = []
    for count, most in ((8, 10), (10, 7)):
        run = typical(bench.run(count) for _ in range(ROUNDS))
        figures += [
            Figure(f"{count} requests through Airflow", run.s, "s", most=most),
            cost(f"{count} requests", run),
        ]
    run = bench.run(0)
    return [
        *figures,
        Figure("empty poll", run.s, "s"),
        Figure("empty poll: task instances", run.tasks, least=3, most=3),
    ]


def change_of_schedule(bench: Bench) -> Figure:
    """Measure from the trigger of ``change_schedule`` until Airflow has what it wrote."""
    api = bench.airflow.api
    api.unpause("change_schedule")
    times = []
    for minute in range(ROUNDS):
        cron = f"{minute} 0 29 2 *"
        begun = time.perf_counter()
        api.trigger("change_schedule", f"bench-{minute}", {"flow": FLOW, "cron": cron})
        while (api.find_dag(FLOW) or {}).get("timetable_summary") != cron:
            bench.airflow.program.check()
            time.sleep(LOOK_EVERY_S)
        times.append(time.perf_counter() - begun)
    return Figure("a changed schedule in force, the slowest of three", max(times), "s", most=10)


def typical(runs: Iterable[Run]) -> Run:
    return sorted(runs, key=lambda run: run.s)[ROUNDS // 2]


def cost(what: str, run: Run) -> Figure:
    """Return what a run costs in processor time, which half of it is the floor of its time on two cores.

    It tells more than the time itself where the machine has other things to do.
    """
    return Figure(f"{what}: processor time, all processes", run.cpu_s, "s")


@dataclass(frozen=True)
class Run:
    """What a run cost: seconds, processor seconds of all processes, task instances that did something."""

    s: float
    cpu_s: float
    tasks: int


@dataclass
class Bench:
    """A running Airflow and a running sandbox."""

    airflow: Standing
    sandbox: Sandbox
    _next_id: Iterator[int] = field(default_factory=lambda: itertools.count(1, MANY))

    def run(self, count: int, flow: str = FLOW) -> Run:
        """Run a flow over requests that it has never seen."""
        self._begin(count)
        api = self.airflow.api
        before = self._cpu_s()
        run_id = start_run(api, flow)
        while (state := api.run(flow, run_id)["state"]) not in ENDED:
            self.airflow.program.check()
            time.sleep(LOOK_EVERY_S)
        cpu_s = self._cpu_s() - before
        assert state == "success", f"the run ended {state}"
        self._check(count)
        tasks = [task for task in api.tasks(flow, run_id) if task["state"] == "success"]
        return Run(seconds_of(api.run(flow, run_id)), cpu_s, len(tasks))

    def _cpu_s(self) -> float:
        return cpu_seconds(self.airflow.program.pid) + cpu_seconds(self.sandbox.program.pid)

    def run_plain(self, count: int) -> float:
        """Run the plain script over as many requests; return seconds."""
        self._begin(count)
        took, found = asyncio.run(plain.run(self.sandbox.url, IN_FLIGHT))
        assert found == count
        self._check(count)
        return took

    def _begin(self, count: int) -> None:
        requests = {"count": count, "first_id": next(self._next_id), "seed": "bench"}
        settings = {"erp_latency": ERP_LATENCY, "idempotency": True}
        self.sandbox.begin({"name": "bench", "requests": requests, "settings": settings})

    def _check(self, count: int) -> None:
        state = self.sandbox.state()
        assert (state["booked"], state["booked_twice"], state["writes"]) == (count, [], count), state


def seconds_of(run: dict[str, Any]) -> float:
    """Return the time from the trigger until the run's end."""
    queued, ended = (datetime.fromisoformat(run[name]) for name in ("queued_at", "end_date"))
    return (ended - queued).total_seconds()


@contextmanager
def a_bench(folder: Path) -> Iterator[Bench]:
    """Start an Airflow and a sandbox of their own, with the bench's flows."""
    place = a_place(folder)
    with standing(place) as airflow, a_sandbox(place) as sandbox:
        connect(airflow.api, sandbox.connections())
        for flow in (FLOW, FLOW_PER_CORE):
            wait_for_flow(airflow, flow)
        yield Bench(airflow, sandbox)


def a_place(folder: Path) -> Place:
    """Write the bench's flows, and say where an Airflow of the bench's own is to live."""
    make_flow(folder / "flows" / FLOW)
    make_flow(folder / "flows" / FLOW_PER_CORE, f"delivery: {{parallel_batches: {os.cpu_count()}}}\n")
    [port] = free_ports(1)
    own = {
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW_PORT": str(port),
        "AIRFLOW__ORDER_CANCELLATION__FLOWS_FOLDER": str(folder / "flows"),
    }
    return find_place(ROOT, {**without_airflow(os.environ), **own}).without_real_systems()


@contextmanager
def a_sandbox(place: Place) -> Iterator[Sandbox]:
    """Start a sandbox beside an Airflow."""
    place.home.mkdir(parents=True, exist_ok=True)  # for its log
    [port] = free_ports(1)
    sandbox = start_sandbox(place, port)
    with sandbox.program:
        sandbox.program.wait_until(sandbox.is_ready, 30, "The sandbox's start")
        yield sandbox


def make_flow(folder: Path, more: str = "") -> None:
    """Copy the demo's flow, every step of it, at the bench's concurrency."""
    shutil.copytree(ROOT / "include" / "flows" / "returns_to_erp", folder)
    file = folder / "flow.yaml"
    text = file.read_text()
    assert "concurrency: 8\n" in text
    file.write_text(text.replace("concurrency: 8\n", f"concurrency: {IN_FLIGHT}\n") + more)


def without_airflow(variables: Any) -> dict[str, str]:
    """Leave out what somebody has set for an Airflow of theirs."""
    return {name: value for name, value in variables.items() if not name.startswith("AIRFLOW")}
