"""Routes: trying a draft's steps, its whole way and its saved cases; an example to try them on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore, Event
from time import monotonic
from typing import Annotated, Any, Literal

from fastapi import Depends, HTTPException, Query, Request
from pydantic import BaseModel, Field

from order_cancellation.api.guard import Caller, area, needs
from order_cancellation.api.known import cases_out, loaded_draft, the_flows_store
from order_cancellation.api.place import the_ledger, the_settings, the_store
from order_cancellation.api.rights import Right, may
from order_cancellation.api.shapes import LARGEST_NUMBER, Body, CaseOut, DraftBody, Json, Text, Texts
from order_cancellation.errors import ConfigurationError
from order_cancellation.hooks.looking_up import look_up_endpoint
from order_cancellation.http.masking import redact
from order_cancellation.service.apart import LOOK_EVERY_S, apart_while
from order_cancellation.service.cases import compose_case, run_cases
from order_cancellation.service.chain import ChainStep, walk
from order_cancellation.service.comparing import compare
from order_cancellation.service.example import read_example
from order_cancellation.service.life import note_example
from order_cancellation.service.saving import why_not_writable
from order_cancellation.service.trial import Attempt, attempt

__all__ = ["router"]

router = area()

_ROOM = BoundedSemaphore(4)
_DOOR = BoundedSemaphore(10)
"""Those at work and those who wait: each holds one of the threads that all of Airflow's pages share."""
_PATIENCE_S = 20.0
_FULL = "Too much is being tried at this moment. Try again in a while."
Step = Literal["script", "mapping", "custom_response", "post_script"]


class TryBody(Body):
    """One step to be tried."""

    draft: DraftBody
    step: Step
    input: str
    attributes: dict[str, str] = Field(default_factory=dict)
    explain: bool = False
    compare: bool = False


class Attempted(BaseModel):
    """What a step left."""

    result_data: Json = None
    attributes: Texts = Field(default_factory=dict)
    printed: Text = ""
    log: list[tuple[Text, Text]] = Field(default_factory=list)
    error: Text | None = None
    took_ms: float = 0.0
    explain: Json = None


class Tried(Attempted):
    """What a step left, and what the saved flow makes of the same input."""

    live: Attempted | None
    diff: Text | None


class AnswerBody(Body):
    """What the ERP is made to answer."""

    status: int = Field(ge=100, le=599)
    body: str


class ChainBody(Body):
    """The whole way to be tried."""

    draft: DraftBody
    input: str
    attributes: dict[str, str] = Field(default_factory=dict)
    answer: AnswerBody


class ChainStepOut(Attempted):
    """One step of the way."""

    step: str
    input: Text
    skipped: Text | None


class CallOut(BaseModel):
    """What would be sent to the ERP."""

    method: str
    url: Text
    headers: Texts
    body: Json


class WrittenBackOut(BaseModel):
    """What Omnitron would be told."""

    outcome: str
    calls: list[Json]


class ChainOut(BaseModel):
    """The whole way, without anything sent."""

    steps: list[ChainStepOut]
    call: CallOut | None
    write_back: WrittenBackOut | None
    error: Text | None


class ExampleOut(BaseModel):
    """One real request."""

    request: Json
    masked: bool


class ComposeBody(Body):
    """A saved case to be written."""

    name: str = Field(max_length=200)
    step: str = Field(max_length=60)
    input: Any
    attributes: dict[str, str] = Field(default_factory=dict)
    expect: dict[str, Any]


class ComposedOut(BaseModel):
    """A saved case as a file."""

    file: str
    text: Text


class RunCasesBody(Body):
    """A draft whose saved cases are to be run."""

    draft: DraftBody


class CasesOut(BaseModel):
    """What came of the saved cases."""

    results: list[CaseOut]


async def _waiting(request: Request) -> AsyncIterator[Callable[[], bool]]:
    """Give a way to ask whether the one who sent this still waits for its answer."""
    has_gone = Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        has_gone.set()

    watching = asyncio.create_task(watch())
    try:
        yield lambda: not has_gone.is_set()
    finally:
        watching.cancel()


Waiting = Annotated[Callable[[], bool], Depends(_waiting)]
"""Whether the caller still waits, as a route's parameter; what it is for is stopped when not."""


@router.post("/api/flows/{dag_id}/try", **needs(Right.TEST))
def try_step(dag_id: str, body: TryBody, user: Caller, waits: Waiting) -> Tried:
    """Try one step of a draft on one input."""
    loaded = loaded_draft(dag_id, body.draft)
    given, limits = (body.step, body.input, body.attributes), {**_limits(), **_network(user, dag_id)}
    with _room(waits):
        got = apart_while(waits, attempt, loaded, *given, explain=body.explain, **limits)
    live, differs = None, None
    if body.compare:
        saved = the_flows_store(dag_id).load(dag_id)
        if getattr(saved.flow, body.step) is not None:
            with _room(waits):
                live = apart_while(waits, attempt, saved, *given, **limits)
                differs = apart_while(waits, compare, live, got)
    out = None if live is None else Attempted(**_attempted(live))
    return Tried(**_attempted(got), live=out, diff=differs)


@router.post("/api/flows/{dag_id}/chain", **needs(Right.TEST))
def try_chain(dag_id: str, body: ChainBody, waits: Waiting) -> ChainOut:
    """Walk a request through a draft without sending anything."""
    loaded = loaded_draft(dag_id, body.draft)
    answer = (body.answer.status, body.answer.body)
    erp_url = _base_url(loaded.flow.write_to_erp.connection)
    with _room(waits):
        given = (body.input, body.attributes, answer)
        chain = apart_while(waits, walk, loaded, *given, erp_url=erp_url, **_limits())
    told = chain.write_back
    return ChainOut(
        steps=[_chain_step(step) for step in chain.steps],
        call=None if chain.call is None else CallOut(**chain.call),
        write_back=None if told is None else WrittenBackOut(outcome=told.outcome, calls=list(told.calls)),
        error=chain.error,
    )


@router.get("/api/flows/{dag_id}/example", **needs(Right.TEST))
def get_example(
    *,
    dag_id: str,
    user: Caller,
    waits: Waiting,
    request_id: Annotated[int | None, Query(alias="id", ge=0, le=LARGEST_NUMBER)] = None,
    masked: bool = True,
) -> ExampleOut:
    """Read one real request from Omnitron; who may not reveal personal data gets it masked."""
    if not masked and not may(user, Right.REVEAL, dag_id):
        raise HTTPException(403, "You have no right to see personal data. Ask for the example masked.")
    flow = the_flows_store(dag_id).load(dag_id).flow
    endpoint = look_up_endpoint(flow.get_data.connection)
    with _room(waits):
        request = asyncio.run(read_example(flow, endpoint, the_ledger(), request_id))
    if not masked:
        note_example(the_ledger(), dag_id, request, who=user.get_name())
    return ExampleOut(request=redact(request) if masked else request, masked=masked)


@router.post("/api/flows/{dag_id}/cases/compose", **needs(Right.TEST))
def compose(dag_id: str, body: ComposeBody) -> ComposedOut:
    """Write a saved case; the page puts it into its draft."""
    the_flows_store(dag_id)
    file, text = compose_case(
        body.name, body.step, given=body.input, attributes=body.attributes, expect=body.expect
    )
    return ComposedOut(file=file, text=text)


@router.post("/api/flows/{dag_id}/cases/run", **needs(Right.TEST))
def run_saved_cases(dag_id: str, body: RunCasesBody, user: Caller, waits: Waiting) -> CasesOut:
    """Run a draft's saved cases."""
    loaded = loaded_draft(dag_id, body.draft)
    limits = {**_limits(), **_network(user, dag_id)}
    with _room(waits):
        return CasesOut(results=cases_out(apart_while(waits, run_cases, loaded, **limits)))


def _network(user: Caller, dag_id: str) -> dict[str, Any]:
    """Give scripts the network only for who could save them: else trying would be a way around saving."""
    can_save = may(user, Right.EDIT, dag_id) and why_not_writable(the_store().folder / dag_id) is None
    return {"network": can_save}


@contextmanager
def _room(waits: Callable[[], bool]) -> Iterator[None]:
    """Let only a few scripts run at once: each may take minutes, and all pages share these threads."""
    if not _DOOR.acquire(blocking=False):
        raise HTTPException(503, _FULL)
    try:
        end = monotonic() + _PATIENCE_S
        while not _ROOM.acquire(timeout=LOOK_EVERY_S):
            if monotonic() > end or not waits():
                raise HTTPException(503, _FULL)
        try:
            yield
        finally:
            _ROOM.release()
    finally:
        _DOOR.release()


def _limits() -> dict[str, Any]:
    settings = the_settings()
    return {"packages": settings.script_packages, "required": settings.isolation_required}


def _attempted(got: Attempt) -> dict[str, Any]:
    return {
        "result_data": got.result_data,
        "attributes": got.attributes,
        "printed": got.printed,
        "log": [tuple(line) for line in got.log],
        "error": got.error,
        "took_ms": round(got.took_ms, 1),
        "explain": got.explain,
    }


def _chain_step(step: ChainStep) -> ChainStepOut:
    left = {} if step.got is None else _attempted(step.got)
    return ChainStepOut(step=step.step, input=step.input, skipped=step.skipped, **left)


def _base_url(connection_id: str) -> str | None:
    """Return a connection's address, or None where there is none yet."""
    try:
        return look_up_endpoint(connection_id).base_url
    except ConfigurationError:
        return None
