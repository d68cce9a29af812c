"""The connection to the ledger's database: opening, locking, and turning its errors into ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, insert, literal, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from order_cancellation.errors import ConfigurationError, LedgerUnavailable
from order_cancellation.ledger import schema

__all__ = ["Database", "open_engine"]

_BUSY_S = 30
"""How long SQLite waits for another writer before it gives up."""


def open_engine(url: str) -> Engine:
    """Return an engine for the ledger.

    Args:
        url: A SQLAlchemy URL; SQLite and Postgres are supported.

    Raises:
        ConfigurationError: The URL is not one, or names a database that is not supported.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "postgresql" and parsed.drivername == "postgresql":
            parsed = parsed.set(drivername="postgresql+psycopg2")
        engine = create_engine(
            parsed, hide_parameters=True, pool_pre_ping=parsed.get_backend_name() != "sqlite"
        )
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise ConfigurationError(
            "Setting [order_cancellation] ledger_url is no usable SQLAlchemy URL: write "
            "sqlite:////absolute/path/ledger.db or postgresql+psycopg2://user:password@host/database."
        ) from error
    if engine.dialect.name == "sqlite":
        if parsed.database:
            Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
        _prepare_sqlite(engine)
    elif engine.dialect.name != "postgresql":
        raise ConfigurationError(
            f"Setting [order_cancellation] ledger_url: {engine.dialect.name} is not supported, "
            "only sqlite and postgresql are."
        )
    return engine


def _prepare_sqlite(engine: Engine) -> None:
    @event.listens_for(engine, "connect")
    def _settings(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not by the driver
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={_BUSY_S * 1000}")
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA synchronous=FULL")  # an intent must outlive a power cut, too
        cursor.execute("PRAGMA cache_size=-16000")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # a writer that begins as a reader can be refused half-way; asking at once only waits
        read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")


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
        with _translated("written"), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """Run a transaction that only reads.

        Raises:
            LedgerUnavailable: The database can't be reached or read.
        """
        with (
            _translated("read"),
            self.engine.connect().execution_options(read_only=True) as connection,
            connection.begin(),
        ):
            yield connection

    def lock_flow(self, connection: Connection, flow: str) -> None:
        """Hold back every other claim and intake of this flow until the transaction ends.

        SQLite has one writer at a time as it is. On Postgres the lock must come before the statement
        that looks for free rows, so that this statement sees what the lock's last holder wrote.
        """
        if self.sqlite:
            return
        self.insert_missing(connection, schema.flows, [{"flow": flow}])
        connection.execute(
            select(schema.flows.c.flow).where(schema.flows.c.flow == literal(flow)).with_for_update()
        )

    def insert_missing(self, connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
        """Insert rows; those whose primary key is there already are left as they are."""
        connection.execute(self._insert(table).on_conflict_do_nothing(), rows)

    def upsert(self, connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
        """Insert rows; those whose primary key is there already take the new values."""
        if not rows:
            return
        statement = self._insert(table)
        keys = [column.name for column in table.primary_key]
        values = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=values), rows)

    def _insert(self, table: Any) -> Any:
        if self.sqlite:
            from sqlalchemy.dialects.sqlite import insert as dialect_insert  # noqa: PLC0415 -- one of two
        else:
            from sqlalchemy.dialects.postgresql import insert as dialect_insert  # type: ignore[assignment]  # noqa: PLC0415
        return dialect_insert(table)

    @staticmethod
    def add(connection: Connection, table: Any, rows: list[dict[str, Any]]) -> None:
        """Insert rows that are new."""
        if rows:
            connection.execute(insert(table), rows)


@contextmanager
def _translated(verb: str) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise LedgerUnavailable(
            f"The ledger can't be {verb}: {_plain(error)}. Nothing is sent until it can."
        ) from error


def _plain(error: SQLAlchemyError) -> str:
    origin = getattr(error, "orig", None)
    return " ".join(str(origin or type(error).__name__).split())
