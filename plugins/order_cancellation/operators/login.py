"""The document's step *Login*."""

from __future__ import annotations

import asyncio
from typing import Any

import structlog
from airflow.sdk import Context

from order_cancellation.airflow_settings import Settings
from order_cancellation.operators.base import FlowOperator
from order_cancellation.operators.params import refuse_unknown, run_params

__all__ = ["LoginOperator"]

log = structlog.get_logger(__name__)


class LoginOperator(FlowOperator):
    """Log in to Omnitron and to the ERP, before anything is read; refuses a run with unknown parameters.

    :param flow_id: The flow.
    """

    ui_color = "#cfe8f3"

    def work(self, context: Context, settings: Settings) -> None:
        """Log in.

        :param context: Airflow's context of the task instance.
        :param settings: The project's settings.
        """
        from order_cancellation.service import runs

        dag_run: Any = context["dag_run"]
        refuse_unknown(dag_run.conf, run_params())
        run = self.run_of(context)
        asyncio.run(runs.log_in(settings, self.connections, run))
        log.info("Logged in to Omnitron and the ERP" if not run.params.dry_run else "Logged in to Omnitron")
