"""Mapping step: a Jolt chain turns each request into what the ERP takes.

Takes requests that are ``fetched`` and wait here; each leaves as ``prepared`` with the mapped object, or as
``failed`` with the mapping's error. The chain is compiled once per execution.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any

from order_cancellation.cpu_limit import MOST_S, cpu_limit
from order_cancellation.errors import MappingFailed
from order_cancellation.jolt import compile_spec, parse_spec
from order_cancellation.ledger import Change, Record, State
from order_cancellation.steps.attributes import safe_text
from order_cancellation.steps.batch import work_on_batch
from order_cancellation.steps.behind import next_step
from order_cancellation.steps.context import Context
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.outcomes import failed
from order_cancellation.steps.report import StepReport

__all__ = ["STEP", "map_document", "run", "script_output", "with_an_end"]

STEP = "mapping"
IN_FLIGHT = 64

Transform = Callable[[Any], Any]

_ENDLESS = (
    f"the mapping took more than {MOST_S:g} s of processor time for this request and was stopped. "
    "Look for a regular expression that has no end, in split or replaceAll"
)

_MOST_CHARACTERS, _MOST_VALUES = 64 * 1024 * 1024, 1_000_000
"""As much as a script may write. A mapping of a few lines can double a value again and again."""

_ENORMOUS = (
    f"the mapping gave more than {_MOST_CHARACTERS // 1024**2} MB or {_MOST_VALUES:,} values for this "
    "request. Look for operations that put a value into itself, such as concat"
)


async def run(batch: int, context: Context) -> StepReport:
    """Map every request of a batch that waits for it.

    Args:
        batch: The batch's number.
        context: Only the ledger is used.

    Raises:
        ConfigurationError: The mapping is no Jolt chain.
        LedgerUnavailable: The ledger failed.
    """
    settings = context.flow.mapping
    assert settings is not None, "the task exists only where the flow has the step"
    transform = compile_spec(parse_spec(context.loaded.text(settings.file)), strict=settings.strict)
    return await work_on_batch(
        context,
        batch,
        STEP,
        partial(_map_one, transform, asyncio.Lock()),
        states=(State.FETCHED,),
        kinds=("request", "script"),
        in_flight=IN_FLIGHT,
    )


def script_output(record: Record) -> Any:
    """Return what the script left: JSON where it is JSON, else its text; without output, the request."""
    if "script" not in record.payloads:
        return record.payloads["request"]
    try:
        return json.loads(record.payloads["script"])
    except ValueError:
        return record.payloads["script"]


def map_document(transform: Transform, document: Any) -> Any:
    """Map one document.

    Args:
        transform: The compiled chain.
        document: What the script left, or the request.

    Raises:
        MappingFailed: The chain raised, gave null, far too much or had no end, or there is no JSON to map.
    """
    if isinstance(document, str):
        raise MappingFailed("the script's output is no JSON, so there is nothing to map")
    with with_an_end():
        mapped = transform(document)
        is_small = _is_small(mapped)
    if not is_small:
        raise MappingFailed(_ENORMOUS)
    if mapped is None:
        raise MappingFailed(
            "the mapping gave null: no rule of the chain matched this request. "
            "'order-cancellation try FLOW mapping --explain' shows what each rule met"
        )
    return mapped


def with_an_end() -> AbstractContextManager[None]:
    """Let what is mapped inside take ``MOST_S`` of processor time, and then raise ``MappingFailed``."""
    return cpu_limit(MappingFailed(_ENDLESS))


def _is_small(mapped: Any) -> bool:
    """Say whether a value is small enough to be written, without writing it: parts of it may be shared."""
    values = characters = 0
    waiting = [mapped]
    while waiting and values <= _MOST_VALUES and characters <= _MOST_CHARACTERS:
        value = waiting.pop()
        values += 1
        if isinstance(value, str):
            characters += len(value)
        elif isinstance(value, dict):
            characters += sum(map(len, value))
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)
    return not waiting and values <= _MOST_VALUES and characters <= _MOST_CHARACTERS


async def _map_one(transform: Transform, turn: asyncio.Lock, desk: Desk, record: Record) -> None:
    context = desk.context
    kept: dict[str, Any] = {}
    async with turn:
        begun = context.clock.monotonic()
        try:
            kept["mapping"] = map_document(transform, script_output(record))
            new = record.moved(State.PREPARED, step=next_step(context.flow, STEP))
        except MappingFailed as error:
            new = failed(context, record, STEP, safe_text(str(error), record))
        took = (context.clock.monotonic() - begun) * 1000
        await asyncio.sleep(0)  # one that takes long keeps neither the lease nor what others wrote waiting
    await desk.record(Change(record, new, kept, note=new.error or "mapped", duration_ms=took))
