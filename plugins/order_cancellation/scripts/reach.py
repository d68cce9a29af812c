"""Which installed packages a script may import, and where their files lie."""

from __future__ import annotations

import importlib.metadata
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from order_cancellation.errors import ConfigurationError

__all__ = ["Reach", "reach_of"]


@dataclass(frozen=True)
class Reach:
    """What a script can import and read beside the standard library.

    Args:
        packages: Importable name to its folder, or to its file where it is a single module.
        readable: The files and folders of those packages.
    """

    packages: Mapping[str, str]
    readable: tuple[str, ...]


@lru_cache(maxsize=64)
def reach_of(names: tuple[str, ...]) -> Reach:
    """Return the files of the packages of ``script_packages`` and of all that they require.

    Args:
        names: Names as package indexes spell them (``requests``).

    Raises:
        ConfigurationError: One of them is not installed, or its files can't be told apart from others'.
    """
    packages: dict[str, str] = {}
    readable: set[str] = set()
    for distribution in _with_requirements(names):
        folder = Path(str(distribution.locate_file("")))
        for top in _tops(distribution):
            name = inspect.getmodulename(top) or top
            packages.setdefault(name, str(folder / top))
            readable.add(str(folder / top))
    return Reach(packages, tuple(sorted(readable)))


def _with_requirements(names: tuple[str, ...]) -> Iterator[importlib.metadata.Distribution]:
    waiting, seen = [(name, True) for name in (*names, "tzdata")], set()
    waiting[-1] = ("tzdata", False)  # data only: time zones where the system has none
    while waiting:
        name, wanted = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if key in seen:
            continue
        seen.add(key)
        distribution = _installed(name, wanted=wanted)
        if distribution is not None:
            yield distribution
            waiting += [(required, False) for required in _requirements(distribution)]


def _installed(name: str, *, wanted: bool) -> importlib.metadata.Distribution | None:
    try:
        return importlib.metadata.distribution(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        if not wanted:
            return None
    raise ConfigurationError(
        f"script_packages names '{name}', which is not installed here. "
        "Install it on every worker, or leave it out"
    )


def _requirements(distribution: importlib.metadata.Distribution) -> list[str]:
    """Return the names of what it requires, without extras; other conditions show by being installed."""
    plain = [text for text in distribution.requires or () if "extra ==" not in text]
    return [found[0] for text in plain if (found := re.match(r"[A-Za-z0-9._-]+", text))]


def _tops(distribution: importlib.metadata.Distribution) -> set[str]:
    """Return the files and folders of the first level that are the package's own."""
    files = distribution.files
    name = distribution.metadata["Name"]
    tops = {
        path.parts[0] for path in files or () if path.parts[0] not in {"..", "__pycache__", "bin", "Scripts"}
    }
    if not tops or any(top.startswith("__editable__") or top.endswith(".pth") for top in tops):
        raise ConfigurationError(
            f"script_packages names '{name}', which is not installed as plain files (an editable install?). "
            "Install it from a wheel"
        )
    return tops
