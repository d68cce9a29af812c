"""The simulation from the command line: many seeds on all cores, or one of them with its whole story.

``python tests/simulation/run.py --seeds 1000`` · ``--seed 4711`` replays one · ``--bug NAME`` plants a bug ·
``--postgres`` keeps the ledger there (``TEST_POSTGRES_URL`` says where databases may be made).
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from needs import POSTGRES_URL
from simulation.bugs import BUGS, planted
from simulation.world import ON_POSTGRES, Result, live

__all__ = ["failures", "replay_command"]

CHUNK = 25
LAST_LINES = 60


def replay_command(seed: int, bug: str | None = None) -> str:
    """Return the command that plays a seed again."""
    options = (f" --bug {bug}" if bug else "") + (" --postgres" if ON_POSTGRES in os.environ else "")
    return f".venv/bin/python tests/simulation/run.py --seed {seed}{options}"


def failures(first: int, count: int, *, processes: int, bug: str | None = None) -> Iterator[Result]:
    """Live through seeds side by side, and give those that failed, in no order.

    Args:
        first: The first seed.
        count: How many.
        processes: On how many processes; one is this one, which knows its statements by then.
        bug: What to plant, or None.
    """
    if processes == 1:
        yield from _some(first, first + count, bug)
        return
    starts = range(first, first + count, CHUNK)
    ends = [min(start + CHUNK, first + count) for start in starts]
    with ProcessPoolExecutor(processes) as pool:
        for failed in pool.map(_some, starts, ends, [bug] * len(ends)):
            yield from failed


def _some(start: int, end: int, bug: str | None) -> list[Result]:
    with planted(bug):
        return [result for result in map(live, range(start, end)) if result.failed]


def main() -> int:
    """Run from the command line."""
    options = _options()
    if options.postgres:
        os.environ[ON_POSTGRES] = POSTGRES_URL
    if options.seed is not None:
        with planted(options.bug):
            result = live(options.seed)
        _print("\n".join(result.story))
        _tell(result, options.bug)
        return int(result.failed)
    begun = time.monotonic()
    failed = list(failures(options.first, options.seeds, processes=options.processes, bug=options.bug))
    for result in failed:
        _tell(result, options.bug)
    took = time.monotonic() - begun
    _print(f"{options.seeds} seeds in {took:.0f} s, {len(failed)} failed")
    return int(bool(failed))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="The simulation of the delivery engine.")
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--seed", type=int, help="replay this one, with its story")
    parser.add_argument("--bug", choices=sorted(BUGS), help="plant a bug, to see it found")
    parser.add_argument("--postgres", action="store_true", help="keep the ledger in Postgres")
    parser.add_argument("--processes", type=int, default=min(os.cpu_count() or 1, 8))
    return parser.parse_args()


def _tell(result: Result, bug: str | None) -> None:
    if not result.failed:
        _print(f"seed={result.seed}: all invariants hold. Scenario: {result.told}")
        return
    _print(f"seed={result.seed} FAILED: {'; '.join(result.violations[:3])}")
    _print(f"  scenario: {result.told}\n  replay:   {replay_command(result.seed, bug)}")


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
