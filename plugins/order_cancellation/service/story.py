"""A request's life in words, for who asks one question: was this refund sent once, and only once?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from order_cancellation.ledger import Record, State, is_booked_earlier

__all__ = ["Sending", "may_be_held", "sendings", "tell"]

_STANDS = {
    State.FETCHED: "It is fetched and not prepared yet; nothing has been sent for this attempt.",
    State.PREPARED: "It is prepared; nothing of this attempt is with the ERP.",
    State.SENDING: "It is being sent right now, or the worker died while it was: the next run finds out.",
    State.ANSWERED: "The ERP has answered, and nobody has judged the answer yet.",
    State.ACCEPTED: "The ERP has booked it. Omnitron does not know yet.",
    State.REFUSED: "The ERP has not booked it. Omnitron does not know yet.",
    State.POSTPONED: "The ERP wants it later: it is sent again by the next run.",
    State.WRITTEN_BACK: "The ERP has booked it and Omnitron knows. The post script has not gone through yet.",
    State.DONE: "The ERP has booked it, and Omnitron knows.",
    State.FAILED: "It has failed: the ERP has not booked it.",
    State.IN_DOUBT: "Nobody knows whether the ERP has booked it.",
    State.PARKED: "It waits for a person, who says what the ERP did or has it done again.",
    State.WITHDRAWN: "Omnitron took it back before anything was booked.",
}
_REFUSED_SUCCESS = {
    State.REFUSED: "The response script called the ERP's {status} a failure. Omnitron does not know yet.",
    State.FAILED: "It has failed: the response script called the ERP's {status} a failure.",
}
"""What is said instead where the ERP itself turned nothing down."""

_BESIDE_DOUBT = {
    State.FETCHED: "For the next attempt it is fetched, and nothing of that has been sent.",
    State.PREPARED: "For the next attempt it is prepared, and nothing of that is with the ERP.",
    State.POSTPONED: "The ERP has said since that it wants it later: it is sent again by the next run.",
    State.FAILED: "The attempt after that has failed.",
}
"""What is said besides where an earlier call may be booked."""

_AFTER_A_BOOKING = {
    State.REFUSED: "The last one the ERP has not booked.",
    State.FAILED: "What came after it has failed.",
    State.IN_DOUBT: "Nobody knows whether the ERP has booked the last one, too.",
    State.WITHDRAWN: "Omnitron no longer lists the request.",
}
"""What is said instead where the ERP has booked an earlier call."""

_MAY_BE_HELD = {
    State.WITHDRAWN: "Omnitron no longer lists it. The ERP has not confirmed a booking, and may hold one.",
}
"""What is said instead where nobody can say that no call booked anything."""

_NOT_FOUND = "looked up in the ERP: not booked"
"""How the look-up's own word begins; the same words in an answer of the ERP's are no look-up."""

_TOLD_TO_WAIT = "the ERP asks to wait"
_TURNED_DOWN = re.compile(r"the ERP answered [34]\d\d")
_DELIVERY = ("write_to_erp", "custom_response")

_Outcome = tuple[str, bool, bool]
"""What a :class:`Sending` says behind ``at``."""


@dataclass(frozen=True)
class Sending:
    """One call to the ERP, and what is known of it.

    Args:
        number: Counts the calls of this request, from 1.
        at: When it was about to leave, in seconds since 1970.
        outcome: What came of it, in words.
        may_be_booked: Whether this call may have booked something: it was accepted, or nobody knows.
        is_unconfirmed: Whether the ERP did not turn it down, and only the response script says that it is not
            booked, wanted later or to be sent again: the ERP may hold something of it.
    """

    number: int
    at: float
    outcome: str
    may_be_booked: bool
    is_unconfirmed: bool = False


def sendings(events: Sequence[Mapping[str, Any]]) -> list[Sending]:
    """Return the calls to the ERP that a request's history tells of.

    Args:
        events: The history, oldest first (rows of the ledger's ``events``).
    """
    begun: dict[int, Mapping[str, Any]] = {}
    outcomes: dict[int, _Outcome] = {}
    before: State | None = None
    for event in events:
        number, state = event["send"], State(event["state"])
        if state == State.SENDING and number not in begun:
            begun[number] = event
            outcomes[number] = ("no outcome is written down", True, False)
        elif number in begun and (state != before or event["step"] in _DELIVERY):
            outcomes[number] = _outcome(event, before, state, outcomes[number])
        before = state
    return [Sending(number, event["at"], *outcomes[number]) for number, event in begun.items()]


def _outcome(event: Mapping[str, Any], before: State | None, state: State, known: _Outcome) -> _Outcome:
    """Return what is known of a call after one more event; the next attempt's preparation tells nothing."""
    note = event["note"] or f"{state} (the words are erased)"
    came_back = before in (State.SENDING, State.ANSWERED)
    unconfirmed = before == State.ANSWERED and not _TURNED_DOWN.match(known[0])
    unconfirmed = unconfirmed and not note.startswith(_TOLD_TO_WAIT)
    match state:
        case State.ANSWERED:
            return (note, True, False)
        case State.ACCEPTED:
            return (f"{known[0]}; {note}" if known[0] != note else note, True, False)
        case State.REFUSED | State.POSTPONED:
            return (note, False, unconfirmed)
        case State.PREPARED | State.FAILED if came_back:
            return (note if unconfirmed else f"not booked: {note}", False, unconfirmed)
        case State.IN_DOUBT:
            return (note, not note.startswith(_NOT_FOUND), False)
    return known


def tell(record: Record, events: Sequence[Mapping[str, Any]]) -> list[str]:
    """Tell where a request stands and what was sent of it, in sentences.

    Args:
        record: The request.
        events: Its history, oldest first.
    """
    calls = sendings(events)
    told = [_standing(record, events), _counted(calls)]
    if record.redo:
        told.append("A person wants it done again: the next run takes it up.")
    outcomes = [_without(record.error, call.outcome) for call in calls]
    if record.error and not any(record.error in outcome for outcome in outcomes):
        told.append(f"Why: {record.error}.")
    told += [f"Call {call.number}: {outcome}." for call, outcome in zip(calls, outcomes, strict=True)]
    return told


def may_be_held(events: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether the ERP may hold something of a request, confirmed or not.

    Args:
        events: Its history, oldest first.
    """
    return any(call.may_be_booked or call.is_unconfirmed for call in sendings(events))


def _standing(record: Record, events: Sequence[Mapping[str, Any]]) -> str:
    booked = is_booked_earlier(record, events)
    stands = _STANDS | (_MAY_BE_HELD if may_be_held(events) else {}) | (_AFTER_A_BOOKING if booked else {})
    if record.doubt and record.is_undecided and record.state in _BESIDE_DOUBT:
        words = f"{stands[State.IN_DOUBT]} {_BESIDE_DOUBT[record.state]}"
    elif record.is_refused_success and record.state in _REFUSED_SUCCESS:
        words = _REFUSED_SUCCESS[record.state].format(status=record.erp_status)
    else:
        words = stands[record.state]
    return f"An earlier call is booked. {words}" if booked else words


def _without(error: str, outcome: str) -> str:
    """Return a call's outcome without the words that stand at its end and are said as the reason already."""
    return outcome.removesuffix(f"; {error}") if error else outcome


def _counted(calls: Sequence[Sending]) -> str:
    unconfirmed = sum(call.is_unconfirmed for call in calls)
    possible = sum(call.may_be_booked for call in calls) + unconfirmed
    if not calls:
        return "It was never sent to the ERP."
    sent = f"It was sent to the ERP {'once' if len(calls) == 1 else f'{len(calls)} times'}"
    if possible == 0:
        return f"{sent}, and no call booked anything."
    if possible == unconfirmed:
        return f"{sent}; the ERP has not confirmed a booking."
    if possible == 1:
        return f"{sent}; one call, and only one, can have booked it."
    why = "as the flow declares or by a person's word"
    if unconfirmed:
        some = "one" if unconfirmed == 1 else str(unconfirmed)
        why = f"{some} of which the ERP answered without confirming a booking"
    return f"{sent}; {possible} calls can have booked it, {why}."
