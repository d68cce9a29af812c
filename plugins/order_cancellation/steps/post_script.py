"""Post Script step: the user's script runs after Omnitron was told, for whatever else is to be done.

Takes what is ``written_back``; its output is not used. A script that fails leaves the request where it is,
and is run again by the next poll or a cleared task: nothing is sent to the ERP again.
"""

from __future__ import annotations

from functools import partial

from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.attributes import attributes_of, safe_text, told
from order_cancellation.steps.batch import work_on_batch
from order_cancellation.steps.context import Context, Pool
from order_cancellation.steps.custom_response import exchange_text
from order_cancellation.steps.deliver import answer_of
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.judge import StoredAnswer
from order_cancellation.steps.report import StepReport

__all__ = ["STEP", "run"]

STEP = "post_script"
IN_FLIGHT = 32


async def run(batch: int, context: Context) -> StepReport:
    """Run the post script for every request of a batch that waits for it.

    Args:
        batch: The batch's number.
        context: Ledger and scripts are used.

    Raises:
        LedgerUnavailable: The ledger failed.
    """
    settings = context.flow.post_script
    assert settings is not None, "the task exists only where the flow has the step"
    async with context.open_script(settings, STEP) as pool:
        return await work_on_batch(
            context,
            batch,
            STEP,
            partial(_run_one, pool),
            states=(State.WRITTEN_BACK,),
            kinds=("request", "script", "mapping", "attributes", "sent", "answer"),
            in_flight=IN_FLIGHT,
        )


async def _run_one(pool: Pool, desk: Desk, record: Record) -> None:
    context = desk.context
    desk.check_lease()
    begun = context.clock.monotonic()
    # a look-up or a person may have accepted a request of which no answer ever came
    answer = answer_of(record) if "answer" in record.payloads else StoredAnswer(status=None)
    given = attributes_of(context, record, answer.attributes)
    outcome = await pool.run(exchange_text(record, answer), given)
    desk.say(told(STEP, record, outcome, given))
    if outcome.error is None:
        new = record.moved(State.DONE, step="")
    else:
        new = record.moved(State.WRITTEN_BACK, error=safe_text(outcome.error, record), tries=record.tries + 1)
    took = (context.clock.monotonic() - begun) * 1000
    await desk.record(
        Change(
            record, new, {"attributes": dict(outcome.attributes)}, new.error or "post script through", took
        )
    )
