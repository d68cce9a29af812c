"""What one answer of Omnitron's list says: its entries, whether more follow, how many there are."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

__all__ = ["Entry", "Page", "page_of", "problem_of"]


@dataclass(frozen=True)
class Entry:
    """One entry of a page.

    Args:
        key: What tells it from others: its uuid, or a digest with a number where it has none.
        mark: The same without the number, so that a repeated page is known again.
        value: The entry as it came.
        problem: Why it can't be taken up, or None.
    """

    key: str
    mark: str
    value: Any
    problem: str | None = None


@dataclass(frozen=True)
class Page:
    """One page of a list.

    Args:
        items: Its entries as they came.
        more: Whether another page may follow.
        count: How many entries the whole list has, or None where the answer does not say.
        promises_more: Whether the answer itself says that another page follows.
    """

    items: list[Any]
    more: bool
    count: int | None = None
    promises_more: bool = False

    def entries(self, seen: Counter[str]) -> Iterator[Entry]:
        """Give each entry its key.

        Args:
            seen: Counts equal entries without uuid over all pages of a round, to tell them apart.
        """
        for item in self.items:
            problem = problem_of(item)
            if problem is None or _has_uuid(item):
                yield Entry(item["uuid"], item["uuid"], item, problem)
                continue
            digest = hashlib.sha256(json.dumps(item, sort_keys=True).encode()).hexdigest()
            seen[digest] += 1
            yield Entry(f"{digest}#{seen[digest]}", digest, item, problem)


def page_of(data: Any) -> Page | None:
    """Read an answer's JSON as a page, or return None where it is none.

    A page object goes on until its ``next`` is null; where it has no ``next``, and for a bare array, until a
    page is empty. A page shorter than asked for means nothing: servers cap the limit.

    Args:
        data: The parsed answer.
    """
    if isinstance(data, list):
        return Page(data, more=bool(data))
    if not isinstance(data, dict) or not isinstance(data.get("results"), list):
        return None
    items, count = data["results"], data.get("count")
    more = bool(data["next"]) if "next" in data else bool(items)
    known = count if isinstance(count, int) and not isinstance(count, bool) else None
    return Page(items, more, known, promises_more=bool(data.get("next")))


LONGEST_UUID = 64
ENDLESS_ID = 2**63
"""What a database's columns hold; one entry beyond must not make its whole page unreadable."""


def problem_of(item: Any) -> str | None:
    """Return why a list entry is no cancellation request that can be taken up, or None."""
    if not isinstance(item, dict):
        return "is no object"
    if not _has_uuid(item):
        return "has no uuid"
    if not isinstance(item.get("id"), int) or isinstance(item["id"], bool):
        return "has no whole number as id"
    if len(item["uuid"]) > LONGEST_UUID or not 0 <= item["id"] < ENDLESS_ID:
        return "has a uuid or an id that is too long to be kept"
    if not _can_be_kept(item["uuid"]):
        return "has a uuid with a character that no database keeps"
    return None


def _can_be_kept(text: str) -> bool:
    """Say whether a text comes back as it was written: kept otherwise, it would name another request."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:  # half a surrogate pair
        return False


def _has_uuid(item: Any) -> bool:
    return isinstance(item, dict) and isinstance(item.get("uuid"), str) and bool(item["uuid"].strip())
