"""Settling: what is done when nobody knows whether the ERP has booked a request.

The flow declares the exits: a look-up in the ERP, its response script's word, the same call once more. A
request that none of them leads out of waits for a person.
"""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from http import HTTPStatus
from typing import Any

from order_cancellation.erp import leads_there
from order_cancellation.errors import LedgerUnavailable, NotSent, OrderCancellationError
from order_cancellation.http.limits import LONGEST_WAIT_S
from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.attributes import attributes_of, safe_text
from order_cancellation.steps.calls import body_of, decides_unknown, digest_of, may_repeat, stored_call
from order_cancellation.steps.context import Context
from order_cancellation.steps.deliver import (
    doubtful,
    doubtful_now,
    judged_at,
    send_patiently,
    status_moved,
    with_payloads,
)
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.judge import StoredAnswer

__all__ = ["settle"]


async def settle(desk: Desk, record: Record) -> Record:
    """Try the exits that the flow declares for a request in doubt: look-up, its script, the same key again.

    Args:
        desk: Where the step works.
        record: In state ``in_doubt`` (or ``sending``, left by a worker that died).

    Returns:
        The request as accepted, answered or still in doubt; as parked where its status in Omnitron moved and
        it must not be sent again.
    """
    context = desk.context
    if record.state == State.SENDING:
        error = "the worker died while it was sending"
        record = await desk.record(Change(record, doubtful_now(context, record, error)))
    flow = context.flow
    sent_there = leads_there(flow.write_to_erp, context.the_erp().base_url, record.payloads["sent"]["url"])
    if flow.write_to_erp.look_up is not None and sent_there:
        return await _look_up(desk, record)
    if decides_unknown(flow):
        return await _let_script_decide(desk, record)
    if not sent_there:
        return await _sent_elsewhere(desk, record)
    if may_repeat(flow, record) and record.erp_status != HTTPStatus.CONFLICT:
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
    new = record.moved(State.ANSWERED, step=judged_at(desk.context.flow), tries=record.tries)
    if "answer" in record.payloads:
        return await desk.record(Change(record, new, note="the script decides"))
    unknown = asdict(StoredAnswer(status=None, url=stored_call(record).url))
    return await with_payloads(
        desk, Change(record, new, {"answer": unknown}, "no answer: the script decides")
    )


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
            Change(record, doubtful(context, record, _with_look_up(record.error, error)))
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
    sent = stored_call(record).body
    return body_of(context.flow, record) if sent is None else sent


def _with_look_up(doubt: str, error: Exception | str) -> str:
    """Say why a request is in doubt and how the last look-up failed; earlier look-ups are left out."""
    return f"{doubt.partition('; look-up: ')[0]}; look-up: {error}"


async def _send_again(desk: Desk, record: Record) -> Record:
    """Send the stored call once more, under the same key."""
    if (moved := await status_moved(desk, record)) is not None:
        return moved
    call = stored_call(record)
    return await send_patiently(desk, record, call, digest_of(call))
