"""Routes: requests. What they answer is made in ``service``; here it is only let out to who may see it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import HTTPException, Query
from pydantic import BaseModel, Field, StringConstraints

from order_cancellation.api.guard import Caller, area, needs
from order_cancellation.api.place import the_ledger, the_store
from order_cancellation.api.rights import Right, Rights, rights_of, visible
from order_cancellation.api.shapes import Body
from order_cancellation.api.standing import Standing, standings
from order_cancellation.ledger import State
from order_cancellation.ledger.search import Wanted
from order_cancellation.service import life as lives
from order_cancellation.service import requests as service
from order_cancellation.service.rows import row
from order_cancellation.service.sayable import sayable
from order_cancellation.service.search import LONGEST_HOURS, MOST_ROWS, outcomes, search_requests
from order_cancellation.service.timeline import PERSON

__all__ = ["router"]

router = area()

Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1000)]
Uuid = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Seen = Annotated[str, StringConstraints(max_length=64)]
Word = Annotated[str | None, Query(max_length=250)]


class RequestRow(BaseModel):
    """A request in a list; no personal data."""

    flow: str
    uuid: str
    id: int | None
    order_number: str | None
    sku: str | None
    channel: str | None
    state: State
    attempts: int
    sends: int
    erp_status: int | None
    relation: str | None
    error: str | None
    run_id: str
    first_seen: str
    last_changed: str
    next_at: str | None
    by_hand: bool = Field(description="whether it is tried again and nothing starts a run by itself")
    redo: bool


class RequestPage(BaseModel):
    """A page of requests, newest change first."""

    requests: list[RequestRow]
    next: str | None
    counts: dict[State, int]


class OutcomeCounts(BaseModel):
    """How many requests came to each outcome."""

    done: int
    failed: int
    in_doubt: int
    parked: int
    postponed: int


class OutcomeBucket(BaseModel):
    """A part of the time, from ``at`` on."""

    at: str
    counts: OutcomeCounts


class Outcomes(BaseModel):
    """Outcomes over time."""

    begin: str = Field(serialization_alias="from", validation_alias="from")
    to: str
    bucket_s: int
    buckets: list[OutcomeBucket]


class Payload(BaseModel):
    """Something that was kept of a request: request, script, mapping, attributes, sent or answer."""

    kind: str
    number: int
    data: Any


class Moment(BaseModel):
    """One thing that happened to a request."""

    at: str
    card: str
    step: str
    state: State
    attempt: int
    send: int
    revision: str | None
    duration_ms: float | None
    note: str
    run_id: str
    log_url: str | None = Field(description="relative to Airflow's own address")


class Action(BaseModel):
    """What a person can do, and what it does."""

    allowed: bool
    consequence: str
    twice: bool = Field(description="whether the money can move twice by it")


class Actions(BaseModel):
    """All that this user can do; null: it makes no sense as the request stands, or the user may not."""

    redo: Action | None
    accepted: Action | None
    refused: Action | None


class Life(RequestRow):
    """A request's whole life."""

    story: list[str]
    idempotency_key: str | None = Field(description="of the last call; null: it had none, or is not kept")
    next_key: str | None = Field(description="of the next call, where it is another")
    timeline: list[Moment]
    payloads: list[Payload]
    erased: bool
    rights: Rights
    actions: Actions


class Redo(Body):
    """Which requests shall be done again."""

    uuids: Annotated[list[Uuid], Field(min_length=1, max_length=MOST_ROWS)]
    why: Reason
    seen: dict[Uuid, Seen] | None = Field(
        default=None,
        max_length=MOST_ROWS,
        description="by uuid, the last_changed that the person saw: what has changed since is refused",
    )


class Redone(BaseModel):
    """Whether a request is done again, or why it is not."""

    uuid: str
    ok: bool
    message: str


class RedoResults(BaseModel):
    """What came of each."""

    results: list[Redone]


class Resolve(Body):
    """A person's decision."""

    decision: Literal["accepted", "refused"] = Field(alias="as")
    why: Reason
    seen: Seen | None = Field(
        default=None,
        description="the last_changed that the person saw: refused (409) if it has changed since",
    )


class Reveal(Body):
    """Why somebody has to see personal data."""

    why: Reason


class Payloads(BaseModel):
    """What was kept of a request, as it is."""

    payloads: list[Payload]


@router.get("/api/requests", **needs(Right.SEE))
def list_requests(
    *,
    user: Caller,
    flow: Word = None,
    state: Annotated[list[State] | None, Query(max_length=len(State))] = None,
    run_id: Word = None,
    changed_from: Annotated[datetime | None, Query(alias="from")] = None,
    changed_to: Annotated[datetime | None, Query(alias="to")] = None,
    text: Word = None,
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = 50,
    after: Annotated[str | None, Query(max_length=1000)] = None,
) -> RequestPage:
    """Search the requests of all flows that the user may see."""
    wanted = Wanted(
        flows=_flows(user, flow),
        states=frozenset(state or ()),
        run_id=run_id or None,
        changed_from=_seconds(changed_from),
        changed_to=_seconds(changed_to),
        text=(text or "").strip(),
    )
    page = search_requests(the_ledger(), wanted, limit=limit, after=after or None)
    return RequestPage.model_validate(sayable(page | {"requests": _with_by_hand(page["requests"])}))


@router.get("/api/requests/outcomes", **needs(Right.SEE))
def list_outcomes(
    user: Caller,
    flow: Word = None,
    run_id: Word = None,
    hours: Annotated[int, Query(ge=1, le=LONGEST_HOURS)] = 24,
) -> Outcomes:
    """Count over time what became of requests."""
    counted = outcomes(
        the_ledger(), flows=_flows(user, flow), run_id=run_id or None, hours=hours, now=time.time()
    )
    return Outcomes.model_validate(counted)


@router.get("/api/flows/{dag_id}/requests/{uuid}", **needs(Right.SEE))
def get_life(user: Caller, dag_id: str, uuid: str) -> Life:
    """Tell a request's whole life, with personal data masked."""
    _find(dag_id, uuid)
    standing = standings([dag_id]).get(dag_id)
    paused = standing is not None and standing.paused
    life = lives.life(the_ledger(), the_store(), dag_id, uuid, paused=paused)
    rights = rights_of(user, dag_id)
    timeline = [one | {"log_url": _log_url(dag_id, one)} for one in life["timeline"]]
    actions = life["actions"] if rights.redo else dict.fromkeys(life["actions"])
    [told] = _with_by_hand([life | {"timeline": timeline, "rights": rights, "actions": actions}])
    return Life.model_validate(sayable(told))


@router.post("/api/flows/{dag_id}/requests/redo", **needs(Right.REDO))
def redo(user: Caller, dag_id: str, asked: Redo) -> RedoResults:
    """Have requests done again at the next run; one that can't be stops none of the others."""
    who = user.get_name()
    results = service.redo_each(the_ledger(), dag_id, asked.uuids, who=who, why=asked.why, seen=asked.seen)
    return RedoResults.model_validate(sayable({"results": results}))


@router.post("/api/flows/{dag_id}/requests/{uuid}/resolve", **needs(Right.REDO))
def resolve(user: Caller, dag_id: str, uuid: str, asked: Resolve) -> RequestRow:
    """Decide on a request that is in doubt or parked."""
    _find(dag_id, uuid)
    service.resolve(the_ledger(), dag_id, uuid, asked.decision, asked.why, user.get_name(), asked.seen)
    [decided] = _with_by_hand([row(lives.known(the_ledger(), dag_id, uuid))])
    return RequestRow.model_validate(sayable(decided))


@router.post("/api/flows/{dag_id}/requests/{uuid}/reveal", **needs(Right.REVEAL))
def reveal(user: Caller, dag_id: str, uuid: str, asked: Reveal) -> Payloads:
    """Show personal data, once it is written down who sees them and why."""
    _find(dag_id, uuid)
    payloads = lives.reveal(the_ledger(), dag_id, uuid, why=asked.why, who=user.get_name())
    return Payloads.model_validate(sayable({"payloads": payloads}))


def _flows(user: Caller, flow: str | None) -> frozenset[str]:
    """Return the flows that may be searched: of those with requests, the ones that the user may see."""
    wanted = the_ledger().search.flows() if not flow else [flow]
    return frozenset(visible(user, wanted))


def _with_by_hand(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Add to each request whether its next try waits for somebody to start a run."""
    waiting = {one["flow"] for one in rows if _is_tried_again(one)}
    known = standings(waiting) if waiting else {}
    by_hand = {flow for flow in waiting if not _starts_by_itself(flow, known.get(flow))}
    return [one | {"by_hand": _is_tried_again(one) and one["flow"] in by_hand} for one in rows]


def _is_tried_again(one: dict[str, Any]) -> bool:
    return one["state"] == State.FAILED or one["next_at"] is not None


def _starts_by_itself(flow: str, standing: Standing | None) -> bool:
    return standing is not None and not standing.paused and lives.starts_by_itself(the_store(), flow)


def _find(dag_id: str, uuid: str) -> None:
    if the_ledger().queries.find(dag_id, uuid) is None:
        raise HTTPException(404, f"Flow '{dag_id[:80]}' has no request {uuid[:80]}.")


def _seconds(at: datetime | None) -> float | None:
    if at is None:
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()


def _log_url(dag_id: str, moment: dict[str, Any]) -> str | None:
    """Return where Airflow shows the log of the task in which something happened."""
    step, batch = moment["step"], moment["batch"]
    run = f"dags/{quote(dag_id, safe='')}/runs/{quote(moment['run_id'], safe='')}/tasks"
    if step == "get_data" and moment["card"] != PERSON:
        return f"{run}/get_data"
    if step in ("", "get_data") or batch is None:
        return None
    return f"{run}/requests.{step}/mapped/{batch}"
