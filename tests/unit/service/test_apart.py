"""Calls in a process of their own: they end, whatever they do, and tell why."""

from __future__ import annotations

import os
import re

import pytest

from order_cancellation.errors import ConfigurationError, FlowInvalid
from order_cancellation.flow.store import open_files
from order_cancellation.service.apart import apart
from unit.flow.flow_files import files_of


def test_it_answers_from_another_process():
    assert apart(os.getpid) != os.getpid()


def test_an_error_of_ours_comes_back_whole():
    with pytest.raises(FlowInvalid) as caught:
        apart(open_files, "acme", {})
    assert [problem.path for problem in caught.value.problems] == ["flow.yaml"]


def test_a_flow_travels():
    assert apart(open_files, "acme", files_of()).files == files_of()


def test_the_servers_environment_stays_at_home(monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_SERVER", "hush")
    assert apart(os.getenv, "SECRET_OF_THE_SERVER") is None


@pytest.mark.parametrize(
    ("length", "words"), [(17 * 1024**2, "too large to be shown"), (8 * 1024**3, "too much memory")]
)
def test_what_is_too_much_is_told(length, words):
    with pytest.raises(ConfigurationError, match=words):
        apart(str.ljust, "x", length)


def test_what_dies_is_told():
    with pytest.raises(ConfigurationError, match="was stopped"):
        apart(os._exit, 1)


def test_what_never_ends_is_stopped(monkeypatch):
    monkeypatch.setattr("order_cancellation.service.apart.LONGEST_S", 1.5)
    with pytest.raises(ConfigurationError, match="longer than"):
        apart(re.match, "(a+)+$", "a" * 60 + "b")
