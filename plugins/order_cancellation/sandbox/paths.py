"""Reads, sets and drops values inside JSON documents by a path such as ``$.results[0].uuid``."""

from __future__ import annotations

import re
from typing import Any

MISSING: Any = object()


def parts_of(path: str) -> list[str]:
    """Return a path's steps: ``$.results[0].uuid`` and ``results.0.uuid`` are the same three."""
    return [part for part in re.split(r"[.\[\]]+", path.removeprefix("$")) if part]


def find(document: Any, path: str) -> Any:
    """Return the value at the path, or ``MISSING``."""
    for part in parts_of(path):
        document = _step(document, part)
    return document


def put(document: Any, path: str, value: Any) -> None:
    """Set the value at the path; a path whose parent is not there changes nothing."""
    *parents, last = parts_of(path)
    holder = find(document, ".".join(parents))
    if isinstance(holder, dict):
        holder[last] = value
    elif isinstance(holder, list) and _step(holder, last) is not MISSING:
        holder[int(last)] = value


def drop(document: Any, path: str) -> None:
    """Take the value at the path away; a path that is not there changes nothing."""
    *parents, last = parts_of(path)
    holder = find(document, ".".join(parents))
    if isinstance(holder, dict):
        holder.pop(last, None)
    elif isinstance(holder, list) and _step(holder, last) is not MISSING:
        del holder[int(last)]


def _step(document: Any, part: str) -> Any:
    if isinstance(document, dict):
        return document.get(part, MISSING)
    if isinstance(document, list) and part.isdecimal() and int(part) < len(document):
        return document[int(part)]
    return MISSING
