"""Changing a flow's schedule from Airflow itself."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

from order_cancellation.airflow_settings import read_settings
from order_cancellation.errors import OrderCancellationError
from order_cancellation.flow.schedule import describe
from order_cancellation.operators.params import refuse_unknown, schedule_params

__all__ = ["ChangeScheduleOperator"]

log = structlog.get_logger(__name__)

_LONGEST_PARSE_S = 5.0
"""How long a reading of the flows may take that began before the change; 200 flows take under 3 s."""


class ChangeScheduleOperator(BaseOperator):
    """Write a flow's schedule, and ask Airflow to read it at once.

    :param factory: The file that makes the flows' DAGs. Airflow reads a file again when its time of change
        is later than the end of the last reading, and a task has no other way to ask that needs no
        credentials.
    """

    ui_color = "#cfe8f3"

    def __init__(self, *, factory: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factory = factory

    def execute(self, context: Context) -> None:
        """Write the schedule that the run's parameters name.

        :param context: Airflow's context of the task instance.
        """
        from order_cancellation.service.runs import open_ledger
        from order_cancellation.service.saving import workshop_of
        from order_cancellation.service.schedule import Wish, set_schedule

        params: Any = context["params"]
        dag_run: Any = context["dag_run"]
        try:
            refuse_unknown(dag_run.conf, schedule_params(()))
            settings = read_settings()
            with open_ledger(settings) as ledger:
                changed = set_schedule(
                    workshop_of(settings, ledger),
                    params["flow"],
                    Wish(**_wanted(params)),
                    author=_who(dag_run),
                    note=f"By the DAG change_schedule, run {dag_run.run_id}",
                )
        except OrderCancellationError as error:
            raise AirflowFailException(str(error)) from None
        log.info("Flow %s now runs %s", changed.flow.id, describe(changed.flow.schedule))
        self._ask_for_a_parse()

    def _ask_for_a_parse(self) -> None:
        # a reading that is under way has not seen the change, and ends after it: only a later time counts
        later = time.time() + _LONGEST_PARSE_S
        try:
            os.utime(Path(self.factory), (later, later))
        except OSError as error:
            log.warning(
                "Airflow will take the schedule up at its next regular parse", error=type(error).__name__
            )


def _who(dag_run: Any) -> str:
    return str(getattr(dag_run, "triggering_user_name", None) or "change_schedule")


def _wanted(params: Mapping[str, Any]) -> dict[str, Any]:
    after = params.get("after") or None
    return {
        "every": params.get("every") or None,
        "cron": params.get("cron") or None,
        "after": None if after is None else tuple(after),
        "none": bool(params.get("none")),
        "timezone": params.get("timezone") or None,
    }
