"""From an answer to its consequence: judging, the one repeat after ``auth_fail``, and what is written down.

Used by ``custom_response`` with the user's script, and by ``write_to_erp`` with the default rule in flows
that have no script.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from order_cancellation.errors import (
    ConfigurationError,
    InDoubt,
    NotSent,
    OrderCancellationError,
    Refused,
    ScriptFailed,
    UnreadableAnswer,
)
from order_cancellation.http.masking import excerpt, secret_headers
from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.attributes import safe_text
from order_cancellation.steps.calls import decides_unknown, digest_of, has_exit, stored_call
from order_cancellation.steps.context import Context
from order_cancellation.steps.deliver import answer_of, deliver, put_back_if_asked_to_wait
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.judge import Relation, StoredAnswer
from order_cancellation.steps.outcomes import failed
from order_cancellation.steps.settle import settle

__all__ = ["Judge", "bring_to_end"]

Judge = Callable[[Desk, Record, StoredAnswer], Awaitable[tuple[Relation, dict[str, Any]]]]
"""Says what an answer means, with the payloads to keep.

It raises ``ScriptFailed`` where somebody has to put the script right first, and ``InDoubt`` where the answer
says nothing either way.
"""


async def bring_to_end(desk: Desk, record: Record, judge: Judge) -> Record:
    """Take a request from wherever delivery left it to its judgement.

    Args:
        desk: Where the step works.
        record: ``prepared``, ``sending``, ``in_doubt`` or ``answered``.
        judge: Who judges.

    Returns:
        The request as it stands then. At most one repeat is made here, after one ``auth_fail``; and one for
        what a person cleared, where its answer is still a no.
    """
    settled = False
    cleared = desk.context.cleared and record.state == State.ANSWERED and record.relation == Relation.FAILURE
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
            case State.REFUSED if cleared:
                cleared = False
                again = record.moved(State.PREPARED, relation="", auth_fails=0, failures=record.failures - 1)
                record = await desk.record(Change(record, again, note="still a no: sent again, as cleared"))
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
    except InDoubt as error:
        unknown = _in_doubt(desk.context, record, f"{_told(desk.context, answer, record)}, {error}", "")
        return await desk.record(Change(record, unknown))
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

    It may hold it until there is an outcome, whatever it answers in between: a 409, for one, most likely
    means that it does.

    Without any answer ``do_nothing`` decides nothing, nor does it on one that proves nothing unless the
    flow's owner said that the script decides: postponed, the request would be sent again.
    """
    if answer.status is None or (answer.proves_nothing and not decides_unknown(context.flow)):
        told = (
            f"{_told(context, answer, record)}, and the script's do_nothing does not say whether it is booked"
        )
        return _in_doubt(context, record, told, relation)
    pending = record.pending or answer.is_success or answer.proves_nothing
    if pending or record.doubt:
        # there is none where a person cleared a refusal
        digest = record.body_digest or digest_of(stored_call(record))
        return record.moved(State.POSTPONED, step="", relation=relation, pending=pending, body_digest=digest)
    return record.moved(
        State.POSTPONED, step="", relation=relation, key_number=record.key_number + 1, body_digest=None
    )


def _refused(context: Context, record: Record, answer: StoredAnswer, relation: Relation) -> Record:
    told = _told(context, answer, record)
    conflict = record.doubt and answer.status == HTTPStatus.CONFLICT
    still_in_doubt = not answer.refuses_what_it_read and (
        record.doubt or (record.pending and not answer.is_success)
    )
    if (answer.proves_nothing or still_in_doubt) and not decides_unknown(context.flow):
        # that a repeat is refused says of the first send only what the ERP itself says: a conflict, for one,
        # most likely means that it was booked; what it took for later, it may itself call failed with a 2xx
        back = _in_doubt(context, record, told, relation)
        settled_by_nobody = conflict and context.flow.write_to_erp.look_up is None
        return replace(back, hopeful=back.hopeful and not settled_by_nobody)
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
    """One new login, one repeat; the second time it is a failure.

    What proves nothing may hide a booking in spite of what the script calls it, so the repeat is the
    look-up's or the key's business, as after ``failure``.
    """
    context = desk.context
    doubtful = answer.proves_nothing and not decides_unknown(context.flow)
    if record.auth_fails > 0:
        text = "auth_fail for the second time: the ERP does not accept a fresh login either"
        if record.doubt or doubtful:
            back = _in_doubt(context, record, text, Relation.AUTH_FAIL)
        else:
            digest = record.body_digest if record.pending else None
            relation = {"relation": Relation.AUTH_FAIL, "body_digest": digest}
            back = failed(context, record, record.step, text, **relation)
        return await desk.record(Change(record, back, kept))
    problem, hopeful = await _logged_in_anew(context, record, answer)
    if doubtful:
        back = _in_doubt(context, record, problem or _told(context, answer, record), Relation.AUTH_FAIL)
    else:
        back = replace(_to_be_sent(context, record, answer, problem), hopeful=hopeful)
    back = replace(back, auth_fails=record.auth_fails + (not problem))
    return await desk.record(Change(record, back, kept, "auth_fail: " + (problem or "logged in anew")))


async def _logged_in_anew(context: Context, record: Record, answer: StoredAnswer) -> tuple[str, bool]:
    """Log in again; return why that failed, or an empty text, and whether trying once more may help."""
    try:
        await context.the_erp().renew_login(answer.token_generation)
    except (NotSent, Refused, UnreadableAnswer) as problem:
        return safe_text(str(problem), record), True
    except OrderCancellationError as problem:
        return safe_text(str(problem), record), False
    return "", False


def _to_be_sent(context: Context, record: Record, answer: StoredAnswer, problem: str) -> Record:
    """Return a request whose send was turned away at the door; an earlier one may still be in doubt.

    Where that doubt has no exit, only a person's redo can have sent it again, and that word still stands.
    """
    changes: dict[str, Any] = {"relation": Relation.AUTH_FAIL, "error": problem}
    if record.doubt and has_exit(context.flow, record):
        return record.moved(State.IN_DOUBT, **changes)
    if not (record.doubt or record.pending or answer.proves_nothing):
        changes["body_digest"] = None
    return record.moved(State.PREPARED, **changes)


def _in_doubt(context: Context, record: Record, why: str, relation: str) -> Record:
    return record.moved(
        State.IN_DOUBT,
        tries=record.tries + 1,
        relation=relation,
        doubt=True,
        error=f"in doubt: {why}",
        hopeful=has_exit(context.flow, record),
    )


def _told(context: Context, answer: StoredAnswer, record: Record) -> str:
    if answer.status is None:
        return "no answer came"
    try:
        headers = record.payloads.get("sent", {}).get("headers", {})
        request = record.payloads.get("request")
    except ConfigurationError as error:  # where it can't be decrypted, nobody knows what to take out
        return f"the ERP answered {answer.status}; {error}"
    words = excerpt(answer, secrets=[*context.the_erp().secrets, *secret_headers(headers)], about=request)
    return f"the ERP answered {answer.status}: {words}"
