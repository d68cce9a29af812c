"""Script step: the user's Python changes each cancellation request before the mapping.

Takes requests that are ``fetched`` and wait here; each leaves with the script's output and attributes, or as
``failed`` with the script's error. One request's script never touches another request.
"""

from __future__ import annotations

import json
from functools import partial

from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.attributes import attributes_of, safe_text, told
from order_cancellation.steps.batch import work_on_batch
from order_cancellation.steps.behind import next_step
from order_cancellation.steps.context import Context, Pool
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.outcomes import failed
from order_cancellation.steps.report import StepReport

__all__ = ["STEP", "run"]

STEP = "script"
IN_FLIGHT = 32


async def run(batch: int, context: Context) -> StepReport:
    """Run the script for every request of a batch that waits for it.

    Args:
        batch: The batch's number.
        context: Ledger and scripts are used.

    Raises:
        ConfigurationError: The flow has no script, or scripts can't run here.
        LedgerUnavailable: The ledger failed.
    """
    settings = context.flow.script
    assert settings is not None, "the task exists only where the flow has the step"
    async with context.open_script(settings, STEP) as pool:
        return await work_on_batch(
            context,
            batch,
            STEP,
            partial(_run_one, pool),
            states=(State.FETCHED,),
            kinds=("request", "attributes"),
            in_flight=IN_FLIGHT,
        )


async def _run_one(pool: Pool, desk: Desk, record: Record) -> None:
    context = desk.context
    begun = context.clock.monotonic()
    given = attributes_of(context, record)
    outcome = await pool.run(json.dumps(record.payloads["request"], ensure_ascii=False), given)
    desk.say(told(STEP, record, outcome, given))
    kept: dict[str, object] = {}
    if outcome.error is not None:
        new = failed(context, record, STEP, safe_text(outcome.error, record))
    else:
        following = next_step(context.flow, STEP)
        state = State.FETCHED if following == "mapping" else State.PREPARED
        new = record.moved(state, step=following)
        kept["attributes"] = dict(outcome.attributes)
        if outcome.result_data is not None:
            kept["script"] = outcome.result_data
    took = (context.clock.monotonic() - begun) * 1000
    await desk.record(Change(record, new, kept, note=new.error or "script through", duration_ms=took))
