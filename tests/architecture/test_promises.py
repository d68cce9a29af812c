"""Each promise in docs/promises.md names tests that exist."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PROMISES = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[^`]*::[^`]*)`", PROMISES)))
ROWS = [line for line in PROMISES.splitlines() if line.startswith("| ") and "proven by" not in line]
ROWS = [line for line in ROWS if not line.startswith("| ---")]


def found_in(path: Path) -> set[str]:
    """Return the tests of a module, those of classes after their class."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        inside = node.body if isinstance(node, ast.ClassDef) else [node]
        prefix = f"{node.name}::" if isinstance(node, ast.ClassDef) else ""
        names |= {prefix + one.name for one in inside if isinstance(one, ast.FunctionDef)}
    return names


@pytest.mark.parametrize("name", NAMED)
def test_a_named_test_exists(name):
    path, _, test = name.partition("::")
    assert test in found_in(ROOT / path)


@pytest.mark.parametrize("row", ROWS)
def test_every_promise_names_a_test(row):
    assert re.search(r"\| `tests/[^`]*::test_|\| `tests/[^`]*::Test", row)


def test_there_are_promises():
    assert len(ROWS) > 20
