"""The states of a request, and every move between them that there is.

This one table is the state machine of the design: what is not in it can't happen, and
:func:`check_move` refuses it before anything is written.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["BOOKED", "MOVES", "OPEN", "OUTCOMES", "UNFINISHED_OUTSIDE", "WITHDRAWABLE", "State", "check_move"]


class State(StrEnum):
    """Where a request stands, in the words of the listings."""

    FETCHED = "fetched"
    PREPARED = "prepared"
    SENDING = "sending"
    ANSWERED = "answered"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    POSTPONED = "postponed"
    WRITTEN_BACK = "written_back"
    DONE = "done"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"
    PARKED = "parked"
    WITHDRAWN = "withdrawn"


_S = State

MOVES: dict[tuple[State, State], str] = {
    (_S.FETCHED, _S.PREPARED): "script and mapping are through",
    (_S.FETCHED, _S.FAILED): "the script or the mapping failed",
    (_S.FETCHED, _S.WITHDRAWN): "Omnitron no longer lists it",
    (_S.FETCHED, _S.PARKED): "an earlier send, or another flow's, may be booked",
    (_S.PREPARED, _S.FETCHED): "taken up again, nothing had been sent",
    (_S.PREPARED, _S.SENDING): "the intent to send, written before sending",
    (_S.PREPARED, _S.FAILED): "the call to the ERP could not be built",
    (_S.PREPARED, _S.PARKED): "another body under the same idempotency key",
    (_S.PREPARED, _S.WITHDRAWN): "Omnitron no longer lists it, or its status changed",
    (_S.SENDING, _S.PREPARED): "surely not sent",
    (_S.SENDING, _S.ANSWERED): "the ERP answered",
    (_S.SENDING, _S.IN_DOUBT): "no answer, or the worker died",
    (_S.IN_DOUBT, _S.SENDING): "sent again where that is safe",
    (_S.IN_DOUBT, _S.ACCEPTED): "found in the ERP, or decided",
    (_S.IN_DOUBT, _S.REFUSED): "decided: not booked",
    (_S.IN_DOUBT, _S.ANSWERED): "the flow's own script decides what nobody knows",
    (_S.IN_DOUBT, _S.PARKED): "nothing but a person can settle it",
    (_S.IN_DOUBT, _S.FETCHED): "a person had it done again",
    (_S.ANSWERED, _S.ACCEPTED): "judged: continue",
    (_S.ANSWERED, _S.REFUSED): "judged: failure",
    (_S.ANSWERED, _S.POSTPONED): "judged: do_nothing",
    (_S.ANSWERED, _S.IN_DOUBT): "judged: failure, on an answer that proves nothing",
    (_S.ANSWERED, _S.PREPARED): "judged: auth_fail, or told to wait; to be sent again",
    (_S.ANSWERED, _S.FAILED): "judged: auth_fail for the second time",
    (_S.ANSWERED, _S.PARKED): "nobody could judge it",
    (_S.REFUSED, _S.FAILED): "Omnitron was told, where the flow says so",
    (_S.REFUSED, _S.PREPARED): "a person cleared the failed task",
    (
        _S.REFUSED,
        _S.ANSWERED,
    ): "a person cleared the failed task: its answer is judged again before it is sent",
    (_S.REFUSED, _S.PARKED): "Omnitron would not be told",
    (_S.ACCEPTED, _S.WRITTEN_BACK): "Omnitron was told",
    (_S.ACCEPTED, _S.PARKED): "Omnitron would not be told",
    (_S.WRITTEN_BACK, _S.DONE): "the post script is through",
    (_S.WRITTEN_BACK, _S.PARKED): "the post script failed too often",
    (_S.POSTPONED, _S.FETCHED): "the next poll",
    (_S.POSTPONED, _S.PARKED): "older than max_age",
    (_S.POSTPONED, _S.WITHDRAWN): "Omnitron no longer lists it",
    (_S.FAILED, _S.FETCHED): "tried again, or cleared by a person",
    (_S.FAILED, _S.PREPARED): "cleared by a person",
    (_S.FAILED, _S.ANSWERED): "cleared by a person: its answer is judged again before it is sent",
    (_S.FAILED, _S.PARKED): "failed max_attempts times",
    (_S.FAILED, _S.WITHDRAWN): "Omnitron no longer lists it",
    (_S.DONE, _S.FETCHED): "a person had it done again",
    (_S.PARKED, _S.FETCHED): "a person had it done again",
    (_S.PARKED, _S.ACCEPTED): "a person decided: booked",
    (_S.PARKED, _S.REFUSED): "a person decided: not booked",
    (_S.WITHDRAWN, _S.FETCHED): "Omnitron lists it again",
    (_S.FETCHED, _S.ACCEPTED): "a person decided of an earlier call that may be booked: booked",
    (_S.FETCHED, _S.REFUSED): "a person decided of an earlier call that may be booked: not booked",
    (_S.PREPARED, _S.ACCEPTED): "a person decided of an earlier call that may be booked: booked",
    (_S.PREPARED, _S.REFUSED): "a person decided of an earlier call that may be booked: not booked",
    (_S.POSTPONED, _S.ACCEPTED): "a person decided of an earlier call that may be booked: booked",
    (_S.POSTPONED, _S.REFUSED): "a person decided of an earlier call that may be booked: not booked",
    (_S.FAILED, _S.ACCEPTED): "a person decided of an earlier call that may be booked: booked",
    (_S.FAILED, _S.REFUSED): "a person decided of an earlier call that may be booked: not booked",
}
"""Every move, with its reason in words. A move from a state to itself is a change within the state."""

BOOKED = (_S.ACCEPTED, _S.WRITTEN_BACK)
"""States in which the ERP has booked it and the request is not at its end: never sent again."""

OUTCOMES = (_S.ACCEPTED, _S.REFUSED, _S.WITHDRAWN)
"""States that say how an attempt went out."""

UNFINISHED_OUTSIDE = (_S.SENDING, _S.IN_DOUBT, _S.ANSWERED, _S.ACCEPTED, _S.REFUSED, _S.WRITTEN_BACK)
"""States in which the ERP may know of the request: taken up again whether Omnitron lists it or not."""

WITHDRAWABLE = (_S.FETCHED, _S.PREPARED, _S.FAILED, _S.POSTPONED)
"""States in which nothing is booked: closed when Omnitron no longer lists the request.

That is, unless an earlier call is still in doubt (``Record.is_undecided``): a person says then what it did.
"""

OPEN = tuple(state for state in State if state not in (_S.DONE, _S.WITHDRAWN))
"""States of requests whose payloads are kept whatever their age."""


def check_move(old: State, new: State) -> None:
    """Refuse what the table does not hold.

    Raises:
        ValueError: There is no such move; the caller is wrong, not the data.
    """
    if old != new and (old, new) not in MOVES:
        raise ValueError(f"There is no move from {old} to {new}")
