"""Values as they travel: what several routes answer, and what keeps odd values from breaking an answer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from order_cancellation.service.sayable import sayable

__all__ = [
    "LARGEST_NUMBER",
    "Body",
    "CaseOut",
    "DraftBody",
    "FileDiffOut",
    "Json",
    "RunOut",
    "SavedOut",
    "Text",
    "Texts",
]

LARGEST_NUMBER = 2**63 - 1
"""The largest that a column of numbers holds."""


Json = Annotated[Any, BeforeValidator(sayable)]
Text = Annotated[str, BeforeValidator(sayable)]
Texts = Annotated[dict[str, str], BeforeValidator(sayable)]


class Body(BaseModel):
    """What comes in: nothing in it is unknown or converted."""

    model_config = ConfigDict(extra="forbid", strict=True)


class DraftBody(Body):
    """A flow as a page holds it."""

    files: dict[str, str] = Field(max_length=1000)
    document: dict[str, Any] | None = None


class CaseOut(BaseModel):
    """What came of one saved case."""

    case: Text
    step: str
    passed: bool
    failures: list[Text]


class FileDiffOut(BaseModel):
    """What differs in one file."""

    name: Text
    before: Text | None
    after: Text | None
    diff: Text


class SavedOut(BaseModel):
    """What came of a save."""

    revision: str
    saved_at: str
    cases: list[CaseOut]


class RunOut(BaseModel):
    """A run of a flow in Airflow."""

    run_id: str
    state: str
    at: str | None
