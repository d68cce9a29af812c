"""An Airflow DAG that changes a flow's schedule, as the designer does."""

from __future__ import annotations

from pathlib import Path

from airflow.sdk import DAG

from order_cancellation.airflow_settings import read_settings
from order_cancellation.dag import TAG
from order_cancellation.flow.store import FlowStore
from order_cancellation.operators.change_schedule import ChangeScheduleOperator
from order_cancellation.operators.params import schedule_params

with DAG(
    "change_schedule",
    schedule=None,
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    tags=[TAG],
    params=schedule_params(FlowStore(read_settings().flows_folder).ids()),
    doc_md="Writes one flow's schedule: exactly one of every, cron, after and none.",
):
    ChangeScheduleOperator(
        task_id="change_schedule", factory=str(Path(__file__).with_name("flows.py").resolve())
    )
