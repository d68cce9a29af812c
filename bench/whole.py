"""Whole runs through a real Airflow: trigger to the end of the report, against the sandbox."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import plain

from order_cancellation.demo.environment import find_place, free_ports
from order_cancellation.demo.made_up import Sandbox, connect, start_sandbox
from order_cancellation.demo.runs import follow, start_run, wait_for_flow
from order_cancellation.demo.standing import Standing, standing

ROOT = Path(__file__).resolve().parents[1]
FLOW = "bench"
ERP_LATENCY = 0.05
IN_FLIGHT = 16
MANY = 1000
ROUNDS = 3


def measure() -> list[dict[str, Any]]:
    """Return the rows of the whole runs and of the plain script beside them."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, a_bench(Path(folder)) as bench:
        bench.run(0)  # the first run after a start is slower
        return [*many_rows(bench), *few_rows(bench)]


def many_rows(bench: Bench) -> list[dict[str, Any]]:
    script = min(bench.run_plain(MANY) for _ in range(ROUNDS))
    runs = [bench.run(MANY)[0] for _ in range(ROUNDS)]
    limit = 2 * script + 5
    what = f"{MANY} requests, ERP {ERP_LATENCY * 1000:.0f} ms, {IN_FLIGHT} in flight"
    run = statistics.median(runs)
    return [
        row(f"{what}: plain asyncio script", script, "s", ""),
        row(f"{what}: through Airflow", run, "s", f"< {limit:.1f} s (twice the script + 5 s)", run < limit),
        row(f"{what}: ratio", run / script, "x", ""),
    ]


def few_rows(bench: Bench) -> list[dict[str, Any]]:
    rows = []
    for count, most in ((8, 10), (10, 7)):
        took = statistics.median(bench.run(count)[0] for _ in range(ROUNDS))
        rows.append(row(f"{count} requests through Airflow", took, "s", f"< {most} s", took < most))
    took, tasks = bench.run(0)
    rows.append(row("empty poll", took, "s", ""))
    rows.append(row("empty poll: task instances", tasks, "", "3", tasks == 3))
    return rows


def row(name: str, value: float, unit: str, aim: str, holds: bool | None = None) -> dict[str, Any]:  # noqa: FBT001
    return {"name": name, "value": round(value, 2), "unit": unit, "aim": aim, "holds": holds}


@dataclass
class Bench:
    """A running Airflow and a running sandbox."""

    airflow: Standing
    sandbox: Sandbox
    _next_id: Iterator[int] = field(default_factory=lambda: itertools.count(1, MANY))

    def run(self, count: int) -> tuple[float, int]:
        """Run the flow over requests that it has never seen; return seconds and task instances."""
        self._begin(count)
        api = self.airflow.api
        run_id = start_run(api, FLOW)
        state = follow(self.airflow, FLOW, run_id, lambda *_: None)
        assert state == "success", f"the run ended {state}"
        self._check(count)
        tasks = [task for task in api.tasks(FLOW, run_id) if task["state"] == "success"]
        return seconds_of(api.run(FLOW, run_id)), len(tasks)

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
    """Start an Airflow and a sandbox of their own, with the demo's flow at the bench's concurrency."""
    make_flow(folder / "flows" / FLOW)
    port, sandbox_port = free_ports(2)
    own = {
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW_PORT": str(port),
        "AIRFLOW__ORDER_CANCELLATION__FLOWS_FOLDER": str(folder / "flows"),
    }
    place = find_place(ROOT, {**without_airflow(os.environ), **own}).without_real_systems()
    with standing(place) as airflow:
        sandbox = start_sandbox(place, sandbox_port)
        with sandbox.program:
            sandbox.program.wait_until(sandbox.is_ready, 30, "The sandbox's start")
            connect(airflow.api, sandbox.connections())
            wait_for_flow(airflow, FLOW)
            yield Bench(airflow, sandbox)


def make_flow(folder: Path) -> None:
    """Copy the demo's flow, every step of it, at the bench's concurrency."""
    shutil.copytree(ROOT / "include" / "flows" / "returns_to_erp", folder)
    file = folder / "flow.yaml"
    text = file.read_text()
    assert "concurrency: 8\n" in text
    file.write_text(text.replace("concurrency: 8\n", f"concurrency: {IN_FLIGHT}\n"))


def without_airflow(variables: Any) -> dict[str, str]:
    """Leave out what somebody has set for an Airflow of theirs."""
    return {name: value for name, value in variables.items() if not name.startswith("AIRFLOW")}
