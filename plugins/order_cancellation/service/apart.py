"""Runs what a draft asks for in a process of its own, with an end to its time, its memory and its answer.

Scripts have such a process anyway. Mappings and templates are run by our own code, and a regular expression
in them may never end, or a text take all memory: in the API server that would be the end of every page.
"""

from __future__ import annotations

import atexit
import gc
import os
import pickle
import resource
import signal
import socket
import struct
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import NoReturn, ParamSpec, TypeVar

from order_cancellation.errors import ConfigurationError, OrderCancellationError

__all__ = ["LONGEST_S", "LOOK_EVERY_S", "apart", "apart_while", "serve"]

LONGEST_S = 330.0
"""How long a call may take in all; a script may take 300 s."""
CPU_S = 60
"""Processor time of our own code; scripts have limits of their own."""
MEMORY_BYTES = 2 * 1024**3
LARGEST_ANSWER = 16 * 1024**2
LOOK_EVERY_S = 0.5
"""How often it is asked whether somebody still waits for the answer."""
START_S = 60.0
"""How long the import of everything may take, on a machine that is busy with other things."""

_BOOT = (
    "import sys; sys.path.extend(sys.argv[2:]); from order_cancellation.service.apart import serve; serve()"
)
_ROOT = str(Path(__file__).resolve().parents[2])
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")
"""What libraries need of the environment; the rest holds the server's secrets."""
_NUMBER = struct.Struct("!Q")
_SOME = 1 << 20

P = ParamSpec("P")
R = TypeVar("R")


class _Parent:
    """A process that has everything imported already, and forks itself for each call.

    To import it all takes half a second of processor time, a fork some milliseconds. It has one thread, runs
    nothing of a call itself, and is started anew where it has ended.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None

    def fork(self) -> tuple[socket.socket, int]:
        """Return the channel to a new process that waits for its call, and the process's id.

        Raises:
            ConfigurationError: No process can be had.
        """
        with self._lock:
            if self._control is not None:
                with suppress(OSError, EOFError):  # it has ended: another one will do
                    return self._forked(self._control)
            try:
                return self._forked(self._started())
            except (OSError, EOFError) as error:
                raise ConfigurationError(f"No process for a trial could be started: {error}") from error

    @staticmethod
    def _forked(control: socket.socket) -> tuple[socket.socket, int]:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                socket.send_fds(control, [b"!"], [theirs.fileno()])
            return ours, _number(ours, _Patience(time.monotonic() + START_S))
        except BaseException:
            ours.close()
            raise

    def _started(self) -> socket.socket:
        self._end()
        self._control, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(  # noqa: S603 (this interpreter, and words of ours)
                [sys.executable, "-I", "-c", _BOOT, str(theirs.fileno()), _ROOT, *filter(None, sys.path)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
                cwd="/",
                pass_fds=(theirs.fileno(),),
            )
        return self._control

    def end(self) -> None:
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._control is not None:
            self._control.close()
            self._control = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


_parent = _Parent()
atexit.register(_parent.end)


def apart(function: Callable[P, R], *args: P.args, **more: P.kwargs) -> R:
    """Call a function of ours in another process.

    Args:
        function: A function at the top of one of our modules; its arguments and its answer can be pickled.
        args: What it gets.
        more: Likewise, by name.

    Raises:
        ConfigurationError: It took too long, too much memory, or answered too much.
        OrderCancellationError: What the function raised.
    """
    return apart_while(_always, function, *args, **more)


def apart_while(
    is_wanted: Callable[[], bool], function: Callable[P, R], *args: P.args, **more: P.kwargs
) -> R:
    """Call a function of ours in another process, and stop it when nobody waits for it any more.

    Args:
        is_wanted: Whether somebody still waits; asked twice a second.
        function: As for ``apart``.
        args: What it gets.
        more: Likewise, by name.

    Raises:
        ConfigurationError: It was stopped: as for ``apart``, or because it was not wanted any more.
        OrderCancellationError: What the function raised.
    """
    end = time.monotonic() + LONGEST_S
    channel, pid = _parent.fork()
    with channel:
        answer = _asked(channel, pid, pickle.dumps((function, args, more)), _Patience(end, is_wanted))
    if answer is None:
        raise ConfigurationError(
            f"This took more than {CPU_S} s of processor time or {MEMORY_BYTES // 1024**3} GiB of memory and "
            "was stopped. Look for a regular expression or a template that has no end."
        )
    error, result = pickle.loads(answer)  # noqa: S301 (written by _answer(), our own code)
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def _always() -> bool:
    return True


@dataclass(frozen=True)
class _Patience:
    """For how long an answer is waited for.

    Args:
        end: Until when, on the monotonic clock.
        is_wanted: Whether somebody still waits for it.
    """

    end: float
    is_wanted: Callable[[], bool] = _always

    def next_s(self) -> float:
        """Return how long to wait until this is asked again, in seconds.

        Raises:
            TimeoutError: Not at all: it has lasted too long.
            ConfigurationError: Not at all: nobody waits for it.
        """
        left = self.end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if not self.is_wanted():
            raise ConfigurationError("Nobody waited for this any more, and it was stopped.")
        return min(left, LOOK_EVERY_S)


def _asked(channel: socket.socket, pid: int, call: bytes, patience: _Patience) -> bytes | None:
    """Send a call to its process; return the answer, or None where the process ended without one."""
    try:
        channel.settimeout(max(0.001, patience.end - time.monotonic()))
        channel.sendall(_NUMBER.pack(len(call)) + call)
        return _exactly(channel, _number(channel, patience), patience)
    except (EOFError, ConnectionError):
        return None
    except TimeoutError:
        _kill(pid)
        raise ConfigurationError(f"This took longer than {LONGEST_S:g} s and was stopped.") from None
    except ConfigurationError:
        _kill(pid)
        raise


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _number(channel: socket.socket, patience: _Patience | None = None) -> int:
    return int(_NUMBER.unpack(_exactly(channel, _NUMBER.size, patience))[0])


def _exactly(channel: socket.socket, size: int, patience: _Patience | None = None) -> bytes:
    """Read so many bytes, however long that takes or as long as there is patience."""
    got = bytearray()
    while len(got) < size:
        channel.settimeout(None if patience is None else patience.next_s())
        try:
            some = channel.recv(min(size - len(got), _SOME))
        except TimeoutError:
            continue
        if not some:
            raise EOFError
        got += some
    return bytes(got)


def serve() -> None:
    """Fork a process for each call, until whoever started this one has gone: what ``apart`` starts."""
    from order_cancellation.service import chain  # noqa: F401, PLC0415 (all that a call needs, imported ahead)

    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them
    gc.freeze()
    while True:
        word, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        if not word:
            return
        [descriptor] = descriptors
        if os.fork() == 0:
            control.close()
            _live(descriptor)
        os.close(descriptor)


def _live(descriptor: int) -> NoReturn:
    """Answer one call, and end."""
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        _limit()
        with socket.socket(fileno=descriptor) as channel:
            channel.sendall(_NUMBER.pack(os.getpid()))
            answer = _answer(_exactly(channel, _number(channel)))
            channel.sendall(_NUMBER.pack(len(answer)) + answer)
    except BaseException:  # noqa: BLE001 (whoever asked sees that there is no answer; the server's log tells more)
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def _answer(asked: bytes) -> bytes:
    function, args, more = pickle.loads(asked)  # noqa: S301 (written by apart(), our own code)
    try:
        answer = pickle.dumps((None, function(*args, **more)))
    except OrderCancellationError as raised:
        answer = pickle.dumps((raised, None))
    except (MemoryError, RecursionError):
        message = "This took too much memory, or lies too deep, and was stopped."
        answer = pickle.dumps((ConfigurationError(message), None))
    if len(answer) > LARGEST_ANSWER:
        message = f"The result is too large to be shown: more than {LARGEST_ANSWER // 1024**2} MiB."
        answer = pickle.dumps((ConfigurationError(message), None))
    return answer


def _limit() -> None:
    """Set soft limits only: the scripts' own processes set theirs, which may be higher."""
    for kind, most in ((resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_AS, MEMORY_BYTES)):
        with suppress(ValueError, OSError):  # macOS has no limit of memory
            resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
