"""Makes ready in Airflow's long-lived processes what those need that are forked from them.

What is in memory there costs a fork nothing. None of it is needed: under Celery each task does all of it.

LocalExecutor forks the tasks from the scheduler, some twenty for a run. There modules are imported, and a
made-up request is taken through all that a run does, so that statements, schemas and templates are compiled.
It meets nothing real: its ledger is a file of its own, its Omnitron and its ERP are the sandbox's, on the
loopback and only for that moment.

The DAG processor forks for each reading of a DAG file, every ten seconds. There modules are imported.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from order_cancellation.service.settings import Settings

__all__ = ["get_ready_to_read", "get_ready_to_run"]

log = logging.getLogger(__name__)

_FLOW_ID = "ahead"
_FLOW = {
    "flow.yaml": """\
get_data: {connection: omnitron, cancel_type: all, status: approved}
mapping: {file: mapping.json}
write_to_erp:
  connection: erp
  url: /cancellations
  method: POST
  headers: {X-Uuid: "{{ request.uuid }}"}
  idempotency_header: Idempotency-Key
write_to_omnitron: {on_success: {status: completed}}
""",
    "mapping.json": '[{"operation": "shift", "spec": {"*": "&"}}]',
}

TO_READ = (
    "order_cancellation.airflow_timetable",
    "order_cancellation.dag",
    "order_cancellation.http.jsonpath",
    "order_cancellation.http.templates",
    "order_cancellation.jolt",
    "order_cancellation.operators.change_schedule",
    "order_cancellation.operators.maintenance",
    "order_cancellation.scripts",
    "airflow.providers.common.io.assets.file",
    "encodings.utf_8_sig",
    "encodings.utf_16_be",
    "encodings.unicode_escape",
)
"""What Airflow and our DAG files import for a DAG."""

TO_RUN = (
    "order_cancellation.service.runs",
    "airflow.sdk.execution_time.task_runner",
    "airflow.sdk.execution_time.cache",
    "airflow.sdk.definitions.decorators",
    "airflow.dag_processing.bundles.local",
)
"""What a task imports besides."""

_begun: set[str] = set()
"""What is done or under way: Airflow runs the plugin file anew for its listeners and in each task."""


def get_ready_to_read() -> None:
    """Import what the reading of a DAG file needs, once; what can't be is told and left to each reading."""
    if "read" in _begun:
        return
    _begun.add("read")
    for module in TO_READ:
        _try(module, partial(importlib.import_module, module))


def get_ready_to_run() -> None:
    """Do all that a task needs, once; what can't be done is told and left to the tasks."""
    if "run" in _begun:
        return
    _begun.add("run")
    get_ready_to_read()
    for module in TO_RUN:
        _try(module, partial(importlib.import_module, module))
    for what in (_listeners, _templates, _script_packages, _ledger, _a_run):
        _try(what.__name__.strip("_"), what)


def _try(name: str, what: Callable[[], object]) -> None:
    try:
        what()
    except Exception:  # whatever it is, this process has to start, and those forked from it tell their own
        log.warning("%s could not be made ready ahead; whoever needs it does it", name, exc_info=True)


def _listeners() -> None:
    """Look for listeners as each task does: Airflow searches the plugins folder and all that is installed."""
    from airflow.sdk.listener import get_listener_manager

    get_listener_manager()


def _templates() -> None:
    """Render as Airflow does for each batch's name: Jinja builds its lexer at the first use."""
    from airflow.sdk import DAG

    DAG("ahead", schedule=None).get_template_env().from_string("{{ task.name(run.id) }}")


def _script_packages() -> None:
    """Find what scripts may import: that looks at hundreds of files, and is the same for every script."""
    from order_cancellation.airflow_settings import read_settings
    from order_cancellation.scripts.reach import reach_of

    reach_of(read_settings().script_packages)


def _ledger() -> None:
    """Make the ledger's engine; it connects to nothing before a task uses it."""
    from order_cancellation.airflow_settings import read_settings
    from order_cancellation.ledger.database import open_engine

    open_engine(read_settings().ledger_url)


def _a_run() -> None:
    """Take one made-up request through a flow that touches every port but scripts."""
    from cryptography.fernet import Fernet

    from order_cancellation.dag import build_dag
    from order_cancellation.flow.store import FlowStore
    from order_cancellation.service.settings import Settings

    with tempfile.TemporaryDirectory(prefix="order-cancellation-") as name, _in_silence():
        home = Path(name)
        folder = home / "flows" / _FLOW_ID
        folder.mkdir(parents=True)
        for file, text in _FLOW.items():
            (folder / file).write_text(text, encoding="utf-8")
        ledger_url = f"sqlite:///{home / 'ledger.db'}"
        settings = Settings(home / "flows", ledger_url, (Fernet.generate_key().decode(),))
        build_dag(FlowStore(settings.flows_folder).load(_FLOW_ID))
        asyncio.run(_run_through(settings))


async def _run_through(settings: Settings) -> None:
    from order_cancellation.http.endpoint import Endpoint
    from order_cancellation.sandbox.server import Sandbox
    from order_cancellation.service import runs

    async with Sandbox(scenario={"name": _FLOW_ID, "requests": {"count": 1}}) as sandbox:
        made_up = sandbox.world.settings
        user, password = made_up.omnitron_user, made_up.omnitron_password
        connections = {
            "omnitron": Endpoint("omnitron", sandbox.omnitron_url, "omnitron", user, password),
            "erp": Endpoint("erp", sandbox.erp_url),
        }.__getitem__
        run = runs.Run(_FLOW_ID, _FLOW_ID)
        await runs.log_in(settings, connections, run)
        for batch in await runs.get_data(settings, connections, run):
            runs.batch_label(settings, run, batch)
            for step in runs.STEPS:
                await runs.run_step(settings, connections, run, step, batch)
        runs.report(settings, run)


@contextmanager
def _in_silence() -> Iterator[None]:
    """Keep what the made-up run says out of the scheduler's log."""
    speakers = [logging.getLogger(name) for name in ("order_cancellation", "alembic")]
    before = [speaker.level for speaker in speakers]
    for speaker in speakers:
        speaker.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for speaker, level in zip(speakers, before, strict=True):
            speaker.setLevel(level)
