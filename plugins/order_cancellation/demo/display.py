"""Shows how a run gets on: a table that changes in place at a terminal, else a line for each ended task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

Task = Mapping[str, Any]

_COLOURS = {
    "success": "green",
    "running": "bright_cyan",
    "failed": "red",
    "upstream_failed": "dark_orange",
    "up_for_retry": "yellow",
    "skipped": "magenta",
}
_TOLD = ("success", "failed", "upstream_failed", "up_for_retry", "skipped")
_MARKS = {"success": "●", "failed": "✗", "upstream_failed": "✗", "running": "◐", "up_for_retry": "↻"}


def in_order(tasks: Iterable[Task], order: Sequence[str]) -> list[Task]:
    """Return task instances in the order of the flow's steps, mapped ones by their index."""
    place = {name: index for index, name in enumerate(order)}
    return sorted(tasks, key=lambda task: (place.get(_step(task), len(order)), task["map_index"]))


def _step(task: Task) -> str:
    return str(task["task_id"]).rpartition(".")[2]


class Progress:
    """What people see while a run goes on; use it in a ``with`` block.

    Args:
        console: Where it is shown.
        order: The steps' names in their order.
    """

    def __init__(self, console: Console, order: Sequence[str]) -> None:
        self._console = console
        self._order = order
        self._seen: dict[tuple[str, int], str] = {}
        self._live = Live(console=console, refresh_per_second=4) if console.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live:
            self._live.stop()

    def show(self, tasks: Iterable[Task], seconds: float) -> None:
        """Show where the tasks stand.

        Args:
            tasks: The run's task instances, as the REST API gives them.
            seconds: How long the run has been going on.
        """
        ordered = in_order(tasks, self._order)
        if self._live:
            self._live.update(_table(ordered, seconds))
        else:
            self._tell_ends(ordered, seconds)

    def _tell_ends(self, tasks: Sequence[Task], seconds: float) -> None:
        for task in tasks:
            key, state = (_step(task), int(task["map_index"])), str(task["state"] or "waiting")
            if state in _TOLD and self._seen.get(key) != state:
                self._seen[key] = state
                where = f" {label}" if (label := _label(task)) else ""
                self._console.print(
                    f"{seconds:5.1f} s  {key[0]}{where}: {state}", highlight=False, markup=False
                )


def _table(tasks: Sequence[Task], seconds: float) -> Table:
    table = Table(box=None, pad_edge=False, title=f"{seconds:.0f} s", title_justify="left")
    table.add_column("Step", min_width=18)
    table.add_column("Tasks")
    for step in dict.fromkeys(_step(task) for task in tasks):
        table.add_row(step, Text.assemble(*(_mark(task) for task in tasks if _step(task) == step)))
    return table


def _mark(task: Task) -> tuple[str, str]:
    state = str(task["state"] or "waiting")
    return f"{_MARKS.get(state, '○')} ", _COLOURS.get(state, "dim")


def _label(task: Task) -> str:
    if task["map_index"] < 0:
        return ""
    return f"[{task.get('rendered_map_index') or task['map_index']}]"
