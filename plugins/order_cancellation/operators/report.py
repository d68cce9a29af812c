"""The end of a run: what became of the requests that it took up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog
from airflow.sdk import Context

from order_cancellation.airflow_settings import Settings
from order_cancellation.operators.base import FlowOperator, StepUnfinished, list_behind
from order_cancellation.steps.report import RunReport

__all__ = ["ReportOperator"]

log = structlog.get_logger(__name__)

BEFORE = ("login", "get_data")
RED = ("failed", "upstream_failed")


class ReportOperator(FlowOperator):
    """Count the run's requests and list what failed and why; red if anything of this run is not through.

    It runs whatever happened before it. Its green end tells the flows that are scheduled ``after`` this one.

    :param flow_id: The flow.
    """

    ui_color = "#d9ead3"

    def work(self, context: Context, settings: Settings) -> dict[str, int]:
        """Report, and return how many of the run's requests are in which state.

        :param context: Airflow's context of the task instance.
        :param settings: The project's settings.
        """
        from order_cancellation.service import runs

        run = self.run_of(context)
        if run.params.dry_run:
            self.outlets = []  # a dry run must not start the flows that come after this one
        unread = _red_before(context)
        report = runs.report(settings, run)
        _tell(self.flow_id, report)
        problems = [f"{task} failed, so not everything was read" for task in unread] + list(report.problems)
        if problems or not report.green:
            raise StepUnfinished(_verdict(report, problems), hopeful=False)
        return report.counts


def _red_before(context: Context) -> list[str]:
    """Return which of login and get_data ended red: Airflow itself would show the run as green then."""
    ti: Any = context["ti"]
    states = ti.get_task_states(dag_id=ti.dag_id, task_ids=list(BEFORE), run_ids=[ti.run_id])
    of_run = states.get(ti.run_id, {})
    return [task for task in BEFORE if of_run.get(task) in RED]


def _tell(flow_id: str, report: RunReport) -> None:
    """Log the report below a line that names the flow, so that the lines for single requests need not."""
    for line in report.lines:
        log.info(line)
    log.info("Flow '%s', this run: %s", flow_id, _in_words(report.counts))
    if report.waiting:
        log.info("Of earlier runs, waiting for a person: %s", _in_words(report.waiting))
    for problem in report.problems:
        log.error(problem)
    if report.behind:
        list_behind(report.behind)


def _in_words(counts: Mapping[str, int]) -> str:
    said = [f"{count} {state.replace('_', ' ')}" for state, count in counts.items() if count]
    return ", ".join(said) or "no requests"


def _verdict(report: RunReport, problems: list[str]) -> str:
    behind = len(report.behind)
    are = "is" if behind == 1 else "are"
    of_all = [f"{behind} of {sum(report.counts.values())} requests {are} not through, listed above"]
    return "; ".join([*problems, *(of_all if behind else [])])
