"""Registers the pages and the API with Airflow, and imports ahead in the scheduler what every task needs.

Airflow runs this file in each of its processes, every task's among them, so it stays light: the API is built
in the API server only. The scheduler is the process that LocalExecutor forks its tasks from, so what it has
imported is there in each task for nothing. A Celery worker imports nothing ahead: not all it runs is ours.
"""

from __future__ import annotations

import importlib
import logging
import sys

from airflow.plugins_manager import AirflowPlugin

__all__ = ["OrderCancellationPlugin"]

log = logging.getLogger(__name__)

NEEDED_BY_TASKS = (
    "order_cancellation.dag",
    "order_cancellation.service.runs",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk.definitions.decorators",
)


def _command() -> str:
    """Return which of Airflow's commands this process is (``scheduler``, ``api-server``, …)."""
    return sys.argv[1] if len(sys.argv) > 1 else ""


def _import_ahead() -> None:
    for module in NEEDED_BY_TASKS:
        try:
            importlib.import_module(module)
        except ImportError:
            log.warning("%s could not be imported ahead; tasks import it themselves", module, exc_info=True)


class OrderCancellationPlugin(AirflowPlugin):
    """Pages, API and links of the order cancellation flows."""

    name = "order_cancellation"


if _command() == "scheduler":
    _import_ahead()
