"""Each move of the state machine has a card's name, also after its words were erased."""

from __future__ import annotations

from dataclasses import replace

import pytest

from order_cancellation.ledger import State
from order_cancellation.ledger.states import MOVES
from order_cancellation.service.timeline import card_of, timeline

_S = State
ERP = "write_to_erp"
CARDS = [
    ("", _S.DONE, _S.DONE, "to be done again at the next run", "A person"),
    ("", _S.IN_DOUBT, _S.ACCEPTED, "decided by ada: booked", "A person"),
    ("get_data", None, _S.FETCHED, "new", "Fetched"),
    ("get_data", None, _S.PREPARED, "new", "Fetched"),
    ("get_data", None, _S.PARKED, "parked: a flow whose folder is gone has had it", "Parked"),
    ("get_data", _S.DONE, _S.FETCHED, "done again by a person's word", "Fetched"),
    ("get_data", _S.FETCHED, _S.WITHDRAWN, "no longer listed", "Withdrawn"),
    ("get_data", _S.FAILED, _S.PREPARED, "cleared by a person", "A person"),
    ("get_data", _S.FAILED, _S.FAILED, "so the redo falls away", "Redo fell away"),
    ("script", _S.FETCHED, _S.FETCHED, "script through", "Script"),
    ("script", _S.FETCHED, _S.FAILED, "NameError", "Script"),
    ("mapping", _S.FETCHED, _S.PREPARED, "mapped", "Mapping"),
    (ERP, _S.PREPARED, _S.SENDING, "sending", "Sent"),
    (ERP, _S.IN_DOUBT, _S.SENDING, "sending", "Sent"),
    (ERP, _S.PREPARED, _S.FAILED, "the template names what is not there", "Not sent"),
    (ERP, _S.PREPARED, _S.PARKED, "another body", "Not sent"),
    (ERP, _S.PREPARED, _S.PREPARED, "the breaker is open", "Not sent"),
    (ERP, _S.PREPARED, _S.WITHDRAWN, "its status is open", "Not sent"),
    (ERP, _S.SENDING, _S.PREPARED, "connection refused", "Not sent"),
    (ERP, _S.SENDING, _S.ANSWERED, "the ERP answered 201", "Answered"),
    (ERP, _S.SENDING, _S.IN_DOUBT, "in doubt: timed out", "No answer"),
    (ERP, _S.IN_DOUBT, _S.ACCEPTED, "looked up in the ERP: booked", "Looked up"),
    (ERP, _S.IN_DOUBT, _S.IN_DOUBT, "looked up in the ERP: not booked", "Looked up"),
    (ERP, _S.IN_DOUBT, _S.ANSWERED, "no answer: the script decides", "Judged"),
    (ERP, _S.ANSWERED, _S.ACCEPTED, "judged: continue", "Judged"),
    (ERP, _S.ANSWERED, _S.PREPARED, "the ERP asks to wait 3 s", "Told to wait"),
    ("custom_response", _S.ANSWERED, _S.PREPARED, "auth_fail: logged in anew", "Judged"),
    ("custom_response", _S.ANSWERED, _S.ANSWERED, "NameError", "Judged"),
    ("custom_response", _S.ANSWERED, _S.IN_DOUBT, "judged: failure; in doubt", "Judged"),
    ("custom_response", _S.ANSWERED, _S.FAILED, "auth_fail for the second time", "Judged"),
    ("write_to_omnitron", _S.ACCEPTED, _S.WRITTEN_BACK, "told Omnitron", "Written back"),
    ("write_to_omnitron", _S.REFUSED, _S.FAILED, "told Omnitron", "Written back"),
    ("write_to_omnitron", _S.ACCEPTED, _S.ACCEPTED, "Omnitron could not be told", "Not written back"),
    ("write_to_omnitron", _S.ACCEPTED, _S.PARKED, "Omnitron could not be told", "Not written back"),
    ("write_to_omnitron", _S.WRITTEN_BACK, _S.DONE, "done", "Done"),
    ("post_script", _S.WRITTEN_BACK, _S.DONE, "post script through", "Post script"),
]


def an_event(step="", state=State.DONE, note="", **more):
    return {
        "at": 0.0,
        "step": step,
        "state": str(state),
        "note": note,
        "run_id": "r",
        "batch": None,
        "attempt": 1,
        "send": 0,
        "revision": "",
        "duration_ms": None,
    } | more


@pytest.mark.parametrize(("step", "before", "state", "note", "card"), CARDS)
def test_a_moments_card(step, before, state, note, card):
    assert card_of(an_event(step, state, note), before) == card


def test_without_its_words_a_moment_keeps_its_card_as_far_as_states_tell():
    changed = {
        card: card_of(an_event(step, state), before)
        for step, before, state, note, card in CARDS
        if card_of(an_event(step, state), before) != card
    }
    assert changed == {"A person": "Fetched", "Told to wait": "Judged"}


@pytest.mark.parametrize(("before", "state"), list(MOVES))
@pytest.mark.parametrize("step", ["", "get_data", ERP, "write_to_omnitron"])
def test_every_move_has_one(step, before, state):
    assert card_of(an_event(step, state), before)


class TestBatch:
    """Which mapped task instance's log tells of a moment."""

    def batches(self, a_record, *events):
        record = replace(a_record(State.DONE), run_id="now", batch=7)
        return [one["batch"] for one in timeline(record, events)]

    def test_it_is_the_one_that_was_noted(self, a_record):
        assert self.batches(a_record, an_event(ERP, batch=3, run_id="now")) == [3]

    def test_of_an_old_ledger_the_runs_own_is_known_and_no_others(self, a_record):
        events = [an_event(ERP, run_id=run_id) for run_id in ("earlier", "now")]
        assert self.batches(a_record, *events) == [None, 7]

    @pytest.mark.parametrize("step", ["", "get_data"])
    def test_who_has_no_batch_gets_none(self, a_record, step):
        assert self.batches(a_record, an_event(step, run_id="now")) == [None]
