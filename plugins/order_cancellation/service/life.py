"""One request's whole life: where it stands, what happened, what was exchanged, what a person can do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any, Literal

from order_cancellation.errors import ConfigurationError, FlowInvalid
from order_cancellation.flow.model import Flow
from order_cancellation.flow.store import FlowStore
from order_cancellation.http.masking import mask, personal_values, redact, redact_text
from order_cancellation.ledger import Ledger, Record, is_booked_earlier
from order_cancellation.ledger.housekeeping import ERASED
from order_cancellation.service.consequences import Action, Actions, actions
from order_cancellation.service.rows import iso, listed, row
from order_cancellation.service.story import may_be_held, tell
from order_cancellation.service.timeline import timeline

__all__ = ["known", "life", "note_example", "reveal", "show_request", "starts_by_itself", "what_follows"]

Payloads = Mapping[tuple[str, int], Any]


def show_request(ledger: Ledger, flow: str, uuid_or_id: str) -> dict[str, Any]:
    """Return a request's whole life as the command line shows it; personal data is masked.

    Args:
        ledger: The truth.
        flow: The flow's id.
        uuid_or_id: Which request.

    Raises:
        ConfigurationError: There is no such request.
    """
    record = known(ledger, flow, uuid_or_id)
    events = ledger.queries.events(flow, record.uuid)
    payloads, unreadable = _kept(ledger, record)
    return {
        **listed(record),
        "order_number": record.order_number,
        "sku": record.sku,
        "step": record.step,
        "failures": record.failures,
        "sends": record.sends,
        **_keys(record, payloads),
        "body_digest": record.body_digest,
        "next_at": iso(record.next_at),
        "redo": record.redo,
        "erased": _is_erased(events, payloads),
        "story": [*tell(record, events), *unreadable],
        "history": [{**one, "step": one["step"] or None} for one in timeline(record, events)],
        "payloads": _masked(payloads),
    }


def life(ledger: Ledger, store: FlowStore, flow: str, uuid: str, *, paused: bool) -> dict[str, Any]:
    """Return a request's whole life as the pages show it; personal data is masked.

    Args:
        ledger: The truth.
        store: For what the flow declares: it decides what a redo can do.
        flow: The flow's id.
        uuid: Which request.
        paused: Whether Airflow has the flow's DAG paused.

    Raises:
        ConfigurationError: There is no such request.
    """
    record = known(ledger, flow, uuid)
    events = ledger.queries.events(flow, record.uuid)
    payloads, unreadable = _kept(ledger, record)
    can = _actions(ledger, store, record, payloads, events, paused=paused)
    return {
        **row(record),
        "story": [*tell(record, events), *unreadable],
        **_keys(record, payloads),
        "timeline": timeline(record, events),
        "payloads": _masked(payloads),
        "erased": _is_erased(events, payloads),
        "actions": asdict(can),
    }


def what_follows(
    ledger: Ledger,
    store: FlowStore,
    flow: str,
    ids: Sequence[str],
    act: Literal["redo", "accepted", "refused"],
) -> list[str]:
    """Say what a person's word on requests brings about, as they are now; nothing of what is not there.

    Args:
        ledger: The truth.
        store: For what the flow declares.
        flow: The flow's id.
        ids: Which requests, by uuid or number.
        act: The person's word.

    Raises:
        ConfigurationError: A number is that of several requests.
    """
    said: dict[str, list[str]] = {}
    for one in dict.fromkeys(ids):
        record = ledger.queries.find(flow, one)
        if record is not None:
            events = ledger.queries.events(flow, record.uuid)
            can = _actions(ledger, store, record, _kept(ledger, record)[0], events, paused=False)
            action: Action | None = getattr(can, act)
            if action is not None:
                said.setdefault(action.consequence, []).append(one)
    return [f"Request {', '.join(named)}: {words}" for words, named in said.items()]


def reveal(ledger: Ledger, flow: str, uuid: str, *, why: str, who: str) -> list[dict[str, Any]]:
    """Return a request's payloads as they are, once it is written down who sees them and why.

    Args:
        ledger: The truth.
        flow: The flow's id.
        uuid: Which request.
        why: The reason, kept in the history.
        who: The person, kept in the history.

    Raises:
        ConfigurationError: There is no such request, or no reason.
        LedgerUnavailable: It can't be written down, so nothing is shown.
    """
    if not why.strip():
        raise ConfigurationError("Personal data is shown for a reason only: say why.")
    record = known(ledger, flow, uuid)
    ledger.queries.note_reveal(flow, record.uuid, who=who, why=redact_text(why.strip()))
    payloads = ledger.queries.payloads(flow, record.uuid)
    return [_payload(key, value) for key, value in payloads.items()]


def note_example(ledger: Ledger, flow: str, request: Mapping[str, Any], *, who: str) -> None:
    """Write down that a person is about to see a request unmasked as an example, where the ledger knows it.

    Raises:
        LedgerUnavailable: It can't be written down, so nothing is shown.
    """
    uuid = str(request.get("uuid"))
    if ledger.queries.find(flow, uuid) is not None:
        ledger.queries.note_reveal(flow, uuid, who=who, why="an example in the designer")


def known(ledger: Ledger, flow: str, uuid_or_id: str) -> Record:
    """Return a request that is there.

    Raises:
        ConfigurationError: It is not.
    """
    record = ledger.queries.find(flow, uuid_or_id)
    if record is None:
        raise ConfigurationError(f"Flow '{flow}': the ledger has no request {uuid_or_id}.")
    return record


def starts_by_itself(store: FlowStore, flow: str) -> bool:
    """Say whether a flow declares when it runs, and may; Airflow may still have its DAG paused."""
    loaded = _flow(store, flow)
    return loaded is not None and loaded.enabled and loaded.schedule is not None


def _flow(store: FlowStore, flow: str) -> Flow | None:
    """Return the flow as it is, which is how the next run does it; None: it is broken, or gone."""
    try:
        return store.load(flow).flow
    except (FlowInvalid, OSError):
        return None


def _actions(
    ledger: Ledger,
    store: FlowStore,
    record: Record,
    payloads: Payloads,
    events: Sequence[Mapping[str, Any]],
    *,
    paused: bool,
) -> Actions:
    return actions(
        record,
        _flow(store, record.flow),
        payloads.get(("sent", record.sends)),
        booked=is_booked_earlier(record, events),
        may_be_held=may_be_held(events),
        held=ledger.queries.is_held(record),
        paused=paused,
    )


def _kept(ledger: Ledger, record: Record) -> tuple[Payloads, list[str]]:
    """Return what is kept of a request's exchanges; where a key is gone, nothing of it, and that in words.

    All else of its life is told without them. And what could be read might name the person whose name is in
    what can't: nobody would know what to mask.
    """
    try:
        return ledger.queries.payloads(record.flow, record.uuid), []
    except ConfigurationError as error:
        return {}, [f"What was exchanged can't be shown. {error}"]


def _is_erased(events: Sequence[Mapping[str, Any]], payloads: Payloads) -> bool:
    return not payloads and any(one["step"] == "" and one["note"].startswith(ERASED) for one in events)


def _keys(record: Record, payloads: Payloads) -> dict[str, str | None]:
    """Return the idempotency key of the last call, and that of the next one where it is another.

    A flow may send none, and what was sent may no longer be kept: None is told rather than a key that the ERP
    never saw.
    """
    sent = payloads.get(("sent", record.sends), {}).get("headers", {})
    own = re.compile(rf"{re.escape(record.flow)}-{re.escape(record.uuid)}-\d+")
    key = next((value for value in sent.values() if own.fullmatch(str(value))), None)
    return {"idempotency_key": key, "next_key": None if key in (None, record.key) else record.key}


def _payload(key: tuple[str, int], data: Any) -> dict[str, Any]:
    kind, number = key
    return {"kind": kind, "number": number, "data": data}


def _masked(payloads: Payloads) -> list[dict[str, Any]]:
    """Mask personal data: by their keys, by what they look like, and those that the request itself names."""
    persons = [
        value
        for (kind, _), request in payloads.items()
        if kind == "request"
        for value in personal_values(request)
    ]
    return [_payload(key, _hidden(redact(value), persons)) for key, value in payloads.items()]


def _hidden(value: Any, persons: Sequence[str]) -> Any:
    if isinstance(value, Mapping):
        return {key: _hidden(item, persons) for key, item in value.items()}
    if isinstance(value, list):
        return [_hidden(item, persons) for item in value]
    return mask(_hidden_text(value), persons) if isinstance(value, str) else value


def _hidden_text(text: str) -> str:
    """Mask a text that is JSON, as bodies and the script's output are, by its keys; else by what it shows."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.dumps(redact(json.loads(text)), ensure_ascii=False)
        except (ValueError, RecursionError):
            pass
    return redact_text(text)
