"""The simulation in the normal suite: 1,000 seeds, or as many as SEEDS says."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

from needs import POSTGRES_URL
from simulation.bugs import BUGS, planted
from simulation.run import failures, replay_command
from simulation.world import ON_POSTGRES, live

ROOT = Path(__file__).resolve().parents[2]
SEEDS = int(os.environ.get("SEEDS", "1000"))
PARTS = 10
"""Each part is a test of its own, so that all cores have something to do to the end."""
FINDS_RARE = {
    "key_changed_too_early": 374,
    "lease_ignored": 117,
    "redirect_taken_for_a_no": 126,
    "web_page_taken_for_told": 377,
}
"""The first seed that finds a bug which takes many; it is tried before the others."""
PROCESSES = 1 if "PYTEST_XDIST_WORKER" in os.environ else min(os.cpu_count() or 1, 8)


def digest(seed):
    """Sum up all that happened."""
    return hashlib.sha256("\n".join(live(seed).story).encode()).hexdigest()


def hold(first, count):
    """Live through so many seeds, and tell each failure with the command that plays it again."""
    failed = sorted(failures(first, count, processes=PROCESSES), key=lambda result: result.seed)
    lines = [
        f"seed={one.seed}: {'; '.join(one.violations[:3])}\n  {replay_command(one.seed)}" for one in failed
    ]
    assert not failed, f"{len(failed)} of {count} seeds failed\n" + "\n".join(lines[:10])


@pytest.mark.timeout(60 + SEEDS)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_invariant_holds_for_every_seed(part):
    """Nothing is booked twice, lost or told too early, and everything ends once the faults stop."""
    first, end = SEEDS * part // PARTS, SEEDS * (part + 1) // PARTS
    hold(first, end - first)


@pytest.mark.needs("postgres")
def test_so_it_does_with_the_ledger_in_postgres(monkeypatch):
    """Fewer seeds: the engine is the same, only the database is another, and slower."""
    monkeypatch.setenv(ON_POSTGRES, POSTGRES_URL)
    hold(0, 50)


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug):
    """Each is found within 1,000 seeds; most within a few, and where that changes all are tried again."""
    seeds = dict.fromkeys((FINDS_RARE.get(bug, 0), *range(1000)))
    with planted(bug):
        found = next((seed for seed in seeds if live(seed).failed), None)

    assert found is not None, f"1,000 seeds did not find the bug {bug}: {replay_command(0, bug)}"


@pytest.mark.parametrize("seed", [1, 4, 11, 23])
def test_the_same_seed_tells_the_same_story(seed):
    """A seed decides everything, so that a failure can be played again."""
    assert digest(seed) == digest(seed)


def test_another_process_tells_the_same_story():
    """Neither the order of sets nor what ran before changes a seed's story."""
    code = "from simulation.test_simulation import digest; print(digest(7))"
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONHASHSEED": "12345", "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
        check=True,
    )

    assert told.stdout.strip() == digest(7)


def test_the_command_replays_a_seed_with_its_story():
    """What a failure prints brings back that very life."""
    done = subprocess.run(
        [sys.executable, *replay_command(3).split()[1:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.startswith("\n".join(live(3).story[:5]))
