"""A request as the ledger knows it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from order_cancellation.ledger.states import OUTCOMES, WITHDRAWABLE, State, check_move

__all__ = ["COLUMNS", "MUTABLE", "Change", "Payloads", "Record"]


class Payloads(MutableMapping[str, Any]):
    """A request's payloads by kind; each is unpacked when it is first asked for.

    A step names all kinds that it may need, and most requests need few of them: an ordinary write-back needs
    none, and unpacking is the dearest part of reading.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._packed: dict[str, Callable[[], Any]] = {}

    def put_packed(self, kind: str, unpack: Callable[[], Any]) -> None:
        """Keep a payload that ``unpack`` returns once it is needed."""
        self._values.pop(kind, None)
        self._packed[kind] = unpack

    def __getitem__(self, kind: str) -> Any:
        if kind not in self._values:
            self._values[kind] = self._packed[kind]()  # one that can't be unpacked stays: it is not absent
            del self._packed[kind]
        return self._values[kind]

    def __setitem__(self, kind: str, value: Any) -> None:
        self._packed.pop(kind, None)
        self._values[kind] = value

    def __delitem__(self, kind: str) -> None:
        if self._packed.pop(kind, None) is None:
            del self._values[kind]

    def __contains__(self, kind: object) -> bool:
        return kind in self._values or kind in self._packed

    def __iter__(self) -> Iterator[str]:
        return iter([*self._values, *self._packed])

    def __len__(self) -> int:
        return len(self._values) + len(self._packed)


@dataclass(frozen=True)
class Record:
    """One row of the table ``requests``, with the payloads that were asked for.

    The names are the columns' (see ``schema.requests``); ``payloads`` maps a kind (``request``, ``script``,
    ``mapping``, ``attributes``, ``sent``, ``answer``) to its value.
    """

    flow: str
    uuid: str
    id: int | None
    channel: int | None
    order_number: str
    sku: str
    state: State
    step: str
    run_id: str
    batch: int | None
    position: int
    attempts: int
    failures: int
    tries: int
    sends: int
    auth_fails: int
    key_number: int
    body_digest: str | None
    doubt: bool
    last_send_at: float | None
    since: float
    next_at: float | None
    erp_status: int | None
    relation: str
    error: str
    hopeful: bool
    parked_from: str
    settled: bool
    redo: bool
    first_seen: float
    last_changed: float
    claim_id: int | None
    customer: int | None = None
    pending: bool = False
    asked: bool = False
    payloads: Payloads = field(default_factory=Payloads, repr=False, compare=False)

    @property
    def key(self) -> str:
        """The idempotency key: the same until the outcome of an attempt is known."""
        return f"{self.flow}-{self.uuid}-{self.key_number}"

    @property
    def is_refused_success(self) -> bool:
        """Whether the ERP answered with a 2xx that the response script called a failure."""
        return self.relation == "failure" and (self.erp_status or 0) // 100 == 2  # noqa: PLR2004 -- 2xx

    @property
    def is_undecided(self) -> bool:
        """Whether a person can say what the ERP did: nobody knows, and no call is under way."""
        return self.state in (State.IN_DOUBT, State.PARKED) or (self.doubt and self.state in WITHDRAWABLE)

    def moved(self, state: State, **changes: Any) -> Record:
        """Return the record in another state, or changed within its own.

        A new state starts without an error and with no tries, unless ``changes`` says otherwise. With an
        outcome ends what the ERP may hold, and what a person's word was about.

        Raises:
            ValueError: The state machine has no such move.
        """
        check_move(self.state, state)
        fresh: dict[str, Any] = {} if state == self.state else {"tries": 0}
        if state in OUTCOMES:
            fresh |= {"pending": False, "asked": False}
        return replace(self, **{"error": "", "hopeful": False, "state": state, **fresh, **changes})

    def columns(self) -> dict[str, Any]:
        """Return the row's values by column."""
        return {name: getattr(self, name) for name in COLUMNS}


COLUMNS = tuple(one.name for one in fields(Record) if one.name != "payloads")
MUTABLE = tuple(
    name
    for name in COLUMNS
    if name not in ("flow", "uuid", "run_id", "batch", "position", "claim_id", "first_seen")
)


@dataclass(frozen=True)
class Change:
    """One step in the life of a request, to be written in one piece.

    Args:
        old: The record as it was read or last written.
        new: The record as it shall be.
        payloads: What to keep with it, by kind.
        note: What happened, for people; no personal data.
        duration_ms: How long it took.
    """

    old: Record
    new: Record
    payloads: dict[str, Any] = field(default_factory=dict, repr=False)
    note: str = ""
    duration_ms: float | None = None
