"""One run of a flow: started, followed to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from urllib.parse import quote

from order_cancellation.demo.rest import ENDED, AirflowApi, Task
from order_cancellation.demo.standing import Standing
from order_cancellation.errors import ConfigurationError, OrderCancellationError

_DAG_WAIT = 90.0
_RUN_WAIT = 150.0
_LOOK_EVERY = 0.5


def wait_for_flow(airflow: Standing, flow: str) -> None:
    """Wait until Airflow has read a flow.

    Raises:
        ConfigurationError: If it does not come, with the reason where Airflow tells one.
    """
    try:
        airflow.program.wait_until(
            lambda: _is_there(airflow.api, flow), _DAG_WAIT, f"Reading the flow {flow}"
        )
    except ConfigurationError as error:
        raise ConfigurationError("\n".join([str(error), *airflow.api.import_errors()])) from error


def _is_there(api: AirflowApi, flow: str) -> bool:
    dag = api.find_dag(flow)
    if dag and any(tag["name"] == "broken" for tag in dag["tags"]):
        raise ConfigurationError(f"Flow '{flow}' is broken: .venv/bin/order-cancellation validate {flow}")
    return dag is not None


def start_run(api: AirflowApi, flow: str) -> str:
    """Start a run and return its id; runs that an earlier, killed demo left behind are ended first."""
    for left in api.unfinished_runs(flow):
        api.end_run(flow, left)
    run_id = f"demo-{datetime.now(UTC):%Y-%m-%dT%H-%M-%S.%f}"
    api.unpause(flow)
    api.trigger(flow, run_id)
    return run_id


def follow(airflow: Standing, flow: str, run_id: str, show: Callable[[Sequence[Task], float], None]) -> str:
    """Show a run until it ends.

    Args:
        airflow: Where it runs.
        flow: Which flow.
        run_id: Which run.
        show: Gets the tasks and the seconds since the start, again and again.

    Returns:
        The run's last state, ``success`` or ``failed``.

    Raises:
        OrderCancellationError: If it takes too long.
    """
    begun = time.monotonic()
    while True:
        state = str(airflow.api.run(flow, run_id)["state"])
        seconds = time.monotonic() - begun
        show(airflow.api.tasks(flow, run_id), seconds)
        if state in ENDED:
            return state
        airflow.program.check()
        if seconds > _RUN_WAIT:
            raise OrderCancellationError(
                f"The run did not end within {_RUN_WAIT:.0f} s: {run_url(airflow, flow, run_id)}"
            )
        time.sleep(_LOOK_EVERY)


def run_url(airflow: Standing, flow: str, run_id: str) -> str:
    """Return the address of a run's page."""
    return f"{airflow.place.url}/dags/{flow}/runs/{quote(run_id, safe='')}"
