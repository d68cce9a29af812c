"""The payload key is changed, or lost, while requests are on their way."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest
from cryptography.fernet import Fernet

from engine_harness import KEY, a_flow
from order_cancellation.service import runs

NEW = Fernet.generate_key().decode()
CUT_OFF = {"match": {"route": "erp.book", "attempt": 1}, "then": {"close": "before", "book": "before"}}
"""The ERP books, and its answer never comes."""


def with_keys(engine, *keys):
    """Let what follows run under these keys, newest first."""
    engine.settings = replace(engine.settings, payload_keys=keys)


def lose(engine, request_id, kind="%"):
    """Let a request's payloads be such that no key reads them."""
    stranger = Fernet(Fernet.generate_key()).encrypt(b"")
    with closing(sqlite3.connect(engine.folder / "ledger.db")) as ledger, ledger:
        ledger.execute(
            "UPDATE payloads SET data = ? WHERE kind LIKE ?"
            " AND uuid = (SELECT uuid FROM requests WHERE id = ?)",
            (stranger, kind, request_id),
        )


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


@pytest.mark.parametrize("request_id", [1, 2, 3])
def test_a_request_that_can_not_be_read_is_set_aside_and_read_anew_by_the_next_run(engine, request_id):
    engine.get_data("run-1")
    lose(engine, request_id)
    for step in engine.steps():
        engine.step("run-1", step, 0)
    report = engine.report("run-1")
    assert report.counts == {"done": 2, "fetched": 1}
    assert [(one.id, "payload_key" in one.error) for one in report.behind] == [(request_id, True)]

    assert engine.run("run-2").counts == {"done": 1}
    assert engine.booked() == [1, 2, 3]


def test_what_is_in_doubt_and_can_not_be_read_holds_nothing_up_and_is_not_sent_again(engine, sandbox):
    look_up = {"url": "/cancellations/{{ request.id }}", "found": "$.found", "after": "1h"}
    engine.write(a_flow(write_to_erp={"look_up": look_up}))
    sandbox.use({"name": "cut_off", "requests": {"count": 1}, "rules": [CUT_OFF]})
    assert engine.run("run-1").counts == {"in_doubt": 1}
    with_keys(engine, NEW)
    sandbox.use({"name": "all_fine", "requests": {"count": 4}}, keep=False)

    assert engine.run("run-2").counts == {"done": 3, "in_doubt": 1}
    assert engine.booked() == [2, 3, 4]


def test_a_lost_answer_is_doubt_even_if_nobody_knows_what_to_mask(engine, sandbox):
    """The call is there and goes out; that the request can't be read must not hide what became of it."""
    sandbox.use({"name": "cut_off", "requests": {"count": 1}, "rules": [CUT_OFF]})
    engine.get_data("run-1")
    engine.step("run-1", "mapping", 0)
    lose(engine, 1, "request")
    engine.step("run-1", "write_to_erp", 0)

    assert engine.states() == {1: "in_doubt"}
    assert "payload_key" in engine.requests()[0]["error"]
    assert engine.booked() == [1]
