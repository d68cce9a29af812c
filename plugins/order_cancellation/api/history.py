"""Routes: a flow's versions, what differs between them, and going back to one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from order_cancellation.api.guard import Caller, area, needs
from order_cancellation.api.known import moment, saved_out, workshop_of_past
from order_cancellation.api.rights import Right
from order_cancellation.api.shapes import LARGEST_NUMBER, Body, FileDiffOut, SavedOut, Text
from order_cancellation.service.history import diff, restore, versions

__all__ = ["router"]

router = area()


class VersionOut(BaseModel):
    """One version of a flow."""

    id: int
    revision: str
    at: str
    author: Text
    note: Text
    is_current: bool


class HistoryOut(BaseModel):
    """A flow's versions, newest first."""

    versions: list[VersionOut]


class DiffOut(BaseModel):
    """What differs between two versions."""

    files: list[FileDiffOut]


class RestoreBody(Body):
    """The version to go back to."""

    version: int = Field(ge=0, le=LARGEST_NUMBER)
    base: str = Field(max_length=64)
    note: str = Field(default="", max_length=2000)


@router.get("/api/flows/{dag_id}/history", **needs(Right.SEE))
def get_history(dag_id: str) -> HistoryOut:
    """List a flow's versions; a deleted flow has some still."""
    return HistoryOut(
        versions=[
            VersionOut(
                id=one.id,
                revision=one.revision,
                at=moment(one.at),
                author=one.author,
                note=one.note,
                is_current=one.is_current,
            )
            for one in versions(workshop_of_past(dag_id), dag_id)
        ]
    )


@router.get("/api/flows/{dag_id}/history/diff", **needs(Right.SEE))
def get_diff(
    dag_id: str,
    before: Annotated[int, Query(alias="from", ge=0, le=LARGEST_NUMBER)],
    after: Annotated[int | None, Query(alias="to", ge=0, le=LARGEST_NUMBER)] = None,
) -> DiffOut:
    """Tell what differs between two versions, or between one and the folder as it is now."""
    found = diff(workshop_of_past(dag_id), dag_id, before, after)
    return DiffOut(
        files=[FileDiffOut(name=one.name, before=one.before, after=one.after, diff=one.diff) for one in found]
    )


@router.post("/api/flows/{dag_id}/restore", **needs(Right.EDIT))
def restore_version(dag_id: str, body: RestoreBody, user: Caller) -> SavedOut:
    """Go back to a version."""
    saved = restore(
        workshop_of_past(dag_id), dag_id, body.version, base=body.base, author=user.get_name(), note=body.note
    )
    return saved_out(dag_id, saved)
