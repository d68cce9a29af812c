"""Makes ready in Airflow's scheduler what every task needs, before LocalExecutor forks the tasks from it.

What is in memory there costs a task instance nothing; what each of them does anew costs every run some twenty
times. None of it is needed for a task to work: under Celery each task does all of it by itself.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable
from functools import cache, partial

__all__ = ["get_ready"]

log = logging.getLogger(__name__)

MODULES = (
    "order_cancellation.dag",
    "order_cancellation.service.runs",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk.execution_time.cache",
    "airflow.sdk.definitions.decorators",
    "airflow.dag_processing.bundles.local",
    "airflow.providers.common.io.assets.file",
    "encodings.utf_8_sig",
    "encodings.utf_16_be",
    "encodings.unicode_escape",
)


@cache
def get_ready() -> None:
    """Do all of it, once; what can't be done is told and left to the tasks.

    Airflow runs the plugin file again in each task, which then finds this done.
    """
    for module in MODULES:
        _try(module, partial(importlib.import_module, module))
    for what in (_templates, _script_packages, _ledger):
        _try(what.__name__.strip("_"), what)


def _try(name: str, what: Callable[[], object]) -> None:
    try:
        what()
    except Exception:  # whatever it is, the scheduler has to start, and each task tells its own
        log.warning("%s could not be made ready ahead; tasks do it themselves", name, exc_info=True)


def _templates() -> None:
    """Render as Airflow does for each batch's name: Jinja builds its lexer at the first use."""
    from airflow.sdk import DAG  # noqa: PLC0415 -- only where it is used: the scheduler

    DAG("ahead", schedule=None).get_template_env().from_string("{{ task.name(run.id) }}")


def _script_packages() -> None:
    """Find what scripts may import: that looks at hundreds of files, and is the same for every script."""
    from order_cancellation.airflow_settings import read_settings  # noqa: PLC0415
    from order_cancellation.scripts.reach import reach_of  # noqa: PLC0415

    reach_of(read_settings().script_packages)


def _ledger() -> None:
    """Make the ledger's engine; it connects to nothing before a task uses it."""
    from order_cancellation.airflow_settings import read_settings  # noqa: PLC0415
    from order_cancellation.ledger.database import open_engine  # noqa: PLC0415

    open_engine(read_settings().ledger_url)
