"""Opening the ledger: created and migrated at first use, by one process at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from order_cancellation.errors import LedgerUnavailable
from order_cancellation.ledger.database import open_engine

__all__ = ["HEAD", "exists", "open_database"]

HEAD = "0001"
"""The newest migration; so that an up-to-date ledger opens without importing Alembic."""

_ADVISORY_LOCK = 0x0C1ED6E5


def open_database(url: str) -> Engine:
    """Return an engine on a ledger whose schema is up to date.

    Args:
        url: The setting ``ledger_url``.

    Raises:
        ConfigurationError: The URL is not usable.
        LedgerUnavailable: The database can't be reached, created or migrated.
    """
    engine = open_engine(url)
    try:
        if _version(engine) != HEAD:
            _migrate(engine)
    except (SQLAlchemyError, OSError) as error:
        reason = " ".join(str(getattr(error, "orig", None) or error).split())
        raise LedgerUnavailable(
            f"The ledger can't be opened: {reason}. Nothing is sent until it can."
        ) from error
    return engine


def exists(engine: Engine) -> bool:
    """Say whether a ledger is there, without creating one."""
    path = engine.url.database
    if engine.dialect.name == "sqlite" and path and not Path(path).exists():
        return False
    return _version(engine) is not None


def _version(engine: Engine) -> str | None:
    with engine.connect().execution_options(read_only=True) as connection:
        if not inspect(connection).has_table("ledger_version"):
            return None
        return connection.execute(text("SELECT version_num FROM ledger_version")).scalar()


def _migrate(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415 -- slow to import, and seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with _alone(engine), engine.begin() as connection:
        _refuse_newer(connection)
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _refuse_newer(connection: Connection) -> None:
    if not inspect(connection).has_table("ledger_version"):
        return
    found = connection.execute(text("SELECT version_num FROM ledger_version")).scalar()
    if found is not None and found > HEAD:
        raise LedgerUnavailable(
            f"The ledger was written by a newer version of this software (schema {found}, this one knows "
            f"{HEAD}): update the software on this machine."
        )


@contextmanager
def _alone(engine: Engine) -> Iterator[None]:
    if engine.dialect.name == "sqlite":
        with Path(f"{engine.url.database}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ADVISORY_LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ADVISORY_LOCK})
