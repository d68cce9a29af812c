"""Registers pages, API and timetable with Airflow, and makes its processes ready that others are forked from.

Airflow runs this file in each of its processes, every task's among them, so it stays light: the API is built
when somebody asks for it, which only the API server does. LocalExecutor forks its tasks from the scheduler,
and the DAG processor forks for each reading of a DAG file: what these two have ready costs no fork anything.
A Celery worker prepares nothing ahead: not all it runs is ours.
"""

from __future__ import annotations

import logging
import sys
from functools import cached_property
from typing import Any

from airflow.plugins_manager import AirflowPlugin

__all__ = ["OrderCancellationPlugin"]

log = logging.getLogger(__name__)

PREFIX = "order-cancellation"
_STATIC = f"{PREFIX}/static"
_FLOWS = {"icon": f"{_STATIC}/flows.svg", "icon_dark_mode": f"{_STATIC}/flows-dark.svg"}
_REQUESTS = {"icon": f"{_STATIC}/requests.svg", "icon_dark_mode": f"{_STATIC}/requests-dark.svg"}
PAGES: tuple[dict[str, Any], ...] = (
    {"name": "Flows", "destination": "nav", "url_route": "flows", "nav_top_level": True, **_FLOWS},
    {"name": "Flow", "destination": "dag", "url_route": "flow", **_FLOWS},
    {"name": "Requests", "destination": "nav", "url_route": "requests", "nav_top_level": True, **_REQUESTS},
    {"name": "Requests", "destination": "dag_run", "url_route": "run-requests", **_REQUESTS},
)
"""Where each page stands; relative addresses, which hold below a sub-path too."""


def _command() -> str:
    """Return which of Airflow's commands this process is (``scheduler``, ``api-server``, …)."""
    return sys.argv[1] if len(sys.argv) > 1 else ""


class OrderCancellationPlugin(AirflowPlugin):
    """Pages, API, links and timetable of the order cancellation flows."""

    name = "order_cancellation"

    @cached_property
    def fastapi_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The API and the pages' files, built at the first question."""
        from order_cancellation.api.app import make_app  # noqa: PLC0415 (the API server's alone)

        return [{"app": make_app(), "url_prefix": f"/{PREFIX}", "name": "Order cancellation"}]

    @cached_property
    def react_apps(self) -> list[dict[str, Any]]:  # type: ignore[override]
        """The pages; none in a checkout without their bundle."""
        from order_cancellation.api.app import BUNDLE, static_version  # noqa: PLC0415 (likewise)

        if not BUNDLE.is_file():
            log.warning("%s is missing: Airflow shows no pages of order cancellations", BUNDLE)
            return []
        url = f"{PREFIX}/static/main.js?v={static_version()}"
        return [{**page, "bundle_url": url} for page in PAGES]

    @cached_property
    def timetables(self) -> list[type]:  # type: ignore[override]
        """What Airflow needs to read a stored DAG with a cron schedule."""
        from order_cancellation.airflow_timetable import CronDataIntervalTimetable  # noqa: PLC0415 (likewise)

        return [CronDataIntervalTimetable]


if _command() == "scheduler":
    from order_cancellation.ahead import get_ready_to_run

    get_ready_to_run()
elif _command() == "dag-processor":
    from order_cancellation.ahead import get_ready_to_read

    get_ready_to_read()
