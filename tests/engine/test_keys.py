"""The payload key is changed, or lost, while requests are on their way."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from cryptography.fernet import Fernet

from engine_harness import KEY
from order_cancellation.service import runs

NEW = Fernet.generate_key().decode()
CUT_OFF = {"match": {"route": "erp.book", "attempt": 1}, "then": {"close": "before", "book": "before"}}
"""The ERP books, and its answer never comes."""


def with_keys(engine, *keys):
    """Let what follows run under these keys, newest first."""
    engine.settings = replace(engine.settings, payload_keys=keys)


def test_a_flow_goes_on_when_the_key_is_another_and_the_old_one_is_gone(engine, sandbox):
    engine.run("run-1")
    with_keys(engine, NEW)
    sandbox.use({"name": "all_fine", "requests": {"count": 5}}, keep=False)
    report = engine.run("run-2")
    assert (report.green, report.counts) == (True, {"done": 2})
    assert engine.booked() == [4, 5]


def test_after_a_maintenance_run_what_was_in_doubt_comes_to_its_end_without_the_old_key(engine, sandbox):
    sandbox.use({"name": "cut_off", "requests": {"count": 1}, "rules": [CUT_OFF]})
    assert engine.run("run-1").counts == {"in_doubt": 1}
    with_keys(engine, NEW, KEY)
    asyncio.run(runs.keep_house(engine.settings))
    with_keys(engine, NEW)
    engine.resolve(1, "accepted")
    assert engine.run("run-2").counts == {"done": 1}
    assert engine.booked() == [1]
