"""Starts the programs that make up Airflow and the sandbox, and ends them together with this one."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Self

from order_cancellation.demo.keeper import GRACE
from order_cancellation.errors import ConfigurationError

_LAST_LINES = 15
_SWEEPING = 15.0
OTHERS_NOTHING = 0o077
"""What is written is for this user only: Airflow's password and keys are, and what was sent and answered."""


class Program:
    """A running program, kept by a keeper: it ends with the ``with`` block, or with this process.

    Args:
        name: What people call it.
        command: Its command line.
        variables: Its whole environment.
        log: The file that gets its output.
        lock: An open file that stays locked until the program's last process has ended.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        variables: Mapping[str, str],
        log: Path,
        lock: IO[str] | None = None,
    ) -> None:
        self.name = name
        self.log = log
        keep_private(log)
        with log.open("w") as output:
            self._keeper = subprocess.Popen(  # noqa: S603  a command line of this package
                [sys.executable, "-m", "order_cancellation.demo.keeper", *command],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=dict(variables),
                umask=OTHERS_NOTHING,
                pass_fds=[lock.fileno()] if lock else [],
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The keeper's process, which is also the session that all of the program's processes are in."""
        return self._keeper.pid

    @property
    def has_ended(self) -> bool:
        """Whether it runs no more."""
        return self._keeper.poll() is not None

    def stop(self) -> None:
        """Let go of the life line, and wait until the last process has ended."""
        assert self._keeper.stdin is not None, "the keeper is always started with a pipe"
        self._keeper.stdin.close()
        self._keeper.wait(GRACE + _SWEEPING)

    def check(self) -> None:
        """Make sure that it still runs.

        Raises:
            ConfigurationError: If it has ended, with the last lines that it wrote.
        """
        if self.has_ended:
            written = self.log.read_text(errors="replace").splitlines()[-_LAST_LINES:]
            last = "\n".join(f"    {line}" for line in written)
            raise ConfigurationError(f"{self.name} has ended. Its last words, from {self.log}:\n{last}")

    def wait_until(self, is_ready: Callable[[], bool], seconds: float, what: str) -> None:
        """Wait for something that this program is to do.

        Args:
            is_ready: Whether it is done.
            seconds: How long to wait at most.
            what: What is waited for, for people.

        Raises:
            ConfigurationError: If the program ends, or takes longer.
        """
        end = time.monotonic() + seconds
        while not is_ready():
            self.check()
            if time.monotonic() > end:
                raise ConfigurationError(f"{what} took more than {seconds:.0f} s. Look into {self.log}.")
            time.sleep(0.3)


def keep_private(file: Path) -> None:
    """Let nobody else read a file that holds a password, or is to hold one; it is made if it is not there.

    Args:
        file: Another user's file, or what is no plain file, stays as it is.
    """
    file.touch(mode=0o600)
    if file.is_file():
        with suppress(PermissionError):
            file.chmod(0o600)


@contextmanager
def only_one(home: Path, seconds: float = GRACE + _SWEEPING) -> Iterator[IO[str]]:
    """Make sure that no second Airflow uses the same home: both would take up the same runs.

    An earlier one that is just being stopped is waited for.

    Args:
        home: Airflow's home; made if it is not there, for this user alone: keys and the password lie in it.
        seconds: For how long.

    Yields:
        The lock file, for ``Program``: it stays locked until the last process that was given it has ended.

    Raises:
        ConfigurationError: If the other one does not end, or the home can't be made or written to.
    """
    with _lock_file(home) as lock:
        end = time.monotonic() + seconds
        while not _lock(lock):
            holder = _holder(lock)
            if holder or time.monotonic() > end:
                raise ConfigurationError(
                    f"An Airflow already runs on {home}{holder}. "
                    "Stop it first (Ctrl-C where it was started), or set another AIRFLOW_HOME."
                )
            time.sleep(0.3)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield lock


def _lock_file(home: Path) -> IO[str]:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        return (home / "running.lock").open("a+")
    except OSError as error:
        raise ConfigurationError(
            f"AIRFLOW_HOME={home} can't be used ({error.strerror}). Set it to a folder that you may make or "
            "write to."
        ) from error


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(lock: IO[str]) -> str:
    """Name the process that took the lock, while it lives: later only its programs are being stopped."""
    lock.seek(0)
    text = lock.read().strip()
    if not text.isdecimal() or not _lives(int(text)):
        return ""
    return f" (process {text})"


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
