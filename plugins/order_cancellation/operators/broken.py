"""The only task of a flow that can't be read."""

from __future__ import annotations

from typing import Any

import structlog
from airflow.sdk import BaseOperator, Context
from airflow.sdk.exceptions import AirflowFailException

__all__ = ["BrokenFlowOperator"]

log = structlog.get_logger(__name__)


class BrokenFlowOperator(BaseOperator):
    """Fail with everything that is wrong with the flow.

    :param problems: One line each.
    """

    ui_color = "#f8c9c4"

    def __init__(self, *, problems: list[str], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.problems = problems

    def execute(self, context: Context) -> None:  # noqa: ARG002 (Airflow's signature)
        """List the problems and fail, without retry.

        :param context: Airflow's context of the task instance.
        """
        for problem in self.problems:
            log.error(problem)
        count = len(self.problems)
        problems = "1 problem" if count == 1 else f"{count} problems"
        raise AirflowFailException(
            f"Flow '{self.dag_id}' can't run: put right the {problems} listed above, in its folder"
        )
