"""Names that a flow gives things: flow ids, step names, files of its folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

__all__ = ["FLOW_FILE", "STEPS", "FileName", "FlowId", "is_flow_id"]

FLOW_FILE = "flow.yaml"

STEPS = ("script", "mapping", "write_to_erp", "custom_response", "write_to_omnitron", "post_script")
"""The document's steps that work on single requests, in its order."""

_FLOW_ID = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)
_FILE_PATTERN = r"^(?![/.])[^\\:\x00-\x1f]+$"


def is_flow_id(name: str) -> bool:
    """Tell whether a folder's name can be a flow's id, and so a DAG's id.

    Args:
        name: Any text; letters, digits, ``_`` and ``-`` are allowed, at most 60 of them.
    """
    return _FLOW_ID.fullmatch(name) is not None


def _flow_id(name: str) -> str:
    if not is_flow_id(name):
        raise PydanticCustomError(
            "flow_id",
            "'{name}' can't be a flow's name. Use letters, digits, _ and -, at most 60 characters.",
            {"name": name[:80]},
        )
    return name


def _file_name(name: str) -> str:
    path = PurePosixPath(name)
    if not re.match(_FILE_PATTERN, name) or any(part.startswith(".") for part in path.parts):
        raise PydanticCustomError(
            "file_name",
            "'{name}' is no file of the flow's folder. Write a path inside it, for example script.py, "
            "without .. and without a leading / or dot.",
            {"name": name[:80]},
        )
    return path.as_posix()


FlowId = Annotated[
    str, AfterValidator(_flow_id), WithJsonSchema({"type": "string", "pattern": f"^{_FLOW_ID.pattern}$"})
]
"""A flow's id."""

FileName = Annotated[
    str, AfterValidator(_file_name), WithJsonSchema({"type": "string", "pattern": _FILE_PATTERN})
]
"""A file of the flow's folder, as a relative path with slashes."""
