"""What is valid in a flow that as a whole is not, so that one fault hides no other."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ValidationError

from order_cancellation.flow.model import (
    Flow,
    MappingSettings,
    ResponseSettings,
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
    return Flow.model_construct(id=flow_id, get_data=None, **parts)


def _valid(model: type[BaseModel], block: Any) -> BaseModel | None:
    """Return a block without its invalid keys, or None where that is none."""
    if not isinstance(block, dict):
        return None
    try:
        return model.model_validate(block)
    except ValidationError as error:
        wrong = {fault["loc"][0] for fault in error.errors(include_url=False) if fault["loc"]}
    try:
        return model.model_validate({key: value for key, value in block.items() if key not in wrong})
    except ValidationError:
        return None
