"""What happened to a request, moment by moment, in the words of the document's cards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from order_cancellation.ledger import Record, State
from order_cancellation.service.rows import iso

__all__ = ["PERSON", "card_of", "timeline"]

PERSON = "A person"
NOT_SENT = "Not sent"
JUDGED = "Judged"
LOOKED_UP = "Looked up"
TOLD_TO_WAIT = "Told to wait"

_STEPS = {"": PERSON, "script": "Script", "mapping": "Mapping", "post_script": "Post script"}
_S = State

_DELIVERY: dict[tuple[State | None, State], str] = {
    (_S.SENDING, _S.ANSWERED): "Answered",
    (_S.SENDING, _S.IN_DOUBT): "No answer",
    (_S.SENDING, _S.PREPARED): NOT_SENT,
    (_S.IN_DOUBT, _S.ACCEPTED): LOOKED_UP,
    (_S.IN_DOUBT, _S.IN_DOUBT): LOOKED_UP,
    (_S.IN_DOUBT, _S.ANSWERED): JUDGED,
    (_S.PREPARED, _S.PREPARED): NOT_SENT,
    (_S.PREPARED, _S.FAILED): NOT_SENT,
    (_S.PREPARED, _S.PARKED): NOT_SENT,
    (_S.PREPARED, _S.WITHDRAWN): NOT_SENT,
}
"""What a move within ``write_to_erp`` or ``custom_response`` is called; all others are judgements."""


def card_of(event: Mapping[str, Any], before: State | None) -> str:
    """Return what a moment is called.

    Args:
        event: A row of the ledger's ``events``.
        before: The request's state before it; None: there was none.
    """
    state, step = State(event["state"]), event["step"]
    if step in _STEPS:
        return _STEPS[step]
    if step == "get_data":
        return _taken_up(state, before, event["note"])
    if step == "write_to_omnitron":
        return _written_back(state, before)
    if "asks to wait" in event["note"] and before == State.ANSWERED:
        return TOLD_TO_WAIT
    return "Sent" if state == State.SENDING else _DELIVERY.get((before, state), JUDGED)


def _taken_up(state: State, before: State | None, note: str) -> str:
    if note.startswith("cleared by a person"):
        return PERSON
    if state == before and state not in (State.FETCHED, State.PREPARED):
        return "Redo fell away"
    return {State.PARKED: "Parked", State.WITHDRAWN: "Withdrawn"}.get(state, "Fetched")


def _written_back(state: State, before: State | None) -> str:
    if state == State.DONE:
        return "Done"
    return "Not written back" if state in (before, State.PARKED) else "Written back"


def timeline(record: Record, events: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Tell a request's life.

    Args:
        record: The request.
        events: Its history, oldest first.

    Returns:
        One dictionary per moment. ``batch`` is the number of its task among the run's mapped ones; None: the
        step has no such, or a ledger of the first release did not note it.
    """
    befores = [None, *(State(earlier["state"]) for earlier, _ in pairwise(events))]
    return [_moment(record, event, before) for event, before in zip(events, befores, strict=False)]


def _moment(record: Record, event: Mapping[str, Any], before: State | None) -> dict[str, Any]:
    card = card_of(event, before)
    batch = event["batch"]
    if batch is None and event["run_id"] == record.run_id and event["step"] not in ("", "get_data"):
        batch = record.batch
    return {
        "at": iso(event["at"]),
        "card": card,
        "run_id": event["run_id"],
        "batch": batch,
        "step": event["step"],
        "attempt": event["attempt"],
        "send": event["send"],
        "state": event["state"],
        "revision": event["revision"] or None,
        "duration_ms": None if event["duration_ms"] is None else round(event["duration_ms"], 1),
        "note": event["note"],
    }
