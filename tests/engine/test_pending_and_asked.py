"""What is remembered until there is an outcome: what the ERP took for later, and that a person named it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy import text

from engine_harness import RESPONSE, a_flow
from order_cancellation.errors import OrderCancellationError
from order_cancellation.service import runs

KEY = {"idempotency_header": "Idempotency-Key"}
PENDING = {
    "match": {"route": "erp.book"},
    "then": {"status": 200, "body": {"status": "PENDING"}, "book": "before"},
    "times": 1,
}
"""The ERP takes it on, and books it; the response script says do_nothing."""
THROTTLED = {"status": 429, "headers": {"Retry-After": "120"}}
LATER_AT_409 = RESPONSE.replace(
    'elif status == "401"', 'elif status == "409":\n    relation = "do_nothing"\nelif status == "401"'
).replace('else "continue"', 'else "failure" if "ERROR" in input_text else "continue"')
TYPO = "raise ValueError('typo')"


def play(sandbox, *rules: dict[str, Any], keep: bool = True, idempotency: bool = True, **more: Any) -> None:
    settings = {"idempotency": idempotency}
    scenario = {
        "name": "pending",
        "requests": {"count": 1, **more},
        "rules": list(rules),
        "settings": settings,
    }
    sandbox.use(scenario, keep=keep)


def answers(then: dict[str, Any]) -> dict[str, Any]:
    return {"match": {"route": "erp.book"}, "then": then, "times": 1}


def no_more_waiting(engine) -> None:
    """Let the pauses be over that the ledger holds: the ERP's, and the retry's."""
    with runs.open_ledger(engine.settings) as ledger, ledger.database.write() as connection:
        connection.execute(text("DELETE FROM traffic"))
        connection.execute(text("UPDATE requests SET next_at = NULL"))


@pytest.fixture
def pending(engine, sandbox):
    """The ERP has taken the request on and booked it, and wants it asked for later."""
    engine.write(a_flow(scripts=True, write_to_erp=KEY), response=LATER_AT_409)
    play(sandbox, PENDING, keep=False)
    assert engine.run("pending").counts == {"postponed": 1}
    return engine.key(1)


class TestPending:
    def test_the_key_stays_until_there_is_an_outcome_whatever_is_answered_in_between(
        self, engine, sandbox, pending
    ):
        play(sandbox, answers({"status": 409, "body": {"error": "a request with this key is in progress"}}))
        engine.run("run-1")
        assert engine.key(1) == pending
        engine.run("run-2")
        assert (engine.states(), engine.booked(), engine.key(1)) == ({1: "done"}, [1], pending)

    def test_a_no_that_the_erp_did_not_read_leaves_it_in_doubt(self, engine, sandbox, pending):
        """And the doubt is settled by the key that the flow declares."""
        play(sandbox, answers({"status": 403, "body": "Forbidden by the gateway"}))
        engine.run("run-1")
        assert "in_doubt" in [event["state"] for event in engine.show(1)["history"]]
        assert (engine.states(), engine.booked(), engine.key(1)) == ({1: "done"}, [1], pending)

    @pytest.mark.parametrize(
        "no",
        [{"status": 422, "body": {"error": "no"}}, {"status": 200, "body": {"status": "ERROR"}}],
        ids=["refused", "called failed"],
    )
    def test_the_erps_own_no_ends_it(self, engine, sandbox, pending, no):
        """What it took for later it may itself call failed."""
        play(sandbox, answers(no))
        engine.run("run-1")
        assert engine.states() == {1: "failed"}
        assert engine.key(1) != pending

    @pytest.mark.parametrize("between", [THROTTLED, {"status": 401, "body": {}}], ids=["429", "401 twice"])
    def test_another_call_under_the_same_key_is_stopped_after_an_answer_that_says_nothing(
        self, engine, sandbox, pending, between
    ):
        play(sandbox, {"match": {"route": "erp.book"}, "then": between})
        engine.run("run-1")
        cheaper = {"position": 1, "set": {"order_item.price": "1.00"}}
        play(sandbox, {"match": {"route": "omnitron.list"}, "then": {"change": cheaper}}, idempotency=False)
        no_more_waiting(engine)
        engine.run("run-2")
        assert engine.states() == {1: "parked"}
        assert [entry["body"]["amount"] for entry in sandbox.book] != ["1.00"]
        assert engine.booked() == [1]

    def test_another_call_is_stopped_where_a_cleared_answer_turned_out_to_want_it_later(
        self, engine, sandbox
    ):
        wrong = "session.putAttribute('relation', 'failure')"
        engine.write(a_flow(scripts=True, write_to_erp=KEY), response=wrong)
        play(sandbox, PENDING, keep=False)
        engine.run("run-1")
        engine.write(a_flow(scripts=True, write_to_erp=KEY))
        assert engine.clear_failed("run-1").counts == {"postponed": 1}
        cheaper = {"change": {"position": 1, "set": {"order_item.price": "1.00"}}}
        play(sandbox, {"match": {"route": "omnitron.detailed"}, "then": cheaper}, idempotency=False)
        engine.run("run-2")
        assert (engine.states(), engine.booked()) == ({1: "parked"}, [1])

    def test_the_key_outlives_failures_of_the_script_and_their_parking(self, engine, pending):
        engine.write(a_flow(scripts=True, write_to_erp=KEY, delivery={"max_attempts": 1}), script=TYPO)
        engine.run("run-1")
        engine.run("run-2")
        assert engine.states() == {1: "parked"}
        engine.write(a_flow(scripts=True, write_to_erp=KEY))
        engine.redo(1)
        engine.run("run-3")
        assert (engine.states(), engine.booked(), engine.key(1)) == ({1: "done"}, [1], pending)

    def test_no_longer_listed_it_waits_for_a_person_instead_of_being_called_withdrawn(
        self, engine, sandbox, pending
    ):
        rejected = {"change": {"position": 1, "set": {"status": "rejected"}}}
        play(sandbox, {"match": {"route": "omnitron.list"}, "then": rejected})
        engine.run("run-1")
        assert engine.states() == {1: "parked"}
        engine.resolve(1, "accepted")
        engine.run("run-2")
        assert (engine.states(), engine.booked()) == ({1: "done"}, [1])


class TestAsked:
    """Omnitron lists none of these any more."""

    @pytest.mark.parametrize(
        "hiccup",
        [
            {"match": {"route": "erp.book"}, "then": THROTTLED},
            {"match": {"route": "omnitron.list"}, "then": {"status": 404}},
            PENDING | {"then": PENDING["then"] | {"book": "never"}},
        ],
        ids=["the ERP throttles", "Omnitron's list fails", "the ERP wants it later"],
    )
    @pytest.mark.parametrize("first", ["booked", "refused"])
    def test_a_redo_is_carried_out_by_a_later_run_after_a_hiccup(self, engine, sandbox, first, hiccup):
        on_failure = {"on_success": {"status": "completed"}, "on_failure": {"action": "reject"}}
        engine.write(a_flow(write_to_omnitron=on_failure))
        no = answers({"status": 422, "body": {"error": "unknown order"}})
        play(sandbox, *([no] if first == "refused" else []), keep=False, idempotency=False)
        engine.run("run-1")
        before = engine.booked()
        engine.redo(1)
        play(sandbox, hiccup, idempotency=False)
        with suppress(OrderCancellationError):  # where the list failed
            engine.run("run-2")
        assert engine.booked() == before
        play(sandbox, idempotency=False)
        no_more_waiting(engine)
        engine.run("run-3")
        assert engine.booked() == [*before, 1]

    def test_so_is_what_a_person_cleared(self, engine, sandbox):
        """Omnitron was told of the refusal, and lists the request no longer."""
        engine.write(a_flow(write_to_omnitron={"on_failure": {"action": "reject"}}))
        play(sandbox, answers({"status": 422, "body": {"error": "unknown order"}}), keep=False)
        engine.run("run-1")
        play(sandbox, {"match": {"route": "erp.book"}, "then": THROTTLED})
        engine.clear_failed("run-1")
        assert engine.states() == {1: "prepared"}
        play(sandbox)
        no_more_waiting(engine)
        engine.run("run-2")
        assert (engine.states(), engine.booked()) == ({1: "done"}, [1])

    def test_a_redo_outlives_a_typo_in_the_script(self, engine, sandbox):
        engine.write(a_flow(scripts=True))
        play(sandbox, keep=False, idempotency=False)
        engine.run("run-1")
        engine.redo(1)
        engine.write(a_flow(scripts=True), script=TYPO)
        engine.run("run-2")
        engine.run("run-3")
        assert engine.states() == {1: "failed"}
        engine.write(a_flow(scripts=True))
        no_more_waiting(engine)
        engine.run("run-4")
        assert (engine.states(), engine.booked()) == ({1: "done"}, [1, 1])

    def test_what_a_run_was_given_by_number_is_asked_for_later_too(self, engine, sandbox):
        """Whatever its status in Omnitron, and so on no list."""
        engine.write(a_flow(write_to_erp=KEY))
        play(sandbox, PENDING, keep=False, statuses=["open"])
        engine.run("named", request_ids=(1,))
        assert engine.states() == {1: "postponed"}
        engine.run("run-2")
        assert (engine.states(), engine.booked()) == ({1: "done"}, [1])

    def test_the_word_ends_with_the_outcome(self, engine, sandbox):
        """Refused, and not listed any more: nothing asks Omnitron for it again."""
        engine.write(a_flow(write_to_omnitron={"on_success": {"status": "completed"}}))
        play(sandbox, keep=False)
        engine.run("run-1")
        engine.redo(1)
        play(sandbox, {"match": {"route": "erp.book"}, "then": {"status": 422, "body": {"error": "no"}}})
        engine.run("run-2")
        asked = sum("/cancellation_requests/1/" in call["path"] for call in sandbox.calls)
        no_more_waiting(engine)
        engine.run("run-3")
        assert sum("/cancellation_requests/1/" in call["path"] for call in sandbox.calls) == asked

    def test_gone_from_omnitron_the_word_falls_away_and_the_run_says_so(self, engine, sandbox):
        engine.write(a_flow(scripts=True))
        play(sandbox, keep=False)
        engine.run("run-1")
        engine.redo(1)
        engine.write(a_flow(scripts=True), script=TYPO)
        engine.run("run-2")
        play(sandbox, {"match": {"route": "omnitron.detailed"}, "then": {"status": 404}})
        report = engine.run("run-3")
        assert any("falls away" in problem for problem in report.problems)
        assert engine.states() == {1: "withdrawn"}
