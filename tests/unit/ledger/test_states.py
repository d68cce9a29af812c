"""The state machine is one table: what it does not hold can't happen."""

import pytest

from order_cancellation.ledger.states import MOVES, UNFINISHED_OUTSIDE, WITHDRAWABLE, State, check_move


def test_a_move_that_is_not_in_the_table_is_refused():
    """A done request can't be sent."""
    with pytest.raises(ValueError, match="done to sending"):
        check_move(State.DONE, State.SENDING)


def test_nothing_is_sent_without_an_intent_first():
    """Every way to an answer leads through sending or the doubt it left, or back to one that was judged."""
    judged = {State.REFUSED, State.FAILED}
    assert {old for old, new in MOVES if new == State.ANSWERED} == {State.SENDING, State.IN_DOUBT} | judged


def test_only_prepared_and_doubtful_requests_are_sent():
    """No other state leads to sending."""
    assert {old for old, new in MOVES if new == State.SENDING} == {State.PREPARED, State.IN_DOUBT}


def test_omnitron_is_told_only_of_what_is_accepted():
    """written_back comes from accepted alone."""
    assert {old for old, new in MOVES if new == State.WRITTEN_BACK} == {State.ACCEPTED}


def test_what_the_erp_may_know_of_is_never_withdrawn():
    """A request is closed as withdrawn only while nothing can be booked."""
    assert not set(UNFINISHED_OUTSIDE) & set(WITHDRAWABLE)
    assert {old for old, new in MOVES if new == State.WITHDRAWN} == set(WITHDRAWABLE)


@pytest.mark.parametrize("state", list(State))
def test_every_state_has_a_way_on(state):
    """From each state, the final ones included, a person or the next run can go on."""
    assert any(old == state for old, _ in MOVES)


@pytest.mark.parametrize("state", [state for state in State if state is not State.FETCHED])
def test_every_state_can_be_reached(state):
    """No state is only a name."""
    assert any(new == state for _, new in MOVES)
