"""A request's payloads: unpacked when they are asked for."""

from __future__ import annotations

import pytest

from order_cancellation.errors import ConfigurationError
from order_cancellation.ledger.records import Payloads


def test_a_payload_that_can_not_be_unpacked_is_never_taken_for_absent():
    """Whoever asks a second time must not go on as if nothing had been sent."""

    def unreadable():
        raise ConfigurationError("no key")

    payloads = Payloads()
    payloads.put_packed("sent", unreadable)
    for _ in range(2):
        assert "sent" in payloads
        with pytest.raises(ConfigurationError):
            payloads.get("sent", {})


def test_a_payload_is_unpacked_once():
    unpacked = []
    payloads = Payloads()
    payloads.put_packed("request", lambda: unpacked.append(1) or {"id": 1})
    assert payloads["request"] is payloads["request"]
    assert (len(unpacked), len(payloads)) == (1, 1)
