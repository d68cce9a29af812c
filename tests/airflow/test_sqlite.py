"""How Airflow's own SQLite file is opened."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from order_cancellation.airflow_sqlite import CONNECT_ARGS


@pytest.fixture
def connection(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/airflow.db", connect_args=CONNECT_ARGS)
    with engine.connect() as connection:
        yield connection
    engine.dispose()


def test_a_run_that_was_triggered_this_moment_is_due(connection) -> None:
    runs = sa.table("runs", sa.column("run_after", sa.DateTime))
    connection.execute(sa.text("CREATE TABLE runs (run_after DATETIME)"))
    for _ in range(20):  # at whole seconds, even SQLite's own clock would do
        connection.execute(runs.insert().values(run_after=datetime.now(UTC)))
    due = sa.select(sa.func.count()).select_from(runs).where(runs.c.run_after <= sa.func.now())
    assert connection.scalar(due) == 20


def test_a_time_that_the_database_sets_is_read_as_a_time(connection) -> None:
    runs = sa.table("runs", sa.column("made", sa.DateTime))
    connection.execute(sa.text("CREATE TABLE runs (id INTEGER, made DATETIME DEFAULT CURRENT_TIMESTAMP)"))
    before = datetime.now(UTC).replace(tzinfo=None)
    connection.execute(sa.text("INSERT INTO runs (id) VALUES (1)"))
    assert connection.scalar(sa.select(runs.c.made)) >= before


def test_a_commit_does_not_wait_for_the_disk(connection) -> None:
    normal = 1
    assert connection.scalar(sa.text("PRAGMA synchronous")) == normal
