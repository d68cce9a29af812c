"""What a database's errors become."""

from __future__ import annotations

import pytest

from order_cancellation.errors import ConfigurationError, LedgerUnavailable
from order_cancellation.ledger.database import Database, open_engine, unavailable


@pytest.fixture
def database(tmp_path):
    engine = open_engine(f"sqlite:///{tmp_path}/ledger.db")
    yield Database(engine)
    engine.dispose()


def test_a_nul_that_postgres_driver_refuses_is_the_texts_fault(database):
    with pytest.raises(ConfigurationError, match="character NUL"), database.read():
        raise ValueError("A string literal cannot contain NUL (0x00) characters.")


def test_another_wrong_value_is_a_fault_of_ours_and_stays_one(database):
    with pytest.raises(ValueError, match="of ours"), database.write():
        raise ValueError("a fault of ours")


def test_a_file_that_can_not_be_made_is_told_in_words():
    error = unavailable("opened", FileNotFoundError(2, "No such file or directory"))
    assert isinstance(error, LedgerUnavailable)
    assert "can't be opened: No such file or directory" in str(error)
