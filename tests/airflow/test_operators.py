"""Operators against a fake of the service below them: what they pass on, log, return and raise."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from order_cancellation.errors import ConfigurationError, FlowInvalid, LedgerUnavailable, NotSent, Problem
from order_cancellation.operators.base import StepUnfinished
from order_cancellation.operators.get_data import GetDataOperator
from order_cancellation.operators.login import LoginOperator
from order_cancellation.operators.params import run_params
from order_cancellation.operators.report import ReportOperator
from order_cancellation.operators.write_to_erp import WriteToErpOperator
from order_cancellation.service import runs
from order_cancellation.steps.report import Behind, RunReport, StepReport

HOPELESS = Behind(7, "u-7", "failed", "write_to_erp", "the ERP said: no such order")
HOPEFUL = Behind(8, "u-8", "prepared", "write_to_erp", "the ERP is down", hopeful=True)


class FakeRuns:
    """Stands for ``service.runs``: answers what it was told to, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.noted: list[tuple[str, int]] = []
        self.batches: list[int] = []
        self.step: StepReport | Exception = StepReport("write_to_erp", 3, 2, 2)
        self.run_report = RunReport(counts={"done": 2}, waiting={})

    async def log_in(self, settings, connections, run) -> None:
        self.asked.append(("log_in", run))

    async def get_data(self, settings, connections, run) -> list[int]:
        self.asked.append(("get_data", run))
        return self.batches

    async def run_step(self, settings, connections, run, step, batch) -> StepReport:
        self.asked.append((step, batch))
        if isinstance(self.step, Exception):
            raise self.step
        return self.step

    def batch_label(self, settings, run, batch) -> str:
        raise LedgerUnavailable("the ledger is locked")

    def note_red(self, settings, run, step, batch) -> None:
        self.noted.append((step, batch))

    def report(self, settings, run) -> RunReport:
        return self.run_report


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeRuns:
    fake = FakeRuns()
    for name in ("log_in", "get_data", "run_step", "batch_label", "note_red", "report"):
        monkeypatch.setattr(runs, name, getattr(fake, name))
    return fake


def a_context(*, conf=None, run_type="manual", try_number=1, states=None) -> Any:
    """Airflow's context, as far as operators read it."""
    values = {name: param.value for name, param in run_params().items()}
    ti = SimpleNamespace(
        dag_id="acme",
        run_id="r1",
        map_index=3,
        try_number=try_number,
        max_tries=2,
        get_task_states=lambda **asked: {"r1": states or {}},
    )
    dag_run = SimpleNamespace(
        run_id="r1",
        conf=conf,
        run_type=run_type,
        data_interval_start=datetime(2026, 1, 1, tzinfo=UTC),
        data_interval_end=datetime(2026, 1, 2, tzinfo=UTC),
    )
    return {"ti": ti, "dag_run": dag_run, "params": {**values, **(conf or {})}}


def a_step(**more: Any) -> WriteToErpOperator:
    return WriteToErpOperator(task_id="write_to_erp", flow_id="acme", **more)


class TestLogin:
    def test_refuses_a_misspelt_parameter_before_anything_is_done(self, fake) -> None:
        with pytest.raises(AirflowFailException, match=r"unknown parameters: dryrun\. Known are dry_run"):
            LoginOperator(task_id="login", flow_id="acme").execute(a_context(conf={"dryrun": True}))
        assert fake.asked == []

    def test_refuses_redo_without_request_ids(self, fake) -> None:
        with pytest.raises(AirflowFailException, match="redo needs request_ids"):
            LoginOperator(task_id="login", flow_id="acme").execute(a_context(conf={"redo": True}))

    def test_refuses_times_the_wrong_way_round(self, fake) -> None:
        conf = {"modified_from": "2026-01-02", "modified_to": "2026-01-01"}
        with pytest.raises(AirflowFailException, match="modified_from has to be before"):
            LoginOperator(task_id="login", flow_id="acme").execute(a_context(conf=conf))

    def test_refuses_a_time_that_is_none(self, fake) -> None:
        with pytest.raises(AirflowFailException, match="no ISO 8601 time: 'yesterday'"):
            LoginOperator(task_id="login", flow_id="acme").execute(
                a_context(conf={"modified_from": "yesterday"})
            )


class TestGetData:
    def test_returns_the_numbers_of_the_batches(self, fake) -> None:
        fake.batches = [0, 1]
        assert GetDataOperator(task_id="get_data", flow_id="acme").execute(a_context()) == [0, 1]

    def test_passes_the_parameters_on(self, fake) -> None:
        conf = {"request_ids": [4, 5], "redo": True, "modified_from": "2026-01-01T03:00:00+03:00", "limit": 9}
        GetDataOperator(task_id="get_data", flow_id="acme").execute(a_context(conf=conf))
        params = fake.asked[0][1].params
        assert (params.request_ids, params.redo, params.dry_run, params.limit) == ((4, 5), True, False, 9)
        assert params.modified_from == datetime(2026, 1, 1, tzinfo=UTC)

    def test_takes_a_time_without_offset_as_utc(self, fake) -> None:
        GetDataOperator(task_id="get_data", flow_id="acme").execute(
            a_context(conf={"modified_to": "2026-01-01"})
        )
        assert fake.asked[0][1].params.modified_to == datetime(2026, 1, 1, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("run_type", "counts"), [("backfill", True), ("scheduled", False), ("manual", False)]
    )
    def test_has_an_interval_in_a_backfill_only(self, fake, run_type, counts) -> None:
        GetDataOperator(task_id="get_data", flow_id="acme").execute(a_context(run_type=run_type))
        assert (fake.asked[0][1].interval is not None) is counts


class TestStep:
    def test_returns_counts_and_no_payload(self, fake) -> None:
        assert a_step().execute(a_context()) == {
            "step": "write_to_erp",
            "batch": 3,
            "taken": 2,
            "passed": 2,
            "behind": 0,
        }

    def test_asks_for_its_own_step_and_for_the_batch_of_its_map_index(self, fake) -> None:
        a_step().execute(a_context())
        assert fake.asked == [("write_to_erp", 3)]

    def test_is_not_retried_where_a_person_has_to_act(self, fake) -> None:
        fake.step = StepReport("write_to_erp", 3, 2, 1, (HOPELESS,))
        with pytest.raises(
            AirflowFailException,
            match=r"^Flow 'acme', request 7: failed at write_to_erp: the ERP said: no such",
        ):
            a_step().execute(a_context())
        assert fake.noted == [("write_to_erp", 3)]

    def test_is_retried_where_there_is_hope(self, fake) -> None:
        fake.step = StepReport("write_to_erp", 3, 2, 0, (HOPELESS, HOPEFUL))
        with pytest.raises(StepUnfinished, match=r"request 7: .* \(and 1 more, listed above\)"):
            a_step().execute(a_context(try_number=2))
        assert fake.noted == []

    def test_notes_its_red_end_when_no_retry_is_left(self, fake) -> None:
        fake.step = StepReport("write_to_erp", 3, 2, 1, (HOPEFUL,))
        with pytest.raises(StepUnfinished):
            a_step().execute(a_context(try_number=3))
        assert fake.noted == [("write_to_erp", 3)]

    def test_lists_what_is_behind_in_the_open_and_folds_only_what_is_much(self, fake, caplog, capsys) -> None:
        behind = tuple(Behind(number, f"u-{number}", "failed", "script", "why") for number in range(1, 23))
        fake.step = StepReport("write_to_erp", 3, 22, 0, behind)
        with pytest.raises(AirflowFailException):
            a_step().execute(a_context())
        printed = capsys.readouterr().out + caplog.text
        texts = ("Request 1:", "Request 20:", "::group::2 more", "Request 22:", "::endgroup::", "What to do")
        order = [printed.index(text) for text in texts]
        assert order == sorted(order)
        assert printed.count("Flow 'acme'") == 1
        assert printed.index("Flow 'acme', write_to_erp: 22 of 22 requests not past") < order[0]

    @pytest.mark.parametrize(
        ("step", "is_told"),
        [("script", False), ("mapping", True), ("write_to_erp", True), ("post_script", False)],
    )
    def test_says_where_clearing_would_use_what_an_earlier_step_made(
        self, fake, caplog, capsys, step, is_told
    ) -> None:
        fake.step = StepReport(step, 3, 1, 0, (Behind(7, "u-7", "failed", step, "why"),))
        with pytest.raises(AirflowFailException):
            a_step().execute(a_context())
        printed = capsys.readouterr().out + caplog.text
        assert ("redo the request (Requests) or wait for a later run" in printed) is is_told

    @pytest.mark.parametrize(
        ("error", "raised"),
        [(ConfigurationError("wrong"), AirflowFailException), (NotSent("down"), StepUnfinished)],
        ids=["a setting is wrong", "surely not sent"],
    )
    def test_takes_the_meaning_of_an_error_from_the_recovery_table(self, fake, error, raised) -> None:
        fake.step = error
        with pytest.raises(raised, match=f"^Flow 'acme', write_to_erp: {error}$"):
            a_step().execute(a_context())

    def test_names_the_flow_once_where_the_error_names_it(self, fake) -> None:
        fake.step = FlowInvalid([Problem("acme", "script.file", "is gone.")])
        with pytest.raises(AirflowFailException, match=r"^Flow 'acme', script\.file: is gone\."):
            a_step().execute(a_context())

    def test_notes_its_red_end_after_an_error_that_nobody_foresaw(self, fake) -> None:
        fake.step = RuntimeError("a bug")
        with pytest.raises(RuntimeError):
            a_step().execute(a_context(try_number=3))
        assert fake.noted == [("write_to_erp", 3)]

    def test_keeps_its_own_error_when_the_note_fails(self, fake, monkeypatch) -> None:
        def broken(*args: Any) -> None:
            raise LedgerUnavailable("locked")

        monkeypatch.setattr(runs, "note_red", broken)
        fake.step = StepReport("write_to_erp", 3, 2, 1, (HOPELESS,))
        with pytest.raises(AirflowFailException, match="request 7"):
            a_step().execute(a_context())

    def test_has_a_name_even_when_the_ledger_is_down(self, fake) -> None:
        assert a_step().batch_name("r1", 3) == "batch 3"


class TestReport:
    def report(self, **more: Any) -> Any:
        return ReportOperator(task_id="report", flow_id="acme", outlets=["told"]).execute(a_context(**more))

    def test_returns_counts(self, fake) -> None:
        assert self.report() == {"done": 2}

    @pytest.mark.parametrize("task", ["login", "get_data"])
    @pytest.mark.parametrize("state", ["failed", "upstream_failed"])
    def test_is_red_when_what_came_before_failed(self, fake, task, state) -> None:
        with pytest.raises(AirflowFailException, match=f"^Flow 'acme', report: {task} failed"):
            self.report(states={task: state})

    def test_is_red_when_something_of_this_run_is_not_through(self, fake) -> None:
        fake.run_report = RunReport(counts={"done": 1, "failed": 1}, waiting={}, behind=(HOPELESS,))
        with pytest.raises(AirflowFailException, match="1 of 2 requests is not through"):
            self.report()

    def test_names_the_flow_above_the_requests(self, fake, caplog, capsys) -> None:
        fake.run_report = RunReport(counts={"failed": 2}, waiting={}, behind=(HOPELESS, HOPEFUL))
        with pytest.raises(AirflowFailException):
            self.report()
        printed = capsys.readouterr().out + caplog.text
        assert printed.index("Flow 'acme', this run: 2 failed") < printed.index("Request 7: failed at")
        assert printed.count("Flow 'acme'") == 1

    def test_is_green_when_only_earlier_runs_left_something(self, fake) -> None:
        fake.run_report = RunReport(counts={"done": 1}, waiting={"parked": 4})
        assert self.report() == {"done": 1}

    def test_of_a_dry_run_starts_no_other_flow(self, fake) -> None:
        task = ReportOperator(task_id="report", flow_id="acme", outlets=["told"])
        task.execute(a_context(conf={"dry_run": True}))
        assert task.outlets == []
