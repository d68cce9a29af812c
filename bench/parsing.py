"""How long the DAG file takes with many flows: for the DAG processor, and for one task."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from figure import Figure

ROOT = Path(__file__).resolve().parents[1]
FLOWS = 200
ROUNDS = 5

# in a process of its own, where Airflow and the package are imported before, as in the DAG processor
TIMED = """
import json, runpy, statistics, time
import airflow.sdk, order_cancellation.dag
times = []
for _ in range({rounds}):
    begun = time.perf_counter()
    found = runpy.run_path({file!r})
    times.append(time.perf_counter() - begun)
dags = sum(type(value).__name__ == "DAG" for value in found.values())
print(json.dumps([statistics.median(times), dags]))
"""


def measure() -> list[Figure]:
    """Return the figures for the DAG processor's parse and for a task's own."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        make_flows(Path(folder) / "flows")
        whole, dags = timed(Path(folder), {})
        assert dags == FLOWS, f"{dags} DAGs of {FLOWS} flows"
        # what Airflow sets when a task runs
        one, dags = timed(Path(folder), {"_AIRFLOW_PARSING_CONTEXT_DAG_ID": "flow_100"})
        assert dags == 1, f"a task's parse built {dags} DAGs"
    return [
        Figure(f"{FLOWS} flows parsed", whole, "s", most=3),
        Figure(f"one task's own parse, with {FLOWS} flows", one, "s", most=0.3),
    ]


def make_flows(folder: Path) -> None:
    for number in range(FLOWS):
        shutil.copytree(ROOT / "include" / "flows" / "returns_to_erp", folder / f"flow_{number:03}")


def timed(folder: Path, more: dict[str, str]) -> tuple[float, int]:
    """Return the median time of the DAG file in seconds, and how many DAGs it made."""
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")},
        "AIRFLOW_HOME": str(folder / "home"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
        "AIRFLOW__ORDER_CANCELLATION__FLOWS_FOLDER": str(folder / "flows"),
        **more,
    }
    source = TIMED.format(rounds=ROUNDS, file=str(ROOT / "dags" / "flows.py"))
    done = subprocess.run(
        [sys.executable, "-c", source], env=variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seconds, dags = json.loads(done.stdout.splitlines()[-1])
    return seconds, dags
