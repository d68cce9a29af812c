"""Finds the flow that a path names, and says what a save makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from fastapi import HTTPException

from order_cancellation.api.place import the_store, the_workshop
from order_cancellation.api.shapes import CaseOut, DraftBody, SavedOut
from order_cancellation.api.standing import ask_for_parse
from order_cancellation.errors import FlowInvalid, SaveRefused
from order_cancellation.flow.names import is_flow_id
from order_cancellation.flow.store import FlowStore, LoadedFlow, open_files
from order_cancellation.service.cases import CaseResult
from order_cancellation.service.drafts import Draft, check_draft
from order_cancellation.service.saving import Saved, Workshop, why_not_writable

__all__ = [
    "cases_out",
    "files_in",
    "loaded_draft",
    "moment",
    "saved_out",
    "the_flows_store",
    "workshop_of_past",
    "writable_store",
]


def the_flows_store(dag_id: str) -> FlowStore:
    """Return the flows folder, where there is a flow of this name.

    Raises:
        HTTPException: 404; the DAG may be another's.
    """
    store = the_store()
    if not is_flow_id(dag_id) or not store.has(dag_id):
        raise HTTPException(404, f"'{dag_id[:80]}' is no order cancellation flow.")
    return store


def workshop_of_past(dag_id: str) -> Workshop:
    """Return where flows are changed, where there is or was a flow of this name: a deleted one has a history.

    Raises:
        HTTPException: 404; there never was one.
    """
    shop = the_workshop()
    if not is_flow_id(dag_id) or not shop.ledger.history.list(dag_id, limit=1):
        the_flows_store(dag_id)
    return shop


def writable_store(dag_id: str) -> FlowStore:
    """Return the flows folder, where this flow's folder can be written.

    Raises:
        HTTPException: 404; there is no such flow.
        SaveRefused: ``read_only``.
    """
    store = the_flows_store(dag_id)
    why_not = why_not_writable(store.folder / dag_id)
    if why_not is not None:
        raise SaveRefused(why_not, code="read_only")
    return store


def files_in(dag_id: str) -> dict[str, bytes]:
    """Return what can be read of a flow's folder."""
    return the_flows_store(dag_id).look(dag_id)[0]


def loaded_draft(dag_id: str, body: DraftBody) -> LoadedFlow:
    """Make a flow of a draft, as it would be after a save.

    Raises:
        FlowInvalid: The draft is no valid flow.
    """
    checked = check_draft(the_flows_store(dag_id), dag_id, Draft(body.files, body.document), files_in(dag_id))
    if checked.flow is None:
        raise FlowInvalid(checked.problems)
    return open_files(dag_id, checked.files)


def saved_out(dag_id: str, saved: Saved) -> SavedOut:
    """Say what came of a save, and have Airflow read it at once."""
    ask_for_parse([dag_id, *the_store().ids()])
    return SavedOut(revision=saved.revision, saved_at=moment(saved.at), cases=cases_out(saved.cases))


def cases_out(results: Sequence[CaseResult]) -> list[CaseOut]:
    """Return saved cases' results as the pages show them."""
    return [
        CaseOut(case=one.case, step=one.step, passed=one.passed, failures=list(one.failures))
        for one in results
    ]


def moment(at: datetime) -> str:
    """Write a time as ISO 8601 in UTC."""
    return at.astimezone(UTC).isoformat()
