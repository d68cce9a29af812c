"""The DAG that a flow becomes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from airflow.sdk import (
    DAG,
    DeltaDataIntervalTimetable,
    TriggerRule,
)

from order_cancellation.airflow_settings import read_settings
from order_cancellation.dag import broken_dag, build_dag, ended_well, flow_dags
from order_cancellation.errors import Problem
from order_cancellation.service import runs

from .conftest import PLAIN_FLOW, WHOLE_FLOW, make_loaded, write_flow

ALL_STEPS = ["script", "mapping", "write_to_erp", "custom_response", "write_to_omnitron", "post_script"]


def built(text: str = PLAIN_FLOW, flow_id: str = "acme") -> DAG:
    return build_dag(make_loaded(text, flow_id))


def scheduled(schedule: str) -> DAG:
    return built(f"{PLAIN_FLOW}schedule: {schedule}\n")


class TestTasks:
    def test_are_called_as_the_documents_steps(self) -> None:
        assert [task.task_id for task in built(WHOLE_FLOW).topological_sort()] == [
            "login",
            "get_data",
            *[f"requests.{step}" for step in ALL_STEPS],
            "report",
        ]

    def test_of_steps_that_the_flow_lacks_are_absent(self) -> None:
        assert set(built().task_ids) == {
            "login",
            "get_data",
            "requests.write_to_erp",
            "requests.write_to_omnitron",
            "report",
        }

    def test_of_the_group_are_mapped_over_the_batches(self) -> None:
        dag = built(WHOLE_FLOW)
        assert all(dag.get_task(f"requests.{step}").get_needs_expansion() for step in ALL_STEPS)
        assert [task.task_id for task in dag.task_group_dict["requests"].iter_mapped_dependencies()] == [
            "get_data"
        ]

    def test_later_ones_run_for_what_is_fine_whatever_the_earlier_left(self) -> None:
        dag = built(WHOLE_FLOW)
        rules = {task.task_id: task.trigger_rule for task in dag.tasks}
        strict = {task_id for task_id, rule in rules.items() if rule == TriggerRule.ALL_SUCCESS}
        assert strict == {"login", "get_data", "requests.script"}
        assert set(rules.values()) == {TriggerRule.ALL_SUCCESS, TriggerRule.ALL_DONE}

    def test_take_their_retries_from_the_flow(self) -> None:
        task = built(WHOLE_FLOW).get_task("requests.script")
        assert (task.retries, task.retry_delay) == (1, timedelta(seconds=1))

    def test_differ_in_colour_by_step(self) -> None:
        dag = built(WHOLE_FLOW)
        assert len({dag.get_task(f"requests.{step}").ui_color for step in ALL_STEPS}) == len(ALL_STEPS)

    def test_report_tells_the_flows_that_come_after(self) -> None:
        assert built().get_task("report").outlets == [ended_well("acme")]


class TestDag:
    def test_has_one_run_at_a_time_and_catches_nothing_up(self) -> None:
        dag = built()
        assert (dag.max_active_runs, dag.catchup) == (1, False)

    def test_carries_the_flows_tags_and_the_common_one(self) -> None:
        assert built(WHOLE_FLOW).tags == {"acme", "order-cancellation"}

    def test_tells_the_flow_in_words(self) -> None:
        words = built(WHOLE_FLOW).doc_md or ""
        for said in (
            "Acme to SAP",
            "refunds with status approved of channel 2",
            "only by hand",
            "parked until a person decides",
            "adds the tag refused when",
        ):
            assert said in words

    def test_tells_of_no_schedule_that_a_disabled_flow_does_not_have(self) -> None:
        words = built(f"{PLAIN_FLOW}enabled: false\n").doc_md or ""
        assert "**Runs** only by hand." in words

    def test_survives_serialisation(self) -> None:
        from airflow.serialization.serialized_objects import DagSerialization

        again = DagSerialization.from_dict(DagSerialization.to_dict(built(WHOLE_FLOW)))
        assert len(again.task_ids) == len(ALL_STEPS) + 3

    def test_is_the_same_at_each_parse(self) -> None:
        from airflow.serialization.serialized_objects import DagSerialization

        text = f"{WHOLE_FLOW}schedule: {{every: 5m, timezone: Europe/Istanbul}}\n"
        once, again = (DagSerialization.to_dict(built(text)) for _ in range(2))
        assert once == again


class TestSchedule:
    def test_is_absent_where_the_flow_has_none(self) -> None:
        assert built().schedule is None

    def test_every_makes_data_intervals(self) -> None:
        assert scheduled("{every: 5m}").schedule == DeltaDataIntervalTimetable(timedelta(minutes=5))

    def test_cron_is_read_in_the_flows_time_zone(self) -> None:
        dag = scheduled('{cron: "0 5 * * *", timezone: Europe/Istanbul}')
        assert dag.schedule.serialize() == {"expression": "0 5 * * *", "timezone": "Europe/Istanbul"}

    def test_cron_intervals_end_at_the_local_time(self) -> None:
        info = next_run(scheduled('{cron: "0 5 * * *", timezone: Europe/Istanbul}'))
        assert (info.data_interval.end.astimezone(UTC).hour, info.data_interval.end.minute) == (2, 0)

    def test_every_counts_from_whole_intervals(self) -> None:
        assert next_run(scheduled("{every: 5m}")).data_interval.start.minute % 5 == 0

    def test_after_waits_for_all_the_flows_named(self) -> None:
        dag = scheduled("{after: [first, second]}")
        assert dag.schedule == [ended_well("first"), ended_well("second")]

    def test_is_off_and_tagged_where_the_flow_is_disabled(self) -> None:
        dag = built(f"{PLAIN_FLOW}enabled: false\nschedule: {{every: 5m}}\n")
        assert dag.schedule is None
        assert "disabled" in dag.tags


def next_run(dag: DAG) -> Any:
    """Ask the scheduler's own timetable when the DAG would run next."""
    import pendulum
    from airflow.serialization.serialized_objects import DagSerialization
    from airflow.timetables.base import TimeRestriction

    timetable = DagSerialization.from_dict(DagSerialization.to_dict(dag)).timetable
    earliest = pendulum.instance(dag.start_date)
    return timetable.next_dagrun_info(
        last_automated_data_interval=None,
        restriction=TimeRestriction(earliest=earliest, latest=None, catchup=False),
    )


class TestBrokenFlow:
    problems = (
        Problem("acme", "write_to_erp.method", "is missing."),
        Problem("acme", "script.file", "is gone."),
    )

    def test_keeps_its_id_and_says_that_it_is_broken(self) -> None:
        dag = broken_dag("acme", list(self.problems))
        assert (dag.dag_id, "broken" in dag.tags, dag.schedule) == ("acme", True, None)

    def test_shows_every_problem_on_its_page(self) -> None:
        page = broken_dag("acme", list(self.problems)).doc_md or ""
        assert all(f"**{problem.path}**: {problem.message}" in page for problem in self.problems)

    def test_shows_a_problem_as_it_is_written(self) -> None:
        page = broken_dag("acme", [Problem("acme", "", "# 'a*b*c' __is__ [no](x) <tag>")]).doc_md or ""
        assert r"- \# 'a\*b\*c' \_\_is\_\_ \[no\]\(x\) \<tag\>" in page

    def test_lists_every_problem_in_its_only_task_and_fails_without_retry(self, capsys, caplog) -> None:
        from airflow.sdk.exceptions import AirflowFailException

        (task,) = broken_dag("acme", list(self.problems)).tasks
        with pytest.raises(
            AirflowFailException, match="Flow 'acme' can't run: put right the 2 problems listed"
        ):
            task.execute({})
        log = capsys.readouterr().out + caplog.text
        assert all(str(problem) in log for problem in self.problems)


@pytest.mark.usefixtures("flows")
class TestFactory:
    def test_makes_nothing_of_an_empty_folder(self) -> None:
        assert list(flow_dags()) == []

    def test_lets_a_broken_flow_hide_no_other(self, flows) -> None:
        write_flow(flows, "good")
        write_flow(flows, "bad", "get_data: [")
        dags = {dag.dag_id: dag for dag in flow_dags()}
        assert ("broken" in dags["bad"].tags, "broken" in dags["good"].tags) == (True, False)

    def test_shows_a_script_that_does_not_compile(self, flows) -> None:
        home = write_flow(flows, "acme", WHOLE_FLOW)
        (home / "script.py").write_text("print 'old'")
        (dag,) = flow_dags()
        assert "broken" in dag.tags
        assert "Python 2" in (dag.doc_md or "")

    def test_shows_flows_that_wait_for_each_other(self, flows) -> None:
        for flow_id, other in (("one", "two"), ("two", "one")):
            write_flow(flows, flow_id, f"{PLAIN_FLOW}schedule: {{after: [{other}]}}\n")
        assert all("runs after itself" in (dag.doc_md or "") for dag in flow_dags())

    def test_shows_a_folder_whose_name_can_be_no_id(self, flows) -> None:
        write_flow(flows, "ä flow")
        (dag,) = flow_dags()
        assert (dag.dag_id, dag.tags) == ("__flow", {"broken", "order-cancellation"})

    def test_keeps_two_folders_apart_that_would_get_the_same_id(self, flows) -> None:
        write_flow(flows, "a_flow")
        write_flow(flows, "a flow")
        assert len({dag.dag_id for dag in flow_dags()}) == 2

    def test_keeps_the_projects_own_dags_from_being_replaced(self, flows) -> None:
        write_flow(flows, "maintenance")
        (dag,) = flow_dags()
        assert dag.dag_id != "maintenance"
        assert "broken" in dag.tags

    def test_builds_in_a_tasks_process_only_the_tasks_own_dag(self, flows, monkeypatch) -> None:
        for flow_id in ("one", "two"):
            write_flow(flows, flow_id)
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "two")
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "login")
        assert [dag.dag_id for dag in flow_dags()] == ["two"]

    @pytest.mark.parametrize(("task_id", "checked"), [("login", True), ("requests.mapping", False)])
    def test_lets_a_runs_first_tasks_check_its_parameters_and_no_batchs_once_more(
        self, flows, monkeypatch, task_id, checked
    ) -> None:
        write_flow(flows, "acme", WHOLE_FLOW)
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "acme")
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", task_id)
        (dag,) = flow_dags()
        assert ("dry_run" in dag.params) is checked

    def test_builds_in_a_tasks_process_the_newest_runs_revision_where_the_folder_is_broken_now(
        self, flows, monkeypatch, tmp_path
    ) -> None:
        """The tasks of the run under way are still there; the flow as it is now has none of them."""
        monkeypatch.setenv("AIRFLOW__ORDER_CANCELLATION__LEDGER_URL", f"sqlite:///{tmp_path / 'ledger.db'}")
        good = make_loaded(WHOLE_FLOW)
        with runs.open_ledger(read_settings()) as ledger:
            ledger.runs.keep_revision("acme", good.revision, good.files)
            ledger.runs.start("acme", "run-1", good.revision, dry_run=False)
        write_flow(flows, "acme", "get_data: [")
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "acme")
        monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_TASK_ID", "requests.mapping")
        (dag,) = flow_dags()
        assert "requests.mapping" in dag.task_ids

    def test_takes_no_flow_for_broken_because_of_a_saved_case(self, flows) -> None:
        """A malformed case is for validate and test to tell; it stops no run."""
        home = write_flow(flows, "acme")
        (home / "cases").mkdir()
        (home / "cases" / "typo.yaml").write_text("step: [")
        (dag,) = flow_dags()
        assert "broken" not in dag.tags

    def test_turns_what_airflow_refuses_into_a_broken_dag(self, flows, monkeypatch) -> None:
        write_flow(flows, "acme")
        monkeypatch.setattr("order_cancellation.dag.build_dag", refuse)
        (dag,) = flow_dags()
        assert "the DAG is refused" in (dag.doc_md or "")


def refuse(loaded: Any) -> DAG:
    raise ValueError("the DAG is refused")


def test_first_interval_is_long_past() -> None:
    assert built().start_date < datetime(2021, 1, 1, tzinfo=UTC)
