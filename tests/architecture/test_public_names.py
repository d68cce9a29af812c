"""Each module says what it offers, and offers what it says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "plugins" / "order_cancellation"
NO_MODULES_OF_OURS = ("scripts/child", "scripts/templates", "sandbox", "demo", "ledger/migrations")
"""Run as programs, or sources for the users' scripts: nobody imports names from them."""


def modules() -> list[Path]:
    paths = (path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__main__.py")
    return [
        path for path in paths if not str(path.relative_to(PACKAGE).as_posix()).startswith(NO_MODULES_OF_OURS)
    ]


def bound_names(tree: ast.Module) -> set[str]:
    """Return the names that a module binds at its top."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names |= {alias.asname or alias.name.split(".")[0] for alias in node.names}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign):
            targets = [part for target in node.targets for part in ast.walk(target)]
            names |= {part.id for part in targets if isinstance(part, ast.Name)}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names.add(node.target.id)
        elif isinstance(node, ast.TypeAlias if hasattr(ast, "TypeAlias") else ()):
            names.add(node.name.id)
    return names


def declared(tree: ast.Module) -> list[str] | None:
    """Return a module's ``__all__``."""
    for node in tree.body:
        target = node.targets[0] if isinstance(node, ast.Assign) else getattr(node, "target", None)
        if isinstance(target, ast.Name) and target.id == "__all__":
            return list(ast.literal_eval(node.value))
    return None


def is_empty(tree: ast.Module) -> bool:
    return all(isinstance(node, ast.Expr) for node in tree.body)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(PACKAGE)))
class TestModule:
    def test_offers_every_name_that_it_declares(self, path: Path) -> None:
        tree = ast.parse(path.read_text())
        lazy = "__getattr__" in bound_names(tree)
        missing = set(declared(tree) or []) - bound_names(tree)
        assert lazy or missing == set()

    def test_declares_what_it_offers_where_it_is_a_package(self, path: Path) -> None:
        tree = ast.parse(path.read_text())
        assert path.name != "__init__.py" or declared(tree) is not None or is_empty(tree)
