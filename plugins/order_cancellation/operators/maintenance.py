"""The daily housekeeping."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from airflow.sdk import BaseOperator, Context

from order_cancellation.airflow_settings import read_settings

__all__ = ["HousekeepingOperator"]

log = structlog.get_logger(__name__)


class HousekeepingOperator(BaseOperator):
    """Delete what need not be kept any longer, as each flow's ``keep_payloads_days`` says.

    After a change of ``payload_key``, what else the old key reads is rewritten under the new one.
    """

    ui_color = "#e9e9ec"

    def execute(self, context: Context) -> dict[str, Any]:  # noqa: ARG002 (Airflow's signature)
        """Keep house, and return what was done in numbers.

        :param context: Airflow's context of the task instance.
        """
        from order_cancellation.service import runs

        done = asyncio.run(runs.keep_house(read_settings()))
        log.info("housekeeping done", **done)
        return done
