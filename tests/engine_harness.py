"""The whole engine without Airflow: a flow folder, the sandbox over real HTTP, a ledger in SQLite."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.fernet import Fernet

from order_cancellation.http.endpoint import Endpoint
from order_cancellation.ledger.opening import open_database
from order_cancellation.sandbox.thread import SandboxThread
from order_cancellation.service import requests as service_requests
from order_cancellation.service import runs
from order_cancellation.service.life import known, show_request
from order_cancellation.service.runs import Run, RunParams
from order_cancellation.service.settings import Settings
from order_cancellation.steps.report import RunReport, StepReport

KEY = Fernet.generate_key().decode()

SCRIPT = """
import json
request = json.loads(input_text)
session.putAttribute("order.number", request["order_item"]["order"]["number"])
session.putAttribute("log.sku", request["order_item"]["product"]["sku"])
item = request["order_item"]
outputStream.write(json.dumps({"id": request["id"], "uuid": request["uuid"], "price": item["price"]}))
"""
MAPPING = '[{"operation": "shift", "spec": {"id": "request_id", "uuid": "reference", "price": "amount"}}]'
RESPONSE = """
import json
status = get_attribute("invokehttp.status.code")
answer = json.loads(input_text)["response_data"]
if status in ("200", "201"):
    pending = isinstance(answer, dict) and answer.get("status") == "PENDING"
    relation = "do_nothing" if pending else "continue"
elif status == "401":
    relation = "auth_fail"
else:
    relation = "failure"
session.putAttribute("relation", relation)
"""
POST = """
import json
data = json.loads(input_text)
session.putAttribute("log.post", str(data["request_data"]["request_id"]))
"""


def a_flow(*, rows: bool = False, scripts: bool = False, **changes: Any) -> dict[str, Any]:
    """A flow with mapping and response script; ``changes`` put in or replace blocks, None takes one out.

    All of a run's requests share one batch, as many do; with ``rows`` each has its own, as few have. With
    ``scripts`` it has every step: a process for each script is what a run of it costs most.
    """
    flow: dict[str, Any] = {
        "get_data": {"connection": "omnitron_default", "cancel_type": "all", "status": "approved"},
        "script": {"file": "script.py"},
        "mapping": {"file": "mapping.json"},
        "write_to_erp": {"connection": "erp_default", "url": "/cancellations", "method": "POST"},
        "custom_response": {"file": "response.py"},
        "write_to_omnitron": {"on_success": {"status": "completed"}},
        "post_script": {"file": "post.py"},
        "delivery": {"lease": "5s"},
    }
    if not rows:
        flow["write_to_erp"]["concurrency"] = 2
        flow["delivery"]["parallel_batches"] = 1
    for name, block in changes.items():
        if block is None:
            del flow[name]
        elif isinstance(block, dict):
            flow[name] = {**flow.get(name, {}), **block}
        else:
            flow[name] = block
    if not scripts:
        for name in {"script", "post_script"} - changes.keys():
            del flow[name]
    return flow


class Engine:
    """Runs a flow as Airflow would: every task of a run, in order, and notes what ended red."""

    def __init__(self, folder: Path, sandbox: SandboxThread) -> None:
        self.folder = folder
        self.sandbox = sandbox
        self.flow_id = "acme"
        self.settings = Settings(
            flows_folder=folder / "flows", ledger_url=f"sqlite:///{folder / 'ledger.db'}", payload_keys=(KEY,)
        )
        self.erp_options: dict[str, Any] = {"login_url": "/login"}
        self.erp_url = sandbox.erp_url

    def write(self, flow: dict[str, Any], **files: str) -> None:
        """Write the flow's folder; ``files`` by their names without ending replace the usual ones."""
        home = self.settings.flows_folder / self.flow_id
        home.mkdir(parents=True, exist_ok=True)
        usual = {"script.py": SCRIPT, "mapping.json": MAPPING, "response.py": RESPONSE, "post.py": POST}
        for name, text in usual.items():
            (home / name).write_text(files.get(name.partition(".")[0], text), encoding="utf-8")
        (home / "flow.yaml").write_text(yaml.safe_dump(flow), encoding="utf-8")

    def connection(self, name: str) -> Endpoint:
        """What Airflow's connections would say."""
        if name == "omnitron_default":
            return Endpoint(name, self.sandbox.omnitron_url, "omnitron", "omnitron", "omnitron-secret")
        return Endpoint(name, self.erp_url, "jwt", "erp", "erp-secret", self.erp_options)

    def get_data(self, run_id: str, **params: Any) -> list[int]:
        """Log in and take up a run's requests."""
        run = self._run(run_id, params)
        asyncio.run(runs.log_in(self.settings, self.connection, run))
        return asyncio.run(runs.get_data(self.settings, self.connection, run))

    def get_data_only(self, run_id: str, **params: Any) -> list[int]:
        """Take up a run's requests without the login before."""
        return asyncio.run(runs.get_data(self.settings, self.connection, self._run(run_id, params)))

    def step(self, run_id: str, step: str, batch: int, **params: Any) -> StepReport:
        """Run one task of a batch, and note it where it ends red."""
        run = self._run(run_id, params)
        report = asyncio.run(runs.run_step(self.settings, self.connection, run, step, batch))
        if not report.green:
            runs.note_red(self.settings, run, step, batch)
        return report

    def run(self, run_id: str = "run-1", **params: Any) -> RunReport:
        """Do a whole run."""
        batches = self.get_data(run_id, **params)
        self.red: list[tuple[int, str]] = []
        for batch in batches:
            for step in self.steps():
                if not self.step(run_id, step, batch, **params).green:
                    self.red.append((batch, step))
        return self.report(run_id)

    def clear_failed(self, run_id: str = "run-1") -> RunReport:
        """Do again what was red, as Airflow does after *Clear, only failed*."""
        cleared, self.red = self.red, []
        for batch, step in cleared:
            if not self.step(run_id, step, batch).green:
                self.red.append((batch, step))
        return self.report(run_id)

    def report(self, run_id: str = "run-1") -> RunReport:
        """What the report task would say."""
        return runs.report(self.settings, self._run(run_id, {}))

    def steps(self) -> list[str]:
        """The steps that the flow has now."""
        flow = yaml.safe_load((self.settings.flows_folder / self.flow_id / "flow.yaml").read_text())
        return [name for name in runs.STEPS if name in flow]

    def requests(self, **wanted: Any) -> list[dict[str, Any]]:
        """What the listing shows."""
        with runs.open_ledger(self.settings) as ledger:
            return service_requests.list_requests(ledger, **wanted)

    def states(self) -> dict[int, str]:
        """Each request's state, by its number."""
        return {one["id"]: one["state"] for one in self.requests()}

    def show(self, request_id: int) -> dict[str, Any]:
        """One request's life."""
        with runs.open_ledger(self.settings) as ledger:
            return show_request(ledger, self.flow_id, str(request_id))

    def key(self, request_id: int) -> str:
        """The key that a call goes under, should one go out now."""
        with runs.open_ledger(self.settings) as ledger:
            return known(ledger, self.flow_id, str(request_id)).key

    def redo(self, *ids: int) -> None:
        """A person's word."""
        with runs.open_ledger(self.settings) as ledger:
            service_requests.redo(ledger, self.flow_id, [str(one) for one in ids])

    def resolve(self, request_id: int, as_: Any) -> None:
        """A person's decision."""
        with runs.open_ledger(self.settings) as ledger:
            service_requests.resolve(ledger, self.flow_id, str(request_id), as_, why="looked at the ERP")

    def booked(self) -> list[Any]:
        """What the ERP's own book holds, by request id."""
        return sorted(
            json.loads(entry["body"])["request_id"]
            if isinstance(entry["body"], str)
            else entry["body"]["request_id"]
            for entry in self.sandbox.book
        )

    def _run(self, run_id: str, params: dict[str, Any]) -> Run:
        return Run(self.flow_id, run_id, RunParams(**params))


@pytest.fixture
def sandbox() -> Iterator[SandboxThread]:
    with SandboxThread(scenario={"name": "all_fine", "requests": {"count": 3}}) as running:
        yield running


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with nothing in it, to be copied: migrating takes longer than a step."""
    path = tmp_path_factory.mktemp("ledger") / "empty.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def engine(tmp_path: Path, sandbox: SandboxThread, empty_ledger: Path) -> Engine:
    engine = Engine(tmp_path, sandbox)
    shutil.copy(empty_ledger, tmp_path / "ledger.db")
    engine.write(a_flow())
    return engine
