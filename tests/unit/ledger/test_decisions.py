"""What a run does with a request that it meets, by the state in which the ledger has it."""

from dataclasses import replace

import pytest

from order_cancellation.ledger import Limits, Record, State
from order_cancellation.ledger.decisions import carry_on, decide, had_by

NOW = 1_000_000.0
LIMITS = Limits(max_attempts=3, max_age_s=3600.0)


def a_record(state, **changes):
    """A record in a state, otherwise fresh."""
    record = Record(
        flow="acme",
        uuid="u1",
        id=1,
        channel=2,
        order_number="42",
        sku="S",
        state=state,
        step="",
        run_id="old",
        batch=0,
        position=0,
        attempts=1,
        failures=0,
        tries=0,
        sends=0,
        auth_fails=0,
        key_number=1,
        body_digest=None,
        doubt=False,
        last_send_at=None,
        since=NOW - 60,
        next_at=None,
        erp_status=None,
        relation="",
        error="",
        hopeful=False,
        parked_from="",
        settled=False,
        redo=False,
        first_seen=NOW - 60,
        last_changed=NOW - 60,
        claim_id=None,
    )
    return replace(record, **changes)


def decided(record, *, redo=False):
    """The decision about a listed request."""
    return decide(record, now=NOW, limits=LIMITS, redo=redo)


class TestDecide:
    def test_a_new_request_is_taken(self):
        assert decided(None).take

    @pytest.mark.parametrize("state", [State.DONE, State.PARKED])
    def test_what_is_done_or_parked_is_left_alone(self, state):
        assert decided(a_record(state)).take is False

    @pytest.mark.parametrize("state", [State.DONE, State.PARKED, State.IN_DOUBT])
    def test_a_persons_redo_takes_it_all_the_same(self, state):
        assert decided(a_record(state), redo=True).state == State.FETCHED
        assert decided(a_record(state, redo=True)).state == State.FETCHED

    @pytest.mark.parametrize("state", [State.FETCHED, State.PREPARED, State.POSTPONED, State.WITHDRAWN])
    def test_what_was_never_booked_begins_again(self, state):
        assert decided(a_record(state)).state == State.FETCHED

    def test_a_failed_request_waits_for_its_pause(self):
        assert decided(a_record(State.FAILED, failures=1, next_at=NOW + 1)).take is False
        assert decided(a_record(State.FAILED, failures=1, next_at=NOW)).take

    def test_after_max_attempts_a_failed_request_is_parked(self):
        assert decided(a_record(State.FAILED, failures=3, next_at=NOW - 1)).state == State.PARKED

    def test_what_a_person_called_failed_stays_so(self):
        assert decided(a_record(State.FAILED, settled=True)).take is False

    def test_a_request_postponed_for_longer_than_max_age_is_parked(self):
        assert decided(a_record(State.POSTPONED, since=NOW - 3601)).state == State.PARKED

    @pytest.mark.parametrize(
        "state", [State.SENDING, State.ANSWERED, State.ACCEPTED, State.REFUSED, State.WRITTEN_BACK]
    )
    def test_what_the_erp_may_know_of_goes_on_where_it_stands(self, state):
        decision = decided(a_record(state))
        assert decision.take
        assert decision.state is None


class TestCarryOn:
    def test_doubt_without_an_exit_is_parked_for_a_person(self):
        assert carry_on(a_record(State.IN_DOUBT), now=NOW, limits=LIMITS).state == State.PARKED

    def test_doubt_with_an_exit_is_tried_again(self):
        assert carry_on(a_record(State.IN_DOUBT, hopeful=True), now=NOW, limits=LIMITS).take

    def test_doubt_is_not_tried_for_ever(self):
        old = a_record(State.IN_DOUBT, hopeful=True, since=NOW - 3601)
        assert carry_on(old, now=NOW, limits=LIMITS).state == State.PARKED

    @pytest.mark.parametrize("state", [State.ANSWERED, State.ACCEPTED, State.WRITTEN_BACK, State.REFUSED])
    def test_what_was_tried_too_often_where_it_stands_is_parked(self, state):
        assert carry_on(a_record(state, tries=3), now=NOW, limits=LIMITS).state == State.PARKED

    def test_an_answer_is_judged_before_a_redo_however_often_that_was_tried(self):
        for decision in (
            carry_on(a_record(State.ANSWERED, tries=3, redo=True), now=NOW, limits=LIMITS),
            decided(a_record(State.ANSWERED, tries=3), redo=True),
        ):
            assert (decision.take, decision.state) == (True, None)


class TestKey:
    def test_the_key_names_flow_request_and_number(self):
        assert a_record(State.PREPARED, key_number=2).key == "acme-u1-2"


class TestMoved:
    def test_a_new_state_starts_without_error_and_tries(self):
        moved = a_record(State.ANSWERED, tries=2, error="x", hopeful=True).moved(State.ACCEPTED)
        assert (moved.tries, moved.error, moved.hopeful) == (0, "", False)

    def test_a_change_within_a_state_keeps_its_tries(self):
        assert a_record(State.ANSWERED, tries=2).moved(State.ANSWERED, error="y").tries == 2


class TestHadBy:
    """A run's parameter redo counts once for each request, whichever run has followed it."""

    @pytest.mark.parametrize("state", [State.DONE, State.PARKED, State.IN_DOUBT])
    def test_what_this_run_or_another_one_has_sent_since_is_not_done_again(self, state):
        assert had_by(a_record(state), "old", sent_since=False)
        assert had_by(a_record(state), "run-2", sent_since=True)
        assert not had_by(a_record(state), "run-2", sent_since=False)

    @pytest.mark.parametrize("state", [State.FAILED, State.POSTPONED, State.FETCHED])
    def test_what_is_not_booked_is_done_by_the_persons_word(self, state):
        assert not had_by(a_record(state), "old", sent_since=True)

    def test_a_persons_no_since_then_holds(self):
        assert had_by(a_record(State.FAILED, settled=True), "run-2", sent_since=True)

    def test_what_is_new_nobody_has_had(self):
        assert not had_by(None, "old", sent_since=False)
