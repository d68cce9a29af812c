"""The connection to the ledger's database: opening, locking, and turning its errors into ours."""

from __future__ import annotations

import os
import sqlite3
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Dialect,
    Engine,
    Pool,
    PoolProxiedConnection,
    create_engine,
    create_pool_from_url,
    event,
    insert,
    literal_column,
    text,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.util import LRUCache

from order_cancellation.errors import ConfigurationError, LedgerUnavailable

__all__ = ["Database", "open_engine", "quotes_values", "reading", "unavailable"]

_BUSY_S = 30
"""How long another writer is waited for before the ledger counts as unavailable."""

_ASK_EVERY_S = 0.0005

_CONNECT = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",
}
"""So that a Postgres that went silent is noticed; what the URL says of these wins."""

_ONLY_READS = "order_cancellation_only_reads"
"""Stands beside a connection until its transaction begins; SQLite's beginning asks for it."""

_FLOW_LOCKS = 0x0C1E
"""The space of Postgres' advisory locks that are flows'."""


def open_engine(url: str) -> Engine:
    """Return an engine for the ledger, with connections of its own.

    Args:
        url: A SQLAlchemy URL; SQLite and Postgres are supported.

    Raises:
        ConfigurationError: The URL is not one, or names a database that is not supported.
    """
    parsed = _parsed(url)
    try:
        return _on_sqlite(parsed) if parsed.get_backend_name() == "sqlite" else _on_a_server(parsed)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(_UNUSABLE) from error


def _on_sqlite(parsed: URL) -> Engine:
    pool = _sqlite_pool(parsed).recreate()
    engine = Engine(pool, _sqlite_dialect(parsed.drivername), parsed, hide_parameters=True)
    engine.update_execution_options(compiled_cache=_COMPILED)
    _prepare_sqlite(engine)
    return engine


def _on_a_server(parsed: URL) -> Engine:
    engine = copy(_prepared(parsed))
    engine.pool = engine.pool.recreate()
    return engine


_COMPILED: LRUCache[Any, Any] = LRUCache(500)
"""The statements that were compiled, for all SQLite ledgers together: a task opens its ledger more than once,
and compiling costs more than running. What was compiled for one file serves another (``ahead``)."""


@lru_cache
def _sqlite_dialect(driver: str) -> Dialect:
    """Return the dialect that the engines of all SQLite ledgers share, as statements are compiled for one."""
    engine = create_engine(f"{driver}://")
    _refuse_async(engine)
    engine.connect().close()  # it finds out what this SQLite can do
    engine.dispose()
    # not a listener for "begin": with any listener SQLAlchemy asks for more of them around each statement
    engine.dialect.do_begin = _begin  # type: ignore[method-assign,assignment]
    return engine.dialect


@lru_cache(maxsize=8)
def _sqlite_pool(parsed: URL) -> Pool:
    """Return the pool that those of this file's engines are made like; it never connects."""
    return create_pool_from_url(parsed)


@lru_cache(maxsize=8)
def _prepared(parsed: URL) -> Engine:
    """Return the engine that all others of this URL are copies of, and which itself never connects."""
    engine = create_engine(parsed, hide_parameters=True, **_options(parsed))
    _refuse_async(engine)
    if engine.dialect.name != "postgresql":
        raise ConfigurationError(
            f"Setting [order_cancellation] ledger_url: {engine.dialect.name} is not supported, "
            "only sqlite and postgresql are."
        )
    _prepare_postgres(engine)
    return engine


def _refuse_async(engine: Engine) -> None:
    if engine.dialect.is_async:
        raise ConfigurationError(_UNUSABLE)


_UNUSABLE = (
    "Setting [order_cancellation] ledger_url is no usable SQLAlchemy URL: write "
    "sqlite:////absolute/path/ledger.db or postgresql+psycopg2://user:password@host/database."
)


def _parsed(url: str) -> URL:
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigurationError(_UNUSABLE) from None  # the cause may quote a part of the password
    if parsed.drivername == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg2")
    if parsed.get_backend_name() == "sqlite" and parsed.database in (None, "", ":memory:"):
        raise ConfigurationError(_UNUSABLE)  # each process would have a ledger of its own
    return parsed


def _options(parsed: URL) -> dict[str, Any]:
    if parsed.get_backend_name() != "postgresql":
        return {}
    options: dict[str, Any] = {"pool_pre_ping": True}
    if parsed.get_driver_name() == "psycopg2":
        options["executemany_mode"] = "values_plus_batch"  # else it sends one UPDATE after the other
        options["connect_args"] = {key: _CONNECT[key] for key in _CONNECT if key not in parsed.query}
    return options


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
        cursor.execute(f"PRAGMA synchronous={'NORMAL' if _flushed_by_us(engine, cursor) else 'FULL'}")
        cursor.execute("PRAGMA secure_delete=ON")  # what is erased is overwritten, too
        cursor.execute("PRAGMA cache_size=-4000")  # the system caches the file, for all processes together
        cursor.close()


def _begin(connection: PoolProxiedConnection) -> None:
    # a writer that begins as a reader can be refused half-way; asking at once only waits
    raw: Any = connection.dbapi_connection
    if connection.info.pop(_ONLY_READS, False):
        raw.execute("BEGIN")
    else:
        _begin_writing(raw)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Run a transaction that only reads, and so waits for no writer.

    Args:
        engine: From :func:`open_engine`.
    """
    with engine.connect() as connection:
        connection.info[_ONLY_READS] = True
        with connection.begin():
            yield connection


def _flushed_by_us(engine: Engine, cursor: Any) -> bool:
    """Say whether :meth:`Database.write` brings commits to the disk, and SQLite need not.

    SQLite does so while it holds the one writer's place, for milliseconds in which nobody else can write.
    """
    [mode] = cursor.execute("PRAGMA journal_mode").fetchone()
    return mode == "wal" and _log_of(engine) is not None


def _log_of(engine: Engine) -> str | None:
    """Return where SQLite's write-ahead log stands; None for a URI, and where it can't be flushed apart."""
    path = engine.url.database or ""
    if engine.dialect.name != "sqlite" or path.startswith("file:") or not hasattr(os, "fdatasync"):
        return None
    return f"{path}-wal"


def _begin_writing(raw: Any) -> None:
    """Wait for the one writer's place by asking often: SQLite itself asks up to 0.1 s apart.

    A transaction takes some milliseconds, and a slot towards the ERP may be held meanwhile.
    """
    end = time.monotonic() + _BUSY_S
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while time.monotonic() < end:
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    break
            else:
                return
            time.sleep(_ASK_EVERY_S)
        raw.execute("BEGIN IMMEDIATE")  # once more, and it says what is wrong
    finally:
        raw.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")


def _prepare_postgres(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET lock_timeout = '{_BUSY_S}s'")
        connection.commit()


class Database:
    """Transactions on the ledger.

    Args:
        engine: From :func:`open_engine`.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.sqlite = engine.dialect.name == "sqlite"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """Run a transaction that changes something; all of it or nothing is kept.

        Raises:
            LedgerUnavailable: The database can't be reached or written.
        """
        with _translated("written"), self.engine.connect() as connection:
            with connection.begin():
                yield connection
            self._flush()

    def _flush(self) -> None:
        """Bring what was just committed to the disk: an intent must outlive a power cut, too.

        Called while the connection is open: only the last one to close removes the write-ahead log. What has
        left it for the database meanwhile was brought to the disk by SQLite. A ledger on Postgres has no such
        file, nor has one in another journal mode, in which SQLite itself brings commits to the disk.
        """
        path = _log_of(self.engine)
        if path is None:
            return
        try:
            log = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return
        try:
            os.fdatasync(log)
        except OSError as error:
            raise unavailable("written", OSError(error.strerror)) from error
        finally:
            os.close(log)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run a transaction that only reads.

        Raises:
            LedgerUnavailable: The database can't be reached or read.
        """
        with _translated("read"), reading(self.engine) as connection:
            yield connection

    def lock_flow(self, connection: Connection, flow: str, *, shared: bool = False) -> None:
        """Hold back every other claim and intake of this flow until the transaction ends.

        SQLite has one writer at a time as it is. On Postgres the lock must come before the statement
        that looks for free rows, so that this statement sees what the lock's last holder wrote; and whoever
        writes under a claim shares the lock, so that no request is taken over while its row is changing.

        Args:
            connection: A transaction that has read nothing yet.
            flow: The flow's id.
            shared: Whether others that share it may go on at the same time.
        """
        if self.sqlite:
            return
        function = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        number = zlib.crc32(flow.encode()) - 2**31  # Postgres' integer is signed
        connection.execute(
            text(f"SELECT {function}(:space, :number)"), {"space": _FLOW_LOCKS, "number": number}
        )

    def insert_missing(self, connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
        """Insert rows; those whose primary key is there already are left as they are."""
        connection.execute(self._insert(table).on_conflict_do_nothing(), rows)

    def upsert(self, connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
        """Insert rows; those whose primary key is there already take the new values."""
        if not rows:
            return
        connection.execute(self._upserting(table, tuple(rows[0])), rows)

    @lru_cache(maxsize=32)  # noqa: B019 -- a ledger lives as long as its process's work
    def _upserting(self, table: Any, names: tuple[str, ...]) -> Any:
        statement = self._insert(table)
        keys = [column.name for column in table.primary_key]
        values = {name: statement.excluded[name] for name in names if name not in keys}
        return statement.on_conflict_do_update(index_elements=keys, set_=values)

    def _insert(self, table: Any) -> Any:
        if self.sqlite:
            from sqlalchemy.dialects.sqlite import insert as dialect_insert  # noqa: PLC0415 -- one of two
        else:
            from sqlalchemy.dialects.postgresql import insert as dialect_insert  # type: ignore[assignment]  # noqa: PLC0415
        return dialect_insert(table)

    def aside(self, column: Column[Any]) -> Any:
        """Return a column as one by which SQLite does not choose an index.

        It takes the one with the most columns compared by ``=``, and would read all of a flow's rows and sort
        them, instead of a few along the index of their age.
        """
        name = f"+{column.table.name}.{column.name}"
        return literal_column(name, column.type) if self.sqlite else column

    @staticmethod
    def add(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
        """Insert rows that are new."""
        if rows:
            connection.execute(_adding(table), rows)


@lru_cache(maxsize=32)
def _adding(table: Any) -> Any:
    return insert(table)


@contextmanager
def _translated(verb: str) -> Iterator[None]:
    try:
        yield
    except (SQLAlchemyError, OverflowError, UnicodeError) as error:
        raise unavailable(verb, error) from (None if quotes_values(error) else error)
    except ValueError as error:
        if "NUL (0x00)" not in str(error):  # psycopg2's words
            raise
        raise ConfigurationError("A text holds the character NUL, which no text may. Remove it.") from None


def unavailable(verb: str, error: Exception) -> LedgerUnavailable:
    """Return what is raised in place of a database's error.

    Args:
        verb: What can't be done with the ledger: ``read``, ``written``, ``opened``.
        error: Why.
    """
    return LedgerUnavailable(f"The ledger can't be {verb}: {_plain(error)}. Nothing is sent until it can.")


def _plain(error: Exception) -> str:
    """Return a database's error as one line, without the values that Postgres quotes in its details."""
    origin = getattr(error, "orig", None) or error
    primary = getattr(getattr(origin, "diag", None), "message_primary", None)
    system = getattr(origin, "strerror", None)
    words = primary or system or str(origin.args[0] if origin.args else type(origin).__name__)
    return " ".join(words.split()).rstrip(".")


def quotes_values(error: Exception) -> bool:
    """Say whether an error quotes a row's values, as Postgres does in its details; then it is not shown."""
    diagnosis = getattr(getattr(error, "orig", None), "diag", None)
    return getattr(diagnosis, "message_detail", None) is not None
