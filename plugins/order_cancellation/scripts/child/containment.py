"""Locks this process in, layer by layer, and says which layers hold.

The order matters: namespaces first (they need rights), then the fork that enters them, then the loss of all
rights, the limits, Landlock, and the system-call filter last, because it forbids all of the steps before it.
A layer that this machine does not offer is left out and reported; the runner decides what that means.
"""

from __future__ import annotations

import _socket
import os
import resource
import select
import signal
from contextlib import suppress

from . import kernel, landlock, namespaces, seccomp
from .reachable import Reachable, reachable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["enter", "enter_fork"]

_FIRST_OWN_UID = 2_000_000_000
"""Above every account: each child gets a user id that nobody else has."""
_CPU_RESERVE_S = 5

Row = tuple[str, bool, str, bool]

_fork_timeout_s = 0.0


def enter(channel: _socket.socket, setup: dict[str, Any]) -> tuple[_socket.socket, list[Row]]:
    """Lock this process in; returns in a fork of it, while the outer process waits for its end.

    Args:
        channel: The runner's channel, which the outer process closes.
        setup: The runner's set-up.

    Returns:
        The channel, and a row (name, in force, detail, essential) for each protection.
    """
    global _fork_timeout_s  # noqa: PLW0603 - set once, before the first fork
    _fork_timeout_s = setup["timeout"]
    network, forks = setup["network"], setup["isolation"] == "per_request"
    left_out = frozenset(setup["left_out"])
    reach = reachable(setup["readable"], network=network)
    nothing = os.open(os.devnull, os.O_RDWR)
    apart, missing = _namespaces(reach, left_out, network=network)
    number = os.getpid()
    _fork_below_a_watch(channel)
    os.dup2(nothing, 0)
    os.close(nothing)
    rights = _rights(reach, apart, left_out, number)
    limits = _limits(setup, forks=forks)
    files = _landlock(reach, apart, left_out, network=network)
    calls = _seccomp(left_out, network=network, forks=forks)
    facts = _Facts(apart, missing, rights, limits, files=files, calls=calls, network=network, forks=forks)
    return channel, facts.rows()


def enter_fork() -> None:
    """Take from a fork, which is about to run one request, what the process above it may do."""
    seconds = int(_fork_timeout_s) + 1
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    if kernel.LINUX:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getuid():
            resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
        if _filtered:
            seccomp.filter_fork()


_filtered: list[bool] = []


def _namespaces(reach: Reachable, left_out: frozenset[str], *, network: bool) -> tuple[frozenset[str], str]:
    if not kernel.LINUX:
        return frozenset(), "this system has no namespaces"
    if "namespaces" in left_out:
        return frozenset(), "no namespaces: left out"
    return namespaces.leave(reach, network=network)


def _fork_below_a_watch(channel: _socket.socket) -> None:
    """Fork; the outer process ends the inner one when the runner goes, and ends when the inner one does.

    The runner's own death can't be tied to the child by the kernel alone: that signal comes when the *thread*
    that started the child ends. The outer process has one thread.
    """
    alive, ends = os.pipe()
    outer = os.getpid()
    inner = os.fork()
    if inner:
        os.close(ends)
        channel.close()
        _watch(inner, alive)
    os.close(alive)
    os.set_inheritable(ends, True)  # held open until this process ends
    if kernel.LINUX:
        kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() not in {0, outer}:
            os._exit(0)


def _watch(inner: int, alive: int) -> NoReturn:
    select.select([0, alive], [], [])
    with suppress(ProcessLookupError):
        ended, status = os.waitpid(inner, os.WNOHANG)
        if not ended and not _ended_by_itself(alive):
            os.kill(inner, signal.SIGKILL)
        if not ended:
            _, status = os.waitpid(inner, 0)
    code = os.waitstatus_to_exitcode(status)
    os._exit(code if code >= 0 else 128 - code)


def _ended_by_itself(alive: int) -> bool:
    """Whether the inner process is on its way out, given a moment to tell the reason."""
    return bool(select.select([alive], [], [], 0.05)[0])


def _rights(reach: Reachable, apart: frozenset[str], left_out: frozenset[str], number: int) -> str:
    """Give up root's rights; returns in words what holds, or nothing."""
    if not kernel.LINUX or "rights" in left_out:
        return ""
    held = []
    if os.getuid() == 0 and _readable_by_all(reach, apart):
        held.append(_own_user(number))
    with suppress(OSError):
        kernel.drop_capabilities()
        held.append("no capabilities")
    kernel.prctl(kernel.PR_SET_PDEATHSIG, signal.SIGKILL)  # a change of the user has cleared it
    return ", ".join(filter(None, held))


def _own_user(number: int) -> str:
    for user in (_FIRST_OWN_UID + number, 65_534):
        with suppress(OSError):
            os.setgroups([])
            os.setresgid(user, user, user)
            os.setresuid(user, user, user)
            return "a user id of its own"
    return ""


def _readable_by_all(reach: Reachable, apart: frozenset[str]) -> bool:
    """Whether another user could still read the standard library, which may lie below root's own home."""
    places = [reach.library, *(path for path in reach.paths if path.startswith(reach.library))]
    if "root" not in apart:
        parts = reach.library.split("/")
        places += ["/".join(parts[:end]) or "/" for end in range(1, len(parts))]
    try:
        return all(map(_is_for_all, places))
    except OSError:
        return False


def _is_for_all(place: str) -> bool:
    needed = 0o001 if os.path.isdir(place) else 0o004  # noqa: PTH112 - pathlib is slow to import
    return bool(os.stat(place).st_mode & needed)  # noqa: PTH116


def _limits(setup: dict[str, Any], *, forks: bool) -> list[str]:
    """Set the kernel's limits; returns those that hold."""
    cpu = int(setup["cpu"]) + _CPU_RESERVE_S
    wanted = {
        "memory": ("RLIMIT_AS", setup["memory"]),
        "processor time": ("RLIMIT_CPU", cpu),
        "open files": ("RLIMIT_NOFILE", setup["open_files"]),
        "file size": ("RLIMIT_FSIZE", 0),
        "core dumps": ("RLIMIT_CORE", 0),
    }
    if not forks:
        wanted["processes"] = ("RLIMIT_NPROC", 0)
    held = []
    for words, (name, value) in wanted.items():
        with suppress(OSError, ValueError, AttributeError):
            resource.setrlimit(getattr(resource, name), (value, value))
            held.append(words)
    if kernel.LINUX:
        kernel.prctl(kernel.PR_SET_DUMPABLE, 0)
    return held


def _landlock(
    reach: Reachable, apart: frozenset[str], left_out: frozenset[str], *, network: bool
) -> tuple[bool, str]:
    if not kernel.LINUX:
        return False, "this system has no Landlock"
    if "landlock" in left_out:
        return False, "no Landlock: left out"
    covered = "root" in apart
    library = [reach.library] if covered or not reach.hidden else _entries(reach)
    try:
        return True, landlock.restrict([*library, *reach.paths], [reach.library], network=network)
    except OSError as error:
        return False, f"no Landlock: {error.strerror}"


def _entries(reach: Reachable) -> list[str]:
    """Return the library's entries one by one, without the folders of other people's packages."""
    entries = (f"{reach.library}/{name}" for name in os.listdir(reach.library))  # noqa: PTH208
    return [path for path in entries if path not in reach.hidden]


def _seccomp(left_out: frozenset[str], *, network: bool, forks: bool) -> tuple[bool, str]:
    if not kernel.LINUX:
        return False, "this system has no system-call filter"
    if "seccomp" in left_out:
        return False, "no system-call filter: left out"
    try:
        seccomp.filter_process(network=network, forks=forks)
    except OSError as error:
        return False, f"no system-call filter: {error.strerror}"
    _filtered.append(True)
    return True, "system-call filter"


class _Facts:
    """What was found out, put into the words of the report."""

    def __init__(
        self,
        apart: frozenset[str],
        missing: str,
        rights: str,
        limits: list[str],
        *,
        files: tuple[bool, str],
        calls: tuple[bool, str],
        network: bool,
        forks: bool,
    ) -> None:
        self._apart, self._missing = apart, missing
        self._rights, self._limits = rights, limits
        self._landlock, self._seccomp = files, calls
        self._network, self._forks = network, forks

    def rows(self) -> list[Row]:
        """Return a row for each thing that scripts are kept from, with how."""
        return [
            self._row("files", self._by_landlock(), self._by_namespace("root", "a root folder of its own")),
            self._network_row(),
            self._row(
                "other processes", self._by_seccomp(), self._by_namespace("processes", "a process namespace")
            ),
            self._row("new processes and threads", self._by_seccomp(), self._by_process_limit()),
            self._row("system calls", self._by_seccomp()),
            (
                "rights",
                bool(self._rights),
                self._rights or "the rights of the user that runs the workers",
                False,
            ),
            ("memory", "memory" in self._limits, self._words("memory"), True),
            ("processor time", "processor time" in self._limits, self._words("processor time"), False),
            ("open files", "open files" in self._limits, self._words("open files"), False),
            ("wall time and output", True, "watched by the runner, which ends the process", True),
            ("requests apart", self._forks, self._isolation(), False),
        ]

    def _row(self, name: str, *ways: tuple[bool, str]) -> Row:
        held = [words for works, words in ways if works]
        missing = [words for works, words in ways if not works]
        return (name, bool(held), ", ".join(held or missing), True)

    def _by_landlock(self) -> tuple[bool, str]:
        return self._landlock

    def _by_seccomp(self) -> tuple[bool, str]:
        return self._seccomp

    def _by_namespace(self, which: str, words: str) -> tuple[bool, str]:
        return (True, words) if which in self._apart else (False, self._missing or f"no {words}")

    def _by_process_limit(self) -> tuple[bool, str]:
        works = os.getuid() != 0 and "processes" in self._limits
        return works, "a limit of none" if works else "no limit of processes"

    def _network_row(self) -> Row:
        if self._network:
            return ("network", False, "open: the step says network: true", False)
        return self._row("network", self._by_seccomp(), self._by_namespace("network", "a network namespace"))

    def _words(self, limit: str) -> str:
        return "a limit of the kernel" if limit in self._limits else "this system has no such limit"

    def _isolation(self) -> str:
        return (
            "a fork for each request"
            if self._forks
            else "one process for all requests of a batch (isolation: shared)"
        )
