"""What the pages say of a redo or a decision is what the next runs do: the ERP's own book is the judge."""

from __future__ import annotations

from typing import Any

import pytest

from engine_harness import a_flow
from order_cancellation.flow.store import FlowStore
from order_cancellation.service import runs
from order_cancellation.service.life import life
from order_cancellation.service.requests import redo_each

KEY = {"idempotency_header": "Idempotency-Key"}
LOOK_UP = {"look_up": {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"}}
CUT = {"match": {"route": "erp.book", "attempt": 1}, "then": {"close": "before", "book": "before"}}
"""The ERP books, and its answer is lost."""
BLIND = {"match": {"route": "erp.look_up"}, "then": {"status": 400}}
NO = {"match": {"route": "erp.book", "attempt": 1}, "then": {"status": 422, "body": {"error": "no"}}}
LATER = {"match": {"route": "erp.book", "attempt": 1}, "then": {"status": 200, "body": {"status": "PENDING"}}}
TWICE = "the money moves twice"


@pytest.fixture
def met(engine, sandbox):
    """Meet one request with these rules, in a flow with these declarations."""

    def meet(*rules: Any, wait: int = 1, **flow: Any) -> dict[str, Any]:
        engine.write(a_flow(scripts=True, **flow))
        settings = {"idempotency": True}
        sandbox.use({"name": "met", "requests": {"count": 1}, "rules": list(rules), "settings": settings})
        for number in range(wait):
            engine.run(f"met-{number}")
        return told(engine)

    return meet


def told(engine) -> dict[str, Any]:
    with runs.open_ledger(engine.settings) as ledger:
        [one] = engine.requests()
        return life(
            ledger, FlowStore(engine.settings.flows_folder), engine.flow_id, one["uuid"], paused=False
        )


def redone(engine, *run_ids: str) -> None:
    engine.redo(1)
    for run_id in run_ids or ("redone",):
        engine.run(run_id)


def said(life: dict[str, Any], name: str = "redo") -> str:
    action = life["actions"][name]
    assert action["allowed"], action
    return str(action["consequence"])


class TestRedo:
    def test_of_what_is_done_books_it_once_more(self, engine, met):
        words = said(met())
        redone(engine)
        assert ("under a new key" in words, TWICE in words) == (True, True)
        assert engine.booked() == [1, 1]

    def test_of_what_the_erp_refused_books_it_once(self, engine, met):
        words = said(met(NO))
        redone(engine)
        assert words.startswith("The ERP has not booked it.")
        assert TWICE not in words
        assert engine.booked() == [1]

    def test_of_what_was_booked_and_whose_redo_was_refused_may_book_twice(self, engine, sandbox, met):
        met()
        no = {"match": {"route": "erp.book", "attempt": 2}, "then": NO["then"]}
        sandbox.use({"name": "no", "requests": {"count": 1}, "rules": [no]}, keep=True)
        redone(engine)
        words = said(told(engine))
        assert told(engine)["story"][0] == "An earlier call is booked. What came after it has failed."
        redone(engine, "again")
        assert words.startswith("An earlier call is booked")
        assert TWICE in words
        assert engine.booked() == [1, 1]

    def test_of_doubt_with_a_key_that_went_along_books_nothing_more(self, engine, sandbox, met):
        again = {"match": {"route": "erp.book"}, "then": {"close": "before", "book": "before"}}
        words = said(met(again, write_to_erp=KEY))
        sandbox.use({"name": "fine", "requests": {"count": 1}, "settings": {"idempotency": True}}, keep=True)
        redone(engine)
        assert "the same key (Idempotency-Key)" in words
        assert TWICE not in words
        assert engine.booked() == [1]

    @pytest.mark.parametrize("wait", [1, 2])
    def test_of_doubt_without_an_exit_may_book_twice_parked_or_not(self, engine, met, wait):
        words = said(met(CUT, wait=wait))
        redone(engine)
        assert "Look into the ERP first" in words
        assert TWICE in words
        assert engine.booked() == [1, 1]

    def test_of_doubt_with_a_key_declared_too_late_may_book_twice(self, engine, met):
        met(CUT)
        engine.write(a_flow(scripts=True, write_to_erp=KEY))
        words = said(told(engine))
        redone(engine)
        assert TWICE in words
        assert engine.booked() == [1, 1]

    def test_of_doubt_with_a_look_up_is_not_looked_up_first_and_waiting_is(self, engine, sandbox, met):
        words = said(met(CUT, BLIND, write_to_erp=LOOK_UP))
        assert "Prefer to wait" in words
        assert TWICE in words
        sandbox.use({"name": "fine", "requests": {"count": 1}}, keep=True)
        engine.run("waited")
        assert (engine.states(), engine.booked()) == ({1: "done"}, [1])

    def test_of_doubt_with_a_look_up_books_twice_as_it_says(self, engine, sandbox, met):
        met(CUT, BLIND, write_to_erp=LOOK_UP)
        sandbox.use({"name": "fine", "requests": {"count": 1}}, keep=True)
        redone(engine)
        assert engine.booked() == [1, 1]

    def test_of_what_was_withdrawn_after_a_2xx_may_book_twice(self, engine, sandbox, met):
        at_once = {"match": LATER["match"], "then": LATER["then"] | {"book": "before"}}
        met(at_once)
        gone = {"match": {"route": "omnitron.list"}, "then": {"change": {"id": 1, "set": {"status": "open"}}}}
        sandbox.use({"name": "gone", "requests": {"count": 1}, "rules": [gone]}, keep=True)
        engine.run("gone")
        words = said(told(engine))
        redone(engine)
        assert "before anything was booked" not in words
        assert TWICE in words
        assert engine.booked() == [1, 1]

    def test_of_what_is_wanted_later_changes_only_its_age(self, engine, met):
        words = said(met(LATER))
        assert "without a redo, too" in words
        redone(engine)
        assert engine.booked() == [1]

    def test_of_what_the_erp_has_booked_and_omnitron_not_heard_of_is_refused(self, engine, met):
        deaf = {"match": {"route": "omnitron.update"}, "then": {"status": 500}}
        action = met(deaf)["actions"]["redo"]
        assert not action["allowed"]
        assert "without sending it again" in action["consequence"]
        assert engine.booked() == [1]

    def test_once_said_it_is_not_asked_again(self, engine, met):
        met()
        engine.redo(1)
        action = told(engine)["actions"]["redo"]
        assert not action["allowed"]
        assert action["consequence"].endswith("already, at the next run (somebody has to start it).")


class TestSeen:
    def test_a_redo_of_what_a_run_has_booked_since_it_was_read_books_nothing(self, engine, met):
        read = met(NO, delivery={"retry_pause": "0s"})
        assert said(read).startswith("The ERP has not booked it.")
        engine.run("meanwhile")
        with runs.open_ledger(engine.settings) as ledger:
            seen = {read["uuid"]: read["last_changed"]}
            [answer] = redo_each(ledger, "acme", list(seen), who="ada", why="the ERP is mended", seen=seen)
        engine.run("after")
        assert "it has changed meanwhile (it is done now)" in answer["message"]
        assert engine.booked() == [1]


class TestResolve:
    def test_booked_is_only_written_back(self, engine, met):
        words = said(met(CUT), "accepted")
        engine.resolve(1, "accepted")
        engine.run("after")
        assert "never sent again" in words
        assert "(status completed), and the post script runs" in words
        assert (engine.states(), engine.booked()) == ({1: "done"}, [1])

    def test_not_booked_stays_failed_until_a_redo_under_a_new_key(self, engine, met):
        words = said(met(CUT, write_to_omnitron={"on_failure": {"tag": "refused"}}), "refused")
        engine.resolve(1, "refused")
        engine.run("after")
        engine.run("later")
        assert "(tag refused)" in words
        assert (engine.states(), engine.booked()) == ({1: "failed"}, [1])
        redone(engine)
        assert engine.booked() == [1, 1], "as it says, if the ERP had it after all"
        assert "that redo books it twice" in words

    def test_of_doubt_whose_redo_failed_at_its_script_a_persons_yes_counts(self, engine, met):
        met(CUT)
        engine.write(a_flow(scripts=True), script="raise ValueError('typo')")
        redone(engine)
        words = said(told(engine), "accepted")
        engine.resolve(1, "accepted")
        engine.write(a_flow(scripts=True))
        engine.run("after")
        assert "never sent again" in words
        assert (engine.states(), engine.booked()) == ({1: "done"}, [1])

    def test_of_a_flow_that_is_gone_is_carried_out_when_it_is_there_again(self, engine, met):
        met(CUT)
        home = engine.settings.flows_folder / "acme"
        home.rename(home.with_name("gone"))
        words = said(told(engine), "accepted")
        engine.resolve(1, "accepted")
        home.with_name("gone").rename(home)
        engine.run("after")
        assert "there is none that can be read right now" in words
        assert (engine.states(), engine.booked()) == ({1: "done"}, [1])

    def test_what_needs_no_decision_is_offered_none(self, met):
        actions = met()["actions"]
        assert (actions["accepted"], actions["refused"]) == (None, None)


class TestTimeline:
    def cards(self, life: dict[str, Any]) -> list[str]:
        return [one["card"] for one in life["timeline"]]

    WHOLE = ("Script", "Mapping", "Sent", "Answered", "Judged", "Written back", "Post script")

    def test_the_usual_way(self, met):
        assert self.cards(met()) == ["Fetched", *self.WHOLE]

    def test_without_scripts_the_rule_judges_and_the_end_is_a_moment(self, met):
        bare = {"script": None, "mapping": None, "custom_response": None, "post_script": None}
        cards = ["Fetched", "Sent", "Answered", "Judged", "Written back", "Done"]
        assert self.cards(met(**bare, write_to_erp={"url": "/cancellations"})) == cards

    def test_a_lost_answer_that_is_looked_up(self, met):
        cards = self.cards(met(CUT, write_to_erp=LOOK_UP))
        assert cards == [
            *("Fetched", "Script", "Mapping", "Sent", "No answer", "Looked up"),
            *("Written back", "Post script"),
        ]

    def test_a_lost_answer_that_a_person_settles(self, engine, met):
        met(CUT, wait=2)
        engine.resolve(1, "accepted")
        engine.run("after")
        cards = self.cards(told(engine))
        assert cards[4:] == ["No answer", "Parked", "A person", "Written back", "Post script"]

    def test_a_refusal_and_a_redo(self, engine, met):
        met(NO)
        redone(engine)
        cards = self.cards(told(engine))
        assert cards[4:8] == ["Answered", "Judged", "Written back", "A person"]
        assert cards[8:] == ["Fetched", *self.WHOLE]

    def test_a_call_that_did_not_leave(self, met):
        cards = self.cards(met(write_to_erp={"url": "http://127.0.0.1:9/cancellations"}))
        assert cards[3:5] == ["Sent", "Not sent"]

    def test_a_new_login_and_a_throttled_call(self, met):
        no_login = {"match": {"route": "erp.book", "attempt": 1}, "then": {"status": 401}}
        slow = {
            "match": {"route": "erp.book", "attempt": 2},
            "then": {"status": 429, "headers": {"Retry-After": "0"}},
        }
        cards = self.cards(met(no_login, slow))
        assert cards[3:] == [
            *("Sent", "Answered", "Judged", "Sent", "Answered", "Told to wait"),
            *("Sent", "Answered", "Judged", "Written back", "Post script"),
        ]

    def test_every_moment_of_a_task_knows_its_batch(self, met):
        batches = {one["step"]: one["batch"] for one in met()["timeline"]}
        assert batches.pop("get_data") is None
        assert set(batches.values()) == {0}


class TestStory:
    def test_preparing_a_redo_does_not_clear_the_call_that_is_in_doubt(self, engine, met):
        met(CUT)
        redone(engine)
        assert any("2 calls can have booked it" in line for line in told(engine)["story"])

    def test_what_a_person_looks_at_or_wants_says_nothing_of_a_call(self, engine, met):
        met(CUT)
        engine.redo(1)
        story = told(engine)["story"]
        assert "one call, and only one, can have booked it" in story[1]
        assert story[2] == "A person wants it done again: the next run takes it up."
        assert story[-1].startswith("Call 1: in doubt")

    def test_a_look_up_that_finds_nothing_clears_the_call(self, met):
        lost = {"match": {"route": "erp.book", "attempt": 1}, "then": {"close": "before", "book": "never"}}
        story = met(lost, write_to_erp=LOOK_UP)["story"]
        assert story[1] == "It was sent to the ERP 2 times; one call, and only one, can have booked it."

    def test_a_call_that_no_login_was_good_enough_for_booked_nothing(self, met):
        story = met({"match": {"route": "erp.book"}, "then": {"status": 401}})["story"]
        assert "no call booked anything" in story[1]
