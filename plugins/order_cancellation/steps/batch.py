"""A step's way through a batch: every request that waits for it is worked on, then it is said how all stand.

Requests are worked on side by side, and what goes wrong with one stops none of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

from order_cancellation.errors import LeaseLost, LedgerUnavailable
from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.behind import handled_by, report_on
from order_cancellation.steps.context import Context
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.outcomes import set_aside
from order_cancellation.steps.report import StepReport

__all__ = ["Handle", "work_on_batch"]

Handle = Callable[[Desk, Record], Awaitable[None]]
"""Works on one request, and records what became of it."""


async def work_on_batch(
    context: Context,
    batch: int,
    step: str,
    handle: Handle,
    *,
    states: Sequence[State],
    kinds: Iterable[str],
    in_flight: int,
    any_step: Sequence[State] = (),
) -> StepReport:
    """Let ``handle`` work on every request of a batch that a step can take on.

    Args:
        context: The step's ports.
        batch: The batch's number.
        step: The step's name; what waits for one before it that the flow does not have is taken on, too.
        handle: Works on one request.
        states: Requests in one of these states are taken,
        kinds: with these payloads.
        in_flight: How many are worked on at the same time.
        any_step: States that are taken whatever step the request waits at.

    Raises:
        LedgerUnavailable: The ledger failed; what was under way has come to its end, nothing new was begun.
    """
    steps = handled_by(context.flow, step)
    async with Desk(context, step, batch) as desk:
        await desk.wait_for_others(steps=steps, states=states)
        crew = _Crew(desk, handle)
        async for records in desk.chunks(steps=steps, states=states, any_step=any_step, kinds=kinds):
            await crew.work_on(records, in_flight)
    return await report_on(context, batch, step, crew.taken)


class _Crew:
    """Works on requests side by side; stops taking new ones when the ledger fails."""

    def __init__(self, desk: Desk, handle: Handle) -> None:
        self._desk = desk
        self._handle = handle
        self._failure: LedgerUnavailable | None = None
        self.taken = 0

    async def work_on(self, records: list[Record], in_flight: int) -> None:
        queue = iter(records)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(in_flight, len(records))):
                group.create_task(self._work(queue))
        if self._failure is not None:
            raise self._failure

    async def _work(self, queue: Iterable[Record]) -> None:
        for record in queue:
            if self._failure is not None:
                return
            self.taken += 1
            try:
                await self._handled(record)
            except LeaseLost as error:
                self._desk.context.log.warning("%s", error)
            except LedgerUnavailable as error:
                self._failure = error

    async def _handled(self, record: Record) -> None:
        """Work on one request; whatever goes wrong with it stops none of the others in flight."""
        desk = self._desk
        try:
            with desk.handling():
                await self._handle(desk, record)
        except LedgerUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 (told as this request's own error, with its class and place)
            standing = desk.standing(record)
            await desk.record(Change(standing, set_aside(desk.context, standing, error)))
        finally:
            desk.standing(record)
