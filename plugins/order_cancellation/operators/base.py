"""What all operators of a flow share: the run they belong to, and what an error means to Airflow.

A step that is not green is red in one of two ways. *Hopeful*: running it again may help without anybody's
doing (the ERP is down, or throttles), so it raises ``StepUnfinished`` and Airflow's retries apply.
*Hopeless*: somebody has to act first, so it raises ``AirflowFailException`` and no retry follows. Which of
the two an error is stands in ``errors.RECOVERY`` and in the step's report, never here.

Operators import the engine inside their methods: Airflow imports the operators whenever it parses the flows,
in a new process each time, and the engine costs more than the parse.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import structlog
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from order_cancellation.airflow_settings import Settings, read_settings
from order_cancellation.errors import OrderCancellationError, recovery_of
from order_cancellation.hooks.endpoints import find_endpoint
from order_cancellation.operators.params import read_params
from order_cancellation.steps.report import Behind

if TYPE_CHECKING:
    from order_cancellation.service.runs import Run

__all__ = ["FlowOperator", "StepUnfinished", "list_behind"]

log = structlog.get_logger(__name__)

IN_THE_OPEN = 20
_AFTER_A_MAKER = frozenset({"mapping", "write_to_erp", "custom_response"})
"""Steps that use what an earlier one made, which a clear does not make anew."""


class StepUnfinished(OrderCancellationError):
    """A step did its work, and not every request is past it.

    :param message: What is wrong, in one line.
    :param hopeful: Whether running the step again may help without anybody's doing.
    """

    def __init__(self, message: str, *, hopeful: bool) -> None:
        self.hopeful = hopeful
        super().__init__(message)


class FlowOperator(BaseOperator):
    """A task of a flow.

    Subclasses write ``work``; ``execute`` translates what it raises.

    :param flow_id: The flow, and so the DAG, that the task belongs to.
    """

    template_fields: Sequence[str] = ()
    connections = staticmethod(find_endpoint)

    def __init__(self, *, flow_id: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flow_id = flow_id

    def execute(self, context: Context) -> Any:
        """Do the task's work, and say in Airflow's terms how it ended.

        :param context: Airflow's context of the task instance.
        """
        try:
            return self.work(context, read_settings())
        except OrderCancellationError as error:
            hopeful, message = _is_hopeful(error), self._named(str(error))
            self._note(context, hopeful=hopeful)
            red = StepUnfinished(message, hopeful=True) if hopeful else AirflowFailException(message)
        except Exception:
            self._note(context, hopeful=True)
            raise
        raise red  # outside, so that the cause, which may hold what nobody should read, is not chained

    def _named(self, message: str) -> str:
        """Return a message that names flow and task; one that begins with the flow is left as it is."""
        flow = f"Flow '{self.flow_id}'"
        step = self.task_id.rpartition(".")[2]
        return message if message.startswith(flow) else f"{flow}, {step}: {message}"

    def _note(self, context: Context, *, hopeful: bool) -> None:
        if not hopeful or no_retry_left(context):
            self.ended_red(context)

    def work(self, context: Context, settings: Settings) -> Any:
        """Do the task's work and return what may stand in XCom: counts and ids only.

        :param context: Airflow's context of the task instance.
        :param settings: The project's settings.
        """
        raise NotImplementedError

    def run_of(self, context: Context) -> Run:
        """Return the run that this task instance belongs to.

        Its data interval counts only in a backfill: a scheduled run takes all that is eligible.

        :param context: Airflow's context of the task instance.
        """
        from order_cancellation.service.runs import Run

        dag_run: Any = context["dag_run"]
        interval = (dag_run.data_interval_start, dag_run.data_interval_end)
        backfill = str(getattr(dag_run.run_type, "value", dag_run.run_type)) == "backfill"
        return Run(
            flow_id=self.flow_id,
            run_id=dag_run.run_id,
            params=read_params(context["params"]),
            interval=interval if backfill and all(interval) else None,
        )

    def ended_red(self, context: Context) -> None:
        """Hear that the task ends red for good: no retry of Airflow's will follow.

        :param context: Airflow's context of the task instance.
        """


def _is_hopeful(error: OrderCancellationError) -> bool:
    return error.hopeful if isinstance(error, StepUnfinished) else recovery_of(error).repeat


def no_retry_left(context: Context) -> bool:
    """Say whether Airflow will not retry this attempt; after a clear, Airflow counts from that try on.

    Args:
        context: Airflow's context of the task instance.
    """
    ti: Any = context["ti"]
    return bool(ti.try_number > ti.max_tries)


def list_behind(behind: Sequence[Behind]) -> None:
    """Log requests that did not come through, one line each, and what a person can do about them.

    The log page shows groups folded, so the first lines stand in the open: they are what people look for.

    Args:
        behind: The requests; their errors hold no personal data.
    """
    for one in behind[:IN_THE_OPEN]:
        _list(one)
    if behind[IN_THE_OPEN:]:
        log.info("::group::%d more", len(behind) - IN_THE_OPEN)
        for one in behind[IN_THE_OPEN:]:
            _list(one)
        log.info("::endgroup::")
    for what_to_do in _ways_on(behind):
        log.info(what_to_do)


def _list(one: Behind) -> None:
    log.warning(str(one), request_id=one.id, uuid=one.uuid, state=one.state, step=one.step)


def _ways_on(behind: Sequence[Behind]) -> Iterator[str]:
    states = {one.state for one in behind}
    if states - {"in_doubt", "parked"}:
        yield "What to do: put right what is named above, then clear this run's failed tasks."
        yield "Where nobody clears them, a later run tries again by itself."
    if any(one.state == "failed" and one.step in _AFTER_A_MAKER for one in behind):
        yield "A cleared task goes on with what the script and the mapping before it had made."
        yield "Where one of these was put right, redo the request (Requests) or wait for a later run."
    if "in_doubt" in states:
        yield "In doubt: the ERP may have booked it, so nothing is sent again before that is clear."
        yield "The next run asks the ERP, where the flow says how; else a person decides (Requests)."
    if "parked" in states:
        yield "Parked: a person decides on the page Requests, by redo or resolve."
