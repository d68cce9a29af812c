"""What a redo or a decision does, in words, for each state and for what the flow declares."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from order_cancellation.flow.model import Flow
from order_cancellation.ledger import State
from order_cancellation.service.consequences import Actions, actions

TWICE = "the money moves twice"
HEADER = {"idempotency_header": "Idempotency-Key"}
LOOK_UP = {"look_up": {"url": "/x", "found": "$.found"}}
WITH_KEY = {"method": "POST", "headers": {"Idempotency-Key": "acme-u-1"}}
WITHOUT = {"method": "POST", "headers": {}}
EVERY = {"schedule": {"every": "5m"}}


def a_flow(erp: dict[str, Any] | None = None, **changes: Any) -> Flow:
    document: dict[str, Any] = {
        "id": "acme",
        "get_data": {"connection": "o", "cancel_type": "all", "status": "approved"},
        "write_to_erp": {"connection": "e", "url": "/x", "method": "POST", **(erp or {})},
        "write_to_omnitron": {"on_success": {"status": "completed"}, "on_failure": {"tag": "no"}},
    }
    return Flow.model_validate(document | EVERY | changes)


@pytest.fixture
def told(a_record):
    """Return what is told of a request in a state."""

    def tell(
        state, flow=None, sent=None, *, booked=False, may_be_held=False, held=False, paused=False, **columns
    ) -> Actions:
        known = {"flow": "acme", "uuid": "u", "key_number": 1, "sends": 1, "redo": False, "doubt": False}
        record = replace(a_record(state), **(known | {"parked_from": ""} | columns))
        return actions(record, flow, sent, booked=booked, may_be_held=may_be_held, held=held, paused=paused)

    return tell


IN_THE_DARK = {"state": State.PARKED, "parked_from": State.IN_DOUBT, "doubt": True, "body_digest": "d"}
REDO: dict[str, tuple[dict[str, Any], str, bool]] = {
    # what: (columns, what is said, whether the money may move twice)
    "fetched": ({"state": State.FETCHED}, "Nothing of this attempt is with the ERP.", False),
    "fetched, an earlier call in doubt": (
        {"state": State.FETCHED, "doubt": True, "body_digest": "d"},
        "An earlier call may be booked.",
        True,
    ),
    "prepared": ({"state": State.PREPARED}, "Nothing of this attempt is with the ERP.", False),
    "sending": ({"state": State.SENDING}, "If it is booked, this redo falls away", True),
    "answered": ({"state": State.ANSWERED}, "nobody has judged the answer", True),
    "refused": ({"state": State.REFUSED}, "The next run tells Omnitron so (tag no)", False),
    "postponed": ({"state": State.POSTPONED}, "without a redo, too", False),
    "postponed after a 2xx": (
        {"state": State.POSTPONED, "body_digest": "d", "pending": True},
        "The ERP has not confirmed a booking, and may hold one.",
        True,
    ),
    "done": ({"state": State.DONE}, "booked once more at the next run, under a new key", True),
    "failed": ({"state": State.FAILED}, "The ERP has not booked it.", False),
    "failed after a 2xx": (
        {"state": State.FAILED, "relation": "failure", "erp_status": 200},
        "answered 200, and the response script called that a failure",
        True,
    ),
    "failed after a 422": (
        {"state": State.FAILED, "relation": "failure", "erp_status": 422},
        "The ERP has not booked it.",
        False,
    ),
    "refused after a 2xx": (
        {"state": State.REFUSED, "relation": "failure", "erp_status": 200},
        "The next run tells Omnitron so (tag no)",
        True,
    ),
    "in doubt": ({"state": State.IN_DOUBT, "doubt": True}, "Look into the ERP first", True),
    "parked in doubt": (IN_THE_DARK, "Nobody knows whether the ERP has booked it.", True),
    "parked, not judged": (IN_THE_DARK | {"parked_from": State.ANSWERED}, "Nobody knows", True),
    "parked, postponed": (
        {"state": State.PARKED, "parked_from": State.POSTPONED},
        "The ERP wanted it later.",
        False,
    ),
    "parked, failed after a 2xx that wanted it later": (
        {"state": State.PARKED, "parked_from": State.FAILED, "body_digest": "d", "pending": True},
        "The ERP has not confirmed a booking, and may hold one.",
        True,
    ),
    "parked, another call": (
        {"state": State.PARKED, "parked_from": State.PREPARED, "body_digest": "d"},
        "under a new key",
        True,
    ),
    "parked, had by another flow": (
        {"state": State.PARKED, "parked_from": State.FETCHED, "sends": 0},
        "Another flow has had it",
        True,
    ),
    "parked, failed too often": (
        {"state": State.PARKED, "parked_from": State.FAILED},
        "The ERP has not booked it.",
        False,
    ),
    "parked, a no that Omnitron did not take": (
        {"state": State.PARKED, "parked_from": State.REFUSED},
        "The ERP has not booked it.",
        False,
    ),
    "parked, a yes that Omnitron did not take": (
        {"state": State.PARKED, "parked_from": State.ACCEPTED},
        "it is not sent again. Omnitron is told once more",
        False,
    ),
    "parked, its post script failed": (
        {"state": State.PARKED, "parked_from": State.WRITTEN_BACK},
        "it is not sent again",
        False,
    ),
    "withdrawn": ({"state": State.WITHDRAWN}, "sent to the ERP all the same", False),
}


class TestRedo:
    @pytest.mark.parametrize("case", list(REDO))
    def test_it_says_what_follows_and_warns_where_money_can_move_twice(self, told, case):
        columns, words, warned = REDO[case]
        redo = told(flow=a_flow(), sent=WITHOUT, **columns).redo
        assert redo.allowed
        assert words in redo.consequence
        assert (TWICE in redo.consequence) == warned
        assert redo.twice == warned

    def test_it_may_book_twice_where_nobody_knows_what_the_flow_declares(self, told):
        assert told(State.IN_DOUBT, None).redo.twice

    def test_every_state_is_told(self):
        told_of = {columns["state"] for columns, _, _ in REDO.values()}
        assert told_of | {State.ACCEPTED, State.WRITTEN_BACK} == set(State)

    @pytest.mark.parametrize("state", [State.FAILED, State.REFUSED, State.IN_DOUBT, State.WITHDRAWN])
    def test_of_what_was_booked_by_an_earlier_call_it_warns_whatever_became_of_the_last(self, told, state):
        words = told(state, a_flow(), WITHOUT, booked=True).redo.consequence
        assert words.startswith("An earlier call is booked: unless that was undone, the money moves twice")
        assert "The ERP has not booked it" not in words

    @pytest.mark.parametrize(
        "history", [{"booked": True}, {"may_be_held": True}, {"may_be_held": True, "body_digest": "d"}]
    )
    def test_what_omnitron_no_longer_lists_may_be_booked_all_the_same(self, told, history):
        words = told(State.WITHDRAWN, a_flow(), WITHOUT, **history).redo.consequence
        assert ("before anything was booked" in words, TWICE in words) == (False, True)

    def test_omnitron_hears_nothing_of_a_no_to_the_redo_of_what_is_booked(self, told):
        assert "Omnitron is told nothing of that" in told(State.DONE, a_flow()).redo.consequence
        words = told(State.REFUSED, a_flow(), booked=True).redo.consequence
        assert ("Omnitron is told nothing of that" in words, "tag no" in words) == (True, False)

    @pytest.mark.parametrize("state", [State.ACCEPTED, State.WRITTEN_BACK])
    def test_what_is_booked_and_not_at_its_end_can_not_be_redone(self, told, state):
        redo = told(state, a_flow()).redo
        assert not redo.allowed
        assert "without sending it again" in redo.consequence

    def test_what_is_asked_for_already_is_not_offered(self, told):
        assert not told(State.FAILED, a_flow(), redo=True).redo.allowed

    @pytest.mark.parametrize("change", [{"enabled": False}, {"schedule": None}])
    def test_a_flow_that_nothing_starts_is_told(self, told, change):
        assert "(somebody has to start it)" in told(State.FAILED, a_flow(**change)).redo.consequence

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({}, "(its DAG is paused: somebody has to unpause it)"),
            ({"schedule": None}, "(its DAG is paused: somebody has to unpause it and start it)"),
        ],
    )
    def test_a_flow_whose_dag_is_paused_is_told(self, told, change, words):
        assert words in told(State.FAILED, a_flow(**change), paused=True).redo.consequence

    def test_a_no_of_which_omnitron_hears_nothing_is_told(self, told):
        flow = a_flow(write_to_omnitron={"on_success": None, "on_failure": None})
        assert (
            "The next run takes it to its end without a word to Omnitron, and"
            in told(State.REFUSED, flow).redo.consequence
        )


class TestDeclarations:
    """What a flow declares about its ERP, and whether the call in doubt went out under it."""

    @pytest.mark.parametrize(
        ("erp", "sent", "words", "warned"),
        [
            (HEADER, WITH_KEY, "it books nothing more, as far as it honours that key", False),
            (HEADER, WITHOUT, "can't tell that it is the same", True),
            (HEADER, None, "can't tell that it is the same", True),
            ({"method": "PUT"}, {"method": "PUT", "headers": {}}, "put in its place", False),
            ({"method": "PUT"}, WITHOUT, "can't tell that it is the same", True),
            ({"duplicates_accepted": True}, WITHOUT, "owner has accepted duplicates", True),
            (LOOK_UP, WITHOUT, "Prefer to wait", True),
            (LOOK_UP | HEADER, WITH_KEY, "it books nothing more", False),
            ({}, WITHOUT, "Look into the ERP first, and rather say what you find.", True),
        ],
    )
    def test_in_doubt(self, told, erp, sent, words, warned):
        redo = told(State.IN_DOUBT, a_flow(erp), sent, doubt=True, hopeful=True).redo
        assert words in redo.consequence
        assert (TWICE in redo.consequence) == warned
        assert "nothing is sent and it is parked" in redo.consequence

    def test_nothing_looks_up_what_is_parked(self, told):
        redo = told(flow=a_flow(LOOK_UP), sent=WITHOUT, **IN_THE_DARK).redo
        assert "Prefer to wait" not in redo.consequence

    def test_a_flow_that_can_not_be_read_protects_nothing(self, told):
        redo = told(State.IN_DOUBT, None, WITH_KEY, doubt=True).redo
        assert "can't be read right now" in redo.consequence
        assert "the money may move twice" in redo.consequence


class TestDecisions:
    @pytest.mark.parametrize("state", [one for one in State if one not in (State.IN_DOUBT, State.PARKED)])
    def test_only_what_is_in_doubt_or_parked_takes_one(self, told, state):
        given = told(state, a_flow(), WITHOUT)
        assert (given.accepted, given.refused) == (None, None)

    @pytest.mark.parametrize("state", [State.FETCHED, State.PREPARED, State.POSTPONED, State.FAILED])
    def test_where_an_earlier_call_may_be_booked_it_is_offered_and_told(self, told, state):
        given = told(state, a_flow(), WITHOUT, doubt=True, body_digest="d")
        assert given.accepted.consequence.startswith("The ERP has booked it: it is never sent again.")
        assert given.refused.consequence.startswith("The ERP has not booked it. Omnitron is told")
        assert "Look into the ERP first, and rather say what you find." in given.redo.consequence

    def test_while_a_worker_is_on_it_nobody_decides(self, told):
        given = told(State.IN_DOUBT, a_flow(), held=True)
        assert (given.accepted.allowed, given.refused.allowed) == (False, False)
        assert "A worker is on it right now" in given.refused.consequence

    @pytest.mark.parametrize(
        ("write_back", "words"),
        [
            ({"status": "completed"}, "(status completed)"),
            ({"action": "reject"}, "(action reject)"),
            ({"tag": "sent"}, "(tag sent)"),
            ({"request": {"method": "POST", "path": "/api/v1/x/"}}, "(POST /api/v1/x/)"),
            (None, "Omnitron is told nothing: the flow says so."),
        ],
    )
    def test_it_says_what_omnitron_hears(self, told, write_back, words):
        flow = a_flow(write_to_omnitron={"on_success": write_back, "on_failure": write_back})
        given = told(flow=flow, **IN_THE_DARK)
        assert words in given.accepted.consequence
        assert words in given.refused.consequence

    def test_booked_against_what_the_ledger_knows_is_warned_of(self, told):
        given = told(flow=a_flow(), state=State.PARKED, parked_from=State.FAILED)
        assert given.accepted.consequence.startswith("The ledger knows of no booking")

    def test_not_booked_against_the_erps_own_word_is_warned_of(self, told):
        given = told(flow=a_flow(), state=State.PARKED, parked_from=State.ACCEPTED)
        assert given.refused.consequence.startswith("The ERP said that it has booked it")

    def test_not_booked_is_about_an_earlier_booking_too(self, told):
        given = told(flow=a_flow(), booked=True, **IN_THE_DARK)
        assert given.refused.consequence.startswith("The ERP has booked an earlier call: say this only if")

    @pytest.mark.parametrize("decision", ["accepted", "refused"])
    def test_of_a_flow_that_is_gone_it_says_that_nothing_carries_it_out(self, told, decision):
        words = getattr(told(flow=None, **IN_THE_DARK), decision).consequence
        assert "at the next run of a flow of this name (there is none that can be read right now)" in words

    def test_a_flow_that_can_not_be_read_says_so_of_what_omnitron_hears(self, told):
        assert "(what the flow says)" in told(flow=None, **IN_THE_DARK).accepted.consequence
