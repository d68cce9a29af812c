"""Landlock: from here on this process reads the named files and folders and reaches nothing else."""

from __future__ import annotations

import ctypes
import os
import stat
import struct
from collections.abc import Iterable

from . import kernel

__all__ = ["restrict"]

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_READ_FILE, _READ_FOLDER = 4, 8
_REFER, _TRUNCATE, _PORTS, _DEVICES, _SCOPE = 2, 3, 4, 5, 6
"""The versions of Landlock's interface that brought these rights."""


def restrict(readable: Iterable[str], listable: Iterable[str], *, network: bool) -> str:
    """Allow reading the given paths only; no writing, no TCP, no signals to the outside.

    Args:
        readable: Files, and folders with all below them.
        listable: Folders whose names may be listed, though not all of their files read.
        network: Whether TCP stays open.

    Returns:
        What is in force, in words.

    Raises:
        OSError: The kernel has no Landlock, or it is switched off or forbidden here.
    """
    version = kernel.landlock(_CREATE, None, 0, 1)
    rules = _ruleset(version, network=network)
    try:
        for path in readable:
            _allow(rules, path, _READ_FILE | _READ_FOLDER)
        for path in listable:
            _allow(rules, path, _READ_FOLDER)
        kernel.no_new_privileges()
        kernel.landlock(_RESTRICT, rules, 0)
    finally:
        os.close(rules)
    return f"Landlock version {version}"


def _ruleset(version: int, *, network: bool) -> int:
    files = (1 << 13) - 1
    files |= (version >= _REFER) << 13 | (version >= _TRUNCATE) << 14 | (version >= _DEVICES) << 15
    ports = 3 if version >= _PORTS and not network else 0
    scope = 3 if version >= _SCOPE else 0
    size = 24 if version >= _SCOPE else 16 if version >= _PORTS else 8
    attributes = ctypes.create_string_buffer(struct.pack("QQQ", files, ports, scope), 24)
    return kernel.landlock(_CREATE, attributes, size, 0)


def _allow(rules: int, path: str, access: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no rule
    try:
        if not _is_folder(place):
            access &= _READ_FILE
        rule = ctypes.create_string_buffer(struct.pack("=Qi", access, place))
        kernel.landlock(_ADD_RULE, rules, 1, rule, 0)
    finally:
        os.close(place)


def _is_folder(place: int) -> bool:
    return stat.S_ISDIR(os.fstat(place).st_mode)
