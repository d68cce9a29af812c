"""A flow's run, as Airflow's tasks see it: one function per task, plain values in and out.

Each call opens what it needs and closes it again, since each task is a process of its own.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from random import Random

from order_cancellation.clock import SystemClock
from order_cancellation.erp import Erp
from order_cancellation.errors import ConfigurationError
from order_cancellation.flow.model import Flow, ScriptSettings
from order_cancellation.flow.store import FlowStore, LoadedFlow, open_files
from order_cancellation.http.breaker import Breaker
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.limits import Limits
from order_cancellation.http.session import Session
from order_cancellation.http.traffic import Watch
from order_cancellation.http.transport import AiohttpTransport
from order_cancellation.ledger import Ledger
from order_cancellation.omnitron import Omnitron, OmnitronReader
from order_cancellation.scripts import Protection, ScriptPool
from order_cancellation.service.flows import case_problems, load_checked
from order_cancellation.service.requests import open_ledger
from order_cancellation.service.settings import Settings
from order_cancellation.steps import (
    custom_response,
    login,
    mapping,
    post_script,
    rehearsal,
    script,
    summary,
    write_to_erp,
    write_to_omnitron,
)
from order_cancellation.steps import (
    get_data as get_data_step,
)
from order_cancellation.steps.behind import handled_by
from order_cancellation.steps.context import Context, Scripts
from order_cancellation.steps.get_data import RunParams
from order_cancellation.steps.report import RunReport, StepReport

__all__ = [
    "Connections",
    "Run",
    "RunParams",
    "batch_label",
    "get_data",
    "keep_house",
    "log_in",
    "newest_revision",
    "note_red",
    "open_ledger",
    "report",
    "run_step",
]

Connections = Callable[[str], Endpoint]
"""Finds a connection by its name."""

Step = Callable[[int, Context], Awaitable[StepReport]]

STEPS: dict[str, Step] = {
    module.STEP: module.run
    for module in (script, mapping, write_to_erp, custom_response, write_to_omnitron, post_script)
}
_TALK_TO_ERP = ("write_to_erp", "custom_response")
_LOG = logging.getLogger("order_cancellation.steps")


@dataclass(frozen=True)
class Run:
    """One run of a flow.

    Args:
        flow_id: The flow.
        run_id: Airflow's name of the run.
        params: What a person asked for.
        interval: A backfill's interval, or None for every other run.
    """

    flow_id: str
    run_id: str
    params: RunParams = field(default_factory=RunParams)
    interval: tuple[datetime, datetime] | None = None


async def log_in(settings: Settings, connections: Connections, run: Run) -> None:
    """Log in to Omnitron and the ERP (the document's Login step).

    Raises:
        FlowInvalid: The flow's folder holds no valid flow.
        LoginFailed: One of them did not let us in.
    """
    loaded = load_checked(FlowStore(settings.flows_folder), run.flow_id)
    with open_ledger(settings) as ledger:
        async with _opened(settings, connections, run, ledger, loaded, omnitron=True, erp=True) as context:
            doors: dict[str, login.Door] = {loaded.flow.get_data.connection: context.the_omnitron()}
            if not run.params.dry_run:
                doors[loaded.flow.write_to_erp.connection] = context.the_erp()
            await login.run(doors)


async def get_data(settings: Settings, connections: Connections, run: Run) -> list[int]:
    """Take up what this run works on, with the flow as it is now.

    Returns:
        The numbers of its batches.

    Raises:
        FlowInvalid: The flow's folder holds no valid flow.
        OrderCancellationError: Omnitron or the ledger could not be read.
    """
    loaded = load_checked(FlowStore(settings.flows_folder), run.flow_id)
    with open_ledger(settings) as ledger:
        ledger.runs.keep_revision(run.flow_id, loaded.revision, loaded.files)
        ledger.runs.start(run.flow_id, run.run_id, loaded.revision, dry_run=run.params.dry_run)
        for problem in case_problems(loaded):
            _LOG.warning("%s", problem)
        take_up = rehearsal.get_data if run.params.dry_run else get_data_step.run
        former = _former_flows(settings, ledger)
        async with _opened(
            settings, connections, run, ledger, loaded, omnitron=True, former=former
        ) as context:
            return await take_up(context, run.params, run.interval)


def batch_label(settings: Settings, run: Run, batch: int) -> str:
    """Return a batch's name in Airflow's grid."""
    with open_ledger(settings) as ledger:
        found = ledger.runs.batch(run.flow_id, run.run_id, batch)
    return str(batch) if found is None else found.label


async def run_step(
    settings: Settings, connections: Connections, run: Run, step: str, batch: int
) -> StepReport:
    """Do one step for one batch, with the revision that the batch is pinned to.

    A new execution over a note of :func:`note_red` is a person's act: what failed here is lifted, and the
    flow as it is now is used from here on.

    Raises:
        FlowInvalid: A person cleared the task, and the flow's folder holds no valid flow now.
        LedgerUnavailable: The ledger failed; nothing more was sent.
    """
    with open_ledger(settings) as ledger:
        loaded, cleared = _pinned(settings, ledger, run, step, batch)
        dry = run.params.dry_run
        if step not in loaded.flow.steps:
            _LOG.info("Revision %s of the flow has no step %s: nothing to do", loaded.revision[:12], step)
            return StepReport(step, batch, taken=0, passed=0)
        talks_to_omnitron = step == "write_to_omnitron" or loaded.flow.write_to_erp.check_status
        async with _opened(
            settings,
            connections,
            run,
            ledger,
            loaded,
            omnitron=talks_to_omnitron and not dry,
            erp=step in _TALK_TO_ERP and not dry,
            share=_share(ledger, run, loaded.flow, batch),
        ) as context:
            if dry:
                return await rehearsal.run_step(step, batch, context)
            return await STEPS[step](batch, replace(context, cleared=cleared))


def newest_revision(settings: Settings, flow_id: str) -> LoadedFlow | None:
    """Return a flow as its newest run pinned it, or None where it never ran.

    Raises:
        LedgerUnavailable: The ledger can't be read.
    """
    with open_ledger(settings) as ledger:
        revision = ledger.runs.newest_revision(flow_id)
        return None if revision is None else open_files(flow_id, ledger.runs.revision(flow_id, revision))


def note_red(settings: Settings, run: Run, step: str, batch: int) -> None:
    """Note that a step ended red for good: the next execution of it is a person's act."""
    with open_ledger(settings) as ledger:
        ledger.runs.note_red(run.flow_id, run.run_id, batch, step)


def report(settings: Settings, run: Run) -> RunReport:
    """Say what became of everything that the run took up."""
    with open_ledger(settings) as ledger:
        return summary.run(ledger, run.flow_id, run.run_id)


async def keep_house(settings: Settings) -> dict[str, int]:
    """Delete what is past its time: payloads older than ``keep_payloads_days`` of what is finished.

    What else only an older ``payload_key`` reads is rewritten under the newest.

    Returns:
        How many payloads of each flow were deleted.
    """
    store = FlowStore(settings.flows_folder)
    deleted: dict[str, int] = {}
    with open_ledger(settings) as ledger:
        for flow_id in ledger.housekeeping.flows():
            deleted[flow_id] = ledger.housekeeping.delete_payloads(
                flow_id, older_than_days=_keep_days(store, flow_id)
            )
        if rewritten := ledger.keys.renew():
            _LOG.info("%s rows of the ledger that needed an older key are under the newest now", rewritten)
    return deleted


def _keep_days(store: FlowStore, flow_id: str) -> int:
    """Return how long payloads are kept; of a flow that is gone or broken, the default."""
    try:
        return store.load(flow_id).flow.delivery.keep_payloads_days
    except ConfigurationError:
        return 30


def _pinned(settings: Settings, ledger: Ledger, run: Run, step: str, batch: int) -> tuple[LoadedFlow, bool]:
    """Return the flow that a batch works with, and whether a person cleared the task."""
    found = ledger.runs.batch(run.flow_id, run.run_id, batch)
    if found is None:
        raise ConfigurationError(
            f"Flow '{run.flow_id}', {step}: run {run.run_id} has no batch {batch}. Clear the task get_data "
            "with everything after it, or wait for the next run."
        )
    kept = open_files(run.flow_id, ledger.runs.revision(run.flow_id, found.revision))
    following = kept.flow.steps[kept.flow.steps.index(step) + 1 :] if step in kept.flow.steps else ()
    if not ledger.runs.take_note(run.flow_id, run.run_id, batch, step, following):
        return kept, False
    loaded = load_checked(FlowStore(settings.flows_folder), run.flow_id)
    ledger.runs.keep_revision(run.flow_id, loaded.revision, loaded.files)
    ledger.runs.pin(run.flow_id, run.run_id, batch, loaded.revision)
    lifted = ledger.intake.lift(run.flow_id, run.run_id, batch, handled_by(loaded.flow, step))
    _LOG.info(
        "Cleared by a person: %s request(s) that had failed here are taken up again, "
        "with revision %s of the flow; what the steps before had made is kept",
        lifted,
        loaded.revision[:12],
    )
    return loaded, True


def _share(ledger: Ledger, run: Run, flow: Flow, batch: int) -> tuple[int, float | None]:
    """Return a batch's share of ``concurrency`` and ``rate_per_second``: all together keep to them."""
    settings = flow.write_to_erp
    batches = max(ledger.runs.batch_count(run.flow_id, run.run_id), 1)
    own, over = divmod(settings.concurrency, batches)
    rate = settings.rate_per_second
    return max(own + (batch < over), 1), None if rate is None else rate / batches


@asynccontextmanager
async def _opened(
    settings: Settings,
    connections: Connections,
    run: Run,
    ledger: Ledger,
    loaded: LoadedFlow,
    *,
    omnitron: bool = False,
    erp: bool = False,
    share: tuple[int, float | None] = (1, None),
    former: tuple[str, ...] = (),
) -> AsyncIterator[Context]:
    clock = SystemClock()
    random = Random(secrets.randbits(64))  # noqa: S311 -- jitter, no secret
    flow = loaded.flow
    async with AsyncExitStack() as stack:

        async def session(connection_id: str, calls: int) -> Session:
            endpoint = connections(connection_id)
            transport = await stack.enter_async_context(
                AiohttpTransport.for_endpoint(endpoint, clock=clock, connections=calls)
            )
            return Session(endpoint, transport, ledger.tokens, clock, random)

        port = OmnitronReader if run.params.dry_run else Omnitron
        worker = f"{socket.gethostname()}:{os.getpid()}:{random.getrandbits(32):08x}"
        connection = flow.write_to_erp.connection
        watch = Watch(ledger.traffic, (run.flow_id, connection), clock)
        stack.push_async_callback(watch.settle)
        yield Context(
            loaded=loaded,
            run_id=run.run_id,
            ledger=ledger,
            clock=clock,
            random=random,
            erp_url=connections(connection).base_url if run.params.dry_run else "",
            former_flows=former,
            worker=worker,
            scripts=_scripts(settings),
            omnitron=port(await session(flow.get_data.connection, 8), clock, random) if omnitron else None,
            erp=Erp(
                await session(connection, share[0]),
                Limits(*share, clock, watch),
                Breaker(f"Connection '{connection}'", clock, watch, owner=worker),
            )
            if erp
            else None,
            log=_LOG,
        )


def _former_flows(settings: Settings, ledger: Ledger) -> tuple[str, ...]:
    here = set(FlowStore(settings.flows_folder).ids())
    return tuple(flow for flow in ledger.runs.flows() if flow not in here)


def _tell_protections(file: str, protections: Sequence[Protection]) -> None:
    """Log what stands between a script and the machine, in a group that the log page folds.

    In one piece: each event costs Airflow some 3 ms.
    """
    absent = [each.name for each in protections if not each.in_force]
    _LOG.info("::group::Protections around %s: %s", file, f"all but {', '.join(absent)}" if absent else "all")
    _LOG.info("%s", "\n".join(map(str, protections)))
    _LOG.info("::endgroup::")


def _scripts(settings: Settings) -> Scripts:
    @asynccontextmanager
    async def opened(script_settings: ScriptSettings, source: str, step: str) -> AsyncIterator[ScriptPool]:
        pool = ScriptPool(
            source,
            step=step,
            name=script_settings.file,
            timeout=script_settings.timeout,
            network=script_settings.network,
            isolation=script_settings.isolation,
            packages=settings.script_packages,
            required=settings.isolation_required,
        )
        async with pool:
            _tell_protections(script_settings.file, pool.protections)
            yield pool

    return opened
