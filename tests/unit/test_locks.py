"""The locks: what runs in production is what the tests ran with."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PINNED = re.compile(r"^([a-z0-9-]+)==(\S+?)(?: ;.*)? \\$", re.MULTILINE)


def locked(name: str) -> dict[str, str]:
    """Return the versions that a lock pins, by package."""
    return dict(PINNED.findall((ROOT / name).read_text(encoding="utf-8")))


def test_production_has_every_dependency_of_the_project_and_postgres_drivers() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["postgres"]]
    assert {re.split(r"[^a-z0-9.-]", one)[0].replace(".", "-") for one in wanted} <= locked(
        "requirements.txt"
    ).keys()


def test_production_has_the_versions_that_the_tests_run_with() -> None:
    assert locked("requirements.txt").items() <= locked("requirements-dev.txt").items()
