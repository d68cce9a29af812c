"""Lets the script import the packages that the settings name, and their own requirements, and nothing else."""

from __future__ import annotations

import importlib.machinery
import sys
from types import ModuleType
from typing import Any

__all__ = ["install"]


class PackageFinder:
    """Finds top-level packages by name in the one folder that was named for each.

    Args:
        folders: Package name to the folder that holds it.
    """

    def __init__(self, folders: dict[str, str]) -> None:
        self._folders = folders

    def find_spec(
        self, name: str, path: Any = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a package of the list, None for all others."""
        if path is not None or name not in self._folders:
            return None
        return importlib.machinery.PathFinder.find_spec(name, [self._folders[name]], target)


def install(folders: dict[str, str]) -> None:
    """Add the packages behind the standard library.

    Args:
        folders: Package name to the folder that holds it.
    """
    sys.meta_path.append(PackageFinder(folders))  # type: ignore[arg-type]
