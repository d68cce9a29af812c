"""Write Data to Omnitron step: Omnitron hears of the outcome.

Takes what is ``accepted`` (on_success is written) and what is ``refused`` (on_failure is written, unless an
earlier call is booked, and the request ends as ``failed``); and what waits for a post script that the flow
no longer has. Every way of writing says what shall be, so repeating it does no harm.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from order_cancellation.errors import ConfigurationError, OrderCancellationError, Refused, recovery_of
from order_cancellation.flow.model import OmnitronRequest, WriteBack
from order_cancellation.http.templates import template
from order_cancellation.ledger import Change, Record, State, is_booked_earlier
from order_cancellation.omnitron import Omnitron
from order_cancellation.steps.attributes import attributes_of, safe_text
from order_cancellation.steps.batch import work_on_batch
from order_cancellation.steps.behind import next_step
from order_cancellation.steps.calls import body_of
from order_cancellation.steps.context import Context
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.outcomes import failed
from order_cancellation.steps.report import StepReport

__all__ = ["STEP", "request_of", "run", "tell"]

STEP = "write_to_omnitron"
IN_FLIGHT = 8
_BOOKED_EARLIER = "an earlier call is booked, so Omnitron is told nothing of this no"
_FINAL = (HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.NOT_ACCEPTABLE)


async def run(batch: int, context: Context) -> StepReport:
    """Tell Omnitron the outcome of every request of a batch that waits for it.

    Args:
        batch: The batch's number.
        context: Ledger and Omnitron are used.

    Raises:
        LedgerUnavailable: The ledger failed.
    """
    return await work_on_batch(
        context,
        batch,
        STEP,
        _write_one,
        states=(State.ACCEPTED, State.WRITTEN_BACK),
        any_step=(State.REFUSED,),
        kinds=("request", "script", "mapping", "attributes", "answer"),
        in_flight=IN_FLIGHT,
    )


async def _write_one(desk: Desk, record: Record) -> None:
    context = desk.context
    if record.state == State.WRITTEN_BACK:
        done = record.moved(State.DONE, step="")
        await desk.record(Change(record, done, note="the flow has no post script any more"))
        return
    outcomes = context.flow.write_to_omnitron
    accepted = record.state == State.ACCEPTED
    write_back = outcomes.on_success if accepted else outcomes.on_failure
    if not accepted and write_back is not None and await _is_booked_earlier(context, record):
        error = f"{record.error}; {_BOOKED_EARLIER}"
        await desk.record(Change(record, _failed(context, record, error), note=_BOOKED_EARLIER))
        return
    desk.check_lease()  # another worker may have it done again, and its word would be overwritten
    begun = context.clock.monotonic()
    try:
        if write_back is not None:
            await tell(context, record, write_back)
    except OrderCancellationError as error:
        await desk.record(Change(record, _not_told(record, error, accepted=accepted)))
        return
    context.point("after_write_back")
    took = (context.clock.monotonic() - begun) * 1000
    told = "told Omnitron" if write_back is not None else "nothing to tell Omnitron"
    if not accepted:
        await desk.record(Change(record, _failed(context, record, record.error), {}, told, took))
        return
    await _accepted_is_told(desk, record, told, took)


def _failed(context: Context, record: Record, error: str) -> Record:
    home = "" if record.settled else record.step  # a person's no is no run's failure
    return failed(context, record, home, error, failures=record.failures)


async def _is_booked_earlier(context: Context, record: Record) -> bool:
    """Say whether what Omnitron would hear denies a booking that stands: only its redo was refused."""
    events = await asyncio.to_thread(context.ledger.queries.events, record.flow, record.uuid)
    return is_booked_earlier(record, events)


async def _accepted_is_told(desk: Desk, record: Record, told: str, took: float) -> None:
    following = next_step(desk.context.flow, STEP)
    written = record.moved(State.WRITTEN_BACK, step=following)
    changes = [Change(record, written, {}, told, took)]
    if not following:
        changes.append(Change(written, written.moved(State.DONE), {}, "done"))
    await desk.record(*changes)


def _not_told(record: Record, error: OrderCancellationError, *, accepted: bool) -> Record:
    """Return a request whose outcome Omnitron does not know yet; what Omnitron will never take is parked."""
    text = safe_text(f"Omnitron could not be told: {error}", record)
    if not accepted:
        text = f"{record.error}; {text}"
    changes: dict[str, Any] = {"error": text, "tries": record.tries + 1}
    if isinstance(error, ConfigurationError) or (isinstance(error, Refused) and error.status in _FINAL):
        return record.moved(State.PARKED, parked_from=record.state, step=STEP, **changes)
    return record.moved(
        record.state, hopeful=recovery_of(error).repeat or not isinstance(error, Refused), **changes
    )


async def tell(context: Context, record: Record, write_back: WriteBack) -> None:
    """Tell Omnitron one outcome.

    Args:
        context: Omnitron is used, to be told.
        record: The request.
        write_back: What the flow says is told.

    Raises:
        OrderCancellationError: Omnitron could not be told, or what it is told can't be filled in.
    """
    omnitron = context.omnitron_to_tell()
    assert record.id is not None, "Omnitron lists no request without a number"
    if write_back.status is not None:
        await omnitron.set_status(_channel(record), record.id, write_back.status)
    elif write_back.action is not None:
        await omnitron.reject(record.id)
    elif write_back.tag is not None:
        await omnitron.add_tag(record.id, write_back.tag)
    elif write_back.request is not None:
        await _tell_freely(context, omnitron, record, write_back.request)


def _channel(record: Record) -> int:
    if record.channel is None:
        raise ConfigurationError(
            "the request has no channel.pk, and a status is written through its channel: "
            "use action, tag or request in write_to_omnitron"
        )
    return record.channel


async def _tell_freely(context: Context, omnitron: Omnitron, record: Record, own: OmnitronRequest) -> None:
    path, body = request_of(context, record, own)
    await omnitron.free(own.method, path, body)


def request_of(context: Context, record: Record, own: OmnitronRequest) -> tuple[str, Any]:
    """Fill in the templates of a request of the flow's own.

    Returns:
        The path, and the body with every text in it rendered.

    Raises:
        ConfigurationError: A template names what is not there.
    """
    values = {
        "request": record.payloads["request"],
        "attributes": attributes_of(context, record),
        "body": body_of(context.flow, record) if _has_body(context, record) else None,
    }

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return template(value, "write_to_omnitron.request.body").render(**values)
        if isinstance(value, list | tuple):
            return [fill(item) for item in value]
        if isinstance(value, Mapping):
            return {key: fill(item) for key, item in value.items()}
        return value

    path = template(own.path, "write_to_omnitron.request.path").render_url(**values)
    return path, fill(own.body)


def _has_body(context: Context, record: Record) -> bool:
    return context.flow.mapping is None or "mapping" in record.payloads
