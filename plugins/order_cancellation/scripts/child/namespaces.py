"""Namespaces: a process sees no other process, no network, and a root folder with the readable files only."""

from __future__ import annotations

import os
from contextlib import suppress

from . import kernel
from .reachable import Reachable

__all__ = ["leave"]

_MOUNT, _UTS, _IPC, _USER, _PID, _NET = 0x20000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000
_READ_ONLY, _NO_SUID, _NO_DEV, _NO_EXEC, _REMOUNT = 1, 2, 4, 8, 32
_BIND, _RECURSIVE, _PRIVATE = 4096, 16384, 1 << 18
_DETACH = 2


def leave(reach: Reachable, *, network: bool) -> tuple[frozenset[str], str]:
    """Leave the machine's namespaces; the next fork is in all of the new ones.

    Args:
        reach: The files that the new root folder holds.
        network: Whether the machine's network stays.

    Returns:
        Which of ``processes``, ``network`` and ``root`` are separate now, and in words what is missing.
    """
    flags = _MOUNT | _UTS | _IPC | _PID | (0 if network else _NET)
    try:
        _unshare(flags)
    except OSError as error:
        return frozenset(), f"no namespaces: {error.strerror}"
    apart = {"processes"} if network else {"processes", "network"}
    try:
        _change_root(reach)
    except OSError as error:
        return frozenset(apart), f"no root folder of its own: {error.strerror}"
    return frozenset(apart | {"root"}), ""


def _unshare(flags: int) -> None:
    """Unshare with root's rights, or inside of a user namespace of our own."""
    user, group = os.getuid(), os.getgid()
    try:
        kernel.unshare(flags)
    except PermissionError:
        kernel.unshare(flags | _USER)
        _write("/proc/self/setgroups", "deny")
        _write("/proc/self/uid_map", f"{user} {user} 1")
        _write("/proc/self/gid_map", f"{group} {group} 1")


def _write(path: str, text: str) -> None:
    with open(path, "w", encoding="ascii") as file:  # noqa: PTH123 - pathlib is slow to import
        file.write(text)


def _change_root(reach: Reachable) -> None:
    """Build a root folder from bind mounts in an empty file system, and move into it."""
    kernel.mount(None, "/", None, _RECURSIVE | _PRIVATE)
    paths = sorted({reach.library, *reach.paths}, key=len)
    base = _free_folder([*paths, *reach.hidden])
    kernel.mount("tmpfs", base, "tmpfs", _NO_SUID | _NO_DEV, "size=1m,mode=755")
    _repeat_links(base)
    _bind(base, reach.library)
    for path in reach.hidden:
        kernel.mount("tmpfs", base + path, "tmpfs", _NO_SUID | _NO_DEV | _NO_EXEC, "size=1m,mode=755")
    for path in paths[:]:
        if not _is_there(base, path, reach):
            _bind(base, path)
    kernel.mount(None, base, None, _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEV)
    os.chdir(base)
    kernel.pivot_root(".", ".")
    kernel.unmount(".", _DETACH)
    os.chdir("/")


def _free_folder(taken: list[str]) -> str:
    """Return a folder to mount over that holds none of the files."""
    for folder in ("/mnt", "/srv", "/media", "/tmp", "/var/tmp", "/opt", "/run"):  # noqa: S108 - mounted over
        if os.path.isdir(folder) and not any(path.startswith(f"{folder}/") for path in taken):  # noqa: PTH112
            return folder
    raise OSError(2, "there is no empty folder to build it in")


def _repeat_links(base: str) -> None:
    """Repeat ``/lib -> usr/lib`` and its like, through which the loader looks for libraries."""
    for name in os.listdir("/"):  # noqa: PTH208
        if name.startswith("lib") and os.path.islink(f"/{name}"):  # noqa: PTH114
            os.symlink(os.readlink(f"/{name}"), f"{base}/{name}")  # noqa: PTH115, PTH211


def _is_there(base: str, path: str, reach: Reachable) -> bool:
    """Whether a path can be seen in the new root already, below a folder that was bound before."""
    if any(path.startswith(f"{hidden}/") for hidden in reach.hidden):
        return False
    return path == reach.library or os.path.exists(base + path)  # noqa: PTH110


def _bind(base: str, path: str) -> None:
    """Show one file or folder at its own place in the new root, read-only."""
    target = base + path
    if os.path.isdir(path):  # noqa: PTH112
        os.makedirs(target, 0o755, exist_ok=True)  # noqa: PTH103
    else:
        os.makedirs(os.path.dirname(target), 0o755, exist_ok=True)  # noqa: PTH103, PTH120
        os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o644))
    kernel.mount(path, target, None, _BIND)
    with suppress(OSError):  # Landlock, the filter and the missing rights forbid writing as well
        kernel.mount(None, target, None, _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | _NO_DEV)
