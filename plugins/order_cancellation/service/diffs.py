"""What differs: between two versions of a flow's folder, two texts, or two values."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

__all__ = ["FileDiff", "as_text", "diff_files", "diff_texts", "diff_values"]

_MOST_LINES = 20_000


@dataclass(frozen=True)
class FileDiff:
    """What differs in one file.

    Args:
        name: Its relative path.
        before: Its text, or None where it was not there or is no text.
        after: Likewise.
        diff: The difference in the unified form.
    """

    name: str
    before: str | None
    after: str | None
    diff: str


def diff_files(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> list[FileDiff]:
    """Return what differs, in the order of the names; files that are the same are left out.

    Args:
        before: Relative path to content.
        after: Likewise.
    """
    names = sorted({*before, *after})
    return [
        _diff(name, before.get(name), after.get(name))
        for name in names
        if before.get(name) != after.get(name)
    ]


def diff_texts(before: str, after: str, *, names: tuple[str, str] = ("before", "after")) -> str:
    """Return the difference of two texts in the unified form; empty where there is none.

    Of very long texts it says only that they differ: to compare them line by line may take minutes.
    """
    old, new = before.splitlines(), after.splitlines()
    if max(len(old), len(new)) > _MOST_LINES and old != new:
        return f"(they differ; more than {_MOST_LINES:,} lines are not compared one by one)"
    return "\n".join(unified_diff(old, new, *names, lineterm=""))


def diff_values(before: Any, after: Any, *, names: tuple[str, str]) -> str:
    """Return the difference of two values as JSON writes them; empty where there is none."""
    return diff_texts(as_text(before), as_text(after), names=names)


def as_text(value: Any) -> str:
    """Return a value as JSON, the same for the same value: the order of keys is none."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False)


def _diff(name: str, before: bytes | None, after: bytes | None) -> FileDiff:
    old, new = _text(before), _text(after)
    if (before is not None and old is None) or (after is not None and new is None):
        return FileDiff(name, old, new, "(no text)")
    names = (
        f"a/{name}" if before is not None else "(absent)",
        f"b/{name}" if after is not None else "(absent)",
    )
    return FileDiff(
        name, old, new, diff_texts(old or "", new or "", names=names) or "(only line ends differ)"
    )


def _text(content: bytes | None) -> str | None:
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError:
        return None
