"""Write Data to ERP step: each prepared request is sent, once.

Takes what is ``prepared``, what a dead worker left as ``sending``, and what is ``in_doubt``. With a response
script in the flow a request leaves as ``answered``; without one the default rule judges here, also what was
answered when the flow still had a script.
"""

from __future__ import annotations

from typing import Any

from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.batch import work_on_batch
from order_cancellation.steps.context import Context
from order_cancellation.steps.deliver import deliver
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.judge import Relation, StoredAnswer, default_relation
from order_cancellation.steps.relation import bring_to_end
from order_cancellation.steps.report import StepReport
from order_cancellation.steps.settle import settle

__all__ = ["KINDS", "STEP", "in_flight", "run"]

STEP = "write_to_erp"
KINDS = ("request", "script", "mapping", "attributes", "sent", "answer")
STATES = (State.PREPARED, State.SENDING, State.IN_DOUBT, State.ANSWERED)


def in_flight(context: Context) -> int:
    """Return how many requests are worked on at once: more than slots, so that none waits for a pause."""
    return 2 * context.flow.write_to_erp.concurrency + 16


async def run(batch: int, context: Context) -> StepReport:
    """Send every request of a batch that waits for it, and settle what is in doubt.

    Args:
        batch: The batch's number.
        context: Ledger and ERP are used; Omnitron too where the flow checks the status before sending.

    Raises:
        LedgerUnavailable: The ledger failed; nothing more was sent.
    """
    judged_here = "custom_response" not in context.flow.steps
    return await work_on_batch(
        context,
        batch,
        STEP,
        _judge_by_rule if judged_here else _send_one,
        states=STATES,
        kinds=KINDS,
        in_flight=in_flight(context),
    )


async def _send_one(desk: Desk, record: Record) -> None:
    if record.state == State.ANSWERED:  # before the flow had a response script
        await desk.record(Change(record, record.moved(State.ANSWERED, step="custom_response")))
    if record.state == State.PREPARED:
        record = await deliver(desk, record)
    if record.state in (State.SENDING, State.IN_DOUBT):
        await settle(desk, record)


async def _judge_by_rule(desk: Desk, record: Record) -> None:
    await bring_to_end(desk, record, _by_rule)


async def _by_rule(_desk: Desk, _record: Record, answer: StoredAnswer) -> tuple[Relation, dict[str, Any]]:
    return default_relation(answer), {}
