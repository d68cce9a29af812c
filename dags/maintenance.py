"""An Airflow DAG that keeps house once a day."""

from __future__ import annotations

from datetime import UTC, datetime

from airflow.sdk import DAG, CronDataIntervalTimetable

from order_cancellation.dag import TAG
from order_cancellation.operators.maintenance import HousekeepingOperator

with DAG(
    "maintenance",
    schedule=CronDataIntervalTimetable("17 3 * * *", timezone="UTC"),
    start_date=datetime(2020, 1, 1, tzinfo=UTC),
    catchup=False,
    max_active_runs=1,
    is_paused_upon_creation=False,
    tags=[TAG],
    doc_md="Deletes stored payloads that are older than their flow keeps them (`keep_payloads_days`). "
    "What is unfinished, in doubt or parked stays. After a change of `payload_key`, what else the old key "
    "reads is rewritten under the new one.",
):
    HousekeepingOperator(task_id="keep_house", retries=2)
