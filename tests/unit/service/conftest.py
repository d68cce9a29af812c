"""A record to tell about, and a ledger."""

import shutil

import pytest
from cryptography.fernet import Fernet

from order_cancellation.clock import SystemClock
from order_cancellation.ledger import Ledger, Record
from order_cancellation.ledger.opening import open_database


@pytest.fixture(scope="session")
def empty_ledger(tmp_path_factory):
    """A ledger with nothing in it, to be copied: making one takes longer than most tests."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.db"
    open_database(f"sqlite:///{path}").dispose()
    return path


@pytest.fixture
def ledger(tmp_path, empty_ledger):
    """A ledger of the test's own."""
    path = tmp_path / "ledger.db"
    shutil.copy(empty_ledger, path)
    ledger = Ledger(f"sqlite:///{path}", (Fernet.generate_key().decode(),), SystemClock())
    yield ledger
    ledger.close()


@pytest.fixture
def a_record():
    """Return a maker of records in a state, otherwise empty."""

    def make(state):
        values = dict.fromkeys(Record.__dataclass_fields__)
        values |= {"state": state, "error": "", "payloads": {}}
        return Record(**values)

    return make
