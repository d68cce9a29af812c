"""Events in odd orders: what people and runs do at a bad moment books nothing twice and loses nothing."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from engine_harness import RESPONSE, a_flow
from order_cancellation.erp import Erp
from order_cancellation.errors import ConfigurationError, Wait
from order_cancellation.service import runs

LOOK_UP = {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"}
FINE = {"name": "fine", "requests": {"count": 3}}
CUT = {
    "match": {"route": "erp.book", "position": 2, "attempt": 1},
    "then": {"close": "before", "book": "before"},
}
CUT_SECOND = {"name": "cut_second", "requests": {"count": 3}, "rules": [CUT]}
REFUSED = {"match": {"route": "erp.book", "position": 2, "attempt": 1}, "then": {"status": 422, "body": {}}}


class TestRedo:
    def test_a_look_up_can_not_tell_the_second_booking_from_the_first(self, engine, sandbox):
        """Done, redone, its answer lost: the look-up finds the first booking, which settles nothing."""
        engine.write(a_flow(write_to_erp={"look_up": LOOK_UP}))
        engine.run("run-1")
        engine.redo(2)
        lost = {"match": {"route": "erp.book"}, "then": {"close": "before", "book": "never"}, "times": 1}
        sandbox.use({**FINE, "rules": [lost]}, keep=True)
        report = engine.run("run-2")
        engine.run("run-3")

        assert report.counts == {"in_doubt": 1}
        assert "from before the redo" in report.behind[0].error
        assert engine.states()[2] == "parked"
        assert engine.booked() == [1, 2, 3]

    def test_clearing_a_whole_redo_run_does_not_redo_what_it_has_done(self, engine, sandbox):
        """Run parameter redo counts once for each request, however often get_data is cleared."""
        engine.run("run-1")
        engine.run("redo-run", request_ids=(1, 2), redo=True)
        engine.run("redo-run", request_ids=(1, 2), redo=True)

        assert engine.booked() == [1, 1, 2, 2, 3]
        assert engine.states() == {1: "done", 2: "done", 3: "done"}

    def test_clearing_a_redo_run_sends_nothing_that_it_left_in_doubt(self, engine, sandbox):
        """Clearing lifts what failed; what is in doubt takes another word."""
        sandbox.use(CUT_SECOND)
        engine.run("redo-run", request_ids=(2,), redo=True)
        engine.run("redo-run", request_ids=(2,), redo=True)

        assert engine.booked() == [2]
        assert engine.states() == {2: "parked"}

    def test_clearing_a_redo_run_leaves_what_another_run_has_done_meanwhile(self, engine, sandbox):
        """Its get_data was red: the scheduled run does what is left over, and get_data is cleared then."""
        busy = {"status": 429, "headers": {"Retry-After": "120"}}
        sandbox.use({**FINE, "rules": [{"match": {"route": "omnitron.detailed", "id": 2}, "then": busy}]})
        with pytest.raises(Wait):
            engine.run("redo-run", request_ids=(1, 2), redo=True)
        sandbox.use(FINE, keep=True)
        engine.run("scheduled")
        engine.run("redo-run", request_ids=(1, 2), redo=True)

        assert engine.booked() == [1, 2, 3]
        assert engine.states() == {1: "done", 2: "done", 3: "done"}

    def test_clearing_a_redo_run_leaves_what_a_person_found_booked_meanwhile(self, engine, sandbox):
        sandbox.use(CUT_SECOND)
        engine.run("redo-run", request_ids=(2,), redo=True)
        engine.resolve(2, "accepted")
        engine.run("scheduled")
        engine.run("redo-run", request_ids=(2,), redo=True)

        assert engine.booked() == [1, 2, 3]

    def test_clearing_a_whole_redo_run_takes_up_what_failed_in_it(self, engine):
        """What was never sent in it is done by the person's word, without waiting for its pause."""
        engine.write(a_flow(scripts=True), script="raise ValueError('typo')")
        engine.run("redo-run", request_ids=(2,), redo=True)
        engine.write(a_flow(scripts=True))
        engine.run("redo-run", request_ids=(2,), redo=True)

        assert engine.states() == {2: "done"}
        assert engine.booked() == [2]

    def test_asked_twice_it_is_done_once(self, engine):
        """Two people say redo before the next run: it is one word."""
        engine.run("run-1")
        engine.redo(2)
        engine.redo(2)
        engine.run("run-2")
        engine.run("run-3")

        assert engine.booked() == [1, 2, 2, 3]


class TestResolve:
    def test_nobody_decides_while_a_worker_is_on_it(self, engine, sandbox, monkeypatch):
        """The step has the request and asks the ERP: the person is told to wait, and the look-up counts."""
        engine.write(a_flow(write_to_erp={"look_up": LOOK_UP}))
        real, told = Erp.look_up, []

        async def look_up(erp, *look_up, **what):
            with pytest.raises(ConfigurationError, match="a worker is on it") as caught:
                engine.resolve(2, "refused")
            told.append(str(caught.value))
            return await real(erp, *look_up, **what)

        monkeypatch.setattr(Erp, "look_up", look_up)
        sandbox.use(CUT_SECOND)
        report = engine.run("run-1")

        assert len(told) == 1
        assert report.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    @pytest.mark.parametrize(("said", "state"), [("accepted", "done"), ("refused", "failed")])
    def test_between_two_steps_of_a_run_the_word_counts_at_once(self, engine, sandbox, said, state):
        """Decided after write_to_erp: the following steps carry it out, and send nothing."""
        engine.write(a_flow(scripts=True, rows=True))
        sandbox.use(CUT_SECOND)
        batches = engine.get_data("run-1")
        for step in ("script", "mapping", "write_to_erp"):
            engine.step("run-1", step, batches[1])
        engine.resolve(2, said)
        for step in ("custom_response", "write_to_omnitron", "post_script"):
            engine.step("run-1", step, batches[1])

        assert engine.states()[2] == state
        assert engine.booked() == [2]

    def test_a_no_and_a_clear_send_nothing(self, engine, sandbox):
        """Not booked, says a person, and then clears the red tasks: it stays failed until a redo."""
        sandbox.use({**CUT_SECOND, "rules": [{**CUT, "then": {"close": "before", "book": "never"}}]})
        engine.run("run-1")
        engine.resolve(2, "refused")
        engine.clear_failed("run-1")
        engine.run("run-2")

        assert engine.states()[2] == "failed"
        assert engine.booked() == [1, 3]


class TestClearBesideAnotherRun:
    def test_an_old_run_cleared_after_a_newer_one_took_over_does_nothing(self, engine, sandbox):
        """What failed in run-1 belongs to run-2 by now: run-1's cleared tasks find nothing to do."""
        engine.write(a_flow(delivery={"retry_pause": "1s"}))
        sandbox.use({**FINE, "rules": [REFUSED]})
        engine.run("run-1")
        with runs.open_ledger(engine.settings) as ledger, ledger.database.write() as connection:
            connection.execute(text("UPDATE requests SET next_at = 0"))
        engine.get_data("run-2")
        red, engine.red = engine.red, []
        for batch, step in red:
            assert engine.step("run-1", step, batch).taken == 0
        for step in engine.steps():
            engine.step("run-2", step, 0)

        assert engine.states() == {1: "done", 2: "done", 3: "done"}
        assert engine.booked() == [1, 2, 3]

    def test_a_manual_run_beside_a_scheduled_one_sends_nothing_that_is_under_way(self, engine, sandbox):
        """Both have taken the same requests up, one after the other: only the later one sends."""
        first = engine.get_data("scheduled")
        second = engine.get_data("manual")
        for step in engine.steps():
            for one, two in zip(first, second, strict=True):
                engine.step("scheduled", step, one)
                engine.step("manual", step, two)

        assert engine.booked() == [1, 2, 3]
        assert set(engine.states().values()) == {"done"}


class TestAnswersThatProveNothing:
    @pytest.mark.parametrize("status", [301, 302, 303, 304])
    def test_a_redirect_to_another_page_is_no_refusal(self, engine, sandbox, status):
        """It points to where the outcome of what was worked on is shown: `else: failure` must not deny it."""
        seen = {"status": status, "headers": {"Location": "/somewhere"}, "book": "before"}
        sandbox.use({**FINE, "rules": [{**CUT, "then": seen}]})
        report = engine.run("run-1")
        engine.clear_failed("run-1")
        engine.run("run-2")

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert engine.states()[2] == "parked"
        assert engine.booked() == [1, 2, 3]


class TestFlowRenamed:
    """The folder gets another name, and with it the flow another id; Omnitron still lists what was done."""

    @pytest.fixture
    def renamed(self, engine, sandbox):
        engine.write(a_flow(write_to_omnitron={"on_success": None}, post_script=None))
        engine.run("run-1")
        (engine.settings.flows_folder / "acme").rename(engine.settings.flows_folder / "acme2")
        engine.flow_id = "acme2"
        more = {"match": {"route": "omnitron.list"}, "then": {"add": 1}, "times": 1}
        sandbox.use({**FINE, "rules": [more]}, keep=True)
        return engine

    def test_what_the_old_name_may_have_booked_is_parked_and_told(self, renamed):
        """Only what is new to both is sent; the report names the old flow and what to do."""
        report = renamed.run("run-2")

        assert renamed.booked() == [1, 2, 3, 4]
        assert report.counts == {"done": 1, "parked": 3}
        assert "flow 'acme' has had this request (it is done there)" in report.behind[0].error

    def test_a_person_decides_and_later_runs_are_green(self, renamed):
        """Booked, says a person: it is written back and done; a redo sends it."""
        renamed.run("run-2")
        renamed.resolve(1, "accepted")
        renamed.redo(2)
        report = renamed.run("run-3")

        assert report.green
        assert renamed.booked() == [1, 2, 2, 3, 4]

    def test_between_two_steps_of_the_old_name_nothing_is_sent_by_both(self, engine):
        """The old run's next step starts although the folder is gone: what it works with is in the ledger."""
        [batch] = engine.get_data("run-1")
        engine.step("run-1", "mapping", batch)
        (engine.settings.flows_folder / "acme").rename(engine.settings.flows_folder / "acme2")
        engine.flow_id = "acme2"
        report = engine.run("run-1")
        engine.flow_id = "acme"
        late = engine.step("run-1", "write_to_erp", batch)

        assert report.counts == {"done": 3}
        assert late.taken == 0
        assert engine.booked() == [1, 2, 3]

    def test_two_flows_that_both_exist_do_not_hinder_each_other(self, engine):
        """One tells the ERP, the other the warehouse: both send what they list."""
        engine.write(a_flow(write_to_omnitron={"on_success": None}))
        engine.run("run-1")
        engine.flow_id = "warehouse"
        engine.write(a_flow())

        assert engine.run("run-1").counts == {"done": 3}


WRONG = "session.putAttribute('relation', 'failure')"


class TestClearAfterAScriptsNo:
    """The response script called a 2xx a failure: it may have been wrong."""

    def test_a_repaired_script_judges_the_answer_and_nothing_is_sent_again(self, engine, sandbox):
        """The ERP had booked, and the script had a typing error: cleared, the stored answer is a yes."""
        engine.write(a_flow(), response=WRONG)
        report = engine.run("run-1")
        engine.write(a_flow())
        after = engine.clear_failed("run-1")

        assert report.counts == {"failed": 3}
        assert after.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_what_is_still_a_no_is_sent_again_by_the_same_clear(self, engine, sandbox):
        """200 with an error in its body is a refusal; the ERP is repaired, and one clear is enough."""
        error = {"status": 200, "body": {"status": "ERROR"}, "book": "never"}
        sandbox.use({**FINE, "rules": [{**CUT, "then": error}]})
        strict = RESPONSE.replace(
            '"continue"', '("failure" if answer.get("status") == "ERROR" else "continue")'
        )
        engine.write(a_flow(), response=strict)
        report = engine.run("run-1")
        key = engine.key(2)
        after = engine.clear_failed("run-1")

        assert report.counts == {"done": 2, "failed": 1}
        assert after.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]
        assert engine.key(2) == key
        assert engine.show(2)["failures"] == 1

    def test_pending_under_its_key_it_stays_under_that_key(self, engine, sandbox):
        """The repaired script says do_nothing: the ERP holds it, and must recognise the next send."""
        engine.write(a_flow(write_to_erp={"idempotency_header": "Idempotency-Key"}), response=WRONG)
        held = {"status": 202, "body": {"status": "PENDING"}, "book": "before"}
        rule = {"match": {"route": "erp.book", "attempt": 1}, "then": held}
        settings = {"idempotency": True}
        sandbox.use({"name": "held", "requests": {"count": 1}, "rules": [rule], "settings": settings})
        engine.run("run-1")
        pending = RESPONSE.replace('("200", "201")', '("200", "201", "202")')
        engine.write(a_flow(write_to_erp={"idempotency_header": "Idempotency-Key"}), response=pending)
        engine.clear_failed("run-1")
        engine.run("run-2")

        assert engine.states() == {1: "done"}
        assert engine.booked() == [1]
