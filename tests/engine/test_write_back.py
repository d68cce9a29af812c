"""Telling Omnitron and the post script are intents of their own: what failed there is done again, alone."""

from __future__ import annotations

from dataclasses import replace

import pytest

from engine_harness import a_flow
from order_cancellation.errors import LedgerUnavailable
from order_cancellation.steps.desk import Desk

FINE = {"name": "fine", "requests": {"count": 2}}


def books(sandbox):
    """How many calls asked the ERP to book."""
    return sum(call["route"] == "erp.book" for call in sandbox.calls)


def test_what_omnitron_was_not_told_is_listed_and_told_by_the_next_poll(engine, sandbox):
    """403 in this run: accepted, red, with the reason; the next poll writes back and sends nothing."""
    away = {"match": {"route": "omnitron.update"}, "then": {"status": 403}}
    sandbox.use({**FINE, "rules": [away]})
    report = engine.run("run-1")
    listed = {one["state"] for one in engine.requests(state="accepted")}
    sandbox.use(FINE, keep=True)
    after = engine.run("run-2")

    assert report.counts == {"accepted": 2}
    assert "Omnitron could not be told" in report.behind[0].error
    assert listed == {"accepted"}
    assert after.counts == {"done": 2}
    assert books(sandbox) == 2


@pytest.mark.parametrize(
    "unread",
    [
        {"body": "<html>We'll be back soon</html>", "headers": {"Content-Type": "text/html"}},
        {"body": "<!-- v2 -->\n<!DOCTYPE html><title>Sign in</title>"},
        {"body": {"id": 1, "status": "approved"}},
    ],
    ids=["page", "page after a comment", "old status"],
)
def test_a_2xx_that_omnitron_did_not_mean_leaves_it_accepted_and_to_be_told(engine, sandbox, unread):
    """A maintenance page, or the request as it was: the next poll writes back and sends nothing."""
    away = {"match": {"route": "omnitron.update"}, "then": {"status": 200, "book": "never", **unread}}
    sandbox.use({**FINE, "rules": [away]})
    report = engine.run("run-1")
    sandbox.use(FINE, keep=True)
    after = engine.run("run-2")

    assert report.counts == {"accepted": 2}
    assert "Omnitron could not be told" in report.behind[0].error
    assert after.counts == {"done": 2}
    assert {request["status"] for request in sandbox.requests} == {"completed"}
    assert books(sandbox) == 2


REJECTS = {"write_to_omnitron": {"on_failure": {"action": "reject"}}}
ONE = {"name": "fine", "requests": {"count": 1}}


def redone(engine, sandbox, then):
    """Have what is done redone, with this answer of the ERP's."""
    engine.write(a_flow(**REJECTS))
    sandbox.use(ONE)
    engine.run("run-1")
    told = len(sandbox.writes)
    engine.redo(1)
    sandbox.use({**ONE, "rules": [{"match": {"route": "erp.book"}, "then": then}]}, keep=True)
    return engine.run("run-2"), told


def test_a_refused_redo_of_what_is_booked_is_not_told_to_omnitron(engine, sandbox):
    """The first booking stands: who reads the report and the history learns why nothing was told."""
    report, told = redone(engine, sandbox, {"status": 422, "body": {"error": "refunded already"}})

    assert report.counts == {"failed": 1}
    assert "an earlier call is booked, so Omnitron is told nothing" in report.behind[0].error
    assert "an earlier call is booked" in engine.show(1)["history"][-1]["note"]
    assert (len(sandbox.writes), sandbox.requests[0]["status"]) == (told, "completed")


def test_a_persons_no_to_what_is_booked_is_told_to_omnitron(engine, sandbox):
    """It is about the whole request: the first booking was undone, too."""
    _, told = redone(engine, sandbox, {"close": "before", "book": "never"})
    engine.resolve(1, "refused")
    engine.run("run-3")

    assert engine.states() == {1: "failed"}
    assert len(sandbox.writes) == told + 1


def test_a_post_script_that_failed_is_listed_and_run_by_the_next_poll(engine, sandbox):
    """Neither the ERP nor Omnitron hears of it again."""
    engine.write(a_flow(scripts=True), post="raise ValueError('CRM is down')")
    report = engine.run("run-1")
    told = len(sandbox.writes)
    engine.write(a_flow(scripts=True))
    after = engine.run("run-2")

    assert report.counts == {"written_back": 3}
    assert "CRM is down" in report.behind[0].error
    assert after.counts == {"done": 3}
    assert (books(sandbox), len(sandbox.writes)) == (3, told)


@pytest.mark.parametrize("last", ["write_to_omnitron", "post_script"])
def test_a_worker_without_a_lease_does_neither(engine, sandbox, monkeypatch, caplog, last):
    """It stood still for a while: another worker may have the request done again, and has told so."""
    engine.write(a_flow(scripts=True), post="raise ValueError('it ran')")
    batches = engine.get_data("run-1")
    for step in engine.steps()[: engine.steps().index(last)]:
        engine.step("run-1", step, batches[0])
    told = len(sandbox.writes)
    monkeypatch.setattr(Desk, "_hold", lambda _desk, _begun: None)
    report = engine.step("run-1", last, batches[0])

    assert len(sandbox.writes) == told
    assert not any("it ran" in one.error for one in report.behind)
    assert f"{last}, batch 0: the lease has ended, so nothing more is sent from here" in caplog.text


def test_a_ledger_that_can_not_be_written_stops_the_sending_before_it_starts(engine, sandbox):
    """Read-only by now, as a full disk or a lost right makes it: not one call leaves."""
    engine.write(a_flow(scripts=True, rows=True))
    engine.get_data("run-1")
    for step in ("script", "mapping"):
        engine.step("run-1", step, 0)
    url = engine.settings.ledger_url
    read_only = url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    engine.settings = replace(engine.settings, ledger_url=read_only)

    with pytest.raises(LedgerUnavailable, match="can't be written"):
        engine.step("run-1", "write_to_erp", 0)
    assert books(sandbox) == 0

    engine.settings = replace(engine.settings, ledger_url=url)
    assert engine.step("run-1", "write_to_erp", 0).green
    assert engine.booked() == [1]
