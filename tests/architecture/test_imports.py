"""Who may import whom, read from the sources, so that no module has to be imported for it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
PACKAGE = PLUGINS / "order_cancellation"

LAYERS: tuple[tuple[str, ...], ...] = (
    ("errors", "clock", "flow", "jolt", "scripts", "http"),
    ("ledger", "omnitron", "erp"),
    ("steps",),
    ("service",),
    ("operators", "hooks", "dag", "api", "cli"),
)
"""The rows of design.md's import direction: a row may import the rows above it, and its own."""

ALONGSIDE = {
    "cpu_limit": 0,  # an end for mappings and templates
    "project": 0,  # where the checkout lies
    "provider": 0,  # what Airflow asks at its start: plain data
    "airflow_sqlite": 0,  # how Airflow opens its own SQLite file
    "airflow_coordinator": 0,  # how Airflow waits for a task's end
    "airflow_executor": 0,  # how Airflow's workers get their tasks
    "airflow_timetable": 0,  # when a cron schedule runs first
    "airflow_settings": 3,  # reads Airflow's configuration into the service's settings
    "dag_words": 3,  # a flow in words
    "commands": 4,  # the command line's, one module each
    "flow_commands": 4,  # those below "flows"
    "output": 4,  # how they print
    "demo": 4,
    "ahead": 4,  # what Airflow's processes have in memory before others are forked from them
}
"""Modules that design.md does not name, with the row that they belong to."""

KNOWS_AIRFLOW = {
    *("operators", "hooks", "dag", "provider", "api", "airflow_settings", "airflow_sqlite"),
    "airflow_coordinator",
    "airflow_executor",
    "airflow_timetable",
    *("cli", "commands", "demo", "ahead"),
}
"""The only places that may import Airflow."""

AIRFLOWS_TABLES = PACKAGE / "api" / "standing.py"
"""What Airflow knows of flows is asked of Airflow's own tables."""

OTHER_CLOCKS = {"time.time", "datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
"""Times of day that no test could set."""

ROW = {name: row for row, names in enumerate(LAYERS) for name in names} | ALONGSIDE


@cache
def modules() -> dict[Path, ast.Module]:
    """Return all of the package's modules, parsed."""
    return {path: ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))}


def imported_by(tree: ast.Module) -> Iterator[str]:
    """Yield the absolute names that a module imports anywhere in it, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(path: Path) -> str:
    """Return the part of the package that a module belongs to: its folder, or its own name."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def parts_imported(tree: ast.Module) -> set[str]:
    """Return the parts of the package that a module imports."""
    names = [name.split(".") for name in imported_by(tree) if name.startswith("order_cancellation.")]
    return {name[1] for name in names if name[1] in known_parts()}


@cache
def known_parts() -> frozenset[str]:
    return frozenset(map(part_of, modules()))


def offenders(offences: Callable[[Path, ast.Module], set[Any]]) -> dict[str, set[Any]]:
    """Return what each module has done that it may not, by its path."""
    found = {str(path.relative_to(PACKAGE)): offences(path, tree) for path, tree in modules().items()}
    return {path: offence for path, offence in found.items() if offence}


def test_every_part_has_its_place() -> None:
    assert known_parts() - set(ROW) - {"__init__", "sandbox"} == set()


class TestModules:
    def test_import_only_what_stands_above_them(self) -> None:
        def below(path: Path, tree: ast.Module) -> set[str]:
            here = part_of(path)
            allowed = {name for name, row in ROW.items() if row <= ROW.get(here, -1)}
            allowed = {here} if here == "sandbox" else allowed | {here}
            if here in ("cli", "commands", "flow_commands", "demo", "ahead"):
                allowed |= {"sandbox"}
            return parts_imported(tree) - allowed

        assert offenders(below) == {}

    def test_know_airflow_only_where_they_may(self) -> None:
        def airflow(path: Path, tree: ast.Module) -> set[str]:
            may = part_of(path) in KNOWS_AIRFLOW
            return set() if may else {name for name in imported_by(tree) if name.split(".")[0] == "airflow"}

        assert offenders(airflow) == {}

    def test_speak_sql_only_where_they_may(self) -> None:
        def sql(path: Path, tree: ast.Module) -> set[str]:
            may = part_of(path) == "ledger" or path == AIRFLOWS_TABLES
            return (
                set() if may else {name for name in imported_by(tree) if name.split(".")[0] == "sqlalchemy"}
            )

        assert offenders(sql) == {}

    def test_ask_the_clock_for_the_time(self) -> None:
        def other_clocks(path: Path, tree: ast.Module) -> set[str]:
            is_engine = ROW.get(part_of(path), 4) < 4 and part_of(path) != "clock"
            is_users = "child" in path.parts  # a script of theirs may ask what it likes
            asked = {
                f"{node.value.id}.{node.attr}"
                for node in ast.walk(tree)
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
            }
            return asked & OTHER_CLOCKS if is_engine and not is_users else set()

        assert offenders(other_clocks) == {}

    def test_are_imported_by_their_full_names(self) -> None:
        def relative(path: Path, tree: ast.Module) -> set[int]:
            is_users = "child" in path.parts  # the child is a program of its own
            imports = (node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.level)
            return set() if is_users else {node.lineno for node in imports}

        assert offenders(relative) == {}


def test_dag_files_reach_no_deeper_than_dags_operators_and_flows() -> None:
    for path in sorted((ROOT / "dags").glob("*.py")):
        tree = ast.parse(path.read_text())
        assert parts_imported(tree) <= {"dag", "operators", "flow", "airflow_settings"}, path.name


WITHOUT_AIRFLOW = """
import importlib, pkgutil, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name == "airflow" or name.startswith("airflow."):
            raise ImportError(f"{name} is blocked")
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv[1])
import order_cancellation
NO_MODULES = {"child", "env", "versions", "__main__"}
for module in pkgutil.walk_packages(order_cancellation.__path__, "order_cancellation."):
    part = module.name.split(".")[1]
    if part not in sys.argv[2:] and not NO_MODULES & set(module.name.split(".")):
        importlib.import_module(module.name)
print("imported", len([name for name in sys.modules if name.startswith("order_cancellation.")]))
"""


def test_engine_imports_with_airflow_blocked() -> None:
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-c", WITHOUT_AIRFLOW, str(PLUGINS), *sorted(KNOWS_AIRFLOW)],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout.split()[-1]) > 50


def test_airflow_does_not_walk_the_package() -> None:
    """Airflow would load each file of it under its bare name: our http would shadow the standard one."""
    assert "order_cancellation/" in (PLUGINS / ".airflowignore").read_text().splitlines()
    assert sorted(path.name for path in PLUGINS.glob("*.py")) == ["order_cancellation_plugin.py"]


def test_dag_parsing_leaves_the_engine_alone() -> None:
    """Airflow parses in a new process each time, and the engine's imports cost more than the parse."""
    code = "import sys, order_cancellation.dag; print('order_cancellation.service.runs' in sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert ended.stdout.strip().endswith("False")
