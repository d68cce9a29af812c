"""Routes: the list of flows, one flow, and every way of changing it."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from fastapi import HTTPException, Response
from pydantic import BaseModel, Field

from order_cancellation.api.failures import ProblemOut, problem_out
from order_cancellation.api.guard import Caller, area, needs
from order_cancellation.api.known import files_in, moment, saved_out, the_flows_store, writable_store
from order_cancellation.api.place import CATALOGUE, the_ledger, the_store, the_workshop
from order_cancellation.api.rights import Right, Rights, may, rights_of, visible
from order_cancellation.api.shapes import Body, DraftBody, Json, RunOut, SavedOut, Text, Texts
from order_cancellation.api.standing import Standing, ask_for_parse, import_errors, is_anothers, standings
from order_cancellation.errors import ConfigurationError, FlowInvalid, SaveRefused
from order_cancellation.flow.model import STEPS, Flow
from order_cancellation.flow.store import open_files
from order_cancellation.omnitron import ListQuery, query_string
from order_cancellation.service import making
from order_cancellation.service.archives import write_archive
from order_cancellation.service.calendar import calendar_of
from order_cancellation.service.cases import erp_answer
from order_cancellation.service.catalogue import Listed
from order_cancellation.service.doubt import lost_answer
from order_cancellation.service.drafts import Checked, Draft, check_draft, draft_of, files_of
from order_cancellation.service.saving import Saved, delete, notice, save, why_not_writable
from order_cancellation.service.schedule import Wish, set_enabled, set_schedule, with_schedule
from order_cancellation.service.templates import TEMPLATES

__all__ = ["router"]

router = area()

_LATELY = timedelta(hours=24)


class CountsOut(BaseModel):
    """How many requests ended in the last 24 hours, and how many wait for a person."""

    done: int = 0
    failed: int = 0
    in_doubt: int = 0
    parked: int = 0


class FlowRow(BaseModel):
    """One flow in the list."""

    id: Text
    title: Text
    description: Text
    owner: Text | None
    tags: list[Text]
    state: str
    enabled: bool
    problems: list[ProblemOut]
    schedule: Text
    next_run: str | None
    last_run: RunOut | None
    counts: CountsOut
    rights: Rights


class TemplateOut(BaseModel):
    """What a new flow can begin with."""

    name: str
    title: str
    description: str


class FlowList(BaseModel):
    """All flows that the user may see."""

    flows: list[FlowRow]
    writable: bool
    why_not: str | None
    templates: list[TemplateOut]
    can_create: bool


class NewFlow(Body):
    """A flow to be made: exactly one of template, copy_of and archive."""

    id: str = Field(max_length=200)
    template: str | None = Field(default=None, max_length=200)
    copy_of: str | None = Field(default=None, max_length=200)
    archive: str | None = None
    title: str | None = Field(default=None, max_length=200)
    note: str = Field(default="", max_length=2000)


class Created(BaseModel):
    """A flow that was made."""

    id: str
    revision: str


class LostAnswerOut(BaseModel):
    """What becomes of a request whose answer got lost."""

    sentence: Text
    safe: bool


class ScheduleOut(BaseModel):
    """When the flow runs by itself."""

    words: Text
    next: list[str]
    timezone: str


class CheckedOut(BaseModel):
    """What a draft amounts to."""

    flow_yaml: Text
    document: Json
    effective: Json
    problems: list[ProblemOut]
    query: str | None
    lost_answer: LostAnswerOut | None
    schedule: ScheduleOut | None


class DraftOut(BaseModel):
    """A flow as a page holds it."""

    files: Texts
    document: Json


class AirflowState(BaseModel):
    """What Airflow knows of a flow."""

    known: bool
    paused: bool | None
    next_run: str | None
    last_run: RunOut | None
    parsed_at: str | None


class ErpAnswerOut(BaseModel):
    """What the ERP answered in a saved case."""

    status: int
    body: Text


class FlowOut(BaseModel):
    """One flow."""

    id: str
    revision: str
    draft: DraftOut
    other_files: list[Text]
    checked: CheckedOut
    writable: bool
    why_not: str | None
    rights: Rights
    airflow: AirflowState
    steps: list[str]
    answer: ErpAnswerOut | None


class CheckBody(Body):
    """A draft to be checked."""

    draft: DraftBody


class SaveBody(Body):
    """A draft to be saved over the version that it was made from."""

    base: str = Field(max_length=64)
    draft: DraftBody
    note: str = Field(default="", max_length=2000)
    despite: bool = False


class DeleteBody(Body):
    """The version that was looked at before it is deleted."""

    base: str = Field(max_length=64)


class EnabledBody(Body):
    """Whether a flow is to run by its schedule."""

    enabled: bool
    base: str = Field(max_length=64)


class ScheduleBody(Body):
    """A schedule: exactly one of every, cron, after and none."""

    every: str | None = Field(default=None, max_length=200)
    cron: str | None = Field(default=None, max_length=200)
    after: list[str] | None = Field(default=None, max_length=100)
    none: bool = False
    timezone: str | None = Field(default=None, max_length=200)

    def wish(self) -> Wish:
        """Return what is wanted."""
        return Wish(self.every, self.cron, self.after, self.none, self.timezone)


class Live(BaseModel):
    """Whether Airflow has read a flow since a moment."""

    live: bool
    parsed_at: str | None
    broken: list[Text]


@router.get("/api/flows", **needs(Right.SEE))
def list_flows(user: Caller) -> FlowList:
    """List the flows that the user may see."""
    store = the_store()
    listed = CATALOGUE.list(store)
    seen = visible(user, (one.id for one in listed))
    known = standings(seen)
    since = datetime.now(UTC) - _LATELY
    counts = the_ledger().queries.standing(since.timestamp())
    why_not = why_not_writable(store.folder)
    return FlowList(
        flows=[
            _row(one, known.get(one.id), counts.get(one.id, {}), rights_of(user, one.id))
            for one in listed
            if one.id in seen
        ],
        writable=why_not is None,
        why_not=why_not,
        templates=[TemplateOut(name=t.name, title=t.title, description=t.description) for t in TEMPLATES],
        can_create=may(user, Right.CREATE),
    )


@router.post("/api/flows", status_code=201, **needs(Right.CREATE))
def create_flow(body: NewFlow, user: Caller) -> Created:
    """Make a flow from a template, as a copy, or out of an archive."""
    if not may(user, Right.CREATE, body.id):
        raise HTTPException(403, f"You have no right to create flow '{body.id[:80]}'.")
    if body.copy_of is not None and not may(user, Right.SEE, body.copy_of):
        raise HTTPException(403, f"You have no right to see flow '{body.copy_of[:80]}'.")
    saved = _made(body, user.get_name())
    saved_out(body.id, saved)
    return Created(id=body.id, revision=saved.revision)


@router.get("/api/flows/{dag_id}", **needs(Right.SEE))
def get_flow(dag_id: str, user: Caller) -> FlowOut:
    """Tell all about a flow; a broken one too."""
    store = the_flows_store(dag_id)
    files, unreadable = store.look(dag_id)
    revision = notice(the_workshop(), dag_id, files)
    draft, others = draft_of(files)
    checked = check_draft(store, dag_id, draft, files)
    checked.problems[:0] = [one for one in unreadable if one not in checked.problems]
    why_not = why_not_writable(store.folder / dag_id)
    answer = erp_answer(files)
    return FlowOut(
        id=dag_id,
        revision=revision,
        draft=DraftOut(files=dict(draft.files), document=draft.document),
        other_files=others,
        checked=_checked(checked),
        writable=why_not is None,
        why_not=why_not,
        rights=rights_of(user, dag_id),
        airflow=_airflow(standings([dag_id]).get(dag_id)),
        steps=_steps(checked),
        answer=None if answer is None else ErpAnswerOut(status=answer[0], body=answer[1]),
    )


@router.post("/api/flows/{dag_id}/check", **needs(Right.TEST))
def check_flow(dag_id: str, body: CheckBody) -> CheckedOut:
    """Say what is wrong with a draft; nothing is written."""
    store = the_flows_store(dag_id)
    draft = Draft(body.draft.files, body.draft.document)
    return _checked(check_draft(store, dag_id, draft, files_in(dag_id)))


@router.put("/api/flows/{dag_id}", **needs(Right.EDIT))
def save_flow(dag_id: str, body: SaveBody, user: Caller) -> SavedOut:
    """Save a draft."""
    writable_store(dag_id)
    files = files_of(dag_id, Draft(body.draft.files, body.draft.document), files_in(dag_id))
    saved = save(
        the_workshop(),
        dag_id,
        files,
        base=body.base,
        author=user.get_name(),
        note=body.note,
        despite=body.despite,
    )
    return saved_out(dag_id, saved)


@router.delete("/api/flows/{dag_id}", status_code=204, **needs(Right.DELETE))
def delete_flow(dag_id: str, body: DeleteBody, user: Caller) -> None:
    """Delete a flow; its last version stays in the history."""
    store = writable_store(dag_id)
    delete(the_workshop(), dag_id, base=body.base, author=user.get_name())
    ask_for_parse([dag_id, *store.ids()])


@router.post("/api/flows/{dag_id}/enabled", **needs(Right.EDIT))
def enable_flow(dag_id: str, body: EnabledBody, user: Caller) -> SavedOut:
    """Enable or disable a flow."""
    writable_store(dag_id)
    author = user.get_name()
    saved = set_enabled(the_workshop(), dag_id, enabled=body.enabled, base=body.base, author=author)
    return saved_out(dag_id, saved)


@router.post("/api/flows/{dag_id}/schedule", **needs(Right.EDIT))
def schedule_flow(dag_id: str, body: ScheduleBody, user: Caller) -> SavedOut:
    """Write a flow's schedule; nothing else in its file changes."""
    writable_store(dag_id)
    saved = set_schedule(the_workshop(), dag_id, body.wish(), author=user.get_name())
    return saved_out(dag_id, saved)


@router.post("/api/flows/{dag_id}/schedule/check", **needs(Right.TEST))
def check_schedule(dag_id: str, body: ScheduleBody) -> ScheduleOut:
    """Tell in words what a schedule means; nothing is written."""
    store = the_flows_store(dag_id)
    return _schedule(with_schedule(store, dag_id, store.read(dag_id), body.wish()).flow)


@router.get("/api/flows/{dag_id}/live", **needs(Right.SEE))
def is_live(dag_id: str, since: datetime) -> Live:
    """Say whether Airflow has read a flow since a moment."""
    store = the_flows_store(dag_id)
    standing = standings([dag_id]).get(dag_id)
    since = since if since.tzinfo else since.replace(tzinfo=UTC)
    try:
        open_files(dag_id, store.read(dag_id))
        broken = []
    except FlowInvalid as error:
        broken = [str(problem) for problem in error.problems]
    return Live(
        live=standing is not None and standing.holds(since),
        parsed_at=_time(None if standing is None else standing.parsed_at),
        broken=[*broken, *import_errors()],
    )


@router.get("/api/flows/{dag_id}/export", response_class=Response, **needs(Right.SEE))
def export_flow(dag_id: str) -> Response:
    """Return a flow's folder as a zip archive."""
    content = write_archive(dag_id, files_in(dag_id))
    headers = {"Content-Disposition": f'attachment; filename="{dag_id}.zip"'}
    return Response(content, media_type="application/zip", headers=headers)


def _made(body: NewFlow, author: str) -> Saved:
    """Make a new flow in the one way that is asked for."""
    given = [name for name in ("template", "copy_of", "archive") if getattr(body, name) is not None]
    if len(given) != 1:
        raise ConfigurationError(
            f"Got {' and '.join(given) or 'none of them'}: give exactly one of template, copy_of and archive."
        )
    if is_anothers(body.id):
        raise SaveRefused(f"Airflow has a DAG '{body.id}' already. Choose another name.", code="taken")
    shop = the_workshop()
    more: dict[str, Any] = {"author": author, "title": body.title, "note": body.note}
    if body.template is not None:
        return making.make_from_template(shop, body.id, body.template, **more)
    if body.copy_of is not None:
        return making.copy(shop, body.id, body.copy_of, **more)
    try:
        archive = base64.b64decode(body.archive or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise ConfigurationError("The archive is not written as base64.") from error
    return making.import_archive(shop, body.id, archive, **more)


def _row(one: Listed, standing: Standing | None, counts: Mapping[str, int], rights: Rights) -> FlowRow:
    flow = one.flow
    airflow = _airflow(standing)
    return FlowRow(
        id=one.id,
        title=one.title,
        description="" if flow is None else flow.description or "",
        owner=None if flow is None else flow.owner,
        tags=[] if flow is None else list(flow.tags),
        state=_state(one, standing),
        enabled=flow is not None and flow.enabled,
        problems=[problem_out(problem) for problem in one.problems],
        schedule="" if flow is None else calendar_of(flow, datetime.now(UTC)).words,
        next_run=airflow.next_run,
        last_run=airflow.last_run,
        counts=CountsOut(**counts),
        rights=rights,
    )


def _state(one: Listed, standing: Standing | None) -> str:
    if one.flow is None or one.is_broken:
        return "broken"
    if not one.flow.enabled:
        return "disabled"
    if standing is None:
        return "new"
    return "paused" if standing.paused else "live"


def _airflow(standing: Standing | None) -> AirflowState:
    if standing is None:
        return AirflowState(known=False, paused=None, next_run=None, last_run=None, parsed_at=None)
    last = standing.last_run
    return AirflowState(
        known=True,
        paused=standing.paused,
        next_run=_time(standing.next_run),
        last_run=None if last is None else RunOut(run_id=last.run_id, state=last.state, at=_time(last.at)),
        parsed_at=_time(standing.parsed_at),
    )


def _time(at: datetime | None) -> str | None:
    return None if at is None else moment(at)


def _checked(checked: Checked) -> CheckedOut:
    flow = checked.flow
    told = None if flow is None else lost_answer(flow)
    valid = flow is not None and not checked.problems
    return CheckedOut(
        flow_yaml=checked.flow_yaml,
        document=checked.document,
        effective=flow.model_dump(mode="json", exclude={"id"}) if flow is not None and valid else None,
        problems=[problem_out(problem, checked.files) for problem in checked.problems],
        query=None if flow is None else _query(flow),
        lost_answer=None if told is None else LostAnswerOut(sentence=told.sentence, safe=told.safe),
        schedule=None if flow is None else _schedule(flow),
    )


def _query(flow: Flow) -> str:
    """Return the query string of the first page that get_data reads."""
    wanted = flow.get_data
    query = ListQuery(wanted.status, wanted.cancel_type, wanted.channel_id, wanted.page_size)
    return query_string(query.parameters(1))


def _schedule(flow: Flow) -> ScheduleOut:
    calendar = calendar_of(flow, datetime.now(UTC))
    times = [time.isoformat() for time in calendar.times]
    return ScheduleOut(words=calendar.words, next=times, timezone=calendar.timezone)


def _steps(checked: Checked) -> list[str]:
    if checked.flow is not None:
        return list(checked.flow.steps)
    return [step for step in STEPS if (checked.document or {}).get(step)]
