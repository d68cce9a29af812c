"""Which files a script may read: the standard library, what it links to, time zones, named packages."""

from __future__ import annotations

import os
import sys

__all__ = ["Reachable", "reachable"]

_PATH = 5
"""The column of a mapping's file in /proc/self/maps."""
_TIME_ZONES = ("/usr/share/zoneinfo", "/etc/localtime")
_LOADER = ("/etc/ld.so.cache",)
_NETWORK = (
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/host.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/ssl/certs",
    "/etc/ssl/cert.pem",
    "/etc/ssl/openssl.cnf",
    "/etc/pki/tls/certs",
    "/etc/pki/ca-trust/extracted",
    "/usr/share/ca-certificates",
    "/usr/local/share/ca-certificates",
)


class Reachable:
    """What may be read.

    Args:
        library: The folder of the standard library.
        paths: Files, and folders with all below them; none of them holds a hidden folder but the library.
        hidden: Folders inside of the library that belong to the installation: other people's packages.
    """

    def __init__(self, library: str, paths: tuple[str, ...], hidden: tuple[str, ...]) -> None:
        self.library, self.paths, self.hidden = library, paths, hidden


def reachable(packages: list[str], *, network: bool) -> Reachable:
    """Work out what may be read, before the process locks itself in.

    Args:
        packages: Files and folders of the packages that the settings name.
        network: Whether names are resolved and certificates checked.
    """
    library = os.path.dirname(os.path.abspath(os.__file__))  # noqa: PTH100, PTH120 - pathlib is slow
    hidden = tuple(
        path
        for name in ("site-packages", "dist-packages")
        if os.path.isdir(path := f"{library}/{name}")  # noqa: PTH112
    )
    platform = [path for path in sys.path if not path.startswith(f"{library}/") and path != library]
    wanted = [*_TIME_ZONES, *_LOADER, *packages, *platform, *_libraries(library)]
    if network:
        wanted += _NETWORK
    present = [path for path in dict.fromkeys(wanted) if os.path.exists(path)]  # noqa: PTH110
    return Reachable(library, tuple(present), hidden)


def _libraries(library: str) -> list[str]:
    """Return the folders of the shared libraries in use, or the files of a folder that holds more."""
    found: list[str] = []
    for folder in sorted({os.path.dirname(path) for path in _loaded()}):  # noqa: PTH120
        if folder.startswith(library):
            continue
        holds_more = f"{library}/".startswith(f"{folder}/")
        found += _shared(folder) if holds_more else [folder]
    return found


def _loaded() -> set[str]:
    try:
        with open("/proc/self/maps", encoding="utf-8", errors="replace") as maps:  # noqa: PTH123
            words = [line.split(None, 5) for line in maps]
    except OSError:
        return set()
    return {row[_PATH].strip() for row in words if len(row) > _PATH and ".so" in row[_PATH]}


def _shared(folder: str) -> list[str]:
    names = os.listdir(folder)  # noqa: PTH208 - pathlib is slow to import
    return [f"{folder}/{name}" for name in names if name.startswith("lib") and ".so" in name]
