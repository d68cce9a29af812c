"""The cancellation requests that the fake Omnitron holds, encoded once and listed fast."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from order_cancellation.sandbox.data import make_request
from order_cancellation.sandbox.draw import stamp
from order_cancellation.sandbox.exchange import encode
from order_cancellation.sandbox.paths import drop, find, put
from order_cancellation.sandbox.rules import Change
from order_cancellation.sandbox.settings import SandboxError, is_whole

Filters = tuple[tuple[str, str], ...]
FILTER_PATHS = {"status": "status", "cancellation_type": "cancellation_type", "channel": "channel.pk"}
SORTS = ("modified_date", "created_date", "id")


@dataclass
class Held:
    """One request that Omnitron holds.

    Args:
        position: Its place among all, from 1, in the order in which they came in.
        document: The full object.
        tags: Its tags.
        encoded: The document's JSON, or None until it is asked for.
    """

    position: int
    document: dict[str, Any]
    tags: list[str] = field(default_factory=list)
    encoded: bytes | None = None

    @property
    def bytes(self) -> bytes:
        """The document as JSON."""
        if self.encoded is None:
            self.encoded = encode(self.document)
        return self.encoded


class RequestStore:
    """All requests, by id.

    Args:
        now: The clock that stamps ``modified_date``, in seconds since 1970.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._held: dict[int, Held] = {}
        self._by_text: dict[str, Held] = {}
        self._listed: dict[tuple[Filters, str], list[Held]] = {}
        self._positions = 0

    def __len__(self) -> int:
        return len(self._held)

    def all(self) -> list[Held]:
        """Return every request in the order in which they came in."""
        return list(self._held.values())

    def get(self, number: int | None) -> Held | None:
        """Return a request by id, or None."""
        return None if number is None else self._held.get(number)

    def find(self, text: str) -> Held | None:
        """Return the request whose id or uuid reads like this, or None."""
        return self._by_text.get(text)

    def add(self, document: dict[str, Any]) -> Held:
        """Hold a request; one with the same id is replaced and keeps its position and tags."""
        held = self.get(document["id"])
        if held is None:
            self._positions += 1
            held = self._held[document["id"]] = Held(self._positions, document)
        held.document, held.encoded = document, None
        self._name(held)
        self._listed.clear()
        return held

    def put(self, wanted: Mapping[str, Any]) -> Held:
        """Add a request, or change the one with this id.

        Args:
            wanted: A full object, or values by path for the one held or a newly made one. Without
                an ``id`` it is a new request with the next id. ``channel`` may be a pk.

        Raises:
            SandboxError: If the id is no whole number.
        """
        number = wanted.get("id", max(self._held, default=0) + 1)
        if not is_whole(number):
            raise SandboxError("requests: id must be a whole number.")
        if "order_item" in wanted and "uuid" in wanted:
            return self.add(dict(wanted))
        held = self.get(number) or self.add(make_request(number))
        document = copy.deepcopy(held.document)
        for path, value in wanted.items():
            put(document, "channel.pk" if path == "channel" and is_whole(value) else path, value)
        held = self.add(document)
        if "modified_date" not in wanted:
            self._touch(held)
        return held

    def write(self, held: Held, values: Mapping[str, Any]) -> None:
        """Set top-level values as Omnitron's own users do: ``modified_date`` moves on."""
        held.document = {**held.document, **values}
        self._touch(held)

    def apply(self, change: Change) -> None:
        """Make a change as somebody else's write: ``modified_date`` moves on."""
        held = self._alter(change)
        if held and "modified_date" not in change.set:
            self._touch(held)

    def prepare(self, change: Change) -> None:
        """Make a change as if it had been so from the start: ``modified_date`` stays."""
        self._alter(change)

    def _alter(self, change: Change) -> Held | None:
        held = self.get(change.id) or next((h for h in self.all() if h.position == change.position), None)
        if held is None:
            return None
        if change.remove:
            self._remove(held)
            return None
        document = copy.deepcopy(held.document)
        for path, value in change.set.items():
            put(document, path, value)
        for path in change.drop:
            drop(document, path)
        return self.add(document)

    def listing(self, filters: Filters, sort: str) -> list[Held]:
        """Return the requests that fit, in order.

        Args:
            filters: Names out of ``FILTER_PATHS`` with the texts that must be there.
            sort: A name out of ``SORTS``, with a minus for the other direction.
        """
        known = self._listed.get((filters, sort))
        if known is None:
            known = self._listed[filters, sort] = self._select(filters, sort)
        return known

    def _select(self, filters: Filters, sort: str) -> list[Held]:
        paths = [(FILTER_PATHS[name], text) for name, text in filters]
        chosen = [
            held
            for held in self._held.values()
            if all(str(find(held.document, path)) == text for path, text in paths)
        ]
        field_name = sort.removeprefix("-")
        chosen.sort(
            key=lambda held: (
                (held.document.get(field_name) or "", held.position)
                if field_name != "id"
                else (held.document["id"], held.position)
            ),
            reverse=sort.startswith("-"),
        )
        return chosen

    def _touch(self, held: Held) -> None:
        old = str(held.document.get("modified_date") or "")
        now = datetime.fromtimestamp(self._now(), UTC)
        # never backwards and never the same, whatever the clock says: a write always shows
        moment = stamp(now)
        if moment <= old:
            moment = stamp(datetime.fromisoformat(old) + timedelta(microseconds=1))
        held.document["modified_date"] = moment
        held.encoded = None
        self._listed.clear()

    def _name(self, held: Held) -> None:
        for name in ("id", "uuid"):
            if held.document.get(name) is not None:
                self._by_text[str(held.document[name])] = held

    def _remove(self, held: Held) -> None:
        del self._held[held.document["id"]]
        self._by_text = {text: each for text, each in self._by_text.items() if each is not held}
        self._listed.clear()
