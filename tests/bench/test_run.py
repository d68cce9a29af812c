"""`make bench` draws what its parts measure, and says whether each figure keeps to its bound."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


def in_bench(program: str) -> str:
    """What a program prints that runs as the benchmark does: its modules import each other by name."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=BENCH, capture_output=True, text=True, check=True).stdout


def test_a_part_is_measured_drawn_and_kept(tmp_path):
    kept = tmp_path / "latest.json"
    printed = in_bench(
        f"import run, pathlib; run.LATEST = pathlib.Path({str(kept)!r}); run.main(['mapping'])"
    )
    assert "chain of five operations" in printed
    assert f"of {sys.base_prefix}" in printed
    rows = json.loads(kept.read_text(encoding="utf-8"))["rows"]
    assert {row["part"] for row in rows} == {"mapping"}
    assert all(row["value"] > 0 for row in rows)


def test_every_part_can_be_measured():
    found = in_bench(
        "import importlib, run; print([importlib.import_module(one).measure for one in run.PARTS])"
    )
    assert "function measure" in found


def test_the_made_up_transport_of_one_part_is_not_left_to_the_next():
    assert in_bench("""
import asyncio, engine, pathlib, tempfile
from order_cancellation.service import runs
before = runs.AiohttpTransport
with tempfile.TemporaryDirectory() as folder:
    engine._lay_out(pathlib.Path(folder), engine.BARE)
    asyncio.run(engine._do(pathlib.Path(folder), engine.Systems(100), "get_data"))
print(runs.AiohttpTransport is before)
""").split() == ["True"]


def test_the_memory_of_a_process_is_its_own_and_not_that_of_whoever_started_it():
    measure = "import engine; print(engine._own_peak())"
    alone = float(in_bench(measure))
    beside = f"""
import subprocess, sys
large = bytearray(10**9)
print(subprocess.run([sys.executable, "-c", {measure!r}], capture_output=True, text=True, check=True).stdout)
"""
    assert float(in_bench(beside)) == pytest.approx(alone, rel=0.2)


@pytest.mark.parametrize(
    ("bounds", "aim", "holds"),
    [
        ("", "", None),
        ("least=500", ">= 500", False),
        ("most=500", "<= 500", True),
        ("least=3, most=3", "3", False),
        ("least=4.5, most=4.5", "4.5", True),
    ],
)
def test_a_figure_is_held_to_its_bounds(bounds, aim, holds):
    said = in_bench(f"from figure import Figure; it = Figure('', 4.5, {bounds}); print((it.aim, it.holds))")
    assert said.strip() == str((aim, holds))
