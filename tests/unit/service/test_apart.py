"""Calls in a process of their own: they end, whatever they do, and tell why."""

from __future__ import annotations

import os
import re
import signal

import psutil
import pytest

from order_cancellation.errors import ConfigurationError, FlowInvalid
from order_cancellation.flow.store import open_files
from order_cancellation.service.apart import apart, apart_while
from unit.flow.flow_files import files_of


def is_there(pid):
    """Say whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_it_answers_from_another_process():
    assert apart(os.getpid) != os.getpid()


def test_the_next_call_finds_everything_imported():
    assert apart(os.getppid) == apart(os.getppid)


def test_no_call_sees_what_another_one_left():
    before = apart(os.getcwd)
    apart(os.chdir, "/tmp")
    assert apart(os.getcwd) == before


def test_a_call_leaves_no_process_behind():
    pid = apart(os.getpid)
    while is_there(pid):
        os.sched_yield()


def test_calls_go_on_where_their_parent_was_killed():
    parent = apart(os.getppid)
    os.kill(parent, signal.SIGKILL)
    os.waitid(os.P_PID, parent, os.WEXITED | os.WNOWAIT)
    assert apart(os.getppid) != parent


def test_an_error_of_no_kind_of_ours_is_told_as_an_end():
    with pytest.raises(ConfigurationError, match="was stopped"):
        apart(os.strerror, "no number")


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


def test_what_nobody_waits_for_any_more_is_stopped():
    parent = psutil.Process(apart(os.getppid))
    with pytest.raises(ConfigurationError, match="Nobody waited"):
        apart_while(lambda: False, signal.pause)
    while parent.children():
        os.sched_yield()
