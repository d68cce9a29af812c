"""A step over one batch of requests: the base of the six operators in the mapped group."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import Any, ClassVar

import structlog
from airflow.sdk import Context

from order_cancellation.airflow_settings import Settings, read_settings
from order_cancellation.errors import OrderCancellationError
from order_cancellation.operators.base import FlowOperator, StepUnfinished, list_behind
from order_cancellation.steps.report import StepReport

__all__ = ["BatchOperator"]

log = structlog.get_logger(__name__)


class BatchOperator(FlowOperator):
    """Run one step for one batch; green only when every request of the batch is past it.

    The batch's number is the map index: ``get_data`` numbers a run's batches from 0. Asking Airflow for the
    list of numbers would cost each task instance two calls of Airflow's API, some 35 ms of processor time.

    :param flow_id: The flow.
    """

    step: ClassVar[str]

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("map_index_template", "{{ task.batch_name(run_id, ti.map_index) }}")
        super().__init__(**kwargs)

    def work(self, context: Context, settings: Settings) -> dict[str, int | str]:
        """Run the step and return its counts.

        :param context: Airflow's context of the task instance.
        :param settings: The project's settings.
        """
        from order_cancellation.service import runs

        run = self.run_of(context)
        report = asyncio.run(runs.run_step(settings, self.connections, run, self.step, _batch_of(context)))
        log.info("Flow '%s', %s", self.flow_id, report.sentence())
        if not report.green:
            raise _unfinished(self.flow_id, report)
        return report.summary()

    def ended_red(self, context: Context) -> None:
        """Note for (run, batch, step) that the next execution will be a person's act.

        :param context: Airflow's context of the task instance.
        """
        from order_cancellation.service import runs

        try:
            runs.note_red(read_settings(), self.run_of(context), self.step, _batch_of(context))
        except OrderCancellationError as error:
            log.warning("the red end could not be noted", step=self.step, error=str(error))

    def batch_name(self, run_id: str, batch: int) -> str:
        """Name the batch after its requests, for Airflow's grid; never fails, since a label is no reason to.

        Airflow renders it before the work and again after it.

        :param run_id: The run.
        :param batch: The batch's number.
        """
        try:
            return _label(read_settings(), self.flow_id, run_id, batch)
        except OrderCancellationError:
            return f"batch {batch}"


def _batch_of(context: Context) -> int:
    ti: Any = context["ti"]
    return int(ti.map_index)


def _unfinished(flow_id: str, report: StepReport) -> StepUnfinished:
    """List what is behind, and make the error that says so in one line."""
    list_behind(report.behind)
    count = len(report.behind)
    others = f" (and {count - 1} more, listed above)" if count > 1 else ""
    return StepUnfinished(f"{report.behind[0].in_flow(flow_id)}{others}", hopeful=report.hopeful)


@lru_cache(maxsize=1)
def _label(settings: Settings, flow_id: str, run_id: str, batch: int) -> str:
    from order_cancellation.service import runs

    return runs.batch_label(settings, runs.Run(flow_id, run_id), batch)
