"""A real Airflow, as `make demo` starts it, with a home and a flows folder of its own, and the sandbox."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from order_cancellation.demo.environment import Place, find_place, free_ports
from order_cancellation.demo.standing import Standing, standing
from order_cancellation.sandbox.thread import SandboxThread

ROOT = Path(__file__).parents[1]
ENDED = ("success", "failed")

FLOW = """
title: Every step
tags: [live]
get_data: {connection: omnitron_default, cancel_type: all, status: approved}
script: {file: script.py}
mapping: {file: mapping.json}
write_to_erp:
  connection: erp_default
  url: /cancellations
  method: POST
  look_up: {url: "/cancellations/{{ request.uuid }}", found: "$.found", after: 0s}
custom_response: {file: response.py}
write_to_omnitron: {on_success: {status: completed}}
post_script: {file: post.py}
delivery: {lease: 5s, task_retries: 2, task_retry_delay: 1s}
"""
FILES = {
    "script.py": (
        "import json\n"
        "request = json.loads(input_text)\n"
        'session.putAttribute("log.sku", request["order_item"]["product"]["sku"])\n'
        "outputStream.write(json.dumps(request))\n"
    ),
    "mapping.json": (
        '[{"operation": "shift", "spec": {"id": "request_id", "uuid": "reference", "iban": "iban",'
        ' "customer": {"email": "mail", "first_name": "name"}}}]'
    ),
    "response.py": (
        'status = get_attribute("invokehttp.status.code")\n'
        'known = {"200": "continue", "201": "continue", "401": "auth_fail"}\n'
        'session.putAttribute("relation", known.get(status, "failure"))\n'
    ),
    "post.py": 'session.putAttribute("log.done", get_attribute("request.id"))\n',
}


class Live:
    """A running Airflow with the sandbox behind its connections.

    Args:
        place: Where it lives.
        sandbox: What its connections lead to.
        flows: Its flows folder.
    """

    airflow: Standing
    lives = 0
    """How often it has been started."""

    def __init__(self, place: Place, sandbox: SandboxThread, flows: Path) -> None:
        self.place = place
        self.sandbox = sandbox
        self.flows = flows
        self._life = ExitStack()

    @property
    def home(self) -> Path:
        """Where Airflow writes."""
        return self.place.home

    def rise(self) -> None:
        """Start Airflow; a second time with what the first one left behind."""
        self.airflow = self._life.enter_context(standing(self.place))
        self.lives += 1

    def end(self) -> None:
        """Stop Airflow, or clear away what a kill has left of it."""
        self._life.close()

    def call(self, method: str, path: str, **more: Any) -> Any:
        """Call Airflow's REST API, and again while SQLite is busy."""
        for _ in range(8):
            answer = httpx.request(
                method,
                self.airflow.place.api + path,
                headers=self.headers,
                timeout=30,
                trust_env=False,
                **more,
            )
            if not answer.is_server_error:
                break
            time.sleep(0.5)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        return answer.json() if answer.content else {}

    @property
    def headers(self) -> dict[str, str]:
        """The signed-in user's header."""
        if not hasattr(self, "_headers"):
            answer = httpx.post(
                f"{self.airflow.place.api}/auth/token",
                json={"username": self.airflow.user, "password": self.airflow.password},
                trust_env=False,
            )
            self._headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return self._headers

    def begin(self, scenario: Any, *, keep: bool = False) -> None:
        """Let the sandbox play something else."""
        self.sandbox.use(scenario, keep=keep)

    def start(self, flow: str, /, **conf: Any) -> str:
        """Start a run."""
        self.wait(lambda: self.airflow.api.find_dag(flow), f"the DAG {flow}", seconds=60)
        self.airflow.api.unpause(flow)
        run_id = f"live-{time.time_ns()}"
        self.airflow.api.trigger(flow, run_id, conf)
        return run_id

    def run(self, flow: str, /, **conf: Any) -> tuple[str, str]:
        """Do a whole run; its id and its last state."""
        run_id = self.start(flow, **conf)
        return run_id, self.end_of(flow, run_id)

    def end_of(self, flow: str, run_id: str, seconds: float = 120) -> str:
        """Wait for a run's end; its last state."""
        self.wait(
            lambda: self.airflow.api.run(flow, run_id)["state"] in ENDED,
            lambda: f"the end of {run_id}: {self.states(flow, run_id)}",
            seconds,
        )
        return str(self.airflow.api.run(flow, run_id)["state"])

    def states(self, flow: str, run_id: str) -> dict[tuple[str, int], str]:
        """Each task instance's state."""
        tasks = self.airflow.api.tasks(flow, run_id)
        return {
            (task["task_id"].removeprefix("requests."), task["map_index"]): task["state"] for task in tasks
        }

    def story(self, flow: str, run_id: str) -> str:
        """What to read when a run did not end well: each task's state, and the logs of what failed."""
        red = {step for (step, _), state in self.states(flow, run_id).items() if state == "failed"}
        logs = sorted((self.home / "logs" / f"dag_id={flow}" / f"run_id={run_id}").rglob("*.log"))
        told = [
            f"{log}\n{log.read_text(encoding='utf-8')[-4000:]}"
            for log in logs
            if any(f"{step}/" in f"{log.parent}/" for step in red)
        ]
        return "\n".join([str(self.states(flow, run_id)), *told])

    def wait(self, is_so: Callable[[], Any], what: str | Callable[[], str], seconds: float = 60) -> None:
        """Wait until something is so."""
        begun = time.monotonic()
        while not is_so():
            assert time.monotonic() - begun < seconds, (
                f"waited {seconds} s for {what() if callable(what) else what}"
            )
            time.sleep(0.25)

    def booked(self) -> list[int]:
        """What the ERP's own book holds."""
        return sorted(entry["body"]["request_id"] for entry in self.sandbox.book)


def write_flow(folder: Path, name: str, flow: str = FLOW, **files: str) -> Path:
    """Write a flow's folder."""
    home = folder / name
    home.mkdir(parents=True, exist_ok=True)
    (home / "flow.yaml").write_text(flow, encoding="utf-8")
    for file, text in FILES.items():
        (home / file).write_text(files.get(file.partition(".")[0], text), encoding="utf-8")
    return home


def place_for(home: Path, flows: Path) -> Place:
    """An Airflow of this project in a home of its own."""
    [port] = free_ports(1)
    own = {
        "AIRFLOW_HOME": str(home),
        "AIRFLOW_PORT": str(port),
        "AIRFLOW__ORDER_CANCELLATION__FLOWS_FOLDER": str(flows),
        "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:ADMIN,viewer:VIEWER",
    }
    given = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
    return find_place(ROOT, given | own).without_real_systems()


@contextmanager
def live_airflow(home: Path, flows: Path, sandbox: SandboxThread) -> Iterator[Live]:
    """Start Airflow, and make the connections to the sandbox."""
    live = Live(place_for(home, flows), sandbox, flows)
    live.rise()
    try:
        for name, connection in connections_to(sandbox).items():
            live.airflow.api.set_connection(name, connection)
        yield live
    finally:
        live.end()


def connections_to(sandbox: SandboxThread) -> dict[str, dict[str, Any]]:
    """The two connections, with passwords that must not be seen anywhere."""
    return {
        "omnitron_default": {
            "conn_type": "omnitron",
            "host": sandbox.omnitron_url,
            "login": "omnitron",
            "password": "omnitron-secret",
        },
        "erp_default": {
            "conn_type": "erp",
            "host": sandbox.erp_url,
            "login": "erp",
            "password": "erp-secret",
            "extra": '{"login_kind": "jwt", "login_url": "/login"}',
        },
    }


def share(config: pytest.Config) -> None:
    """Make the fixtures known once for all folders that use them: one Airflow for the whole session.

    Imported into several conftests, each folder would have its own.
    """
    here = sys.modules[__name__]
    if not config.pluginmanager.is_registered(here):
        config.pluginmanager.register(here, "live_airflow")


@pytest.fixture(scope="session")
def live_sandbox() -> Iterator[SandboxThread]:
    with SandboxThread(scenario={"name": "all_fine", "requests": {"count": 0}}) as sandbox:
        yield sandbox


_UNTIL_THE_LAST = pytest.StashKey[ExitStack]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_UNTIL_THE_LAST] = ExitStack()


def until_the_last(config: pytest.Config) -> ExitStack:
    """What ends after the last test with the session's Airflow: the others need the cores of what is idle."""
    return config.stash[_UNTIL_THE_LAST]


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if not _needs_it(nextitem):
        until_the_last(item.config).close()


def _needs_it(item: pytest.Item | None) -> bool:
    return item is not None and "live" in getattr(item, "fixturenames", ())


@pytest.fixture(scope="session")
def live(
    tmp_path_factory: pytest.TempPathFactory, live_sandbox: SandboxThread, pytestconfig: pytest.Config
) -> Iterator[Live]:
    home = tmp_path_factory.mktemp("airflow-home")
    flows = tmp_path_factory.mktemp("flows")
    for name in ("every_step", "repaired", "scheduled", "backfilled"):
        write_flow(flows, name, FLOW.replace("title: Every step", f"title: {name}"))
    write_flow(flows, "talkative", FLOW)
    (flows / "backfilled" / "flow.yaml").write_text(FLOW + "schedule: {every: 1d}\n", encoding="utf-8")
    write_flow(flows, "not_valid", "get_data: {connection: 7}\nnonsense: true\n")
    with live_airflow(home, flows, live_sandbox) as running:
        until_the_last(pytestconfig).callback(running.end)
        yield running
    shutil.rmtree(home, ignore_errors=True)
