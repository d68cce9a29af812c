"""What a flow is: models, store, revisions, schedule, saved cases. No Airflow."""
