"""The tests on a real Airflow share it with the browser's."""

from __future__ import annotations

import pytest

from live_airflow import share


def pytest_configure(config: pytest.Config) -> None:
    """Make ``live`` known."""
    share(config)
