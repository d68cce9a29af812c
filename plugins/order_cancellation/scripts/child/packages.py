"""Lets the script import the packages that the settings name, with their requirements, and nothing else."""

from __future__ import annotations

import importlib.machinery
import importlib.util
import os
import sys
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["install"]


class PackageFinder:
    """Finds top-level packages by name at the one place that was named for each, without listing its folder.

    Args:
        places: Package name to its folder, or to its file where it is a single module.
    """

    def __init__(self, places: dict[str, str]) -> None:
        self._places = places

    def find_spec(
        self, name: str, path: Any = None, _target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        """Return the spec of a package of the list, None for all others."""
        place = self._places.get(name)
        if path is not None or place is None:
            return None
        if not os.path.isdir(place):  # noqa: PTH112 - pathlib is slow to import
            return importlib.util.spec_from_file_location(name, place)
        first = f"{place}/__init__.py"
        if os.path.isfile(first):  # noqa: PTH113
            return importlib.util.spec_from_file_location(name, first, submodule_search_locations=[place])
        spec = importlib.machinery.ModuleSpec(name, None, is_package=True)
        spec.submodule_search_locations = [place]
        return spec


def install(places: dict[str, str]) -> None:
    """Add the packages behind the standard library.

    Args:
        places: Package name to its folder or file.
    """
    sys.meta_path.append(PackageFinder(places))
