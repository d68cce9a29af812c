"""Of the Pythons that are on the path the Makefile takes the fastest for .venv."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def chosen(home: Path, pythons: dict[str, str]) -> str:
    """What `make setup` says of its choice; these scripts stand for Pythons, so .venv is not made.

    Args:
        home: An empty folder.
        pythons: By name on the path, what each does when it is asked how fast it is.
    """
    shutil.copy(ROOT / "Makefile", home)
    for file in ("requirements-dev.txt", "requirements-uv.txt", "pyproject.toml"):
        (home / file).touch()
    path = home / "my programs"
    path.mkdir()
    for name, script in pythons.items():
        (path / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (path / name).chmod(0o755)
    variables = {**os.environ, "PATH": f"{path}:/usr/bin:/bin"}
    done = subprocess.run(
        ["make", "setup"], cwd=home, env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode != 0
    return done.stdout


def test_the_fastest_is_taken_and_not_the_newest(tmp_path):
    pythons = {"python3.13": "echo 9000000 /slow/python3.13", "python3.11": "echo 1 /fast/python3.11"}
    assert "Making .venv with /fast/python3.11" in chosen(tmp_path, pythons)


def test_a_stand_in_with_no_version_behind_it_is_passed_over(tmp_path):
    pythons = {"python3.13": "echo 'not found' >&2; exit 127", "python3.12": "echo 1 /real/python3.12"}
    assert "Making .venv with /real/python3.12" in chosen(tmp_path, pythons)
