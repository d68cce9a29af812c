"""The C library's calls that Python has no names for, with errors as OSError."""

from __future__ import annotations

import ctypes
import os
import struct
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = [
    "LINUX",
    "drop_capabilities",
    "landlock",
    "mount",
    "no_new_privileges",
    "pivot_root",
    "prctl",
    "unmount",
    "unshare",
]

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_SECCOMP, PR_SET_NO_NEW_PRIVS = 1, 4, 22, 38
_CAPABILITY_VERSION = 0x20080522

_library: Any = ctypes.CDLL(None, use_errno=True) if LINUX else None


def _call(name: str, *words: Any) -> int:
    try:
        result = getattr(_library, name)(*words)
    except AttributeError:
        raise OSError(38, f"{name} is not in this C library") from None
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return int(result)


def prctl(option: int, *words: Any) -> None:
    """Change a property of this process."""
    padded = [*words, 0, 0, 0, 0][:4]
    _call(
        "prctl",
        ctypes.c_int(option),
        *[ctypes.c_ulong(word) if isinstance(word, int) else word for word in padded],
    )


def no_new_privileges() -> None:
    """Give up gaining rights by starting programs; Landlock and seccomp ask for it."""
    prctl(PR_SET_NO_NEW_PRIVS, 1)


def unshare(flags: int) -> None:
    """Leave the namespaces that the flags name for new ones."""
    _call("unshare", ctypes.c_int(flags))


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Mount, bind or change a mount."""
    words = [word.encode() if word is not None else None for word in (source, target, kind, options)]
    _call("mount", words[0], words[1], words[2], ctypes.c_ulong(flags), words[3])


def unmount(target: str, flags: int) -> None:
    """Take a mount away."""
    _call("umount2", target.encode(), ctypes.c_int(flags))


def pivot_root(new: str, old: str) -> None:
    """Make another folder the root of this mount namespace."""
    _call("pivot_root", new.encode(), old.encode())


def drop_capabilities() -> None:
    """Give up all of root's special rights."""
    header = ctypes.create_string_buffer(struct.pack("=Ii", _CAPABILITY_VERSION, 0))
    _call("capset", header, ctypes.create_string_buffer(24))


def landlock(number: int, *words: Any) -> int:
    """Make one of Landlock's three system calls, which have the same numbers everywhere."""
    typed = [ctypes.c_long(word) if isinstance(word, int) else word for word in words]
    return _call("syscall", ctypes.c_long(number), *typed)
