"""Writes the command line's results: JSON for programs, tables for people."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, TextIO

from rich.console import Console
from rich.table import Table

from order_cancellation.service.sayable import sayable

__all__ = ["Output"]

_WIDE = 200
"""Characters in a line where no terminal says how many it has."""


class Output:
    """Where a call's result goes.

    Args:
        stream: Standard output.
        as_json: Whether results are written as JSON.
    """

    def __init__(self, stream: TextIO, *, as_json: bool) -> None:
        self.as_json = as_json
        self.stream = stream
        width = None if stream.isatty() else _WIDE
        self._console = Console(file=stream, width=width, markup=False, emoji=False, highlight=False)

    def json(self, value: Any) -> None:
        """Write a value as JSON, whatever a script or an ERP put into it."""
        self.stream.write(json.dumps(sayable(value), ensure_ascii=False, indent=2, default=str) + "\n")
        self.stream.flush()

    def text(self, text: str) -> None:
        """Write text as it is."""
        self.stream.write(text if text.endswith("\n") else f"{text}\n")
        self.stream.flush()

    def table(
        self, rows: Sequence[dict[str, Any]], columns: Sequence[str], *, title: str | None = None
    ) -> None:
        """Write rows as a table.

        Args:
            rows: One dictionary per row.
            columns: The keys to show, in order; they are the headings as well.
            title: What the table is called.
        """
        table = Table(title=title, title_justify="left")
        for column in columns:
            table.add_column(column.replace("_", " "), overflow="fold")
        for row in rows:
            table.add_row(*("" if row.get(column) is None else str(row[column]) for column in columns))
        self._console.print(table)

    def facts(self, facts: dict[str, Any]) -> None:
        """Write single values, one line each."""
        width = max((len(name) for name in facts), default=0)
        for name, value in facts.items():
            self._console.print(
                f"{name.replace('_', ' '):<{width}}  {'' if value is None else value}", soft_wrap=True
            )
