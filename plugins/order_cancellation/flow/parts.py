"""What is valid in a flow that as a whole is not, so that one fault hides no other."""

from __future__ import annotations

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

from pydantic import BaseModel, ValidationError

from order_cancellation.flow.model import (
    Flow,
    MappingSettings,
    ResponseSettings,
    Schedule,
    ScriptSettings,
    WriteToErp,
    WriteToOmnitron,
)

__all__ = ["valid_parts"]

_BLOCKS: dict[str, type[BaseModel]] = {
    "script": ScriptSettings,
    "mapping": MappingSettings,
    "write_to_erp": WriteToErp,
    "custom_response": ResponseSettings,
    "write_to_omnitron": WriteToOmnitron,
    "post_script": ScriptSettings,
}
"""Those that name files, templates and paths: what stands in these is checked elsewhere."""


def valid_parts(flow_id: str, document: Any) -> Flow:
    """Return a flow of the blocks that are valid; the others are None.

    Args:
        flow_id: The flow's id.
        document: What ``flow.yaml`` says, whatever that is.
    """
    blocks = document if isinstance(document, dict) else {}
    parts: dict[str, Any] = {name: _valid(model, blocks.get(name)) for name, model in _BLOCKS.items()}
    schedule = blocks.get("schedule")
    if isinstance(schedule, dict):  # whatever else it says: other flows are looked for by these names
        parts["schedule"] = _valid(Schedule, {"after": schedule.get("after")})
    return Flow.model_construct(id=flow_id, get_data=None, **parts)


def _valid(model: type[BaseModel], block: Any) -> BaseModel | None:
    """Return a block without what is not valid in it, or None where too little is left."""
    if not isinstance(block, dict):
        return None
    left = deepcopy(block)
    while True:
        try:
            return model.model_validate(left)
        except ValidationError as error:
            ways = [fault["loc"] for fault in error.errors(include_url=False)]
        taken_out = [_taken_out(left, way) for way in ways]
        if not any(taken_out):
            return None


def _taken_out(block: dict[Any, Any], way: Sequence[int | str]) -> bool:
    """Take out what a way leads to, or as much of the way as there is; say whether that was anything."""
    found: tuple[dict[Any, Any], int | str] | None = None
    inner: Any = block
    for key in way:
        if not isinstance(inner, dict) or key not in inner:
            break
        found, inner = (inner, key), inner[key]
    if found is None:
        return False
    del found[0][found[1]]
    return True
