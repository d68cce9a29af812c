"""How long the simulation takes over the seeds of the normal suite, on all cores."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from figure import Figure

RUN = Path(__file__).resolve().parents[1] / "tests" / "simulation" / "run.py"
SEEDS = 1000


def measure() -> list[Figure]:
    """Live through the seeds; a seed that fails ends the benchmark."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, RUN, "--seeds", str(SEEDS)], check=True, stdout=subprocess.DEVNULL)
    return [Figure(f"simulation, {SEEDS} seeds", time.perf_counter() - begun, "s", most=120)]
