"""Which requests of a batch are not past a step: what makes a task red, and what the report lists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from order_cancellation.flow.model import STEPS, Flow
from order_cancellation.ledger import Record, State
from order_cancellation.steps.context import Context
from order_cancellation.steps.report import Behind, StepReport

__all__ = ["behind", "handled_by", "next_step", "report_on"]

_WAITS = {
    State.FETCHED: "not prepared yet",
    State.PREPARED: "not sent yet",
    State.SENDING: "it is being sent, or a worker died while it was",
    State.ANSWERED: "the answer is not judged yet",
    State.ACCEPTED: "Omnitron is not told yet",
    State.REFUSED: "the ERP said no",
    State.WRITTEN_BACK: "the post script has not run yet",
    State.IN_DOUBT: "the ERP may have booked it, or not",
}

_HEIRS = {"custom_response": "write_to_erp", "post_script": "write_to_omnitron"}
"""Which earlier step takes on what waits at a step that the flow no longer has."""


def next_step(flow: Flow, step: str) -> str:
    """Return the flow's next step after one, or the empty text after the last."""
    later = STEPS[STEPS.index(step) + 1 :]
    return next((name for name in later if name in flow.steps), "")


def handled_by(flow: Flow, step: str) -> tuple[str, ...]:
    """Return the steps whose waiting requests a step takes on.

    Its own; and those right before it that the flow does not (any longer) have: a person may have taken the
    mapping out of a flow while requests waited for it. What waits for a judgement, or for nothing but its
    post script, is taken on by an earlier step then: no later one could.
    """
    names = [step]
    for name in reversed(STEPS[: STEPS.index(step)]):
        if name in flow.steps:
            break
        if name not in _HEIRS:
            names.append(name)
    names += [name for name, heir in _HEIRS.items() if heir == step and name not in flow.steps]
    return tuple(names)


def behind(record: Record, step: str, handled: Sequence[str]) -> Behind:
    """Return the line that says why a request is not past a step."""
    here = record.step in handled
    lost = here and not record.error and record.state not in (State.FAILED, State.PARKED, State.REFUSED)
    return Behind(
        id=record.id,
        uuid=record.uuid,
        state=record.state,
        step=record.step,
        error=record.error or _WAITS.get(record.state, "no reason is known"),
        hopeful=here and (record.hopeful or lost) and step != "",
    )


async def report_on(context: Context, batch: int, step: str, taken: int) -> StepReport:
    """Say how a batch stands at a step, from the ledger alone."""
    runs, flow = context.ledger.runs, context.flow
    handled = handled_by(flow, step)
    not_past = {*STEPS[: STEPS.index(step) + 1], *handled}
    waiting = await asyncio.to_thread(runs.unfinished, flow.id, context.run_id, batch, steps=sorted(not_past))
    counts = await asyncio.to_thread(runs.counts, flow.id, context.run_id, batch)
    return StepReport(
        step=step,
        batch=batch,
        taken=taken,
        passed=sum(counts.values()) - len(waiting),
        behind=tuple(behind(record, step, handled) for record in waiting),
    )
