"""Delivery: intent, send, save; and what is done when nobody knows whether the ERP has booked.

The order is the promise: the intent is on the disk before the first byte leaves, the raw answer before
anybody judges it. Between each two stands a named point at which tests crash the engine. What a crash
leaves is ``sending``, and the next look turns that into ``in_doubt``.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import asdict, replace
from http import HTTPStatus
from typing import Any

from order_cancellation.erp import build_call, leads_there, uses_request
from order_cancellation.errors import (
    ConfigurationError,
    InDoubt,
    LeaseLost,
    LedgerUnavailable,
    NotSent,
    OrderCancellationError,
    UnreadableAnswer,
    recovery_of,
)
from order_cancellation.flow.model import Flow
from order_cancellation.http.limits import LONGEST_WAIT_S
from order_cancellation.http.messages import Answer, Call
from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.attributes import attributes_of, safe_text
from order_cancellation.steps.context import Context
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.judge import StoredAnswer, wait_asked
from order_cancellation.steps.mapping import script_output
from order_cancellation.steps.outcomes import failed

__all__ = [
    "LONGEST_WAIT_S",
    "answer_of",
    "body_of",
    "built",
    "call_of",
    "decides_unknown",
    "deliver",
    "has_exit",
    "put_back_if_asked_to_wait",
    "settle",
]

_KEPT_HEADERS = ("retry-after", "content-type", "location")


def body_of(flow: Flow, record: Record) -> Any:
    """Return what goes to the ERP: the mapped object, else what the script left, else the request.

    Raises:
        ConfigurationError: The flow was given a mapping after the request had been prepared.
    """
    if flow.mapping is None:
        return script_output(record)
    if "mapping" not in record.payloads:
        raise ConfigurationError(
            "the request was prepared before the flow had a mapping, so there is nothing mapped to send; "
            "the next poll prepares it anew"
        )
    return record.payloads["mapping"]


def call_of(context: Context, record: Record) -> Call:
    """Build the call for a prepared request. Pure.

    Raises:
        ConfigurationError: A template names what is not there, or a value does not fit where it stands.
    """
    return built(context, record, context.the_erp().base_url)


def built(context: Context, record: Record, base_url: str) -> Call:
    """Build the call against an address of which only its text is known: a dry run has no ERP. Pure."""
    settings = context.flow.write_to_erp
    body = body_of(context.flow, record)
    if isinstance(body, str):
        raise ConfigurationError("the script's output is no JSON; write json.dumps(…) of what the ERP takes")
    return build_call(
        settings,
        base_url,
        body=body,
        request=record.payloads["request"] if uses_request(settings) else None,
        attributes=attributes_of(context, record),
        key=record.key if settings.idempotency_header else None,
    )


def decides_unknown(flow: Flow) -> bool:
    """Say whether the flow's response script decides what nobody knows, by its owner's declaration."""
    return flow.custom_response is not None and flow.custom_response.decides_unknown


def has_exit(flow: Flow, record: Record) -> bool:
    """Say whether a request in doubt can be settled without a person."""
    return decides_unknown(flow) or flow.write_to_erp.look_up is not None or _may_repeat(flow, record)


def _may_repeat(flow: Flow, record: Record) -> bool:
    """Say whether the stored call may go out again: how it was sent counts, not how the flow sends by now."""
    settings, sent = flow.write_to_erp, record.payloads["sent"]
    is_put = settings.method == sent["method"] == "PUT"
    header = settings.idempotency_header
    has_key = header is not None and sent["headers"].get(header) == record.key
    return is_put or has_key or settings.duplicates_accepted


def answer_of(record: Record) -> StoredAnswer:
    """Return the stored answer to the newest send."""
    return StoredAnswer(**record.payloads["answer"])


async def deliver(desk: Desk, record: Record) -> Record:
    """Send a prepared request, and save the answer.

    Args:
        desk: Where the step works.
        record: In state ``prepared``, with the payloads ``request``, ``script``, ``mapping``, ``attributes``.

    Returns:
        The request as ``answered``; as ``prepared`` where it surely was not sent; as ``in_doubt``; or as
        ``failed``, ``parked`` or ``withdrawn`` where it must not be sent.

    Raises:
        LedgerUnavailable: Nothing was sent, or what came back could not be written.
    """
    context = desk.context
    try:
        call = call_of(context, record)
    except ConfigurationError as error:
        new = failed(context, record, record.step, safe_text(str(error), record))
        return await desk.record(Change(record, new))
    digest = _digest(call)
    if record.body_digest not in (None, digest):
        return await desk.record(Change(record, _stopped(record, "another address, method or body")))
    if record.body_digest is not None and _key_is_missing(record, call):
        return await desk.record(Change(record, _stopped(record, "no longer that key")))
    if context.flow.write_to_erp.check_status and (moved := await _status_moved(desk, record)) is not None:
        return moved
    return await _send_patiently(desk, record, call, digest)


async def settle(desk: Desk, record: Record) -> Record:
    """Try the exits that the flow declares for a request in doubt: look-up, its script, the same key again.

    Args:
        desk: Where the step works.
        record: In state ``in_doubt`` (or ``sending``, left by a worker that died).

    Returns:
        The request as accepted, answered or still in doubt.
    """
    context = desk.context
    if record.state == State.SENDING:
        error = "the worker died while it was sending"
        record = await desk.record(Change(record, _doubtful_now(context, record, error)))
    flow = context.flow
    sent_there = leads_there(flow.write_to_erp, context.the_erp().base_url, record.payloads["sent"]["url"])
    if flow.write_to_erp.look_up is not None and sent_there:
        return await _look_up(desk, record)
    if decides_unknown(flow):
        return await _let_script_decide(desk, record)
    if not sent_there:
        return await _sent_elsewhere(desk, record)
    if _may_repeat(flow, record) and record.erp_status != HTTPStatus.CONFLICT:
        return await _send_again(desk, record)
    return record


async def _sent_elsewhere(desk: Desk, record: Record) -> Record:
    """Leave to a person what went to an address that has been changed since.

    Only the system that got the call knows it: another one's "not found" or its ignorance of the key would
    have it booked a second time, and the old one gets no more calls and credentials.
    """
    error = (
        "in doubt: the ERP's address was changed after it had been sent, and neither a look-up nor the key "
        "tells at another address what became of it: look into the ERP at the old one, and resolve it"
    )
    stuck = record.moved(State.IN_DOUBT, tries=record.tries + 1, doubt=True, error=error)
    return await desk.record(Change(record, stuck))


async def _let_script_decide(desk: Desk, record: Record) -> Record:
    """Hand the request to its script: with the answer that proved nothing, or as unknown where none came."""
    new = record.moved(State.ANSWERED, step=_judged_at(desk.context.flow), tries=record.tries)
    if "answer" in record.payloads:
        return await desk.record(Change(record, new, note="the script decides"))
    unknown = asdict(StoredAnswer(status=None, url=_stored_call(record).url))
    return await _with_payloads(
        desk, Change(record, new, {"answer": unknown}, "no answer: the script decides")
    )


async def _send_patiently(desk: Desk, record: Record, call: Call, digest: str) -> Record:
    """Send; where the ERP asks to come back later, do so for up to a minute."""
    waited, home = 0.0, record.step
    while True:
        record = await _send_once(desk, record, call, digest)
        pause = _pause_asked(desk, record)
        if pause is None:
            return record
        record = await _put_back(desk, record, home, pause)
        if waited + pause > LONGEST_WAIT_S:
            return record
        waited += max(pause, 0.1)
        await desk.context.clock.sleep(pause)


async def _send_once(desk: Desk, record: Record, call: Call, digest: str) -> Record:
    context, erp = desk.context, desk.context.the_erp()
    sent = {
        "method": call.method,
        "url": call.url,
        "headers": dict(call.headers),
        "timeout_s": call.timeout_s,
    }
    sent["body"] = None if call.body is None else call.body.decode()
    async with erp.slot():
        desk.check_lease()
        try:
            await erp.check_open()
        except NotSent as error:  # no intent for what can't leave
            return await desk.record(
                Change(record, record.moved(record.state, error=str(error), hopeful=True))
            )
        intent = record.moved(
            State.SENDING,
            tries=record.tries,
            sends=record.sends + 1,
            last_send_at=context.clock.now().timestamp(),
            body_digest=digest,
            erp_status=None,
        )
        context.point("before_intent")
        before, record = record, await _with_payloads(desk, Change(record, intent, {"sent": sent}, "sending"))
        record.payloads.pop("answer", None)  # an earlier send's
        context.point("after_intent")
        begun = context.clock.monotonic()
        answer = await _sent(desk, call)
        took = (context.clock.monotonic() - begun) * 1000
    context.point("after_send")
    match answer:
        case Answer():
            change = _answered(context, record, answer, took)
        case InDoubt():
            change = Change(record, _doubtful_now(context, record, str(answer)), duration_ms=took)
        case _:
            change = Change(record, _not_sent(context, before, record, answer), duration_ms=took)
    record = await _with_payloads(desk, change)
    context.point("after_answer")
    return record


async def _sent(desk: Desk, call: Call) -> Answer | OrderCancellationError:
    """Send once.

    Returns:
        The answer; ``InDoubt``; or another error, with which the call surely did not leave.

    Raises:
        LeaseLost: Nothing may be sent or written any more.
    """
    departed = False

    def depart() -> None:
        nonlocal departed
        desk.check_lease()
        departed = True

    try:
        return await desk.context.the_erp().send(call, before_write=depart)
    except LeaseLost:
        raise
    except (NotSent, InDoubt) as error:
        return error
    except OrderCancellationError as error:
        return InDoubt(str(error)) if departed else error
    except Exception as error:  # noqa: BLE001 (a defect; whether the call had departed is known all the same)
        told = f"unforeseen {type(error).__name__} while sending; tell the developers"
        return InDoubt(told) if departed else NotSent(told)


def _judged_at(flow: Flow) -> str:
    return "custom_response" if "custom_response" in flow.steps else "write_to_erp"


def _answered(context: Context, record: Record, answer: Answer, took: float) -> Change:
    stored = StoredAnswer(
        status=answer.status,
        reason=answer.reason,
        url=answer.url,
        headers={name: answer.headers[name] for name in _KEPT_HEADERS if name in answer.headers},
        text=answer.text,
        data=answer.data,
        token_generation=answer.token_generation,
    )
    tries = record.tries if record.doubt else 0  # so that doubt which answers don't end is parked some day
    new = record.moved(
        State.ANSWERED,
        step=_judged_at(context.flow),
        erp_status=answer.status,
        tries=tries,
        last_send_at=context.clock.now().timestamp(),  # a 5xx may be looked up, and that counts from here
    )
    return Change(record, new, {"answer": asdict(stored)}, f"the ERP answered {answer.status}", took)


def _not_sent(context: Context, before: Record, record: Record, error: OrderCancellationError) -> Record:
    """Return a request of which this send surely never left; an earlier one may still be in doubt."""
    text = safe_text(str(error), record)
    if before.doubt:
        return _doubtful(context, record, text)
    return record.moved(
        State.PREPARED,
        body_digest=before.body_digest,
        error=text,
        hopeful=recovery_of(error).repeat,
        tries=before.tries + 1,
    )


def _doubtful_now(context: Context, record: Record, error: str) -> Record:
    """Return a request as in doubt whose call may have been leaving until this moment.

    Between the intent and the first byte a login or a new connection may have taken its time; and a worker
    that died may have sent until its lease ended.
    """
    return replace(_doubtful(context, record, error), last_send_at=context.clock.now().timestamp())


def _doubtful(context: Context, record: Record, error: str) -> Record:
    return record.moved(
        State.IN_DOUBT,
        tries=record.tries + 1,
        doubt=True,
        error=safe_text(f"in doubt: {error.removeprefix('in doubt: ')}", record),
        hopeful=has_exit(context.flow, record),
    )


async def put_back_if_asked_to_wait(desk: Desk, record: Record) -> Record:
    """Return an answered request as it is, or put back if its answer only says when to come again.

    Nobody judges such an answer: a script's ``else: failure`` would call a throttled request refused.
    """
    pause = _pause_asked(desk, record)
    return record if pause is None else await _put_back(desk, record, record.step, pause)


def _pause_asked(desk: Desk, record: Record) -> float | None:
    if record.state != State.ANSWERED:
        return None
    return wait_asked(answer_of(record), desk.context.clock.now())


async def _put_back(desk: Desk, record: Record, home: str, pause: float) -> Record:
    """Return an answered request to where it was: the ERP did not process it."""
    error = f"the ERP asks to wait {pause:.0f} s"
    changes: dict[str, Any] = {"step": home, "hopeful": True, "tries": record.tries}
    if record.doubt:
        back = record.moved(State.IN_DOUBT, error=f"in doubt: {error}", **changes)
    else:
        back = record.moved(State.PREPARED, error=error, body_digest=None, **changes)
    return await desk.record(Change(record, back))


def _with_look_up(doubt: str, error: Exception | str) -> str:
    """Say why a request is in doubt and how the last look-up failed; earlier look-ups are left out."""
    return f"{doubt.partition('; look-up: ')[0]}; look-up: {error}"


def _key_is_missing(record: Record, call: Call) -> bool:
    """Say whether an earlier send carried the request's key and this one would not."""
    sent = record.payloads.get("sent", {"headers": {}})["headers"]
    carried = {(name.lower(), value) for name, value in sent.items() if value == record.key}
    return not carried <= {(name.lower(), value) for name, value in call.headers.items()}


def _stopped(record: Record, changed: str) -> Record:
    """Return a request whose earlier send may be booked, and that would now be sent otherwise."""
    error = f"what was sent before under the same idempotency key may be booked, and the call has {changed}"
    if record.doubt:
        error += ": look into the ERP, and resolve it; after 'refused' a redo sends it as it is now"
    else:
        error += ": compare both, then redo or resolve it"
    parked_from = State.IN_DOUBT if record.doubt else record.state
    return record.moved(State.PARKED, parked_from=parked_from, error=error)


async def _status_moved(desk: Desk, record: Record) -> Record | None:
    """Return the request as withdrawn if its status in Omnitron moved since it was taken up, else None.

    A request that a person named may have any status: it must only not have another one by now.
    """
    context = desk.context
    wanted = context.flow.get_data.status
    taken_up = record.payloads["request"].get("status")
    assert record.id is not None
    try:
        now = await context.the_omnitron().get(record.id)
    except (OrderCancellationError, UnreadableAnswer) as error:
        text = safe_text(f"its status could not be checked: {error}", record)
        return await desk.record(Change(record, record.moved(record.state, error=text, hopeful=True)))
    status = None if now is None else now.get("status")
    if status in (wanted, taken_up):
        return None
    text = f"its status in Omnitron is {status or 'gone'} and no longer {wanted}"
    if record.doubt:  # it may be booked already, and "withdrawn" would deny it
        text = f"in doubt: an earlier send may have been booked, and {text}"
        parked = record.moved(State.PARKED, parked_from=State.IN_DOUBT, error=text)
        return await desk.record(Change(record, parked))
    return await desk.record(Change(record, record.moved(State.WITHDRAWN, step="", error=text)))


async def _look_up(desk: Desk, record: Record) -> Record:
    """Ask the ERP; its "not found" counts only ``after`` the last possible send."""
    context = desk.context
    settings = context.flow.write_to_erp.look_up
    assert settings is not None
    after = settings.after.total_seconds()
    pause = (record.last_send_at or 0.0) + after - context.clock.now().timestamp()
    if pause > LONGEST_WAIT_S:
        return record
    # never less than all of it from here: the wall's clock may have been set forward meanwhile
    await context.clock.sleep(max(pause, min(after, LONGEST_WAIT_S)))
    try:
        await context.the_erp().check_open()
    except NotSent as error:  # nothing is asked, so this is no try
        text = safe_text(_with_look_up(record.error, error), record)
        waiting = record.moved(State.IN_DOUBT, tries=record.tries, error=text, hopeful=True)
        return await desk.record(Change(record, waiting))
    try:
        found = await context.the_erp().look_up(
            settings,
            request=record.payloads["request"],
            attributes=attributes_of(context, record),
            body=_looked_up_body(context, record),
        )
    except LedgerUnavailable:
        raise
    except OrderCancellationError as error:
        return await desk.record(
            Change(record, _doubtful(context, record, _with_look_up(record.error, error)))
        )
    if found and await asyncio.to_thread(context.ledger.queries.was_booked, record.flow, record.uuid):
        why = _with_look_up(record.error, "it finds a booking, which may be the one from before the redo")
        stuck = record.moved(State.IN_DOUBT, tries=record.tries + 1, doubt=True, error=why)
        return await desk.record(Change(record, stuck))
    if found:
        new = record.moved(State.ACCEPTED, step="write_to_omnitron", doubt=False, relation="continue")
        return await desk.record(Change(record, new, note="looked up in the ERP: booked"))
    cleared = record.moved(State.IN_DOUBT, doubt=False, error=record.error, hopeful=True)
    record = await desk.record(Change(record, cleared, note="looked up in the ERP: not booked"))
    return await _send_again(desk, record)


def _looked_up_body(context: Context, record: Record) -> Any:
    """Return what the look-up's template finds as ``body``: what was sent; a GET sent it in its query."""
    sent = _stored_call(record).body
    return body_of(context.flow, record) if sent is None else sent


async def _send_again(desk: Desk, record: Record) -> Record:
    """Send the stored call byte for byte, under the same key."""
    call = _stored_call(record)
    return await _send_patiently(desk, record, call, _digest(call))


def _stored_call(record: Record) -> Call:
    sent = record.payloads["sent"]
    body = sent["body"]
    return Call(
        method=sent["method"],
        url=sent["url"],
        headers=sent["headers"],
        body=None if body is None else body.encode(),
        timeout_s=sent["timeout_s"],
    )


async def _with_payloads(desk: Desk, change: Change) -> Record:
    """Record a change, and let the payloads that it brought be read from the record at once."""
    record = await desk.record(change)
    record.payloads.update(change.payloads)
    return record


def _digest(call: Call) -> str:
    parts = (call.method.encode(), call.url.encode(), call.body or b"")
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
