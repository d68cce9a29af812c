"""A ledger on SQLite and on Postgres: every contract test that asks for one runs over both."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

import needs
from contract.ledgers import KEY, FakeClock
from order_cancellation.clock import Clock
from order_cancellation.ledger import Ledger, schema
from order_cancellation.ledger.opening import open_database

BOTH = ("sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres")))

OpenLedger = Callable[..., Ledger]


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty ledger, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("ledger") / "empty.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture(scope="session")
def postgres_ledger_url() -> Iterator[str]:
    """A ledger in a Postgres database of this session's own."""
    needs.demand("postgres")
    server = create_engine(needs.POSTGRES_URL, isolation_level="AUTOCOMMIT")
    name = f"contract_{uuid.uuid4().hex}"
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = make_url(needs.POSTGRES_URL).set(database=name).render_as_string(hide_password=False)
    try:
        open_database(url).dispose()
        yield url
    finally:
        with server.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        server.dispose()


@pytest.fixture(params=BOTH)
def backend(request: pytest.FixtureRequest) -> str:
    """Which database the test runs over."""
    return str(request.param)


@pytest.fixture
def url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty ledger of the test's own."""
    if backend == "sqlite":
        path = tmp_path / "ledger.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    url = str(request.getfixturevalue("postgres_ledger_url"))
    _empty(url)
    return url


def _empty(url: str) -> None:
    """Make a ledger as it was, where it is not so still: to truncate a table is much work, empty or not."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        told = (f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in schema.metadata.tables)
        if filled := connection.scalars(text(" UNION ALL ".join(told))).all():
            connection.execute(text(f"TRUNCATE {', '.join(filled)} RESTART IDENTITY"))


@pytest.fixture
def fresh_url(backend: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database in which there is no ledger yet."""
    if backend == "sqlite":
        return f"sqlite:///{tmp_path / 'new' / 'ledger.db'}"
    return str(request.getfixturevalue("postgres_url"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def open_ledger(url: str, clock: FakeClock) -> Iterator[OpenLedger]:
    """Opens the test's ledger, as another process would; closes all in the end."""
    opened: list[Ledger] = []

    def open_one(of: Clock = clock, keys: tuple[str, ...] = (KEY,)) -> Ledger:
        opened.append(Ledger(url, keys, of))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


@pytest.fixture
def ledger(open_ledger: OpenLedger) -> Ledger:
    return open_ledger()
