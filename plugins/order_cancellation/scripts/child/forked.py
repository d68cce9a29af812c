"""Runs a piece of work in a fork with a pipe of its own, and takes back so many bytes at most, in time."""

from __future__ import annotations

import _socket
import os
import select
import signal
import time
from collections.abc import Callable

from . import containment

__all__ = ["run"]

GRACE_S = 0.25


def run(work: Callable[[], bytes], channel: _socket.socket, timeout_s: float, cap: int) -> bytes | str:
    """Fork, let the fork work, and return its answer, or in words why there is none.

    Args:
        work: Gives the answer; runs in the fork only.
        channel: The runner's channel, which the fork must not have.
        timeout_s: How long the fork may take, in seconds.
        cap: The most that it may answer, in bytes.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        _work_and_end(work, channel, writing)
    os.close(writing)
    try:
        return _taken(reading, timeout_s, cap)
    finally:
        os.close(reading)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _work_and_end(work: Callable[[], bytes], channel: _socket.socket, writing: int) -> None:
    try:
        channel.close()
        os.dup2(writing, 3)
        os.closerange(4, 256)
        containment.enter_fork()
        answer = memoryview(work())
        while answer:
            answer = answer[os.write(3, answer) :]
    finally:
        os._exit(0)


def _taken(reading: int, timeout_s: float, cap: int) -> bytes | str:
    end = time.monotonic() + timeout_s + GRACE_S
    answer = bytearray()
    while len(answer) <= cap:
        ready, _, _ = select.select([reading], [], [], max(0, end - time.monotonic()))
        if not ready:
            return f"The script ran longer than its {timeout_s:g} s and was stopped"
        some = os.read(reading, 1 << 20)
        if not some:
            return bytes(answer) if answer else "The script's process ended before it answered"
        answer += some
    return "The script answered more than it may"
