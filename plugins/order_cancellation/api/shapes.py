"""Values as they travel: what several routes answer, and what keeps odd values from breaking an answer."""

from __future__ import annotations

import math
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

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
    "sayable",
]

LARGEST_NUMBER = 2**63 - 1
"""The largest that a column of numbers holds."""

_DEEPEST = 150


def sayable(value: Any, depth: int = 0) -> Any:
    """Return a value as JSON can say it: scripts make numbers that are none, and halves of characters.

    Args:
        value: Anything that Python's reader of JSON gives.
        depth: How deep it lies.
    """
    if depth > _DEEPEST:
        return "…"
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, dict):
        return {sayable(str(key)): sayable(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [sayable(item, depth + 1) for item in value]
    return value


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
