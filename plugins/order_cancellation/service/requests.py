"""What people ask about requests, and what they decide: lists, one request's life, redo, resolve."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from order_cancellation.clock import SystemClock
from order_cancellation.errors import ConfigurationError
from order_cancellation.http.masking import redact_text
from order_cancellation.ledger import Ledger, State
from order_cancellation.service.cursors import read_cursor, write_cursor
from order_cancellation.service.rows import listed
from order_cancellation.service.settings import Settings

__all__ = [
    "cursor_after",
    "erase",
    "erase_customer",
    "erase_requests",
    "known_state",
    "list_requests",
    "open_ledger",
    "redo",
    "redo_each",
    "resolve",
]


def open_ledger(settings: Settings) -> Ledger:
    """Open the ledger, for good or for a ``with``; an absent one is created, and lists as empty.

    Raises:
        ConfigurationError: A setting is not usable.
        LedgerUnavailable: The database can't be reached.
    """
    return Ledger(settings.ledger_url, settings.payload_keys, SystemClock())


def list_requests(
    ledger: Ledger,
    flow: str | None = None,
    state: str | None = None,
    limit: int = 1000,
    after: str | None = None,
) -> list[dict[str, Any]]:
    """Return requests as the listings show them, in the order of flow and uuid.

    Args:
        ledger: The truth.
        flow: Only this flow's.
        state: Only those in this state.
        limit: At most so many.
        after: The cursor of the last one that was seen (see :func:`cursor_after`).

    Raises:
        ConfigurationError: There is no such state, or the cursor is none of ours.
    """
    if state is not None:
        known_state(state)
    start = None if after is None else _place(after)
    return [
        listed(record) for record in ledger.queries.list(flow=flow, state=state, limit=limit, after=start)
    ]


def known_state(name: str) -> State:
    """Return the state of this name.

    Raises:
        ConfigurationError: There is none.
    """
    try:
        return State(name)
    except ValueError as error:
        raise ConfigurationError(f"'{name}' is no state. States are: {', '.join(State)}.") from error


def cursor_after(entry: dict[str, Any]) -> str:
    """Return the cursor with which a listing goes on after this entry."""
    return write_cursor((entry["flow"], entry["uuid"]))


def _place(cursor: str) -> tuple[str, str]:
    flow, uuid = read_cursor(cursor, str, str)
    return flow, uuid


def redo(
    ledger: Ledger, flow: str, ids: Sequence[str], who: str = "command line", why: str = ""
) -> list[dict[str, Any]]:
    """Let requests be done again at the next run, whatever their state.

    Args:
        ledger: The truth.
        flow: The flow's id.
        ids: Which requests, by uuid or number.
        who: The person, kept in the history.
        why: The reason, kept in the history.

    Raises:
        ConfigurationError: There is no such request; then none of the named ones is changed after it.
    """
    reason = redact_text(why.strip())
    return [listed(ledger.queries.ask_again(flow, one, who=who, why=reason)) for one in ids]


def redo_each(
    ledger: Ledger,
    flow: str,
    uuids: Sequence[str],
    *,
    who: str,
    why: str,
    seen: Mapping[str, str] | None = None,
) -> list[dict[str, Any]]:
    """Let many requests be done again; one that can't be stops none of the others.

    Args:
        ledger: The truth.
        flow: The flow's id.
        uuids: Which requests.
        who: The person, kept in the history.
        why: The reason, kept in the history.
        seen: The ``last_changed`` of each as the person saw it; one that has changed since is left as it is.

    Returns:
        For each ``uuid``, whether it is ``ok``, and a ``message``.

    Raises:
        ConfigurationError: No reason is given.
        LedgerUnavailable: It can't be written down.
    """
    if not why.strip():
        raise ConfigurationError("A redo of many needs a reason: say why.")
    results: list[dict[str, Any]] = []
    reason = redact_text(why.strip())
    for uuid in dict.fromkeys(uuids):
        try:
            saw = _seconds((seen or {}).get(uuid))
            ledger.queries.ask_again(flow, uuid, who=who, why=reason, seen=saw)
            results.append({"uuid": uuid, "ok": True, "message": "It is done again at the next run."})
        except ConfigurationError as error:
            results.append({"uuid": uuid, "ok": False, "message": str(error)})
    return results


def _seconds(seen: str | None) -> float | None:
    if seen is None:
        return None
    try:
        return datetime.fromisoformat(seen).timestamp()
    except ValueError as error:
        raise ConfigurationError(f"'{seen}' is no time: say of what was seen its last_changed.") from error


def resolve(  # noqa: PLR0917 -- the command line's words, in their order
    ledger: Ledger,
    flow: str,
    uuid_or_id: str,
    as_: Literal["accepted", "refused"],
    why: str,
    who: str = "command line",
    seen: str | None = None,
) -> dict[str, Any]:
    """Write down a person's decision on a request that is parked, or in doubt: by an earlier call, too.

    Args:
        ledger: The truth.
        flow: The flow's id.
        uuid_or_id: Which request.
        as_: ``accepted``: the ERP has booked it, Omnitron is told; ``refused``: it has not.
        why: The reason, kept in the history.
        who: The person, kept in the history.
        seen: Its ``last_changed`` as the person saw it; None: whatever it is now.

    Raises:
        ChangedMeanwhile: The person saw it otherwise.
        ConfigurationError: There is no such request, or it needs no decision.
    """
    if not why.strip():
        raise ConfigurationError("A decision needs a reason: say why.")
    accepted = as_ == "accepted"
    reason = redact_text(why.strip())
    record = ledger.queries.resolve(
        flow,
        uuid_or_id,
        accepted=accepted,
        step="write_to_omnitron",
        why=reason,
        who=who,
        seen=_seconds(seen),
    )
    return listed(record)


def erase(ledger: Ledger, flow: str, uuid_or_id: str, who: str = "command line") -> dict[str, Any]:
    """Erase a customer's data from one request; the row stays, so that it is never sent a second time.

    Args:
        ledger: The truth.
        flow: The flow's id.
        uuid_or_id: Which request.
        who: The person, kept in the history.

    Raises:
        ConfigurationError: There is no such request, or it is not at its end and still needs its data.
    """
    return listed(ledger.housekeeping.erase(flow, uuid_or_id, who=who))


def erase_requests(
    ledger: Ledger, flow: str, ids: Sequence[str], who: str = "command line"
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Erase a customer's data from the named requests; one that can't be erased keeps no other from it.

    Args:
        ledger: The truth.
        flow: The flow's id.
        ids: Which requests, by uuid or number.
        who: The person, kept in the history.

    Returns:
        The requests that were erased, and those that could not be yet, each with the reason under ``why``.
    """
    erased: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    for one in dict.fromkeys(ids):
        try:
            erased.append(erase(ledger, flow, one, who))
        except ConfigurationError as error:
            left.append({**_named(ledger, flow, one), "why": str(error)})
    return erased, left


def _named(ledger: Ledger, flow: str, uuid_or_id: str) -> dict[str, Any]:
    """Return a request as the listings show it, or what was said where there is no such one, or several."""
    try:
        record = ledger.queries.find(flow, uuid_or_id)
    except ConfigurationError:
        record = None
    return {"flow": flow, "uuid": uuid_or_id} if record is None else listed(record)


def erase_customer(
    ledger: Ledger, customer: int, who: str = "command line", flow: str | None = None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Erase a customer's data from all requests that are at their end.

    Args:
        ledger: The truth.
        customer: Omnitron's number (``pk``) of the customer.
        who: The person, kept in the history.
        flow: Only from this flow's.

    Returns:
        The requests that were erased, and those that could not be yet, each with the reason under ``why``.
    """
    erased: list[dict[str, Any]] = []
    left: list[dict[str, Any]] = []
    for flow_id, uuid in ledger.housekeeping.of_customer(customer, flow):
        gone, kept = erase_requests(ledger, flow_id, [uuid], who)
        erased += gone
        left += kept
    return erased, left
