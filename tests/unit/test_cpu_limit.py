"""What has no end gets one, and nothing of that is left behind."""

from __future__ import annotations

import re
import signal
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest

from order_cancellation.cpu_limit import cpu_limit


def something(error: Exception) -> str:
    with cpu_limit(error):
        return "done"


def go_on() -> None:
    while True:
        pass


def go_on_once_more() -> None:
    with suppress(KeyError):
        go_on()
    go_on()


@pytest.fixture
def soon(monkeypatch):
    # ten seconds would be long
    monkeypatch.setattr("order_cancellation.cpu_limit.MOST_S", 0.05)


@pytest.mark.usefixtures("soon")
class TestWithoutEnd:
    def test_a_loop_is_ended(self):
        with pytest.raises(KeyError, match="mine"), cpu_limit(KeyError("mine")):
            go_on()

    def test_what_swallows_the_first_error_is_ended_by_the_next(self):
        with pytest.raises(KeyError, match="mine"), cpu_limit(KeyError("mine")):
            go_on_once_more()

    def test_a_regular_expression_is_ended(self):
        with pytest.raises(KeyError, match="mine"), cpu_limit(KeyError("mine")):
            re.match("(a+)+$", "a" * 60 + "b")


def test_what_ends_is_left_alone():
    assert something(KeyError("never")) == "done"


def test_nothing_of_it_is_left_behind():
    before = signal.getsignal(signal.SIGVTALRM)
    something(KeyError("never"))
    assert signal.getitimer(signal.ITIMER_VIRTUAL) == (0.0, 0.0)
    assert signal.getsignal(signal.SIGVTALRM) is before


def test_another_thread_works_without_it():
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(something, KeyError("never")).result() == "done"
