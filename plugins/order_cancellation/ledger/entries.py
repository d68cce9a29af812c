"""What a request is like once a run has entered it, lifted it, or closed it. Pure.

Each function returns the new record, and none makes a move that the table of states does not hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeGuard

from order_cancellation.ledger.decisions import Decision
from order_cancellation.ledger.records import Record
from order_cancellation.ledger.states import State, check_move

__all__ = ["Place", "entered", "lifted", "parked", "record_of", "unlisted", "written_back_again"]

_ATTRIBUTE_LENGTH = {"order_number": 64, "sku": 128}
_IN_THE_DARK = (State.IN_DOUBT, State.SENDING, State.POSTPONED, State.ANSWERED)
"""Parked from one of these, nobody knows what the ERP holds under the key."""


@dataclass(frozen=True)
class Place:
    """Where a run puts a request."""

    flow: str
    run_id: str
    position: int
    first_step: str
    now: float
    ready: bool = False
    named: bool = False
    """Whether a person named the request, so that it need not be listed."""


def unlisted(old: Record) -> Record:
    """Return what Omnitron no longer lists: withdrawn, but never what an earlier send may have booked."""
    if old.doubt:
        error = "in doubt: an earlier send may have been booked, and Omnitron no longer lists the request"
        return old.moved(State.PARKED, parked_from=State.IN_DOUBT, next_at=None, error=error)
    if old.pending:
        error = "the ERP took it for later and may book it, and Omnitron no longer lists the request"
        return old.moved(State.PARKED, parked_from=State.POSTPONED, next_at=None, error=error)
    return old.moved(State.WITHDRAWN, step="", next_at=None, error="no longer listed by Omnitron")


def parked(old: Record, decision: Decision, now: float) -> Record:
    """Return what a run leaves to a person."""
    assert decision.state is not None
    return old.moved(
        decision.state, error=decision.error, parked_from=old.state, next_at=None, last_changed=now
    )


def lifted(old: Record) -> Record:
    """Return what a person cleared, as the step that it failed at takes it up.

    A 2xx that the response script called a failure is judged once more before anything is sent: the script
    may have been wrong, and repaired since. For that it stands under the key that it was sent under.
    """
    changes: dict[str, Any] = {"next_at": None, "auth_fails": 0, "attempts": old.attempts + 1}
    if old.relation == "failure":  # Omnitron may have been told so, and list it no longer
        changes["asked"] = True
    if old.step == "custom_response" and old.is_refused_success:
        return old.moved(State.ANSWERED, key_number=old.key_number - 1, **changes)
    state = State.FETCHED if old.step in ("script", "mapping") else State.PREPARED
    return old.moved(state, relation="", **changes)


def written_back_again(old: Record) -> Record:
    """Return what was parked although the ERP has booked it: it is only written back, never sent again."""
    return old.moved(State.ACCEPTED, step="write_to_omnitron", parked_from="", next_at=None, redo=False)


def record_of(flow: str, run_id: str, request: Mapping[str, Any], *, now: float) -> Record:
    """Return a listed request as a new record that stands nowhere yet: what a dry run computes with."""
    return entered(None, request, Place(flow, run_id, 0, "", now))


def entered(old: Record | None, request: Mapping[str, Any], place: Place) -> Record:
    """Return a listed request as a run takes it up, from the beginning of its way."""
    asked = place.named or (old is not None and (old.redo or old.asked))
    told = _told(request) | {
        "step": place.first_step,
        "error": "",
        "hopeful": False,
        "redo": False,
        "asked": asked,
    }
    state = State.PREPARED if place.ready else State.FETCHED
    if old is None:
        return Record(
            flow=place.flow,
            uuid=str(request["uuid"]),
            state=state,
            run_id=place.run_id,
            batch=None,
            position=place.position,
            attempts=1,
            failures=0,
            tries=0,
            sends=0,
            auth_fails=0,
            key_number=1,
            body_digest=None,
            doubt=False,
            last_send_at=None,
            since=place.now,
            next_at=None,
            erp_status=None,
            relation="",
            parked_from="",
            settled=False,
            first_seen=place.now,
            last_changed=place.now,
            claim_id=None,
            **told,
        )
    check_move(old.state, State.FETCHED)
    return replace(old, state=state, **told, **_afresh(old, place.now))


def _afresh(old: Record, now: float) -> dict[str, Any]:
    """Return what changes when a request goes through the chain once more."""
    changes: dict[str, Any] = {
        "attempts": old.attempts + (old.state not in (State.FETCHED, State.PREPARED)),
        "tries": 0,
        "auth_fails": 0,
        "next_at": None,
        "relation": "",
        "settled": False,
        "parked_from": "",
    }
    if old.state in (State.DONE, State.PARKED, State.IN_DOUBT, State.WITHDRAWN) or old.redo:
        changes |= {"failures": 0, "since": now}
    if old.state == State.DONE or (old.state == State.PARKED and not _is_in_the_dark(old)):
        # the outcome of what was sent is known, so what is sent now is another booking
        changes |= {"key_number": old.key_number + 1, "body_digest": None, "doubt": False, "pending": False}
    return changes


def _is_in_the_dark(parked: Record) -> bool:
    """Say whether the next call may be for what the ERP has already, so that it goes under the same key.

    Not where the call was stopped because it would be another one: who has that sent wants another booking.
    """
    failed_over_it = parked.pending and parked.parked_from == State.FAILED
    return parked.parked_from in _IN_THE_DARK or parked.doubt or failed_over_it


def _told(request: Mapping[str, Any]) -> dict[str, Any]:
    channel = _within(request, "channel", "pk")
    return {
        "id": request["id"],
        "channel": channel if _is_number(channel) else None,
        "customer": _customer(request),
        "order_number": _text(_within(request, "order_item", "order", "number"), "order_number"),
        "sku": _text(_within(request, "order_item", "product", "sku"), "sku"),
    }


def _customer(request: Mapping[str, Any]) -> int | None:
    """Return Omnitron's number of the customer: the request's, or its order's."""
    places = (("customer", "pk"), ("customer",), ("order_item", "order", "customer"))
    found = (_within(request, *path) for path in places)
    return next((one for one in found if _is_number(one)), None)


def _is_number(value: Any) -> TypeGuard[int]:
    """Say whether it is a number that a column can hold: one beyond must not keep its request out."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _text(value: Any, column: str) -> str:
    return "" if value is None else str(value)[: _ATTRIBUTE_LENGTH[column]]


def _within(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value
