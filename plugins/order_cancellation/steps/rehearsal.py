"""Dry run: everything is computed and shown, nothing leaves, and no request changes its state.

The steps are given no way to write: no port to the ERP, and Omnitron only for ``get_data``. What is
computed stands in a table of its own. Response and post scripts are not run, and scripts have no network
here, whatever the flow says.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from order_cancellation.errors import ConfigurationError, MappingFailed
from order_cancellation.flow.model import STEPS, Flow, WriteBack
from order_cancellation.http.masking import redact
from order_cancellation.jolt import compile_spec, parse_spec
from order_cancellation.ledger import Batch, Limits, Record, State
from order_cancellation.ledger.dry import DryResult
from order_cancellation.ledger.entries import record_of
from order_cancellation.steps.attributes import attributes_of, safe_text, told
from order_cancellation.steps.calls import built
from order_cancellation.steps.context import Context, Pool
from order_cancellation.steps.desk import LEVELS
from order_cancellation.steps.get_data import (
    RunParams,
    batch_sizes,
    even,
    label_of,
    query_of,
    read_named,
    read_one,
    told_of_reading,
)
from order_cancellation.steps.mapping import map_document, script_output
from order_cancellation.steps.report import Behind, StepReport
from order_cancellation.steps.write_to_omnitron import request_of

__all__ = ["get_data", "run_step"]

_SHOWN_CHARS = 2000


async def get_data(context: Context, params: RunParams, interval: Any) -> list[int]:
    """Read what a run would take up, without entering it in the ledger's requests.

    Args:
        context: Omnitron is used for reading.
        params: What a person asked for.
        interval: A backfill's interval, or None.

    Returns:
        The batches' numbers.
    """
    listed, problems = await _listed(context, params, interval)
    flow = context.flow
    limits = Limits(flow.delivery.max_attempts, flow.delivery.max_age.total_seconds())
    preview = context.ledger.intake.preview
    requests, counts = await asyncio.to_thread(preview, flow.id, listed, limits=limits, redo=params.redo)
    requests = requests[: min(flow.get_data.max_requests, params.limit or flow.get_data.max_requests)]
    now = context.clock.now().timestamp()
    records = [record_of(flow.id, context.run_id, request, now=now) for request in requests]
    count = batch_sizes(len(records), flow.write_to_erp.concurrency, flow.delivery.parallel_batches)
    batches = even(range(len(records)), count)
    results = [
        DryResult(
            records[place].uuid,
            records[place].id,
            number,
            place,
            flow.steps[0],
            "",
            {"request": requests[place]},
        )
        for number, places in enumerate(batches)
        for place in places
    ]
    rows = [
        Batch(
            number,
            context.loaded.revision,
            label_of([records[place] for place in places], len(places)),
            len(places),
        )
        for number, places in enumerate(batches)
    ]
    reasons = ", ".join(f"{count} {why}" for why, count in sorted(counts.items())) or "nothing there"
    line = f"Dry run: {len(records)} requests would be sent ({reasons}); nothing is sent anywhere"
    context.log.info("%s", line)
    for problem in problems:
        context.log.warning("Flow '%s': %s", flow.id, problem)
    await asyncio.to_thread(context.ledger.dry.save, flow.id, context.run_id, results)
    await asyncio.to_thread(
        context.ledger.runs.listed, flow.id, context.run_id, rows, lines=[line], problems=problems
    )
    return [row.number for row in rows]


async def _listed(
    context: Context, params: RunParams, interval: Any
) -> tuple[list[dict[str, Any]], list[str]]:
    if params.request_ids is not None:
        found = [await read_named(context, number) for number in dict.fromkeys(params.request_ids)]
        return [request for request, _ in found if request is not None], [why for _, why in found if why]
    reading = context.the_omnitron().read(query_of(context, params, interval))
    requests = [request async for page in reading for request in page]
    problems = told_of_reading(reading.summary)
    for number, uuid, _ in await asyncio.to_thread(context.ledger.intake.asked_for, context.flow.id):
        request, problem = await read_one(context, number)
        if problem:
            problems.append(problem)
        elif request is not None and request.get("uuid") == uuid:
            requests.append(request)
    return requests, problems


async def run_step(step: str, batch: int, context: Context) -> StepReport:
    """Compute one step for every request of a dry run's batch that came so far.

    Args:
        step: The document's step name.
        batch: The batch's number.
        context: The ledger's dry results and, for the script step, scripts are used.
    """
    dry = context.ledger.dry
    results = await asyncio.to_thread(dry.load, context.flow.id, context.run_id, batch=batch)
    mine = [one for one in results if one.step == step and not one.error]
    done = await _compute(step, mine, context)
    await asyncio.to_thread(dry.save, context.flow.id, context.run_id, done)
    now = {one.uuid: one for one in [*results, *done]}
    broken = tuple(
        Behind(one.id, one.uuid, "dry", one.step, one.error)
        for one in now.values()
        if one.error and STEPS.index(one.step) <= STEPS.index(step)
    )
    return StepReport(step, batch, taken=len(mine), passed=len(now) - len(broken), behind=broken)


async def _compute(step: str, results: Sequence[DryResult], context: Context) -> list[DryResult]:
    flow = context.flow
    later = _after(flow, step)
    if step == "script" and flow.script is not None:
        contained = flow.script.model_copy(update={"network": False})
        async with context.open_script(contained, step) as pool:
            return [await _script(one, context, pool, later) for one in results]
    if step == "mapping" and flow.mapping is not None:
        transform = compile_spec(
            parse_spec(context.loaded.text(flow.mapping.file)), strict=flow.mapping.strict
        )
        return [
            _guarded(
                one,
                context,
                later,
                lambda record: {"mapping": map_document(transform, script_output(record))},
            )
            for one in results
        ]
    if step == "write_to_erp":
        return [
            _guarded(one, context, later, lambda record: {"call": _call(context, record)}) for one in results
        ]
    if step == "write_to_omnitron":
        return [
            _guarded(one, context, later, lambda record: {"write_back": _write_back(context, record)})
            for one in results
        ]
    return [replace(one, step=later) for one in results]  # response and post scripts are not run


def _after(flow: Flow, step: str) -> str:
    place = flow.steps.index(step) + 1
    return flow.steps[place] if place < len(flow.steps) else ""


async def _script(result: DryResult, context: Context, pool: Pool, later: str) -> DryResult:
    record = _record(result, context)
    given = attributes_of(context, record)
    outcome = await pool.run(json.dumps(result.data["request"], ensure_ascii=False), given)
    for level, line in told("script", record, outcome, given):
        context.log.log(LEVELS.get(level, logging.INFO), "%s", line)
    data = result.data | {"attributes": dict(outcome.attributes)}
    if outcome.error is not None:
        return replace(result, error=safe_text(outcome.error, record), data=data)
    if outcome.result_data is not None:
        data["script"] = outcome.result_data
    return replace(result, step=later, data=data)


def _guarded(result: DryResult, context: Context, later: str, compute: Any) -> DryResult:
    record = _record(result, context)
    try:
        return replace(result, step=later, data=result.data | compute(record))
    except (ConfigurationError, MappingFailed) as error:
        return replace(result, error=safe_text(str(error), record))


def _record(result: DryResult, context: Context) -> Record:
    now = context.clock.now().timestamp()
    record = record_of(context.flow.id, context.run_id, result.data["request"], now=now)
    record.payloads.update({kind: result.data[kind] for kind in result.data})
    return replace(record, state=State.PREPARED, payloads=record.payloads)


def _call(context: Context, record: Record) -> dict[str, Any]:
    call = built(context, record, context.erp_url)
    body = None if call.body is None else call.body.decode()
    context.log.info(
        "Request %s: would send %s %s with %s, body %s",
        record.id,
        call.method,
        safe_text(call.url, record),
        ", ".join(call.headers) or "no headers",
        _shown(None if body is None else json.loads(body), record),
    )
    return {"method": call.method, "url": call.url, "headers": dict(call.headers), "body": body}


def _shown(body: Any, record: Record) -> str:
    """Return a body for the log, without personal data."""
    text = "" if body is None else json.dumps(redact(body), ensure_ascii=False)
    return safe_text(text, record)[:_SHOWN_CHARS] or "(none)"


def _write_back(context: Context, record: Record) -> dict[str, Any]:
    outcomes = context.flow.write_to_omnitron
    tellings = {"on_success": outcomes.on_success, "on_failure": outcomes.on_failure}
    return {name: _would_tell(context, record, name, one) for name, one in tellings.items()}


def _would_tell(context: Context, record: Record, name: str, write_back: WriteBack | None) -> Any:
    if write_back is not None and write_back.request is not None:
        method = write_back.request.method
        path, body = request_of(context, record, write_back.request)
        what = f"{method} {safe_text(path, record)}, body {_shown(body, record)}"
        told: dict[str, Any] | None = {"method": method, "path": path, "body": body}
    else:
        told = None if write_back is None else write_back.model_dump(exclude_none=True)
        what = ", ".join(f"{key} {value}" for key, value in (told or {}).items()) or "nothing"
    context.log.info("Request %s: would tell Omnitron %s: %s", record.id, name, what)
    return told
