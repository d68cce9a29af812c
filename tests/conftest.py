"""Gives tests what they need of the machine: ``postgres_url``, ``redis_url``, ``browser``; see ``needs``.

A test that needs one of them without using it says ``@pytest.mark.needs("postgres")``.
"""

from __future__ import annotations

import fcntl
import functools
import gc
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from needs import MISSING, POSTGRES_URL, REDIS_URL, demand, find_browser

ROOT = Path(__file__).parents[1]


def pytest_configure(config: pytest.Config) -> None:
    """Make the marker known, and let no property fail because the machine was slow."""
    settings.register_profile("any machine", deadline=None)
    settings.load_profile("any machine")
    config.addinivalue_line("markers", f"needs(name, …): what the test needs of {', '.join(MISSING)}")


LIVE = ("tests/live", "tests/browser")
FIRST = (LIVE, ("tests/ui",), ("tests/airflow",), ("tests/simulation", "tests/engine", "tests/demo"))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put what takes longest first, lest it keep one core waiting; all else keeps the drawn order."""
    items.sort(key=lambda item: [not item.nodeid.startswith(folders) for folders in FIRST])


def pytest_collection_finish() -> None:
    """Look for garbage less often, and no more in what was imported: that took a sixth of their time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: the one with the real Airflow waits for it most of the time."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep together on one core what shares a fixture: a file's tests, all on the one real Airflow, and all
    that have Airflow in their own process: to import it and to make its database takes ten seconds."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith(LIVE):
                return "live"
            if nodeid.startswith("tests/airflow"):
                return "airflow"
            return nodeid if nodeid.startswith("tests/simulation") else nodeid.partition("::")[0]

    return Together(config, log)


@functools.cache
def give_way() -> None:
    """Let the real Airflow have a core first: its tests come one after another, and end last."""
    os.nice(5)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Look for what the test's markers name, before its fixtures are made."""
    if "PYTEST_XDIST_WORKER" in os.environ and not item.nodeid.startswith(LIVE):
        give_way()
    for mark in item.iter_markers("needs"):
        for need in mark.args:
            demand(need)


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """The URL of an empty Postgres database of the test's own."""
    demand("postgres")
    from sqlalchemy import create_engine, make_url, text

    server = create_engine(POSTGRES_URL, isolation_level="AUTOCOMMIT")
    name = f"test_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield make_url(POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


@pytest.fixture
def redis_url() -> str:
    """The URL of a Redis that answers."""
    demand("redis")
    return REDIS_URL


@pytest.fixture
def browser() -> str:
    """The path of an installed Chromium."""
    demand("browser")
    return str(find_browser())


@pytest.fixture(scope="session")
def page_packages() -> Path:
    """The folder of the pages' locked packages; whoever comes first installs them for all."""
    demand("node")
    with (ROOT / "ui" / "package-lock.json").open() as locked:
        fcntl.flock(locked, fcntl.LOCK_EX)
        subprocess.run(["make", "--silent", "ui/node_modules/.installed"], cwd=ROOT, check=True)
    return ROOT / "ui" / "node_modules"
