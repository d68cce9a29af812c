"""The files in ``dags/``, as Airflow's DAG processor reads them."""

from __future__ import annotations

import os
import time
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk import Param
from airflow.sdk.exceptions import AirflowFailException, ParamValidationError

from order_cancellation.operators.change_schedule import ChangeScheduleOperator
from order_cancellation.operators.maintenance import HousekeepingOperator
from order_cancellation.operators.params import run_params, schedule_params
from order_cancellation.service import runs

from .conftest import PLAIN_FLOW, ROOT, write_flow


def read_dags() -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(dag_folder=str(ROOT / "dags"))


@pytest.mark.usefixtures("flows")
class TestDagsFolder:
    def test_holds_the_two_dags_of_the_project_and_one_per_flow(self, flows) -> None:
        write_flow(flows, "acme")
        bag = read_dags()
        assert (set(bag.dags), bag.import_errors) == ({"acme", "change_schedule", "maintenance"}, {})

    def test_is_whole_when_there_is_no_flow(self) -> None:
        bag = read_dags()
        assert (set(bag.dags), bag.import_errors) == ({"change_schedule", "maintenance"}, {})

    def test_is_whole_whatever_a_flow_is_called(self, flows) -> None:
        for name in ("dag", "globals", "flow_dags", "annotations"):
            write_flow(flows, name)
        assert {"dag", "globals", "flow_dags", "annotations"} <= set(read_dags().dags)

    def test_is_whole_when_the_settings_are_wrong(self, monkeypatch) -> None:
        monkeypatch.setenv("AIRFLOW__ORDER_CANCELLATION__SCRIPT_ISOLATION", "perhaps")
        from order_cancellation.dag import flow_dags

        (dag,) = flow_dags()
        assert "script_isolation is 'perhaps'" in (dag.doc_md or "")

    def test_says_in_each_file_that_it_is_one_of_airflows(self) -> None:
        """Airflow skips files that do not hold both words."""
        for path in (ROOT / "dags").glob("*.py"):
            text = path.read_text().lower()
            assert "dag" in text, path.name
            assert "airflow" in text, path.name

    def test_starts_the_projects_own_dags_unpaused(self) -> None:
        dags = read_dags().dags
        assert [dags[name].is_paused_upon_creation for name in ("change_schedule", "maintenance")] == [
            False,
            False,
        ]

    def test_runs_maintenance_once_a_day(self) -> None:
        assert read_dags().dags["maintenance"].schedule.expression.split()[2:] == ["*", "*", "*"]


class TestFormOfARun:
    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("request_ids", [1, 2]),
            ("request_ids", None),
            ("modified_from", "2026-01-31T08:00:00+03:00"),
            ("modified_to", "2026-01-31"),
            ("limit", 1),
            ("dry_run", True),
            ("redo", True),
        ],
    )
    def test_takes_what_the_contract_names(self, name, value) -> None:
        assert run_params()[name].resolve(value) == value

    @pytest.mark.parametrize(
        ("name", "value"),
        [("request_ids", ["1"]), ("request_ids", 1), ("limit", 0), ("dry_run", "yes"), ("redo", None)],
    )
    def test_refuses_another_kind_of_value(self, name, value) -> None:
        with pytest.raises(ParamValidationError):
            run_params()[name].resolve(value)

    def test_explains_every_field(self) -> None:
        params: list[Param] = [*run_params().values(), *schedule_params(["acme"]).values()]
        assert all(param.description and param.schema["title"] for param in params)

    def test_needs_no_value(self) -> None:
        assert all(param.value in (None, False) for param in run_params().values())


def a_context(**conf: Any) -> Any:
    values = {name: param.value for name, param in schedule_params(()).items()}
    return {
        "params": {**values, **conf},
        "dag_run": SimpleNamespace(conf=conf, run_id="manual-1", triggering_user_name="ada"),
    }


class TestFormOfAChangeOfSchedule:
    @pytest.fixture
    def dag(self, flows) -> Any:
        """The DAG as Airflow's API server has it."""
        from airflow.serialization.serialized_objects import DagSerialization

        for flow_id in ("acme", "beta"):
            write_flow(flows, flow_id)
        return DagSerialization.from_dict(DagSerialization.to_dict(read_dags().dags["change_schedule"]))

    def test_suggests_the_flows_and_has_chosen_none(self, dag) -> None:
        """A field that takes no null and has none but that is one which the form wants filled in."""
        shown = dag.params.get_param("flow").dump()
        assert (shown["value"], shown["schema"]["type"]) == (None, "string")
        assert shown["schema"]["examples"] == ["acme", "beta"]

    def test_takes_any_flow_by_name_and_refuses_none(self, dag) -> None:
        dag.params.deep_merge({"flow": "added_since", "every": "5m"}).validate()
        for conf in ({"every": "5m"}, {"every": "5m", "flow": ""}):
            with pytest.raises(ParamValidationError, match="flow"):
                dag.params.deep_merge(conf).validate()


class TestChangeSchedule:
    @pytest.fixture
    def factory(self, tmp_path):
        path = tmp_path / "flows.py"
        path.touch()
        return path

    def change(self, factory, **conf: Any) -> None:
        ChangeScheduleOperator(task_id="change_schedule", factory=str(factory)).execute(a_context(**conf))

    @pytest.mark.parametrize(
        ("conf", "written"),
        [
            ({"every": "5m"}, "every: 5m"),
            ({"cron": "3 * * * *", "timezone": "Europe/Istanbul"}, "timezone: Europe/Istanbul"),
            ({"after": ["other"]}, "after:"),
        ],
        ids=["every", "cron", "after"],
    )
    def test_writes_the_schedule_into_the_flow(self, flows, factory, conf, written) -> None:
        home = write_flow(flows, "acme")
        write_flow(flows, "other")
        self.change(factory, flow="acme", **conf)
        assert written in (home / "flow.yaml").read_text()

    def test_stands_in_the_flows_history_with_who_asked_for_it(self, flows, factory) -> None:
        from order_cancellation.airflow_settings import read_settings
        from order_cancellation.service.requests import open_ledger

        write_flow(flows, "asked_for")
        self.change(factory, flow="asked_for", every="5m")
        ledger = open_ledger(read_settings())
        newest = ledger.history.list("asked_for")[0]
        ledger.close()
        assert (newest.author, newest.note) == ("ada", "By the DAG change_schedule, run manual-1")

    def test_takes_the_schedule_away(self, flows, factory) -> None:
        home = write_flow(flows, "acme", f"{PLAIN_FLOW}schedule: {{every: 5m}}\n")
        self.change(factory, flow="acme", none=True)
        assert "schedule" not in (home / "flow.yaml").read_text()

    def test_makes_airflow_read_the_flows_again(self, flows, factory) -> None:
        """Also where a reading is under way that has not seen the change: it ends before the file's time."""
        write_flow(flows, "acme")
        os.utime(factory, (0, 0))
        longest_reading = 3  # the design's aim for 200 flows
        asked = time.time()
        self.change(factory, flow="acme", every="5m")
        assert factory.stat().st_mtime > asked + longest_reading

    def test_is_done_also_where_that_file_can_not_be_touched(self, flows, tmp_path) -> None:
        home = write_flow(flows, "acme")
        self.change(tmp_path / "absent.py", flow="acme", every="5m")
        assert "every: 5m" in (home / "flow.yaml").read_text()

    @pytest.mark.parametrize(
        ("conf", "message"),
        [
            ({"flow": "absent", "every": "5m"}, "absent"),
            ({"flow": "acme"}, "exactly one of every, cron, after, none"),
            ({"flow": "acme", "every": "5m", "none": True}, "exactly one"),
            ({"flow": "acme", "cron": "often"}, "no cron expression"),
            ({"flow": "acme", "evry": "5m"}, "unknown parameters: evry"),
        ],
    )
    def test_refuses_and_writes_nothing(self, flows, factory, conf, message) -> None:
        home = write_flow(flows, "acme")
        with pytest.raises(AirflowFailException, match=message):
            self.change(factory, **conf)
        assert (home / "flow.yaml").read_text() == PLAIN_FLOW


def test_maintenance_returns_what_it_did_in_numbers(monkeypatch) -> None:
    async def keep_house(settings: Any) -> dict[str, int]:
        return {"acme": 3}

    monkeypatch.setattr(runs, "keep_house", keep_house)
    assert HousekeepingOperator(task_id="keep_house").execute({}) == {"acme": 3}
