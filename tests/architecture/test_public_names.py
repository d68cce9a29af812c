"""Each module says what it offers, and offers what it says."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "plugins" / "order_cancellation"
NO_MODULES_OF_OURS = ("scripts/child", "scripts/templates", "sandbox", "demo", "ledger/migrations")
"""Run as programs, or sources for the users' scripts: nobody imports names from them."""


@cache
def modules() -> dict[str, ast.Module]:
    """Return the modules that others import from, parsed, by their paths."""
    paths = [path for path in sorted(PACKAGE.rglob("*.py")) if path.name != "__main__.py"]
    trees = {path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text()) for path in paths}
    return {path: tree for path, tree in trees.items() if not path.startswith(NO_MODULES_OF_OURS)}


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


class TestModules:
    def test_offer_every_name_that_they_declare(self) -> None:
        bound = {path: bound_names(tree) for path, tree in modules().items()}
        missing = {
            path: set(declared(modules()[path]) or []) - names
            for path, names in bound.items()
            if "__getattr__" not in names
        }
        assert {path: names for path, names in missing.items() if names} == {}

    def test_declare_what_they_offer_where_they_are_packages(self) -> None:
        packages = [(path, tree) for path, tree in modules().items() if path.endswith("__init__.py")]
        assert [path for path, tree in packages if declared(tree) is None and not is_empty(tree)] == []
