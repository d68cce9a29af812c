"""From an answer to its consequence: judging, the one repeat after ``auth_fail``, and what is written down.

Used by ``custom_response`` with the user's script, and by ``write_to_erp`` with the default rule in flows
that have no script.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from order_cancellation.errors import NotSent, OrderCancellationError, Refused, ScriptFailed, UnreadableAnswer
from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.attributes import safe_text
from order_cancellation.steps.context import Context
from order_cancellation.steps.deliver import (
    answer_of,
    deliver,
    has_exit,
    put_back_if_asked_to_wait,
    settle,
)
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.judge import Relation, StoredAnswer
from order_cancellation.steps.outcomes import failed

__all__ = ["Judge", "bring_to_end"]

Judge = Callable[[Desk, Record, StoredAnswer], Awaitable[tuple[Relation, dict[str, Any]]]]
"""Says what an answer means, with the payloads to keep; raises ``ScriptFailed`` where nobody can say."""

EXCERPT_CHARS = 300


async def bring_to_end(desk: Desk, record: Record, judge: Judge) -> Record:
    """Take a request from wherever delivery left it to its judgement.

    Args:
        desk: Where the step works.
        record: ``prepared``, ``sending``, ``in_doubt`` or ``answered``.
        judge: Who judges.

    Returns:
        The request as it stands then. At most one repeat is made here, after one ``auth_fail``.
    """
    settled = False
    if record.state == State.ANSWERED:  # the worker died between the answer and the waiting that it asks for
        record = await put_back_if_asked_to_wait(desk, record)
    while True:
        match record.state:
            case State.PREPARED:
                record = await deliver(desk, record)
                if record.state == State.PREPARED:
                    return record
            case State.SENDING | State.IN_DOUBT if not settled:
                settled = True
                record = await settle(desk, record)
                if record.state == State.IN_DOUBT:
                    return record
            case State.ANSWERED:
                record = await _judged(desk, record, judge)
                if record.state == State.ANSWERED or (record.state == State.PREPARED and record.error):
                    return record
                settled = settled and bool(record.error)  # after a new login doubt may be settled once more
            case _:
                return record


async def _judged(desk: Desk, record: Record, judge: Judge) -> Record:
    answer = answer_of(record)
    begun = desk.context.clock.monotonic()
    try:
        relation, kept = await judge(desk, record, answer)
    except ScriptFailed as error:
        text = safe_text(str(error), record)
        unjudged = record.moved(State.ANSWERED, tries=record.tries + 1, error=text)
        return await desk.record(Change(record, unjudged))
    if relation is Relation.AUTH_FAIL:
        return await _auth_fail(desk, record, answer, kept)
    new = _consequence(desk.context, record, answer, relation)
    took = (desk.context.clock.monotonic() - begun) * 1000
    note = f"judged: {relation}" + (f"; {new.error}" if new.error else "")
    desk.context.point("after_judgement")
    return await desk.record(Change(record, new, kept, note, took))


def _consequence(context: Context, record: Record, answer: StoredAnswer, relation: Relation) -> Record:
    match relation:
        case Relation.CONTINUE:
            return record.moved(State.ACCEPTED, step="write_to_omnitron", relation=relation, doubt=False)
        case Relation.DO_NOTHING:
            return _postponed(context, record, answer, relation)
        case _:
            return _refused(context, record, answer, relation)


def _postponed(context: Context, record: Record, answer: StoredAnswer, relation: Relation) -> Record:
    """Keep the key where the ERP may hold something under it: after a 2xx, and where nobody knows.

    Without any answer ``do_nothing`` decides nothing: postponed, the request would be sent again.
    """
    if answer.status is None:
        return record.moved(
            State.IN_DOUBT,
            tries=record.tries + 1,
            relation=relation,
            error="in doubt: no answer came, and the script's do_nothing does not say whether it is booked",
            hopeful=has_exit(context.flow, record),
        )
    if answer.is_success or answer.proves_nothing or record.doubt:
        return record.moved(State.POSTPONED, step="", relation=relation)
    return record.moved(
        State.POSTPONED, step="", relation=relation, key_number=record.key_number + 1, body_digest=None
    )


def _refused(context: Context, record: Record, answer: StoredAnswer, relation: Relation) -> Record:
    told = (
        "no answer came"
        if answer.status is None
        else f"the ERP answered {answer.status}: {_excerpt(answer, record)}"
    )
    response = context.flow.custom_response
    decided = response is not None and response.decides_unknown
    conflict = record.doubt and answer.status == HTTPStatus.CONFLICT
    still_in_doubt = record.doubt and not answer.refuses_what_it_read
    if (answer.proves_nothing or still_in_doubt) and not decided:
        # that a repeat is refused says of the first send only what the ERP itself says: a conflict, for one,
        # most likely means that it was booked
        return record.moved(
            State.IN_DOUBT,
            tries=record.tries + 1,
            relation=relation,
            doubt=True,
            error=f"in doubt: {told}",
            hopeful=has_exit(context.flow, record)
            and not (conflict and context.flow.write_to_erp.look_up is None),
        )
    return record.moved(
        State.REFUSED,
        relation=relation,
        failures=record.failures + 1,
        key_number=record.key_number + 1,
        body_digest=None,
        doubt=False,
        error=told,
    )


async def _auth_fail(desk: Desk, record: Record, answer: StoredAnswer, kept: dict[str, Any]) -> Record:
    """One new login, one repeat; the second time it is a failure."""
    context = desk.context
    if record.auth_fails > 0:
        text = "auth_fail for the second time: the ERP does not accept a fresh login either"
        if record.doubt:
            back = record.moved(State.IN_DOUBT, error=f"in doubt: {text}", relation=Relation.AUTH_FAIL)
        else:
            relation = {"relation": Relation.AUTH_FAIL, "body_digest": None}
            back = failed(context, record, record.step, text, **relation)
        return await desk.record(Change(record, back, kept))
    error, hopeful = "", False
    try:
        await context.the_erp().renew_login(answer.token_generation)
    except (NotSent, Refused, UnreadableAnswer) as problem:
        error, hopeful = safe_text(str(problem), record), True
    except OrderCancellationError as problem:
        error = safe_text(str(problem), record)
    state = State.IN_DOUBT if record.doubt else State.PREPARED
    changes: dict[str, Any] = {"relation": Relation.AUTH_FAIL, "error": error, "hopeful": hopeful}
    if not record.doubt:
        changes["body_digest"] = None
    counted = record.auth_fails + (not error)
    back = record.moved(state, auth_fails=counted, **changes)
    return await desk.record(Change(record, back, kept, "auth_fail: " + (error or "logged in anew")))


def _excerpt(answer: StoredAnswer, record: Record) -> str:
    line = " ".join(safe_text(answer.text, record).split())
    return (line[:EXCERPT_CHARS] + "…" if len(line) > EXCERPT_CHARS else line) or "(nothing)"
