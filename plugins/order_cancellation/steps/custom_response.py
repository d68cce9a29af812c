"""Custom Response Script step: the user's script says what each answer of the ERP means.

Takes what is ``answered``. The repeat is this step's, too: after ``auth_fail``, and for refused requests when
a person cleared the failed task, it delivers by the same function as ``write_to_erp``.
"""

from __future__ import annotations

import json
from functools import partial
from typing import Any

from order_cancellation.ledger import Record, State
from order_cancellation.steps.attributes import attributes_of, told
from order_cancellation.steps.batch import work_on_batch
from order_cancellation.steps.context import Context, Pool
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.judge import Relation, StoredAnswer, relation_of
from order_cancellation.steps.mapping import script_output
from order_cancellation.steps.relation import bring_to_end
from order_cancellation.steps.report import StepReport
from order_cancellation.steps.write_to_erp import KINDS, in_flight

__all__ = ["STEP", "exchange_text", "run"]

STEP = "custom_response"
STATES = (State.ANSWERED, State.PREPARED, State.SENDING, State.IN_DOUBT)
_A_PAGE = (
    "the ERP answered with a web page, and the script says continue. If nobody has booked it, the script "
    "should look at the answer's text, too"
)


async def run(batch: int, context: Context) -> StepReport:
    """Judge every answer of a batch that waits for it.

    Args:
        batch: The batch's number.
        context: Ledger and scripts are used; the ERP for repeats.

    Raises:
        LedgerUnavailable: The ledger failed.
    """
    settings = context.flow.custom_response
    assert settings is not None, "the task exists only where the flow has the step"
    async with context.open_script(settings, STEP) as pool:
        return await work_on_batch(
            context,
            batch,
            STEP,
            partial(_judge_one, pool),
            states=STATES,
            kinds=KINDS,
            in_flight=in_flight(context),
        )


async def _judge_one(pool: Pool, desk: Desk, record: Record) -> None:
    await bring_to_end(desk, record, partial(_by_script, pool))


def exchange_text(record: Record, answer: StoredAnswer) -> str:
    """Return what the response script and the post script read: what was sent, and what came back."""
    response_data = None if answer.status is None else answer.data
    return json.dumps(
        {"request_data": _sent_data(record), "response_data": response_data}, ensure_ascii=False
    )


def _sent_data(record: Record) -> Any:
    """Return what was sent; for GET, and for what a person accepted unsent, what was prepared."""
    body = record.payloads.get("sent", {}).get("body")
    if body is None:
        return record.payloads.get("mapping", script_output(record))
    return json.loads(body)


async def _by_script(
    pool: Pool, desk: Desk, record: Record, answer: StoredAnswer
) -> tuple[Relation, dict[str, Any]]:
    given = attributes_of(desk.context, record, answer.attributes)
    given.pop("relation", None)
    outcome = await pool.run(exchange_text(record, answer), given)
    desk.say(told(STEP, record, outcome, given))
    relation = relation_of(outcome)
    if relation is Relation.CONTINUE and answer.is_web_page:
        desk.say([("warning", f"Request {record.id}, {STEP}: {_A_PAGE}")])
    return relation, {"attributes": dict(outcome.attributes)}
