"""What people ask about requests, and what they decide: lists, one request's life, redo, resolve."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from order_cancellation.clock import SystemClock
from order_cancellation.errors import ConfigurationError
from order_cancellation.http.masking import redact
from order_cancellation.ledger import Ledger, Record, State
from order_cancellation.service.settings import Settings
from order_cancellation.service.story import tell

__all__ = [
    "cursor_after",
    "erase",
    "erase_customer",
    "erase_requests",
    "list_requests",
    "open_ledger",
    "redo",
    "resolve",
    "show_request",
]

_SEPARATOR = "\n"


def open_ledger(settings: Settings) -> Ledger:
    """Open the ledger; an absent one is created, and lists as empty.

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
    if state is not None and state not in tuple(State):
        raise ConfigurationError(f"'{state}' is no state. States are: {', '.join(State)}.")
    start = None if after is None else _read_cursor(after)
    return [
        _listed(record) for record in ledger.queries.list(flow=flow, state=state, limit=limit, after=start)
    ]


def cursor_after(listed: dict[str, Any]) -> str:
    """Return the cursor with which a listing goes on after this entry."""
    text = _SEPARATOR.join((listed["flow"], listed["uuid"]))
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def show_request(ledger: Ledger, flow: str, uuid_or_id: str) -> dict[str, Any]:
    """Return a request's whole life; personal data is masked.

    Args:
        ledger: The truth.
        flow: The flow's id.
        uuid_or_id: Which request.

    Raises:
        ConfigurationError: There is no such request.
    """
    record = ledger.queries.find(flow, uuid_or_id)
    if record is None:
        raise ConfigurationError(f"Flow '{flow}': the ledger has no request {uuid_or_id}.")
    events = ledger.queries.events(flow, record.uuid)
    return {
        **_listed(record),
        "order_number": record.order_number,
        "sku": record.sku,
        "step": record.step,
        "failures": record.failures,
        "sends": record.sends,
        "idempotency_key": record.key,
        "body_digest": record.body_digest,
        "next_at": _time(record.next_at),
        "story": tell(record, events),
        "history": [_told(event) for event in events],
        "payloads": [
            {"kind": kind, "number": number, "data": redact(value)}
            for (kind, number), value in ledger.queries.payloads(flow, record.uuid).items()
        ],
    }


def redo(ledger: Ledger, flow: str, ids: Sequence[str], who: str = "command line") -> list[dict[str, Any]]:
    """Let requests be done again at the next run, whatever their state.

    Raises:
        ConfigurationError: There is no such request; then none of the named ones is changed after it.
    """
    return [_listed(ledger.queries.ask_again(flow, one, who=who)) for one in ids]


def resolve(  # noqa: PLR0917 -- the command line's words, in their order
    ledger: Ledger,
    flow: str,
    uuid_or_id: str,
    as_: Literal["accepted", "refused"],
    why: str,
    who: str = "command line",
) -> dict[str, Any]:
    """Write down a person's decision on a request that is in doubt or parked.

    Args:
        ledger: The truth.
        flow: The flow's id.
        uuid_or_id: Which request.
        as_: ``accepted``: the ERP has booked it, Omnitron is told; ``refused``: it has not.
        why: The reason, kept in the history.
        who: The person, kept in the history.

    Raises:
        ConfigurationError: There is no such request, or it needs no decision.
    """
    if not why.strip():
        raise ConfigurationError("A decision needs a reason: say why.")
    accepted = as_ == "accepted"
    record = ledger.queries.resolve(
        flow, uuid_or_id, accepted=accepted, step="write_to_omnitron", why=why, who=who
    )
    return _listed(record)


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
    return _listed(ledger.housekeeping.erase(flow, uuid_or_id, who=who))


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
    return {"flow": flow, "uuid": uuid_or_id} if record is None else _listed(record)


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


def _listed(record: Record) -> dict[str, Any]:
    return {
        "flow": record.flow,
        "uuid": record.uuid,
        "id": record.id,
        "state": str(record.state),
        "attempts": record.attempts,
        "erp_status": record.erp_status,
        "relation": record.relation or None,
        "error": record.error or None,
        "run_id": record.run_id,
        "first_seen": _time(record.first_seen),
        "last_changed": _time(record.last_changed),
    }


def _told(event: Any) -> dict[str, Any]:
    return {
        "at": _time(event["at"]),
        "run_id": event["run_id"],
        "step": event["step"] or None,
        "attempt": event["attempt"],
        "send": event["send"],
        "state": event["state"],
        "revision": event["revision"] or None,
        "duration_ms": None if event["duration_ms"] is None else round(event["duration_ms"], 1),
        "note": event["note"],
    }


def _time(seconds: float | None) -> str | None:
    return (
        None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    )


def _read_cursor(cursor: str) -> tuple[str, str]:
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        flow, uuid = text.split(_SEPARATOR)
    except ValueError as error:
        raise ConfigurationError(f"'{cursor[:40]}' is no cursor of a listing.") from error
    return flow, uuid
