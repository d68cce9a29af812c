"""Runs one command and sees to it that nothing of it outlives the program that asked for it.

The keeper's standard input is a life line: a pipe whose other end only the asking program holds. However
that program ends, by itself or by ``kill -9``, the pipe closes, and the keeper stops the command and whatever
the command has started. It needs nothing but the standard library and is run as ``python -m
order_cancellation.demo.keeper COMMAND…`` in a session of its own (``start_new_session``), by which it knows
the processes that belong to it.
"""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

GRACE = 25.0
"""How long a command has to end by itself after SIGINT, in seconds; Airflow takes 6 to 13."""

_PROC = Path("/proc")
_LIFE_LINE = 0
_STATE, _SESSION = 0, 3  # fields of /proc/PID/stat behind the program's name
_ROUNDS = 50
_SIGNALLED = 128


def main(command: Sequence[str]) -> int:
    """Run a command until it ends or the life line does.

    SIGINT goes to the command alone: Airflow's ``standalone`` then ends its parts in order, while SIGTERM
    would end it at once and orphan them. Whoever is still there after that is killed.

    Args:
        command: The command line.

    Returns:
        The command's exit code, or 128 and the signal's number where a signal ended it.
    """
    told: list[int] = []

    def note(number: int, _: FrameType | None) -> None:
        told.append(number)

    # a handler, for what a shell made us ignore the command would ignore as well
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, note)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603  the caller's own command
    while process.poll() is None and not told and _is_held():
        pass
    code = _stop(process)
    _sweep()
    return code if code >= 0 else _SIGNALLED - code


def _is_held() -> bool:
    readable, _, _ = select.select([_LIFE_LINE], [], [], 0.2)
    return not readable or os.read(_LIFE_LINE, 1024) != b""


def _stop(process: subprocess.Popen[bytes]) -> int:
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
    try:
        return process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _sweep() -> None:
    """Kill what is left of our session, also what was started while we looked."""
    for _ in range(_ROUNDS):
        left = session_members(os.getsid(0)) - {os.getpid()}
        if not left:
            return
        for pid in left:
            _kill(pid)
        time.sleep(0.1)


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def session_members(session: int) -> set[int]:
    """Return the living processes of a session; their process groups may differ, as Airflow's do."""
    found = _from_proc() if (_PROC / "self/stat").exists() else _from_ps()
    return {pid for pid, its in found if its == session}


def _from_proc() -> list[tuple[int, int]]:
    found = []
    for folder in _PROC.glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it ended while we looked
            continue
        if fields[_STATE] != "Z":
            found.append((int(folder.name), int(fields[_SESSION])))
    return found


def _from_ps() -> list[tuple[int, int]]:
    listing = subprocess.run(
        ["ps", "-A", "-o", "pid=", "-o", "stat="],  # noqa: S607  its place differs between systems
        capture_output=True,
        text=True,
        check=True,
    )
    lines = [line.split() for line in listing.stdout.splitlines()]
    return [(int(pid), _session_of(int(pid))) for pid, state, *_ in lines if not state.startswith("Z")]


def _session_of(pid: int) -> int:
    try:
        return os.getsid(pid)
    except (ProcessLookupError, PermissionError):
        return -1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
