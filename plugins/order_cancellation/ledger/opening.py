"""Opening the ledger: created and migrated at first use, by one process at a time."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError

from order_cancellation.errors import LedgerUnavailable
from order_cancellation.ledger.database import open_engine, quotes_values, reading, unavailable

__all__ = ["HEAD", "exists", "identity_of", "open_database"]

HEAD = "0005"
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
        _make_folder(engine)
        if _version(engine) != HEAD:
            _migrate(engine)
    except (SQLAlchemyError, OSError) as error:
        engine.dispose()
        raise unavailable("opened", error) from (None if quotes_values(error) else error)
    except LedgerUnavailable:
        engine.dispose()
        raise
    return engine


def exists(engine: Engine) -> bool:
    """Say whether a ledger is there, without creating one."""
    path = _file_of(engine)
    if path is not None and not path.exists():
        return False
    return _version(engine) is not None


def identity_of(engine: Engine) -> tuple[int, int] | None:
    """Return what tells SQLite's file from another of its name; None where there is none, as of Postgres."""
    path = _file_of(engine)
    try:
        found = None if path is None else path.stat()
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def _file_of(engine: Engine) -> Path | None:
    """Return SQLite's file; None for Postgres, and for a URI (``file:…?mode=ro``)."""
    path = engine.url.database or ""
    return None if engine.dialect.name != "sqlite" or path.startswith("file:") else Path(path)


def _make_folder(engine: Engine) -> None:
    path = _file_of(engine)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)


def _version(engine: Engine) -> str | None:
    with reading(engine) as connection:
        if not inspect(connection).has_table("ledger_version"):
            return None
        return connection.execute(text("SELECT version_num FROM ledger_version")).scalar()


def _migrate(engine: Engine) -> None:
    from alembic import command  # noqa: PLC0415 -- slow to import, and seldom needed
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with _alone(engine) as connection:
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
def _alone(engine: Engine) -> Iterator[Connection]:
    """Begin a transaction that no other process' migration overlaps; however long that takes, wait for it."""
    path = _file_of(engine)
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ADVISORY_LOCK})
            yield connection
    elif path is None:
        with engine.begin() as connection:
            yield connection
    else:
        with Path(f"{path}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            _write_ahead(engine)
            with engine.begin() as connection:
                yield connection


def _write_ahead(engine: Engine) -> None:
    """Let readers and the writer not wait for each other; SQLite keeps that in the file.

    Only here, under the lock: SQLite refuses it at once, without waiting, while others are at the file.
    """
    with closing(engine.raw_connection()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("PRAGMA journal_mode=WAL")
