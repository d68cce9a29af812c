"""Was it sent once, and only once? The story answers from the history alone."""

from dataclasses import replace

import pytest

from order_cancellation.ledger import State
from order_cancellation.service.story import sendings, tell

NEXT = {"at": 0.0, "note": "", "step": "write_to_erp", "send": 0}


def history(*events):
    """A history of (state, send, note)."""
    return [
        NEXT | {"at": float(at), "state": state, "send": send, "note": note}
        for at, (state, send, note) in enumerate(events)
    ]


FETCHED = ("fetched", 0, "new")
SENT = ("sending", 1, "sending")
SAID_YES = ("answered", 1, "the ERP answered 201")
ACCEPTED = ("accepted", 1, "judged: continue")


class TestSendings:
    def test_a_request_that_was_never_sent_has_none(self):
        assert sendings(history(FETCHED)) == []

    def test_an_accepted_call_may_be_booked(self):
        [call] = sendings(history(FETCHED, SENT, SAID_YES, ACCEPTED))
        assert call.may_be_booked
        assert "201" in call.outcome

    @pytest.mark.parametrize(
        "ending",
        [
            ("refused", 1, "judged: failure"),
            ("postponed", 1, "judged: do_nothing"),
            ("prepared", 1, "connection refused"),
        ],
    )
    def test_a_refused_or_unsent_call_booked_nothing(self, ending):
        [call] = sendings(history(FETCHED, SENT, ending))
        assert not call.may_be_booked

    @pytest.mark.parametrize("ending", [[], [("in_doubt", 1, "in doubt: timed out")]])
    def test_silence_may_be_a_booking(self, ending):
        """Also where the history ends with the intent: the worker died."""
        [call] = sendings(history(FETCHED, SENT, *ending))
        assert call.may_be_booked

    def test_a_look_up_that_found_nothing_clears_the_call(self):
        events = history(
            FETCHED,
            SENT,
            ("in_doubt", 1, "in doubt: cut"),
            ("in_doubt", 1, "looked up in the ERP: not booked"),
        )
        assert [call.may_be_booked for call in sendings(events)] == [False]

    def test_the_erps_own_words_are_no_look_up(self):
        words = 'in doubt: the ERP answered 500: {"error": "refund posted, invoice not booked yet"}'
        events = history(FETCHED, SENT, ("answered", 1, "the ERP answered 500"), ("in_doubt", 1, words))
        assert [call.may_be_booked for call in sendings(events)] == [True]

    @pytest.mark.parametrize(
        ("answered", "note", "unconfirmed"),
        [
            (200, "auth_fail: logged in anew", True),
            (401, "auth_fail: logged in anew", False),
            (503, "the ERP asks to wait 1 s", False),
        ],
    )
    @pytest.mark.parametrize("state", ["prepared", "failed"])
    def test_a_2xx_that_the_script_calls_no_login_is_no_word_about_a_booking(
        self, state, answered, note, unconfirmed
    ):
        said = ("answered", 1, f"the ERP answered {answered}")
        [call] = sendings(history(FETCHED, SENT, said, (state, 1, note)))
        assert (call.may_be_booked, call.is_unconfirmed) == (False, unconfirmed)
        assert ("not booked" in call.outcome) is not unconfirmed


class TestTell:
    def test_it_says_once_and_only_once(self, a_record):
        story = tell(a_record(State.DONE), history(FETCHED, SENT, SAID_YES, ACCEPTED, ("done", 1, "done")))
        assert story[0] == "The ERP has booked it, and Omnitron knows."
        assert "one call, and only one, can have booked it" in story[1]

    def test_it_says_that_nothing_was_sent(self, a_record):
        assert "It was never sent to the ERP." in tell(a_record(State.FAILED), history(FETCHED))

    @pytest.mark.parametrize(
        ("answer", "told"),
        [
            ("the ERP answered 202", "once; the ERP has not confirmed a booking."),
            ("", "once; the ERP has not confirmed a booking."),
            ("the ERP answered 409", "once, and no call booked anything."),
        ],
    )
    @pytest.mark.parametrize("judged", [("postponed", "do_nothing"), ("refused", "failure")])
    def test_what_a_script_makes_of_an_answer_is_no_word_about_a_booking_unless_turned_down(
        self, a_record, answer, told, judged
    ):
        """Where the words are erased, too."""
        state, relation = judged
        then = [("answered", 1, answer), (state, 1, f"judged: {relation}")]
        story = tell(a_record(State(state)), history(FETCHED, SENT, *then))
        assert story[1] == f"It was sent to the ERP {told}"

    @pytest.mark.parametrize("state", [State.REFUSED, State.FAILED])
    @pytest.mark.parametrize(
        ("status", "word"),
        [(202, "The response script called the ERP's 202 a failure"), (409, "the ERP has not booked it")],
    )
    def test_who_said_no_is_told_first(self, a_record, state, status, word):
        """The script, where the ERP answered 2xx: that is no word of the ERP's that it booked nothing."""
        record = replace(a_record(state), relation="failure", erp_status=status)
        assert word.lower() in tell(record, history(FETCHED, SENT))[0].lower()

    def test_wanted_later_and_booked_then_both_calls_are_counted(self, a_record):
        later = [SAID_YES, ("postponed", 1, "judged: do_nothing"), ("fetched", 1, "taken up")]
        again = [
            ("sending", 2, ""),
            ("answered", 2, "the ERP answered 201"),
            ("accepted", 2, "judged: continue"),
        ]
        story = tell(a_record(State.ACCEPTED), history(FETCHED, SENT, *later, *again))
        assert story[1] == (
            "It was sent to the ERP 2 times; 2 calls can have booked it, "
            "one of which the ERP answered without confirming a booking."
        )

    @pytest.mark.parametrize(
        ("state", "words"),
        [
            (State.FAILED, "What came after it has failed."),
            (State.REFUSED, "The last one the ERP has not booked."),
            (State.IN_DOUBT, "Nobody knows whether the ERP has booked the last one, too."),
        ],
    )
    def test_an_earlier_booking_is_told_first_whatever_became_of_its_redo(self, a_record, state, words):
        redone = [("sending", 2, "sending"), (str(state), 2, "judged: failure")]
        story = tell(a_record(state), history(FETCHED, SENT, SAID_YES, ACCEPTED, *redone))
        assert story[0] == f"An earlier call is booked. {words}"

    @pytest.mark.parametrize(
        ("then", "told"),
        [
            ([], "Omnitron took it back before anything was booked."),
            (
                [SENT, ("answered", 1, "the ERP answered 202"), ("postponed", 1, "judged: do_nothing")],
                "Omnitron no longer lists it. The ERP has not confirmed a booking, and may hold one.",
            ),
            ([SENT, SAID_YES, ACCEPTED], "An earlier call is booked. Omnitron no longer lists the request."),
        ],
    )
    def test_withdrawn_denies_no_call_that_can_have_booked_it(self, a_record, then, told):
        events = history(FETCHED, *then, ("fetched", 1, ""), ("withdrawn", 1, "no longer listed"))
        assert tell(a_record(State.WITHDRAWN), events)[0] == told

    def test_a_persons_no_takes_an_earlier_booking_back(self, a_record):
        no = NEXT | {"at": 9.0, "state": "refused", "send": 1, "note": "decided: not booked", "step": ""}
        story = tell(a_record(State.FAILED), [*history(FETCHED, SENT, SAID_YES, ACCEPTED), no])
        assert story[0] == "It has failed: the ERP has not booked it."

    @pytest.mark.parametrize(
        ("state", "note", "told"),
        [
            ("refused", "judged: failure; {}", ["Why: {}.", "Call 1: judged: failure."]),
            ("in_doubt", "{}", ["Call 1: {}."]),
            ("prepared", "not now: {}; waits", ["Call 1: not booked: not now: {}; waits."]),
            ("refused", "judged: failure", ["Why: {}.", "Call 1: judged: failure."]),
        ],
    )
    def test_what_went_wrong_is_said_once(self, a_record, state, note, told):
        error = "the ERP answered 422: PERIOD_CLOSED"
        events = history(
            FETCHED, SENT, ("answered", 1, "the ERP answered 422"), (state, 1, note.format(error))
        )
        story = tell(replace(a_record(State(state)), error=error), events)
        assert story[2:] == [line.format(error) for line in told]

    def test_two_possible_bookings_are_never_hidden(self, a_record):
        again = [
            ("sending", 2, "sending"),
            ("answered", 2, "the ERP answered 201"),
            ("accepted", 2, "judged: continue"),
        ]
        story = tell(a_record(State.DONE), history(FETCHED, SENT, ("in_doubt", 1, "in doubt: cut"), *again))
        assert any("2 calls can have booked it" in line for line in story)

    @pytest.mark.parametrize("state", [State.FETCHED, State.PREPARED, State.POSTPONED, State.FAILED])
    def test_doubt_about_an_earlier_call_is_told_first(self, a_record, state):
        story = tell(replace(a_record(state), doubt=True), history(FETCHED, SENT, ("in_doubt", 1, "cut")))
        assert story[0].startswith("Nobody knows whether the ERP has booked it.")
        assert "has not booked it" not in story[0]

    @pytest.mark.parametrize("state", list(State))
    def test_every_state_has_its_sentence(self, state, a_record):
        assert tell(a_record(state), [])[0].endswith(".")
