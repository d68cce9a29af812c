"""Nothing that was started outlives the one who started it, however that one ends."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from order_cancellation.demo.keeper import session_members
from order_cancellation.demo.programs import Program, keep_private, only_one
from order_cancellation.errors import ConfigurationError

STUBBORN_CHILD = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(600)"

# a child in a process group of its own, which the parent forgets; a second one within a shell
PARENT = f"""
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {STUBBORN_CHILD!r}], preexec_fn=os.setpgrp)
subprocess.Popen("sleep 600 & sleep 600", shell=True)
print("ready", flush=True)
time.sleep(600)
"""

STARTER = """
import os, sys, time
from pathlib import Path
from order_cancellation.demo.programs import Program
program = Program("it", [sys.executable, "-c", {parent!r}], variables=os.environ, log=Path({log!r}))
print(program.pid, flush=True)
time.sleep(600)
"""


def wait_for(condition, seconds=20.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.05)


@pytest.fixture
def log(tmp_path) -> Path:
    return tmp_path / "log"


def start(source: str, log: Path, **more) -> Program:
    return Program(
        "it", [sys.executable, "-c", textwrap.dedent(source)], variables=os.environ, log=log, **more
    )


class TestStop:
    def test_ends_children_in_other_process_groups_and_those_that_ignore_the_interrupt(self, log):
        with start(PARENT, log) as program:
            wait_for(lambda: "ready" in log.read_text())
            wait_for(lambda: len(session_members(program.pid)) >= 6)
        assert session_members(program.pid) == set()

    def test_lets_the_program_end_in_its_own_way(self, log):
        source = """
            import time
            try:
                print("ready", flush=True)
                time.sleep(600)
            except KeyboardInterrupt:
                print("in order", flush=True)
        """
        with start(source, log):
            wait_for(lambda: "ready" in log.read_text())
        assert "in order" in log.read_text()

    def test_reaches_a_program_whose_shell_had_the_interrupt_ignored(self, log):
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            with start("print('ready', flush=True); import time; time.sleep(600)", log) as program:
                wait_for(lambda: "ready" in log.read_text())
                begun = time.monotonic()
        finally:
            signal.signal(signal.SIGINT, before)
        assert program.has_ended
        assert time.monotonic() - begun < 20  # else it had to be killed after the grace


class TestStarterDies:
    @pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
    def test_takes_everything_along(self, by, log):
        source = STARTER.format(parent=PARENT, log=str(log))
        with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as starter:
            keeper = int(starter.stdout.readline())
            wait_for(lambda: log.exists() and "ready" in log.read_text())
            starter.send_signal(by)
        wait_for(lambda: session_members(keeper) == set())


def mode_of(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


class TestWhatOthersMayRead:
    @pytest.fixture(autouse=True)
    def _open_to_all(self):
        before = os.umask(0o022)
        yield
        os.umask(before)

    def test_nothing_of_what_a_program_writes(self, log, tmp_path):
        source = f"from pathlib import Path; Path({str(tmp_path)!r}, 'passwords').touch(); print('admin: x')"
        with start(source, log) as program:
            wait_for(lambda: program.has_ended)
        assert [mode_of(log), mode_of(tmp_path / "passwords")] == [0o600, 0o600]

    def test_nor_a_log_that_an_earlier_start_left_open(self, log):
        log.touch(mode=0o644)
        with start("", log) as program:
            wait_for(lambda: program.has_ended)
        assert mode_of(log) == 0o600

    def test_what_is_no_plain_file_stays_as_it_is(self, tmp_path):
        os.mkfifo(tmp_path / "pipe", 0o644)
        keep_private(tmp_path / "pipe")
        assert mode_of(tmp_path / "pipe") == 0o644


class TestCheck:
    def test_tells_the_last_words_of_a_program_that_has_ended(self, log):
        with start("import sys; sys.exit('the port is taken')", log) as program:
            wait_for(lambda: program.has_ended)
            with pytest.raises(ConfigurationError, match="the port is taken"):
                program.check()

    def test_waiting_ends_when_the_program_does(self, log):
        with start("print('bye')", log) as program, pytest.raises(ConfigurationError, match="bye"):
            program.wait_until(lambda: False, 60, "It")

    def test_waiting_has_an_end(self, log):
        with (
            start("import time; time.sleep(600)", log) as program,
            pytest.raises(ConfigurationError, match="It took more than 0 s"),
        ):
            program.wait_until(lambda: False, 0, "It")


class TestOnlyOne:
    def test_a_second_one_is_refused_and_told_who_runs(self, tmp_path):
        with (
            only_one(tmp_path),
            pytest.raises(ConfigurationError, match=f"process {os.getpid()}"),
            only_one(tmp_path),
        ):
            pass

    def test_a_home_is_free_again_afterwards(self, tmp_path):
        for _ in range(2):
            with only_one(tmp_path):
                pass

    def test_a_home_that_is_made_is_closed_to_other_users(self, tmp_path):
        with only_one(tmp_path / "home"):
            assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700

    @pytest.mark.parametrize("below", ["a_file", "a_file/home", "gone_with_a_link/home"])
    def test_a_home_that_can_not_be_made_is_told_by_name(self, tmp_path, below):
        (tmp_path / "a_file").touch()
        (tmp_path / "gone_with_a_link").symlink_to("/proc/nowhere")
        with pytest.raises(ConfigurationError, match=f"AIRFLOW_HOME={tmp_path / below} can't be used"):
            only_one(tmp_path / below).__enter__()

    def test_it_stays_taken_while_a_program_still_ends(self, tmp_path, log):
        with only_one(tmp_path) as lock:
            program = start("print('ready', flush=True); import time; time.sleep(600)", log, lock=lock)
        (tmp_path / "running.lock").write_text("999999999")  # whoever took it has gone
        with program, pytest.raises(ConfigurationError, match="already runs"), only_one(tmp_path, seconds=0):
            pass
        with only_one(tmp_path, seconds=0):
            pass
