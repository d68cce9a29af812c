"""How Airflow's processes open Airflow's own SQLite file (``[database] sql_alchemy_connect_args``).

Airflow puts the file into write-ahead mode, and SQLite then waits for the disk at every commit. Without that
wait the file stays sound in a power cut, and only forgets the last moments of runs; what was sent is known
from the ledger, whose commits do wait.

SQLite tells the time in whole seconds, and the scheduler asks it which runs are due: one that was triggered
at 12:00:00.4 is, by such a clock, due at 12:00:01. So it gets a finer one, and runs start half a second
sooner.
"""

from __future__ import annotations

import sqlite3
from typing import Any

from airflow.configuration import conf

from order_cancellation.clock import SystemClock

__all__ = ["CONNECT_ARGS"]


_clock = SystemClock()


class _Connection(sqlite3.Connection):
    """A connection that leaves it to checkpoints to wait for the disk, and knows parts of seconds."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.execute("PRAGMA synchronous=NORMAL")
        self.create_function("current_timestamp", 0, _now)


def _now() -> str:
    """Return the time as SQLAlchemy writes times into SQLite, so that the two compare as texts."""
    return _clock.now().replace(tzinfo=None).isoformat(" ", "microseconds")


def _is_sqlite() -> bool:
    return (conf.get("database", "sql_alchemy_conn", fallback="") or "").startswith("sqlite")


CONNECT_ARGS: dict[str, Any] = {"factory": _Connection} if _is_sqlite() else {}
"""What each connection is opened with; nothing for other databases, which know no such option."""
