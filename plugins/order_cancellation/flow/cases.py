"""Saved test cases: ``cases/<name>.yaml`` in a flow's folder (the contract's last section)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from order_cancellation.errors import Problem
from order_cancellation.flow.faults import problems_of
from order_cancellation.flow.reading import Unreadable, read_yaml

__all__ = ["TRIED_STEPS", "CaseDocument", "Expectation", "SavedCase", "TriedStep", "read_cases"]

TriedStep = Literal["script", "mapping", "custom_response", "post_script"]
TRIED_STEPS: tuple[TriedStep, ...] = ("script", "mapping", "custom_response", "post_script")
"""The steps that can be tried without anybody outside."""

_FOLDER = "cases"
_ENDINGS = (".yaml", ".yml")


def _json(value: Any) -> Any:
    try:
        json.dumps(value, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise PydanticCustomError(
            "no_json", "holds a value that JSON does not know (a date without quotes?). Put it in quotes."
        ) from None
    return value


Json = Annotated[Any, AfterValidator(_json)]


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class Expectation(_Block):
    """What a step must have done: any of result, attributes and error."""

    result: Json = Field(default=None, description="What the step must give, exactly.")
    attributes: dict[str, str] = Field(
        default_factory=dict, description="Attributes that must have these values; others are not looked at."
    )
    error: str | None = Field(default=None, min_length=1, description="A text that the error must contain.")

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("expects nothing. Write at least one of result, attributes and error.")
        return self


class CaseDocument(_Block):
    """A saved test case of one step."""

    step: TriedStep = Field(description="The step that is tried.", examples=["script"])
    input: Json = Field(description="What the step gets: an object, or text.", examples=[{"id": 1}])
    attributes: dict[str, str] = Field(default_factory=dict, description="The attributes at hand.")
    expect: Expectation = Field(description="What must come out.", examples=[{"result": {"id": 1}}])

    @property
    def input_text(self) -> str:
        """The input as the step gets it: text as it is, everything else as JSON."""
        if isinstance(self.input, str):
            return self.input
        return json.dumps(self.input, ensure_ascii=False)


class SavedCase(CaseDocument):
    """A saved test case with its name, which is its file's."""

    name: str = Field(description="The file's name without ending.")


def read_cases(flow_id: str, files: Mapping[str, bytes]) -> tuple[list[SavedCase], list[Problem]]:
    """Read all saved cases of a flow.

    Args:
        flow_id: The flow's id, for messages.
        files: The flow's files.

    Returns:
        The cases in the order of their names, and what is wrong with the others.
    """
    cases: list[SavedCase] = []
    problems: list[Problem] = []
    for name in sorted(files):
        path = PurePosixPath(name)
        if path.parts[0] == _FOLDER and path.suffix in _ENDINGS:
            found = _case_of(flow_id, path, files[name])
            if isinstance(found, SavedCase):
                cases.append(found)
            else:
                problems += found
    return cases, problems


def _case_of(flow_id: str, path: PurePosixPath, content: bytes) -> SavedCase | list[Problem]:
    try:
        document, faults = read_yaml(content)
    except Unreadable as error:
        fault = error.fault
        where = f"{path} line {fault.line}" if fault.line else str(path)
        return [Problem(flow_id, where, fault.message)]
    problems = [Problem(flow_id, f"{path}: {fault.path}", fault.message) for fault in faults]
    try:
        case = CaseDocument.model_validate(document)
    except ValidationError as error:
        problems += problems_of(error, CaseDocument, flow_id, prefix=f"{path}: ")
    if problems:
        return problems
    name = path.relative_to(_FOLDER).with_suffix("").as_posix()
    return SavedCase.model_construct(case.model_fields_set | {"name"}, name=name, **dict(case))
