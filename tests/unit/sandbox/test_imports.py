"""The sandbox judges the product from outside, so it shares no code with it."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import order_cancellation.sandbox as package

OURS = "order_cancellation.sandbox"


def imported():
    for path in Path(package.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{path.name} imports relatively"
                yield node.module


def test_it_imports_aiohttp_the_standard_library_and_itself_only():
    others = {name for name in imported() if name != OURS and not name.startswith(OURS + ".")}
    assert {name.split(".")[0] for name in others} - sys.stdlib_module_names == {"aiohttp"}


def test_what_it_exports_is_there():
    assert (
        sorted(package.__all__, key=lambda name: (not name.isupper(), name[0].islower(), name))
        == package.__all__
    )
    assert all(hasattr(package, name) for name in package.__all__)
