"""One Airflow DAG per folder of the flows folder."""

from __future__ import annotations

from order_cancellation.dag import flow_dags

globals().update({f"DAG {dag.dag_id}": dag for dag in flow_dags()})
