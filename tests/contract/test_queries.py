"""What people ask the ledger: lists, one request's life, redo, resolve, and to erase a customer's data."""

from __future__ import annotations

from datetime import datetime

import pytest

from contract.ledgers import (
    FLOW,
    LIMITS,
    PERSONAL,
    STEP,
    a_request,
    brought_to,
    enter,
    enter_batch,
    find,
    open_claim,
    requests,
    states,
    take,
    uuid_of,
)
from order_cancellation.errors import ChangedMeanwhile, ConfigurationError
from order_cancellation.ledger import Change, State
from order_cancellation.ledger.dry import DryResult
from order_cancellation.service.life import show_request
from order_cancellation.service.requests import (
    cursor_after,
    erase,
    erase_customer,
    list_requests,
)
from order_cancellation.service.rows import iso


class TestList:
    def test_pages_by_cursor_give_each_request_once_and_in_order(self, ledger):
        enter(ledger, requests(25))
        two = [a_request(3), a_request(7)]
        settings = {"first_step": "script", "ready": False, "limits": LIMITS, "position": 0, "room": 9}
        ledger.intake.enter("acme-2", "run-1", two, **settings)
        seen, after = [], None
        while rows := list_requests(ledger, limit=4, after=after):
            seen += [(one["flow"], one["uuid"]) for one in rows]
            after = cursor_after(rows[-1])
        assert len(seen) == 27
        assert seen == sorted(seen)
        assert len(set(seen)) == 27

    def test_by_flow_and_by_state(self, ledger):
        brought_to(ledger, State.DONE, 1)
        brought_to(ledger, State.ACCEPTED, 2)
        assert [one["id"] for one in list_requests(ledger, flow=FLOW, state="accepted")] == [2]
        assert [one["id"] for one in list_requests(ledger, state="done")] == [1]
        assert list_requests(ledger, flow="another") == []

    def test_an_unknown_state_or_cursor_is_refused(self, ledger):
        with pytest.raises(ConfigurationError, match="no state"):
            list_requests(ledger, state="lost")
        with pytest.raises(ConfigurationError, match="no cursor"):
            list_requests(ledger, after="%%%")


class TestStanding:
    def test_counts_what_waits_for_a_person_and_what_ended_lately(self, ledger, clock):
        brought_to(ledger, State.DONE, 1)
        brought_to(ledger, State.PARKED, 2)
        clock.advance(100)
        brought_to(ledger, State.DONE, 3)
        brought_to(ledger, State.IN_DOUBT, 4)
        brought_to(ledger, State.ACCEPTED, 5)
        since = clock.now().timestamp() - 10
        assert ledger.queries.standing(since) == {FLOW: {"done": 1, "parked": 1, "in_doubt": 1}}


class TestFind:
    def test_by_uuid_and_by_number(self, ledger):
        enter(ledger, requests(2))
        assert find(ledger, uuid_of(2)).id == 2
        assert find(ledger, "2").uuid == uuid_of(2)

    @pytest.mark.parametrize("name", ["3", "", "x", "1' OR '1'='1", "9" * 40, "½", "-1", "a\0b"])
    def test_what_is_not_there_is_none(self, ledger, name):
        enter(ledger, requests(2))
        assert ledger.queries.find(FLOW, name) is None

    def test_a_uuid_comes_before_a_number(self, ledger):
        enter(ledger, [a_request(1, uuid="2"), a_request(2)])
        assert find(ledger, "2").id == 1

    def test_a_number_of_several_requests_is_not_guessed(self, ledger):
        enter(ledger, [a_request(1), a_request(1, uuid="another")])
        with pytest.raises(ConfigurationError, match="by its uuid"):
            ledger.queries.find(FLOW, "1")


class TestAskAgain:
    def test_it_is_noted_with_who_asked(self, ledger):
        brought_to(ledger, State.DONE)
        assert ledger.queries.ask_again(FLOW, "1", who="ada").redo is True
        assert "asked by ada" in ledger.queries.events(FLOW, uuid_of(1))[-1]["note"]

    def test_an_unknown_request_is_refused(self, ledger):
        with pytest.raises(ConfigurationError, match="no request 9"):
            ledger.queries.ask_again(FLOW, "9", who="ada")


class TestSeen:
    """A person's word on what a run has changed since that person read it."""

    def asked(self, ledger, seen):
        return ledger.queries.ask_again(FLOW, "1", who="ada", seen=seen)

    def decided(self, ledger, seen):
        settled = {"step": "write_to_omnitron", "why": "the ERP's list", "who": "ada"}
        return ledger.queries.resolve(FLOW, "1", accepted=True, seen=seen, **settled)

    @pytest.mark.parametrize("word", [asked, decided])
    def test_is_refused_and_nothing_is_written(self, ledger, word):
        now = brought_to(ledger, State.IN_DOUBT)
        events = ledger.queries.events(FLOW, uuid_of(1))
        with pytest.raises(ChangedMeanwhile, match=r"changed meanwhile \(it is in_doubt now\)"):
            word(self, ledger, now.last_changed - 0.002)
        assert (find(ledger, "1"), ledger.queries.events(FLOW, uuid_of(1))) == (now, events)

    @pytest.mark.parametrize("word", [asked, decided])
    def test_on_what_is_as_it_was_shown_counts(self, ledger, clock, word):
        """Times are shown in milliseconds."""
        clock.advance(0.0006)
        shown = iso(brought_to(ledger, State.IN_DOUBT).last_changed)
        word(self, ledger, datetime.fromisoformat(shown).timestamp())
        assert "ada" in ledger.queries.events(FLOW, uuid_of(1))[-1]["note"]


class TestResolve:
    def decided(self, ledger, *, accepted):
        return ledger.queries.resolve(
            FLOW, "1", accepted=accepted, step="write_to_omnitron", why="the ERP's list", who="ada"
        )

    @pytest.mark.parametrize("state", [State.IN_DOUBT, State.PARKED])
    def test_booked_is_then_only_written_back_under_the_same_key(self, ledger, state):
        before = brought_to(ledger, state)
        after = self.decided(ledger, accepted=True)
        assert (after.state, after.step, after.settled) == ("accepted", "write_to_omnitron", False)
        assert (after.key_number, after.body_digest) == (before.key_number, before.body_digest)
        assert after.doubt is False

    @pytest.mark.parametrize("state", [State.IN_DOUBT, State.PARKED])
    def test_not_booked_stays_failed_until_redo_and_gets_another_key(self, ledger, state):
        before = brought_to(ledger, state)
        after = self.decided(ledger, accepted=False)
        assert (after.state, after.step, after.settled) == ("refused", "write_to_omnitron", True)
        assert (after.key_number, after.body_digest) == (before.key_number + 1, None)
        assert after.doubt is False, "nothing was sent under the new key"
        assert "ada" in after.error

    def test_the_reason_and_the_person_are_in_the_history(self, ledger):
        brought_to(ledger, State.IN_DOUBT)
        self.decided(ledger, accepted=True)
        note = ledger.queries.events(FLOW, uuid_of(1))[-1]["note"]
        assert note == "decided by ada: booked, because: the ERP's list"

    def test_the_next_run_takes_it_up(self, ledger):
        brought_to(ledger, State.PARKED)
        self.decided(ledger, accepted=True)
        counts = ledger.intake.take_unfinished(FLOW, "run-2", limits=LIMITS, position=0, room=9)
        assert counts["taken"] == 1

    @pytest.mark.parametrize("state", ["prepared", "sending", "answered", "accepted", "done", "failed"])
    def test_what_needs_no_decision_is_refused(self, ledger, state):
        brought_to(ledger, State(state))
        with pytest.raises(ConfigurationError, match=f"it is {state}"):
            self.decided(ledger, accepted=True)

    def test_while_a_worker_is_on_it_nobody_decides(self, ledger):
        brought_to(ledger, State.IN_DOUBT)
        take(ledger, open_claim(ledger), (State.IN_DOUBT,))
        with pytest.raises(ConfigurationError, match="a worker is on it"):
            self.decided(ledger, accepted=True)

    @pytest.mark.parametrize("accepted", [True, False])
    @pytest.mark.parametrize("state", ["fetched", "prepared", "postponed", "failed"])
    def test_of_an_earlier_call_in_doubt_a_person_decides_wherever_the_next_attempt_is(
        self, ledger, state, accepted
    ):
        in_doubt_and_then(ledger, State(state))
        after = self.decided(ledger, accepted=accepted)
        assert (after.state, after.doubt) == ("accepted" if accepted else "refused", False)
        assert after.next_at is None, "nothing is tried again"


def in_doubt_and_then(ledger, state):
    """Let request 1 be in doubt and redone, and stand in a state from there."""
    brought_to(ledger, State.IN_DOUBT)
    enter(ledger, [a_request(1)], "run-2", redo=True, first_step=STEP, ready=state != State.FETCHED)
    ledger.intake.assign(FLOW, "run-2", 1)
    claim = open_claim(ledger, run_id="run-2")
    [record] = take(ledger, claim, (State.FETCHED, State.PREPARED))
    way = {State.POSTPONED: (State.SENDING, State.ANSWERED, State.POSTPONED), State.FAILED: (State.FAILED,)}
    for following in way.get(state, ()):
        new = record.moved(following, next_at=9e9)
        ledger.work.apply(claim, [Change(record, new)])
        record = new
    ledger.work.release(claim)
    assert (record.state, record.doubt) == (state, True)


class TestErase:
    @pytest.mark.parametrize("state", [State.DONE, State.FAILED, State.WITHDRAWN])
    def test_data_go_and_the_row_stays(self, ledger, state):
        record = brought_to(ledger, state)
        ledger.dry.save(FLOW, "dry", [DryResult(record.uuid, 1, 0, 0, "", data={"request": PERSONAL})])

        erase(ledger, FLOW, "1", "ada")

        assert ledger.queries.payloads(FLOW, record.uuid) == {}
        assert ledger.dry.load(FLOW, "dry") == []
        shown = show_request(ledger, FLOW, "1")
        assert (shown["state"], shown["attempts"], shown["error"]) == (str(state), record.attempts, None)
        notes = [one["note"] for one in shown["history"]]
        assert notes == [""] * (len(notes) - 1) + ["personal data erased by ada"]
        assert len(notes) > 1, "what happened when stays"
        assert find(ledger, "1").customer is None

    def test_duplicates_are_kept_away_all_the_same(self, ledger):
        brought_to(ledger, State.DONE)
        erase(ledger, FLOW, "1", "ada")
        assert enter(ledger, [a_request(1)], "run-2") == {"already done": 1, "taken": 0}
        assert ledger.queries.payloads(FLOW, uuid_of(1)) == {}

    def test_a_failed_one_is_not_taken_up_from_data_that_are_gone(self, ledger):
        """Neither by a clear nor by the list; a redo reads it from Omnitron again."""
        brought_to(ledger, State.FAILED)
        erase(ledger, FLOW, "1", "ada")
        assert ledger.intake.lift(FLOW, "run-1", 0, (STEP,)) == 0
        assert enter(ledger, [a_request(1)], "run-2")["taken"] == 0
        assert enter(ledger, [a_request(1)], "run-3", redo=True)["taken"] == 1
        assert ("request", 2) in ledger.queries.payloads(FLOW, uuid_of(1))

    @pytest.mark.parametrize(
        "state", ["prepared", "sending", "in_doubt", "parked", "answered", "accepted", "refused", "postponed"]
    )
    def test_what_still_needs_its_data_is_refused_and_left_whole(self, ledger, state):
        brought_to(ledger, State(state))
        with pytest.raises(ConfigurationError, match=f"it is {state}"):
            erase(ledger, FLOW, "1", "ada")
        assert ("request", 1) in ledger.queries.payloads(FLOW, uuid_of(1))

    def test_what_failed_while_an_earlier_call_may_be_booked_is_refused(self, ledger):
        in_doubt_and_then(ledger, State.FAILED)
        with pytest.raises(ConfigurationError, match="an earlier call may be booked"):
            erase(ledger, FLOW, "1", "ada")

    def test_while_a_worker_is_on_it_nothing_is_erased(self, ledger):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        ledger.work.apply(claim, [Change(record, record.moved(State.FAILED))])
        with pytest.raises(ConfigurationError, match="a worker is on it"):
            erase(ledger, FLOW, "1", "ada")

    def test_an_unknown_request_is_refused(self, ledger):
        with pytest.raises(ConfigurationError, match="no request 9"):
            erase(ledger, FLOW, "9", "ada")

    def test_by_customer_all_that_can_be_is_erased_and_the_rest_is_named(self, ledger):
        for number, state, customer in ((1, State.DONE, 9), (2, State.PARKED, 9), (3, State.DONE, 10)):
            brought_to(ledger, state, number, customer={"pk": customer})

        erased, refused = erase_customer(ledger, 9, "ada")

        assert [one["id"] for one in erased] == [1]
        assert [(one["id"], "Resolve it first" in one["why"]) for one in refused] == [(2, True)]
        assert ledger.queries.payloads(FLOW, uuid_of(1)) == {}
        assert ledger.queries.payloads(FLOW, uuid_of(3))
        assert states(ledger) == {1: "done", 2: "parked", 3: "done"}

    def test_a_customer_of_whom_there_is_nothing_is_no_error(self, ledger):
        assert erase_customer(ledger, 12345, "ada") == ([], [])
