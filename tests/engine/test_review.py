"""Ways in which a request could have been sent twice, lost or told of wrongly; each was found by reading."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import text

from engine_harness import RESPONSE, a_flow
from order_cancellation.errors import ConfigurationError, LedgerUnavailable
from order_cancellation.service import runs
from order_cancellation.steps import calls, deliver, mapping, relation

ALL_FINE = {"name": "all_fine", "requests": {"count": 3}}
CUT = {
    "match": {"route": "erp.book", "position": 2, "attempt": 1},
    "then": {"close": "before", "book": "before"},
}
LOOK_UP = {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"}
OMNITRON_AWAY = {"match": {"route": "omnitron.update"}, "then": {"status": 403}}
CUT_SECOND = {"name": "cut_second", "requests": {"count": 3}, "rules": [CUT]}


class TestFlowEditedWhileInDoubt:
    def test_a_key_declared_afterwards_does_not_allow_to_repeat_what_went_out_without(self, engine, sandbox):
        """The stored call carries no key, so the ERP could not recognise it: it waits for a person."""
        sandbox.use({**CUT_SECOND, "settings": {"idempotency": True}})
        engine.run()
        engine.write(a_flow(write_to_erp={"idempotency_header": "Idempotency-Key"}))
        report = engine.clear_failed()

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert engine.booked() == [1, 2, 3]

    def test_a_post_in_doubt_is_not_repeated_because_the_flow_puts_by_now(self, engine, sandbox):
        """What may be repeated is a PUT, and what went out was a POST."""
        sandbox.use(CUT_SECOND)
        engine.run()
        engine.write(a_flow(write_to_erp={"method": "PUT"}))
        report = engine.clear_failed()

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert engine.booked() == [1, 2, 3]


class TestOneBadRequest:
    """What nobody foresaw about one request stops none of the others."""

    def test_a_defect_in_one_requests_way_leaves_the_others_alone(self, engine, monkeypatch, caplog):
        """The others are sent and done; the bad one fails with the error's class and place."""
        engine.write(a_flow(delivery={"parallel_batches": 1}, write_to_erp={"concurrency": 2}))
        real = calls.build_call

        def broken(settings, base_url, *, body, **rest):
            if body["request_id"] == 2:
                raise KeyError(body["request_id"])
            return real(settings, base_url, body=body, **rest)

        monkeypatch.setattr(calls, "build_call", broken)
        report = engine.run()

        assert report.counts == {"done": 2, "failed": 1}
        assert "unforeseen error: KeyError at test_review.py" in report.behind[0].error
        assert re.search(r"Flow 'acme', request 2 \(.*\), write_to_erp: unforeseen error", caplog.text)

    def test_an_error_before_the_first_byte_is_not_sent_whatever_its_class(self, engine, monkeypatch):
        """A login that is set up wrongly is found when the token is fetched: nobody is in doubt."""
        engine.write(a_flow(scripts=True, rows=True))
        batches = engine.get_data_only("run-1")
        engine.erp_options = {}
        for step in ("script", "mapping"):
            engine.step("run-1", step, batches[0])
        [line] = engine.step("run-1", "write_to_erp", batches[0]).behind

        assert (line.state, line.hopeful) == ("prepared", False)
        assert "login_url" in line.error

    def test_what_can_not_be_written_does_not_keep_the_others_waiting_for_ever(self, engine, monkeypatch):
        """A payload that is no JSON fails its own request; the rest of its group is written."""
        engine.write(a_flow(scripts=True, delivery={"parallel_batches": 1}, write_to_erp={"concurrency": 2}))
        monkeypatch.setattr(
            mapping, "map_document", lambda _chain, document: {1} if document["id"] == 2 else document
        )
        engine.get_data("run-1")
        engine.step("run-1", "script", 0)
        report = engine.step("run-1", "mapping", 0)

        assert [line.id for line in report.behind] == [2]
        assert report.behind[0].state == "failed"

    def test_a_mapping_added_after_the_preparation_fails_the_request_only(self, engine, sandbox):
        """Prepared without a mapping and cleared with one: nothing unmapped is sent."""
        engine.write(a_flow(scripts=True, rows=True, mapping=None))
        engine.get_data_only("run-1")
        engine.erp_options = {"login_url": "http://127.0.0.1:9/login"}
        for step in ("script", "write_to_erp"):
            engine.step("run-1", step, 0)
        engine.erp_options = {"login_url": "/login"}
        engine.write(a_flow(scripts=True, rows=True))
        [line] = engine.step("run-1", "write_to_erp", 0).behind

        assert (line.state, engine.booked()) == ("failed", [])
        assert "before the flow had a mapping" in line.error


class TestDoubtAndTheScript:
    def test_do_nothing_without_an_answer_decides_nothing(self, engine, sandbox):
        """Continue and failure are the owner's decision; do_nothing would only send it again."""
        engine.write(
            a_flow(custom_response={"decides_unknown": True}),
            response=RESPONSE.replace('relation = "failure"', 'relation = "do_nothing"'),
        )
        sandbox.use(CUT_SECOND)
        report = engine.run("run-1")
        engine.run("run-2")

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert engine.booked() == [1, 2, 3]

    def test_the_answer_that_proved_nothing_is_what_the_script_decides_on(self, engine, sandbox):
        """A 500 is at hand when the flow is allowed to decide: it is judged, and not called unknown."""
        rule = {"match": {"route": "erp.book", "position": 2}, "then": {"status": 500, "book": "never"}}
        sandbox.use({"name": "500", "requests": {"count": 3}, "rules": [rule]})
        engine.run()
        engine.write(a_flow(custom_response={"decides_unknown": True}))
        report = engine.clear_failed()

        assert report.counts == {"done": 2, "failed": 1}
        assert "the ERP answered 500" in report.behind[0].error

    def test_a_throttled_answer_is_never_judged_even_after_a_crash(self, engine, sandbox, monkeypatch):
        """The worker dies between a 429 and the waiting: the request is sent again, not called refused."""
        engine.write(a_flow(scripts=True, rows=True))
        rule = {"match": {"route": "erp.book", "position": 2, "attempt": 1}, "then": {"status": 429}}
        sandbox.use({"name": "429", "requests": {"count": 3}, "rules": [rule]})
        with monkeypatch.context() as crash:
            crash.setattr(deliver, "wait_asked", lambda *_: None)
            crash.setattr(relation, "_judged", unavailable)
            batches = engine.get_data("run-1")
            for step in ("script", "mapping", "write_to_erp"):
                engine.step("run-1", step, batches[1])
        key = engine.key(2)
        report = engine.step("run-1", "custom_response", batches[1])

        assert report.green
        assert engine.key(2) == key
        assert engine.booked() == [2]

    def test_a_conflict_of_an_earlier_attempt_does_not_stand_in_the_way(self, engine, sandbox):
        """An old 409 says nothing of a later send that is in doubt: it is repeated under its key."""
        engine.write(a_flow(write_to_erp={"idempotency_header": "Idempotency-Key"}))
        conflict = {
            "match": {"route": "erp.book", "position": 2, "attempt": 1},
            "then": {"status": 409, "book": "never"},
        }
        cut = {"match": {"route": "erp.book", "position": 2, "attempt": 2}, "then": CUT["then"]}
        sandbox.use(
            {
                "name": "409",
                "requests": {"count": 3},
                "rules": [conflict, cut],
                "settings": {"idempotency": True},
            }
        )
        engine.run("run-1")
        engine.redo(2)
        report = engine.run("run-2")

        assert report.counts == {"done": 1}
        assert engine.booked() == [1, 2, 3]

    def test_doubt_that_answers_do_not_end_is_parked_after_max_attempts(self, engine, sandbox):
        """500 after 500 under the same key: it is not sent for a week, poll after poll."""
        engine.write(
            a_flow(write_to_erp={"idempotency_header": "Idempotency-Key"}, delivery={"max_attempts": 2})
        )
        rule = {"match": {"route": "erp.book", "position": 2}, "then": {"status": 500, "book": "never"}}
        sandbox.use({"name": "500", "requests": {"count": 3}, "rules": [rule]})
        for number in range(4):
            engine.run(f"run-{number}")

        assert engine.states()[2] == "parked"
        assert engine.show(2)["sends"] <= 4

    def test_a_look_up_counts_from_the_last_moment_at_which_it_may_have_left(self, engine, sandbox):
        """Between the intent and the end of the call lies time in which it may have been leaving."""
        rule = {"match": {"route": "erp.book"}, "then": {"delay": 0.5, "close": "before", "book": "before"}}
        sandbox.use({"name": "slow", "requests": {"count": 1}, "rules": [rule]})
        engine.run()
        with runs.open_ledger(engine.settings) as ledger:
            record = ledger.queries.find(engine.flow_id, "1")
            [intent] = [one for one in ledger.queries.events(engine.flow_id, record.uuid) if one["send"]][:1]

        assert record.state == "in_doubt"
        assert record.last_send_at - intent["at"] >= 0.4

    def test_a_look_up_after_a_get_finds_what_was_mapped(self, engine, sandbox):
        """A GET has no body; its look-up may name what went out in the query all the same."""
        look_up = {"url": "/cancellations/{{ body.reference }}", "found": "$.found", "after": "0s"}
        engine.write(a_flow(write_to_erp={"method": "GET", "look_up": look_up}))
        sandbox.use(CUT_SECOND)

        assert engine.run().counts == {"done": 3}
        assert len(sandbox.book) == 3


async def unavailable(*_: object) -> None:
    """Stand for a ledger that fails, as at a crash."""
    raise LedgerUnavailable("the ledger is away")


class TestPeoplesWords:
    """Redo and resolve, in every order, never book what nobody meant to book twice."""

    def test_a_redo_said_before_the_booking_was_known_falls_away(self, engine, sandbox):
        """In doubt, redo asked, then found in the ERP: it is done, and the next run leaves it alone."""
        look_up = {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"}
        engine.write(a_flow(write_to_erp={"look_up": look_up}))
        blind = {"match": {"route": "erp.look_up"}, "then": {"status": 400}}
        sandbox.use({**CUT_SECOND, "rules": [CUT, blind]})
        engine.run("run-1")
        engine.redo(2)
        sandbox.use(ALL_FINE, keep=True)
        engine.clear_failed("run-1")
        report = engine.run("run-2")

        assert engine.states()[2] == "done"
        assert report.counts == {}
        assert engine.booked() == [1, 2, 3]

    @pytest.mark.parametrize("by_parameter", [False, True])
    def test_an_answer_that_nobody_could_judge_is_judged_before_it_is_redone(self, engine, by_parameter):
        """The script was broken for as long as a request is tried, and is repaired: the answer was a yes."""
        broken = a_flow(get_data={"max_requests": 1}, delivery={"max_attempts": 2})
        engine.write(broken, response="raise ValueError('typo')")
        for number in range(2):
            assert engine.run(f"run-{number}").counts == {"answered": 1}
        engine.write(broken)
        if by_parameter:
            report = engine.run("redo-run", request_ids=(1,), redo=True)
        else:
            engine.redo(1)
            report = engine.run("run-2")

        assert report.counts == {"done": 1}
        assert engine.booked() == [1]

    def test_what_is_booked_and_only_waits_for_its_end_can_not_be_redone(self, engine, sandbox):
        """The word would take effect after the end, as a second booking."""
        sandbox.use({"name": "away", "requests": {"count": 1}, "rules": [OMNITRON_AWAY]})
        engine.run("run-1")
        with pytest.raises(ConfigurationError, match="it is accepted"):
            engine.redo(1)

    def test_redo_of_what_was_parked_after_the_booking_only_writes_it_back(self, engine, sandbox):
        """Omnitron would not be told; accepted but not written back is never sent again."""
        sandbox.use({"name": "omnitron_forbids", "requests": {"count": 1}})
        engine.run("run-1")
        sandbox.use({"name": "fine", "requests": {"count": 1}}, keep=True)
        sandbox.sandbox.world.change_settings({"forbidden_transitions": []})
        engine.redo(1)
        report = engine.run("run-2")

        assert report.counts == {"done": 1}
        assert engine.booked() == [1]
        assert sandbox.requests[0]["status"] == "completed"

    def test_a_no_after_a_redo_counts_and_not_the_redo(self, engine, sandbox):
        """Resolved as refused: it stays failed until a redo that is said afterwards."""
        sandbox.use({**CUT_SECOND, "rules": [{**CUT, "then": {"close": "before", "book": "never"}}]})
        engine.run("run-1")
        engine.redo(2)
        engine.resolve(2, "refused")
        engine.run("run-2")
        engine.run("run-3")

        assert engine.states()[2] == "failed"
        assert engine.booked() == [1, 3]

    def test_the_key_outlives_a_parking_while_an_earlier_send_is_in_doubt(self, engine, sandbox):
        """Redone, failed by its script until it is parked, redone again: the ERP can still recognise it."""
        engine.write(a_flow(scripts=True, delivery={"max_attempts": 1}))
        sandbox.use(CUT_SECOND)
        engine.run("run-1")
        key = engine.key(2)
        engine.write(a_flow(scripts=True, delivery={"max_attempts": 1}), script="raise ValueError('typo')")
        engine.redo(2)
        engine.run("run-2")
        engine.run("run-3")
        assert engine.states()[2] == "parked"
        engine.redo(2)
        engine.run("run-4")

        assert engine.key(2) == key

    def test_what_may_be_booked_is_not_called_withdrawn(self, engine, sandbox):
        """Redone from doubt, failed, and then gone from Omnitron: a person has to look at the ERP."""
        sandbox.use(CUT_SECOND)
        engine.run("run-1")
        engine.write(a_flow(scripts=True), script="raise ValueError('typo')")
        engine.redo(2)
        engine.run("run-2")
        unlisted = {"change": {"id": 2, "set": {"status": "open"}}}
        gone = [
            {"match": {"route": "omnitron.list"}, "then": unlisted},
            {"match": {"route": "omnitron.detailed"}, "then": {"status": 404}},
        ]
        sandbox.use({"name": "gone", "requests": {"count": 3}, "rules": gone}, keep=True)
        engine.run("run-3")

        assert engine.states()[2] == "parked"


class TestStepsAddedAndRemoved:
    def test_an_answer_that_waits_for_a_removed_response_script_is_judged_by_the_rule(self, engine):
        """The script is taken out while answers wait for it: the next run judges them, and sends nothing."""
        engine.write(a_flow(), response="pass")
        engine.run("run-1")
        engine.write(a_flow(custom_response=None))
        report = engine.run("run-2")

        assert report.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_an_answer_from_before_the_response_script_is_judged_by_it(self, engine, monkeypatch):
        """The worker died before the rule had judged, and then the flow was given a script."""
        engine.write(a_flow(scripts=True, rows=True, custom_response=None))
        engine.get_data("run-1")
        with monkeypatch.context() as crash:
            crash.setattr(relation, "_judged", unavailable)
            for batch in range(3):
                engine.step("run-1", "script", batch)
                engine.step("run-1", "mapping", batch)
                with pytest.raises(LedgerUnavailable):
                    engine.step("run-1", "write_to_erp", batch)
        engine.write(a_flow(scripts=True, rows=True))
        report = engine.run("run-2")

        assert report.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_what_waits_for_a_removed_post_script_is_done(self, engine):
        """Omnitron was told; with the post script gone nothing is left to do."""
        engine.write(a_flow(scripts=True), post="raise ValueError('CRM is down')")
        engine.run("run-1")
        engine.write(a_flow(scripts=True, post_script=None))
        report = engine.run("run-2")

        assert report.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_a_task_of_a_step_that_the_pinned_revision_lacks_is_green(self, engine):
        """The flow was given a post script while a run was under way: that run goes on without it."""
        engine.write(a_flow(scripts=True, post_script=None))
        batches = engine.get_data("run-1")
        engine.write(a_flow(scripts=True))
        greens = [engine.step("run-1", step, batch).green for batch in batches for step in engine.steps()]

        assert all(greens)
        assert engine.report("run-1").counts == {"done": 3}


class TestCheckStatus:
    def test_a_redo_is_sent_though_we_have_changed_the_status_ourselves(self, engine):
        """Done once, so Omnitron says completed; a person's redo is not called withdrawn for that."""
        engine.write(a_flow(write_to_erp={"check_status": True}))
        engine.run("run-1")
        engine.redo(2)
        report = engine.run("run-2")

        assert report.counts == {"done": 1}
        assert engine.booked() == [1, 2, 2, 3]

    def test_what_may_be_booked_is_not_withdrawn_for_its_status(self, engine, sandbox):
        """Redone from doubt while somebody changes its status: a person has to look at the ERP."""
        engine.write(a_flow(write_to_erp={"check_status": True}))
        sandbox.use(CUT_SECOND)
        engine.run("run-1")
        engine.redo(2)
        change = {"id": 2, "set": {"status": "rejected"}}
        before_sending = {"route": "omnitron.detailed", "nth": 2}  # the first reads what was asked for
        moved = {"match": before_sending, "then": {"change": change}}
        sandbox.use({"name": "moved", "requests": {"count": 3}, "rules": [moved]}, keep=True)
        engine.run("run-2")

        assert engine.states()[2] == "parked"

    @pytest.mark.parametrize(
        ("declared", "known"),
        [
            (
                {"look_up": LOOK_UP},
                "looked up in the ERP: not booked, and its status in Omnitron is rejected",
            ),
            ({"idempotency_header": "Idempotency-Key"}, "in doubt: an earlier send may have been booked"),
        ],
        ids=["looked up", "same key"],
    )
    def test_what_is_in_doubt_is_not_sent_again_either(self, engine, sandbox, declared, known):
        """Somebody rejected it meanwhile: a person decides, and is told what the ERP said."""
        engine.write(a_flow(write_to_erp={**declared, "check_status": True}))
        blind = {"match": {"route": "erp.look_up"}, "then": {"status": 400}}
        lost = {"match": {"route": "erp.book"}, "then": {"close": "before", "book": "never"}}
        sandbox.use({"name": "lost", "requests": {"count": 1}, "rules": [lost, blind]})
        assert engine.run("run-1").counts == {"in_doubt": 1}
        rejected = {"change": {"position": 1, "set": {"status": "rejected"}}}
        rules = [{"match": {"route": "omnitron.list", "nth": 1}, "then": rejected}]
        sandbox.use({"name": "rejected", "requests": {"count": 1}, "rules": rules}, keep=True)
        report = engine.run("run-2")

        assert report.counts == {"parked": 1}
        assert report.behind[0].error.startswith(known)
        assert engine.booked() == []
        assert sandbox.requests[0]["status"] == "rejected"

    def test_what_omnitron_can_not_say_is_looked_up_and_asked_once_more(self, engine, sandbox):
        engine.write(a_flow(custom_response=None, write_to_erp={"look_up": LOOK_UP, "check_status": True}))
        lost = {"match": {"route": "erp.book"}, "then": {"close": "before", "book": "never"}}
        silent = {"match": {"route": "omnitron.detailed", "nth": 2}, "then": {"status": 400}}
        sandbox.use({"name": "silent", "requests": {"count": 1}, "rules": [lost, silent]})
        report = engine.run("run-1")
        sandbox.use({"name": "fine", "requests": {"count": 1}}, keep=True)
        after = engine.run("run-2")

        assert report.counts == {"in_doubt": 1}
        assert "not booked, and its status could not be checked" in report.behind[0].error
        assert after.counts == {"done": 1}
        assert engine.booked() == [1]


class TestRefusedRepeat:
    """Send one was booked and its answer lost; what comes back to the repeat must not deny that."""

    def run(self, engine, sandbox, then, repeats=None):
        on_failure = {"on_success": {"status": "completed"}, "on_failure": {"action": "reject"}}
        engine.write(
            a_flow(write_to_erp={"idempotency_header": "Idempotency-Key"}, write_to_omnitron=on_failure)
        )
        match = {"route": "erp.book", "position": 2, "attempt": repeats or {"from": 2}}
        again = {"match": match, "then": {**then, "book": "never"}}
        sandbox.use({**CUT_SECOND, "rules": [CUT, again], "settings": {"idempotency": True}})
        return engine.run()

    @pytest.mark.parametrize("status", [403, 404, 409])
    def test_a_page_of_something_in_between_leaves_it_in_doubt(self, engine, sandbox, status):
        """Neither is it failed, nor does Omnitron hear that it was rejected."""
        report = self.run(engine, sandbox, {"status": status, "body": "<html>gateway</html>"})

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert sandbox.requests[1]["status"] == "approved"

    def test_the_next_repeat_finds_the_booking(self, engine, sandbox):
        """When the gateway is back the same key brings the ERP's first answer."""
        report = self.run(engine, sandbox, {"status": 404, "body": "<html>gateway</html>"}, repeats=2)

        assert report.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_the_erps_own_no_to_the_same_bytes_counts(self, engine, sandbox):
        """An ERP that honours the key and says 422 has not booked it."""
        report = self.run(engine, sandbox, {"status": 422, "body": {"error": "period closed"}})

        assert report.counts == {"done": 2, "failed": 1}


class TestReport:
    def test_a_persons_no_is_no_failure_of_the_run_that_asked(self, engine, sandbox):
        """Resolved as refused and cleared: the run is green, and the request stays failed until redo."""
        sandbox.use({**CUT_SECOND, "rules": [{**CUT, "then": {"close": "before", "book": "never"}}]})
        engine.run()
        engine.resolve(2, "refused")
        report = engine.clear_failed()

        assert report.green
        assert report.counts == {"done": 2, "failed": 1}

    def test_what_was_postponed_too_long_reddens_the_run_that_parks_it(self, engine, sandbox):
        """All runs before were green with it: without a red one nobody would ever look."""
        engine.write(a_flow(), response="session.putAttribute('relation', 'do_nothing')")
        assert engine.run("run-1").green
        with runs.open_ledger(engine.settings) as ledger, ledger.database.write() as connection:
            connection.execute(text("UPDATE requests SET since = since - 8 * 86400 WHERE id = 2"))
        report = engine.run("run-2")

        assert engine.states()[2] == "parked"
        assert "longer than max_age" in report.problems[0]
