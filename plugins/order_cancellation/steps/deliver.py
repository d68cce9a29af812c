"""Delivery: intent, send, save.

The order is the promise: the intent is on the disk before the first byte leaves, the raw answer before
anybody judges it. Between each two stands a named point at which tests crash the engine. What a crash
leaves is ``sending``, and the next look turns that into ``in_doubt``.
"""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import Any

from order_cancellation.errors import (
    ConfigurationError,
    InDoubt,
    LeaseLost,
    NotSent,
    OrderCancellationError,
    recovery_of,
)
from order_cancellation.flow.model import Flow
from order_cancellation.http.limits import LONGEST_WAIT_S
from order_cancellation.http.messages import Answer, Call
from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.attributes import safe_text
from order_cancellation.steps.calls import call_of, digest_of, has_exit, key_is_missing
from order_cancellation.steps.context import Context
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.judge import StoredAnswer, wait_asked
from order_cancellation.steps.outcomes import failed

__all__ = [
    "answer_of",
    "deliver",
    "doubtful",
    "doubtful_now",
    "judged_at",
    "put_back_if_asked_to_wait",
    "send_patiently",
    "status_moved",
    "with_payloads",
]

_KEPT_HEADERS = ("retry-after", "content-type", "location")


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
    digest = digest_of(call)
    if record.body_digest not in (None, digest):
        return await desk.record(Change(record, _stopped(record, "another address, method or body")))
    if record.body_digest is not None and key_is_missing(record, call):
        return await desk.record(Change(record, _stopped(record, "no longer that key")))
    if (moved := await status_moved(desk, record)) is not None:
        return moved
    return await send_patiently(desk, record, call, digest)


async def send_patiently(desk: Desk, record: Record, call: Call, digest: str) -> Record:
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
        waited += pause
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
        before, record = record, await with_payloads(desk, Change(record, intent, {"sent": sent}, "sending"))
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
            change = Change(record, doubtful_now(context, record, str(answer)), duration_ms=took)
        case _:
            change = Change(record, _not_sent(context, before, record, answer), duration_ms=took)
    record = await with_payloads(desk, change)
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


def judged_at(flow: Flow) -> str:
    """Return the step that judges what the ERP answers."""
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
        step=judged_at(context.flow),
        erp_status=answer.status,
        tries=tries,
        last_send_at=context.clock.now().timestamp(),  # a 5xx may be looked up, and that counts from here
    )
    return Change(record, new, {"answer": asdict(stored)}, f"the ERP answered {answer.status}", took)


def _not_sent(context: Context, before: Record, record: Record, error: OrderCancellationError) -> Record:
    """Return a request of which this send surely never left; an earlier one may still be in doubt."""
    text = safe_text(str(error), record)
    if before.doubt:
        return doubtful(context, record, text)
    return record.moved(
        State.PREPARED,
        body_digest=before.body_digest,
        error=text,
        hopeful=recovery_of(error).repeat,
        tries=before.tries + 1,
    )


def doubtful_now(context: Context, record: Record, error: str) -> Record:
    """Return a request as in doubt whose call may have been leaving until this moment.

    Between the intent and the first byte a login or a new connection may have taken its time; and a worker
    that died may have sent until its lease ended.
    """
    return replace(doubtful(context, record, error), last_send_at=context.clock.now().timestamp())


def doubtful(context: Context, record: Record, error: str) -> Record:
    """Return a request as in doubt."""
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
        digest = record.body_digest if record.pending else None
        back = record.moved(State.PREPARED, error=error, body_digest=digest, **changes)
    return await desk.record(Change(record, back))


def _stopped(record: Record, changed: str) -> Record:
    """Return a request whose earlier send may be booked, and that would now be sent otherwise."""
    error = f"what was sent before under the same idempotency key may be booked, and the call has {changed}"
    if record.doubt:
        error += ": look into the ERP, and resolve it; after 'refused' a redo sends it as it is now"
    else:
        error += ": compare both, then redo or resolve it"
    parked_from = State.IN_DOUBT if record.doubt else record.state
    return record.moved(State.PARKED, parked_from=parked_from, error=error)


async def status_moved(desk: Desk, record: Record) -> Record | None:
    """Return a request that must not be sent, because its status in Omnitron moved since it was taken up.

    A request that a person named may have any status: it must only not have another one by now.

    Args:
        desk: Where the step works.
        record: About to be sent: ``prepared``, or ``in_doubt`` to be sent again.

    Returns:
        The request as withdrawn; as parked where an earlier send was in doubt; as it was, with the error,
        where Omnitron could not say. None: it may be sent, or the flow has no ``check_status``.
    """
    context = desk.context
    if not context.flow.write_to_erp.check_status:
        return None
    known = "looked up in the ERP: not booked, and " if record.state == State.IN_DOUBT else ""
    if record.doubt:
        known = "in doubt: an earlier send may have been booked, and "
    wanted = context.flow.get_data.status
    taken_up = record.payloads["request"].get("status")
    assert record.id is not None
    try:
        now = await context.the_omnitron().get(record.id)
    except OrderCancellationError as error:
        text = safe_text(f"{known}its status could not be checked: {error}", record)
        return await desk.record(Change(record, record.moved(record.state, error=text, hopeful=True)))
    status = None if now is None else now.get("status")
    if status in (wanted, taken_up):
        return None
    text = f"{known}its status in Omnitron is {status or 'gone'} and no longer {wanted}"
    if record.doubt or record.state == State.IN_DOUBT:  # "withdrawn" says that nothing can be booked
        parked = record.moved(State.PARKED, parked_from=State.IN_DOUBT, error=text)
        return await desk.record(Change(record, parked))
    if record.pending:
        text = f"the ERP took it for later and may book it, and {text}"
        parked = record.moved(State.PARKED, parked_from=State.POSTPONED, error=text)
        return await desk.record(Change(record, parked))
    return await desk.record(Change(record, record.moved(State.WITHDRAWN, step="", error=text)))


async def with_payloads(desk: Desk, change: Change) -> Record:
    """Record a change, and let the payloads that it brought be read from the record at once."""
    record = await desk.record(change)
    record.payloads.update(change.payloads)
    return record
