"""A record to tell about."""

import pytest

from order_cancellation.ledger import Record


@pytest.fixture
def a_record():
    """Return a maker of records in a state, otherwise empty."""

    def make(state):
        values = dict.fromkeys(Record.__dataclass_fields__)
        values |= {"state": state, "error": "", "payloads": {}}
        return Record(**values)

    return make
