"""Names that a flow gives things: flow ids, step names, files of its folder."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Annotated

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

__all__ = [
    "FLOW_FILE",
    "RESERVED",
    "STEPS",
    "FileName",
    "FlowId",
    "is_flow_id",
    "is_inside",
    "is_visible",
]

FLOW_FILE = "flow.yaml"

STEPS = ("script", "mapping", "write_to_erp", "custom_response", "write_to_omnitron", "post_script")
"""The document's steps that work on single requests, in its order."""

RESERVED = frozenset({"change_schedule", "maintenance"})
"""Names that no flow can have: this project's other DAGs have them."""

_IGNORED_ENDINGS = ("~", ".swp", ".swo", ".tmp", ".bak", ".orig", ".rej", ".pyc")
_FLOW_ID = re.compile(r"[A-Za-z0-9_-]{1,60}", re.ASCII)
_LONGEST, _DEEPEST = 200, 8
_FILE_PATTERN = r"^(?![/.])[^\\:\x00-\x1f]+$"


def is_flow_id(name: str) -> bool:
    """Tell whether a folder's name can be a flow's id, and so a DAG's id.

    Args:
        name: Any text; letters, digits, ``_`` and ``-`` are allowed, at most 60 of them.
    """
    return _FLOW_ID.fullmatch(name) is not None


def is_visible(name: str) -> bool:
    """Tell whether a file or folder of this name counts as a flow's, and is no editor's or Python's leaving.

    Args:
        name: The name alone, without its folder.
    """
    return not name.startswith((".", "#")) and name != "__pycache__" and not name.endswith(_IGNORED_ENDINGS)


def is_inside(name: str) -> bool:
    """Tell whether a text can be the relative path of a flow's file: inside its folder, and one that counts.

    Args:
        name: With slashes, as ``cases/one.yaml``.
    """
    parts = name.split("/")
    return (
        not any("\ud800" <= character <= "\udfff" for character in name)
        and re.match(_FILE_PATTERN, name) is not None
        and len(parts) <= _DEEPEST
        and all(part and is_visible(part) and len(part.encode()) <= _LONGEST for part in parts)
    )


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
