"""Whole runs: Airflow's own loop, the engine, and a fake Omnitron and ERP over HTTP.

What is booked is read from the ERP's own book.
"""

from __future__ import annotations

import itertools
import re

import pytest

from order_cancellation.dag import ended_well
from order_cancellation.sandbox.thread import SandboxThread

from .conftest import FLOWS, WHOLE_FLOW, write_flow
from .running import Running, connect, labels, states, tries

STEPS = ("script", "mapping", "write_to_erp", "custom_response", "write_to_omnitron", "post_script")
NAMES = (f"run_{number}" for number in itertools.count())

QUICK = WHOLE_FLOW.replace("task_retries: 1", "task_retries: 0").replace(
    "cancel_type: refund", "cancel_type: all"
)
QUICK = QUICK.replace(", channel_id: 2", "")

pytestmark = pytest.mark.usefixtures("airflow_db")


@pytest.fixture
def flow_id():
    """A flow of the test's own, with every step."""
    return a_flow()


@pytest.fixture
def sandbox(monkeypatch):
    with SandboxThread(scenario={"name": "three", "requests": 3}) as sandbox:
        connect(monkeypatch, sandbox)
        yield sandbox


def a_flow() -> str:
    name = next(NAMES)
    write_flow(FLOWS, name, QUICK)
    return name


@pytest.fixture(scope="module")
def outcome(airflow_db):
    """A run of three fine requests, and the sandbox as it was left."""
    with (
        pytest.MonkeyPatch.context() as patch,
        SandboxThread(scenario={"name": "three", "requests": 3}) as fine,
    ):
        connect(patch, fine)
        yield Running(FLOWS, a_flow()).start(), fine


class TestRunOfThreeRequests:
    """What one run of three fine requests leaves, in Airflow and outside."""

    def test_is_green_in_every_step_of_every_row(self, outcome) -> None:
        run, _ = outcome
        steps = {(step, index) for step in STEPS for index in range(3)}
        assert set(states(run)) == {("login", -1), ("get_data", -1), ("report", -1), *steps}
        assert set(states(run).values()) == {"success"}

    def test_has_booked_each_request_once_and_told_omnitron(self, outcome) -> None:
        _, fine = outcome
        assert (len(fine.book), fine.booked_twice) == (3, [])
        assert {request["status"] for request in fine.requests} == {"completed"}

    def test_names_each_row_after_its_request(self, outcome) -> None:
        run, fine = outcome
        assert len(labels(run)) == 3
        assert all(any(str(one["id"]) in label for label in labels(run)) for one in fine.requests)

    def test_leaves_only_counts_and_batch_numbers_in_xcom(self, outcome) -> None:
        run, _ = outcome
        for ti in run.get_task_instances():
            value = ti.xcom_pull(task_ids=ti.task_id, map_indexes=ti.map_index)
            parts = value.values() if isinstance(value, dict) else value or []
            assert all(isinstance(part, int) or part in STEPS for part in parts)


class TestRun:
    def test_of_a_poll_that_finds_nothing_has_three_task_instances_that_ran(self, flow_id, sandbox) -> None:
        sandbox.use({"name": "none", "requests": 0})
        run = Running(FLOWS, flow_id).start()
        ran = {name for name, state in states(run).items() if state == "success"}
        assert ran == {("login", -1), ("get_data", -1), ("report", -1)}
        assert run.state == "success"

    def test_that_is_dry_writes_nothing_outside(self, flow_id, sandbox) -> None:
        run = Running(FLOWS, flow_id).start({"dry_run": True})
        assert run.state == "success"
        assert (sandbox.book, sandbox.writes) == ([], [])

    def test_with_a_misspelt_parameter_reads_nothing_and_is_red(self, flow_id, sandbox) -> None:
        run = Running(FLOWS, flow_id).start({"dryrun": True})
        assert states(run)["login", -1] == "failed"
        assert (run.state, sandbox.calls) == ("failed", [])

    def test_is_red_when_omnitron_lets_nobody_in(self, flow_id, sandbox, monkeypatch) -> None:
        connect(monkeypatch, sandbox, password="wrong-password")
        run = Running(FLOWS, flow_id).start()
        assert (states(run)["login", -1], states(run)["report", -1], run.state) == (
            "failed",
            "failed",
            "failed",
        )


class TestRefusedRequest:
    @pytest.fixture
    def sandbox(self, monkeypatch):
        refused = {
            "match": {"route": "erp.book", "position": 2},
            "then": {"status": 422, "body": {"why": "closed"}},
        }
        scenario = {"name": "one refused", "requests": 3, "rules": [refused]}
        with SandboxThread(scenario=scenario) as sandbox:
            connect(monkeypatch, sandbox)
            yield sandbox

    def test_is_red_from_the_judging_step_on_and_hides_no_other(self, flow_id, sandbox) -> None:
        run = Running(FLOWS, flow_id).start()
        red = {name for name, state in states(run).items() if state == "failed"}
        (index,) = {number for _, number in red if number >= 0}
        assert red == {
            ("custom_response", index),
            ("write_to_omnitron", index),
            ("post_script", index),
            ("report", -1),
        }
        assert len(sandbox.book) == 2

    def test_has_a_line_of_its_own_in_the_report(self, flow_id, sandbox, capsys, caplog) -> None:
        Running(FLOWS, flow_id).start()
        log = capsys.readouterr().out + caplog.text
        assert re.search(r"Request \d+: failed at custom_response: the ERP answered 422", log)

    def test_is_taken_up_by_clear_only_failed_and_nothing_else_is(self, flow_id, sandbox) -> None:
        running = Running(FLOWS, flow_id)
        run = running.start()
        before = tries(run)
        sandbox.use({"name": "mended", "requests": 3}, keep=True)
        cleared = running.clear_failed(run)
        again = running.go_on(run)
        assert cleared == {name for name, count in tries(again).items() if count > before[name]}
        assert {name for name, _ in cleared} == {
            "custom_response",
            "write_to_omnitron",
            "post_script",
            "report",
        }
        assert (again.state, len(sandbox.book), sandbox.booked_twice) == ("success", 3, [])


class TestFlowThatComesAfter:
    def events(self, flow_id: str) -> int:
        from airflow.models.asset import AssetEvent, AssetModel
        from airflow.utils.session import create_session
        from sqlalchemy import func, select

        with create_session() as session:
            found = (
                select(func.count())
                .select_from(AssetEvent)
                .join(AssetModel, AssetModel.id == AssetEvent.asset_id)
            )
            return session.scalar(found.where(AssetModel.name == ended_well(flow_id).name)) or 0

    def test_is_told_when_a_run_ended_well(self, outcome) -> None:
        run, _ = outcome
        assert self.events(run.dag_id) == 1

    def test_is_not_told_of_a_dry_run(self, flow_id, sandbox) -> None:
        assert Running(FLOWS, flow_id).start({"dry_run": True}).state == "success"
        assert self.events(flow_id) == 0


class TestRepairedScript:
    def test_is_what_a_cleared_run_goes_on_with(self, flow_id, sandbox) -> None:
        script = FLOWS / flow_id / "script.py"
        good = script.read_text()
        script.write_text("import json\njson.loads(input_text)['no such key']\n")
        running = Running(FLOWS, flow_id)
        run = running.start()
        assert (run.state, sandbox.book) == ("failed", [])
        script.write_text(good)
        running.clear_failed(run)
        assert running.go_on(run).state == "success"
        assert (len(sandbox.book), sandbox.booked_twice) == (3, [])


def personal(value: object, key: str = "") -> set[str]:
    """Return the texts of a request that stand for a person."""
    if isinstance(value, dict):
        return set().union(*(personal(one, name) for name, one in value.items()))
    if isinstance(value, list):
        return set().union(*(personal(one, key) for one in value))
    return {value} if isinstance(value, str) and value and key in PERSONAL else set()


PERSONAL = {
    "email",
    "phone_number",
    "iban",
    "first_name",
    "last_name",
    "holder_name",
    "remote_addr",
    "date_of_birth",
}


def test_nothing_personal_and_no_secret_is_logged(flow_id, sandbox, capsys, caplog) -> None:
    run = Running(FLOWS, flow_id).start()
    log = capsys.readouterr().out + caplog.text
    assert run.state == "success", log[-5000:]
    assert "post_script: 1 request past this step" in log
    known = set().union(*(personal(request) for request in sandbox.requests))
    tokens = {call["headers"].get("authorization", "").split(" ")[-1] for call in sandbox.calls} - {""}
    assert len(known) > 5
    assert tokens
    secrets = {"omnitron-secret", "erp-secret", *known, *tokens}
    assert {secret for secret in secrets if secret in log} == set()
