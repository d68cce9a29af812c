"""The engine as a process of its own, killed with SIGKILL again and again; in the end each is booked once."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from collections import Counter
from multiprocessing import forkserver
from pathlib import Path

import pytest

import engine_harness
from engine_harness import a_flow
from engine_life import live

COUNT = 36
KILLS = 30
SEED = int(os.environ.get("CRASH_SEED", "20261123"))
EXITS = {
    "look_up": {
        "look_up": {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"},
    },
    "idempotency": {"idempotency_header": "Idempotency-Key"},
}
# a clean parent that has imported everything: lives begin at once, and inherit no thread of ours
CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["engine_life"])


@pytest.fixture(scope="module", autouse=True)
def clean_parent():
    """Start that parent where it finds what it imports; it takes no path but this one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(engine_harness.__file__).parent))
        forkserver.ensure_running()


def begin(engine, sandbox, name):
    """Begin a life of the engine, and wait until it is up."""
    up = CONTEXT.Event()
    urls = (sandbox.omnitron_url, sandbox.erp_url)
    process = CONTEXT.Process(target=live, args=(engine.folder, engine_harness.KEY, urls, name, up))
    process.start()
    assert up.wait(60)
    return process


def kill(process):
    """End this very process as the kernel does when memory runs out; say whether it was still at work."""
    at_work = process.is_alive()
    process.kill()
    process.join()
    return at_work


def wait_for_a_send(engine, process):
    """Wait until a request is on its way to the ERP, or the life is over."""
    until = time.monotonic() + 10
    while process.is_alive() and "sending" not in engine.states().values() and time.monotonic() < until:
        time.sleep(0.005)


@pytest.mark.parametrize("exit_", EXITS)
def test_killed_again_and_again_everything_is_booked_once(engine, sandbox, exit_):
    """Whatever moment the kills hit, no request is lost and none is booked twice."""
    chance = random.Random(f"{SEED} {exit_}")
    settings = {"erp_latency": 0.15, "omnitron_latency": 0.02, "idempotency": True}
    sandbox.use({"name": "all_fine", "requests": {"count": COUNT}, "settings": settings})
    engine.write(
        a_flow(
            rows=True,
            script=None,
            mapping=None,
            custom_response=None,
            post_script=None,
            write_to_erp={**EXITS[exit_], "concurrency": 4},
            delivery={"lease": "1s", "retry_pause": "1s", "max_attempts": 1000},
        )
    )
    engine.run("in-peace", request_ids=[1])  # what a kill in a login costs is told elsewhere
    hits, left = 0, Counter()
    for number in range(KILLS // len(EXITS)):
        process = begin(engine, sandbox, f"life-{number}")
        if number % 3 == 0:
            wait_for_a_send(engine, process)  # by chance alone, a slow machine's kills may all come before it
        time.sleep(chance.uniform(0.0, 0.1) if number % 3 == 0 else chance.uniform(0.05, 0.6))
        hits += kill(process)
        left.update(engine.states().values())
    time.sleep(1.1)  # the last one's lease
    last = begin(engine, sandbox, "last")
    last.join(120)

    told = f"seed {SEED}: again with CRASH_SEED={SEED}"
    assert not kill(last), f"not through in two minutes, {told}"
    assert hits > KILLS // len(EXITS) // 2, f"most lives were over before their kill, {told}"
    assert left["sending"], f"no kill hit a send, {told}"
    assert Counter(entry["id"] for entry in sandbox.book) == dict.fromkeys(range(1, COUNT + 1), 1), told
    assert set(engine.states().values()) == {"done"}, told
