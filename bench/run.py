"""``make bench``: every figure of the design, measured on this machine, as a table and in ``latest.json``.

``make bench ARGS="parsing mapping"`` measures only these parts.
"""

from __future__ import annotations

import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from figure import Figure
from rich.console import Console
from rich.table import Table

LATEST = Path(__file__).with_name("latest.json")
PARTS = ("whole", "crash", "parsing", "engine", "calls", "ledger", "mapping", "scripts", "simulation")
"""The modules beside this one; each has ``measure()``, which returns figures."""


def main(wanted: list[str]) -> int:
    """Measure the parts; return 1 if a figure misses its aim."""
    if unknown := sorted(set(wanted) - set(PARTS)):
        sys.stderr.write(f"There is no part {', '.join(unknown)}. There are: {', '.join(PARTS)}.\n")
        return 2
    figures, here = [], machine()
    for part in wanted or PARTS:
        sys.stderr.write(f"Measuring {part} …\n")
        figures += [(part, figure) for figure in importlib.import_module(part).measure()]
    rows = [{"part": part} | figure.as_json() for part, figure in figures]
    LATEST.write_text(json.dumps({"machine": here, "rows": rows}, indent=2, ensure_ascii=False) + "\n")
    Console(width=140).print(
        table(figures), "{cores} cores, Python {python}, load before {load_before}".format(**here)
    )
    return 1 if any(figure.holds is False for _, figure in figures) else 0


def machine() -> dict[str, Any]:
    """Say where and when the figures were taken."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 1),
        "python": f"{platform.python_version()} of {sys.base_prefix}",
        "system": f"{platform.system()} {platform.machine()}",
    }


def table(figures: list[tuple[str, Figure]]) -> Table:
    """Return the figures for people."""
    drawn = Table("Part", "What", "Value", "", "Aim", "", box=None, pad_edge=False)
    drawn.columns[2].justify = "right"
    verdicts = {True: "[green]holds[/]", False: "[red]missed[/]", None: ""}
    for part, figure in figures:
        drawn.add_row(part, figure.name, figure.shown, figure.unit, figure.aim, verdicts[figure.holds])
    return drawn


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
