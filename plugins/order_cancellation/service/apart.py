"""Runs what a draft asks for in a process of its own, with an end to its time, its memory and its answer.

Scripts have such a process anyway. Mappings and templates are run by our own code, and a regular expression
in them may never end, or a text take all memory: in the API server that would be the end of every page.
"""

from __future__ import annotations

import atexit
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import ParamSpec, TypeVar

from order_cancellation.errors import ConfigurationError, OrderCancellationError

__all__ = ["LONGEST_S", "apart", "serve"]

LONGEST_S = 330.0
"""How long a call may take in all; a script may take 300 s."""
CPU_S = 60
"""Processor time of our own code; scripts have limits of their own."""
MEMORY_BYTES = 2 * 1024**3
LARGEST_ANSWER = 16 * 1024**2

_BOOT = (
    "import sys; sys.path.extend(sys.argv[1:]); from order_cancellation.service.apart import serve; serve()"
)
_ROOT = str(Path(__file__).resolve().parents[2])
_PASSED_ON = ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TZ")
"""What libraries need of the environment; the rest holds the server's secrets."""

P = ParamSpec("P")
R = TypeVar("R")


class _Reserve:
    """One process that has everything imported already, for the next call."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._next: subprocess.Popen[bytes] | None = None

    def take(self) -> subprocess.Popen[bytes]:
        with self._lock:
            ready, self._next = self._next, None
        return ready if ready is not None and ready.poll() is None else _started()

    def fill(self) -> None:
        with self._lock:
            if self._next is None:
                self._next = _started()

    def end(self) -> None:
        with self._lock:
            if self._next is not None:
                self._next.kill()
                self._next.communicate()
                self._next = None


_reserve = _Reserve()
atexit.register(_reserve.end)


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
    child = _reserve.take()
    try:
        answer, _ = child.communicate(pickle.dumps((function, args, more)), timeout=LONGEST_S)
    except subprocess.TimeoutExpired:
        raise ConfigurationError(f"This took longer than {LONGEST_S:g} s and was stopped.") from None
    finally:
        child.kill()
        child.communicate()
        _reserve.fill()
    if child.returncode != 0 or not answer:
        raise ConfigurationError(
            f"This took more than {CPU_S} s of processor time or {MEMORY_BYTES // 1024**3} GiB of memory and "
            "was stopped. Look for a regular expression or a template that has no end."
        )
    error, result = pickle.loads(answer)  # noqa: S301 (written by serve(), our own code)
    if error is not None:
        raise error
    return result  # type: ignore[no-any-return]


def serve() -> None:
    """Answer one call: what ``apart`` starts."""
    from order_cancellation.service import chain  # noqa: F401, PLC0415 (all that a call needs, imported ahead)

    _limit()
    asked = sys.stdin.buffer.read()
    if not asked:
        return  # who might have asked has ended
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
    sys.stdout.buffer.write(answer)
    sys.stdout.buffer.flush()


def _started() -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 (this interpreter, and words of ours)
        [sys.executable, "-I", "-c", _BOOT, _ROOT, *filter(None, sys.path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={name: os.environ[name] for name in _PASSED_ON if name in os.environ},
        cwd="/",
    )


def _limit() -> None:
    """Set soft limits only: the scripts' own processes set theirs, which may be higher."""
    for kind, most in ((resource.RLIMIT_CPU, CPU_S), (resource.RLIMIT_AS, MEMORY_BYTES)):
        with suppress(ValueError, OSError):  # macOS has no limit of memory
            resource.setrlimit(kind, (most, resource.getrlimit(kind)[1]))
