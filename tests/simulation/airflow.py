"""What Airflow does around the engine: tasks as processes, retries, clearing; and what people do.

Each task's execution is a worker of its own. A killed one is noticed after a while and tried again where
retries are left; one that only seems dead goes on beside its successor.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING, Any

from order_cancellation.erp import Erp
from order_cancellation.errors import ConfigurationError, OrderCancellationError, recovery_of
from order_cancellation.http.breaker import Breaker
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.limits import Limits
from order_cancellation.http.session import Session
from order_cancellation.http.traffic import Watch
from order_cancellation.omnitron import Omnitron
from order_cancellation.service import runs
from order_cancellation.service.runs import Run, RunParams
from order_cancellation.steps import get_data as get_data_step
from order_cancellation.steps import login, summary
from order_cancellation.steps.behind import handled_by
from order_cancellation.steps.context import Context
from simulation.judge import LINE
from simulation.loop import CURRENT
from simulation.remote import PASSWORD, Wire
from simulation.scripts import scripts_of
from simulation.worker import Worker

if TYPE_CHECKING:
    from simulation.world import World

__all__ = ["Airflow"]

GONE = object()
"""The outcome of a process that was killed, or is thought to be dead."""

ERP_OPTIONS = {
    "none": {},
    "jwt": {"login_url": "/login"},
    "oauth2": {"oauth_url": "/oauth/login", "grant_type": "client_credentials", "client_id": "us",
               "client_secret": PASSWORD},
}  # fmt: skip


@dataclass(frozen=True)
class Red:
    """A task that ended red for good."""

    batch: int
    step: str


class Airflow:
    """Runs flows in the simulated world.

    Args:
        world: Where.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self.alive: dict[asyncio.Task[Any], None] = {}
        self._executions = 0

    async def run(self, run_id: str) -> list[Red]:
        """Do a whole run, and return its red tasks."""
        if not await self._task(run_id, "login", lambda worker: self._log_in(worker, run_id)):
            return []
        batches = await self._task(run_id, "get_data", lambda worker: self._get_data(worker, run_id))
        if batches is None:
            return []
        found = await asyncio.gather(*(self._batch(run_id, batch) for batch in batches))
        self._report(run_id)
        return [red for one in found for red in one]

    async def clear(self, run_id: str, reds: list[Red]) -> list[Red]:
        """Do the red tasks again, as *Clear, only failed* does."""
        return [red for red in reds if not await self._step(run_id, red.batch, red.step)]

    async def quiet(self) -> None:
        """Wait until no process is left."""
        while self.alive:
            await asyncio.wait(list(self.alive))

    async def _batch(self, run_id: str, batch: int) -> list[Red]:
        steps = self.world.scenario.steps
        return [
            Red(batch, step)
            for step in steps
            if step in runs.STEPS and not await self._step(run_id, batch, step)
        ]

    async def _step(self, run_id: str, batch: int, step: str) -> bool:
        def noted() -> None:
            self.world.ledger.runs.note_red(self.world.flow.id, run_id, batch, step)

        done = await self._task(
            run_id, f"{step}[{batch}]", lambda worker: self._do_step(worker, run_id, batch, step), noted
        )
        return done is not None

    async def _task(
        self,
        run_id: str,
        name: str,
        work: Callable[[Worker], Awaitable[Any]],
        note_red: Callable[[], None] = lambda: None,
    ) -> Any:
        """Run a task with its retries; return its result, or None where it ended red."""
        delivery, random = self.world.flow.delivery, self.world.random
        for retries_left in range(delivery.task_retries, -1, -1):
            outcome = await self._process(f"{run_id}/{name}", work)
            if outcome is GONE:
                await asyncio.sleep(random.uniform(0.5, 2.0) * self.world.scenario.lease_s)
                continue
            if not isinstance(outcome, _Unfinished):
                return outcome
            if not (outcome.hopeful and retries_left):
                self._note(note_red)
                return None
            await asyncio.sleep(delivery.task_retry_delay.total_seconds())
        return None

    def _note(self, note_red: Callable[[], None]) -> None:
        if not self.world.faults.strikes("ledger"):
            note_red()

    async def _process(self, name: str, work: Callable[[Worker], Awaitable[Any]]) -> Any:
        """Run something as a process of its own."""
        world = self.world
        self._executions += 1
        worker = Worker(world, f"{name}#{self._executions}")
        world.tell(worker, "starts")
        context = copy_context()
        context.run(CURRENT.set, worker)
        task = world.loop.create_task(_coroutine(work, worker), context=context)
        self.alive[task] = None
        task.add_done_callback(lambda done: self.alive.pop(done, None))
        if await self._seems_dead(worker, task):
            world.tell(worker, "is thought to be dead")
            return GONE
        return self._outcome(worker, task)

    async def _seems_dead(self, worker: Worker, task: asyncio.Task[Any]) -> bool:
        """Watch a process until it ends; a frozen one gives no sign of life, and some others are wronged."""
        world, lease_s = self.world, self.world.scenario.lease_s
        wronged_after = world.random.uniform(0.0, 0.5) if world.faults.strikes("presumed_dead") else None
        patience = world.random.choice([0.1, 0.5, 1.2]) * lease_s
        while not task.done():
            await asyncio.wait([task], timeout=wronged_after or patience)
            if wronged_after is not None or worker.frozen_until > world.loop.time():
                return not task.done()
        return False

    def _outcome(self, worker: Worker, task: asyncio.Task[Any]) -> Any:
        if worker.dead:
            task.cancelled() or task.exception()
            return GONE
        error = task.exception()
        if error is None:
            self.world.tell(worker, "ends")
            return task.result()
        self.world.judge.for_people(str(error))
        self.world.tell(worker, f"ends red: {type(error).__name__}: {error}")
        if isinstance(error, _Unfinished):
            return error
        if not isinstance(error, OrderCancellationError):
            self.world.judge.broken(f"{worker.name} raised {error!r}")
            self.world.unexpected.append(error)
            return _Unfinished(str(error), hopeful=True)
        return _Unfinished(str(error), hopeful=recovery_of(error).repeat)

    # the tasks

    async def _log_in(self, worker: Worker, run_id: str) -> bool:
        context = self._context(worker, run_id)
        await login.run({"omnitron": context.the_omnitron(), "erp": context.the_erp()})
        return True

    async def _get_data(self, worker: Worker, run_id: str) -> list[int]:
        flow, ledger = self.world.flow, self.world.ledger
        worker.call_ledger(lambda: ledger.runs.start(flow.id, run_id, "r1", dry_run=False))
        return await get_data_step.run(self._context(worker, run_id), RunParams(), None)

    async def _do_step(self, worker: Worker, run_id: str, batch: int, step: str) -> bool:
        flow, ledger = self.world.flow, self.world.ledger
        if worker.call_ledger(lambda: ledger.runs.batch(flow.id, run_id, batch)) is None:
            raise ConfigurationError(f"run {run_id} has no batch {batch}")
        following = flow.steps[flow.steps.index(step) + 1 :]
        cleared = worker.call_ledger(lambda: ledger.runs.take_note(flow.id, run_id, batch, step, following))
        if cleared:
            self.world.tell(worker, "runs by a person's act")
            worker.call_ledger(lambda: ledger.intake.lift(flow.id, run_id, batch, handled_by(flow, step)))
        share = worker.call_ledger(lambda: runs._share(ledger, Run(flow.id, run_id), flow, batch))
        context = replace(self._context(worker, run_id, share), cleared=cleared)
        report = await runs.STEPS[step](batch, context)
        for behind in report.behind:
            self.world.judge.for_people(str(behind))
        if not report.green:
            raise _Unfinished(str(report.behind[0]), hopeful=report.hopeful)
        return True

    def _report(self, run_id: str) -> None:
        report = summary.run(self.world.ledger, self.world.flow.id, run_id)
        for line in (*report.lines, *report.problems, *map(str, report.behind)):
            self.world.judge.for_people(line)

    def _context(self, worker: Worker, run_id: str, share: tuple[int, float | None] = (1, None)) -> Context:
        world = self.world
        random = Random(world.random.getrandbits(64))

        def session(name: str, server: Any, kind: str, options: dict[str, Any]) -> Session:
            endpoint = Endpoint(name, f"http://{server.name}.test", kind, "us", PASSWORD, options)
            made = Session(endpoint, Wire(worker, server), world.ledger.tokens, worker, random)
            made._key = f"{name}:simulated"  # the real one costs ten milliseconds of digesting each time
            return made

        login_kind = world.scenario.erp_login
        watch = Watch(world.ledger.traffic, LINE, worker)
        breaker = Breaker("The ERP", worker, watch, owner=worker.name, threshold=world.scenario.breaker_after)
        erp_session = session("erp_default", world.erp, login_kind, ERP_OPTIONS[login_kind])
        return Context(
            loaded=world.scenario.loaded,
            run_id=run_id,
            ledger=world.ledger,
            clock=worker,
            random=random,
            worker=worker.name,
            scripts=scripts_of(worker),
            omnitron=Omnitron(session("omnitron_default", world.omnitron, "omnitron", {}), worker, random),
            erp=Erp(erp_session, Limits(*share, worker, watch), breaker),
            point=worker.point,
            log=world.log,
        )


class _Unfinished(Exception):
    """A task that did its work, and is red."""

    def __init__(self, message: str, *, hopeful: bool) -> None:
        self.hopeful = hopeful
        super().__init__(message)


async def _coroutine(work: Callable[[Worker], Awaitable[Any]], worker: Worker) -> Any:
    worker.fate("start")
    return await work(worker)
