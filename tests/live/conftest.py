"""Fixtures of the tests on a real Airflow."""

from live_airflow import live, live_sandbox

__all__ = ["live", "live_sandbox"]
