"""The ERP's own book: what it has really booked, whatever it answered."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Booking:
    """One entry.

    Args:
        reference: The ERP's own number for it.
        key: What it is about: the value found in the body, else the body's digest.
        id: The cancellation request's id where the key leads to one that Omnitron holds.
        uuid: That request's uuid, likewise.
        method: The HTTP method.
        idempotency_key: The idempotency header's value, or an empty text.
        body: The body, parsed.
        at: When it was booked, in seconds since 1970.
        attempt: How many calls there were about this key until then.
        kind: ``booked``, or ``replaced`` where a PUT met an entry of its key.
    """

    reference: str
    key: str
    id: int | None
    uuid: str | None
    method: str
    idempotency_key: str
    body: Any
    at: float
    attempt: int
    kind: str = "booked"

    @property
    def subject(self) -> str:
        """What money moves for: the request where it is known, else the key."""
        return self.key if self.id is None else str(self.id)


class Book:
    """All entries in their order, found by key, id, uuid and reference."""

    def __init__(self) -> None:
        self.entries: list[Booking] = []
        self._by_text: dict[str, Booking] = {}
        self._by_idempotency_key: dict[str, Booking] = {}

    def enter(self, booking: Booking, *, honour_key: bool) -> None:
        """Book, unless an honoured idempotency key says that it is booked already.

        Args:
            booking: The entry.
            honour_key: Whether the idempotency key counts.
        """
        if honour_key and booking.idempotency_key:
            if booking.idempotency_key in self._by_idempotency_key:
                return
            self._by_idempotency_key[booking.idempotency_key] = booking
        self.entries.append(booking)
        for text in (booking.key, booking.id, booking.uuid, booking.reference):
            if text is not None:
                self._by_text.setdefault(str(text), booking)

    def find(self, text: str) -> Booking | None:
        """Return the first entry for a key, id, uuid or reference, or None."""
        return self._by_text.get(text)

    def under_key(self, idempotency_key: str) -> Booking | None:
        """Return what was booked under an idempotency key, or None."""
        return self._by_idempotency_key.get(idempotency_key)

    def twice(self) -> list[str]:
        """Return the subjects that were booked more than once: in the real world, money lost."""
        counts = Counter(entry.subject for entry in self.entries if entry.kind == "booked")
        return [subject for subject, count in counts.items() if count > 1]

    def as_data(self) -> list[dict[str, Any]]:
        """Return all entries as JSON."""
        return [asdict(entry) for entry in self.entries]
