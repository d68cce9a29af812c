"""Builders of flow folders for tests: a valid flow, changed where a test needs it."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import yaml

MINIMAL: dict[str, Any] = {
    "get_data": {"connection": "omnitron_default", "cancel_type": "all", "status": "approved"},
    "write_to_erp": {"connection": "erp_default", "url": "/cancellations", "method": "POST"},
    "write_to_omnitron": {"on_success": {"status": "completed"}},
}

FILES = {
    "script.py": b"import json\ndata = json.loads(input_text)\noutputStream.write(json.dumps(data))\n",
    "mapping.json": b'[{"operation": "shift", "spec": {"id": "number"}}]',
    "response.py": b"session.putAttribute('relation', 'continue')\n",
    "post.py": b"pass\n",
}


class _Removed:
    def __repr__(self):
        return "removed"  # a test's name, the same in every process


REMOVED = _Removed()


def a_document(**changes: Any) -> dict[str, Any]:
    """Return a valid document with changes, ``write_to_erp__method="GET"`` reaching into blocks."""
    document = copy.deepcopy(MINIMAL)
    for path, value in changes.items():
        *way, last = path.split("__")
        block = document
        for key in way:
            block = block.setdefault(key, {})
        if value is REMOVED:
            del block[last]
        else:
            block[last] = value
    return document


def files_of(**changes: Any) -> dict[str, bytes]:
    """Return the files of a flow with that document and all four other files."""
    return {"flow.yaml": yaml.safe_dump(a_document(**changes), sort_keys=False).encode(), **FILES}


def put(folder: Path, flow_id: str, files: dict[str, bytes] | None = None, **changes: Any) -> Path:
    """Write a flow's folder and return it."""
    home = folder / flow_id
    for name, content in (files or files_of(**changes)).items():
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return home
