"""Searching the requests of many flows, newest change first, and what came of them over time.

Quick on a million rows on both databases, because every question is answered from an index: the keys of a
page from ``requests_by_change``, which holds all that is filtered by; and a text from the indices of the
columns in which it is looked for. Rows are read for the page alone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Row,
    Select,
    and_,
    cast,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from order_cancellation.ledger import schema
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.records import Record
from order_cancellation.ledger.states import State
from order_cancellation.ledger.work import RECORDS, record_from

__all__ = ["OUTCOMES", "Page", "Place", "Search", "Wanted"]

OUTCOMES = (State.DONE, State.FAILED, State.IN_DOUBT, State.PARKED, State.POSTPONED)
"""The states that count as an outcome of a run's work on a request."""

_FEW = 2_000
"""So many requests in which a text is found are looked at each; among more, the newest are walked through."""

_IN = 500
_LAST = "\U0010ffff"
_TOO_LONG = len(str(2**63))
"""So many digits may be more than a column of numbers holds."""


_R = schema.requests.c
_E = schema.events.c
_PLACE = (_R.last_changed, _R.flow, _R.uuid)


class Place(NamedTuple):
    """A request's place in the order of changes; a page goes on behind one.

    A request that changes meanwhile moves to the top: it is never seen twice on the way down, and whoever
    begins anew sees it first.
    """

    last_changed: float
    flow: str
    uuid: str


@dataclass(frozen=True)
class Wanted:
    """What is searched for.

    Args:
        flows: Only of these flows; None: of all.
        states: Only in one of these states; empty: in any.
        run_id: Only those that this run took up last.
        changed_from: Only changed at or after this time, in seconds since 1970.
        changed_to: Only changed before this time.
        text: The whole number, or the beginning of the uuid, the order number or the SKU.
    """

    flows: frozenset[str] | None = None
    states: frozenset[State] = frozenset()
    run_id: str | None = None
    changed_from: float | None = None
    changed_to: float | None = None
    text: str = ""


@dataclass(frozen=True)
class Page:
    """A part of what was found.

    Args:
        records: The requests, newest change first.
        counts: How many there are in each state, whatever state was asked for.
        following: Where the next page begins; None: this is the last one.
    """

    records: list[Record]
    counts: dict[State, int]
    following: Place | None


class Search:
    """Finds requests, and counts what came of them.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def flows(self) -> list[str]:
        """Return the flows of which there are requests."""
        with self._database.read() as connection:
            return self._flows(connection, None)

    def page(self, wanted: Wanted, *, limit: int, after: Place | None = None) -> Page:
        """Return a page of what is wanted.

        Args:
            wanted: What is searched for.
            limit: At most so many.
            after: The last place that was seen already.
        """
        with self._database.read() as connection:
            flows = self._flows(connection, wanted.flows)
            if not flows:
                return Page([], {}, None)
            named = self._named(connection, wanted, flows) if wanted.text else None
            if named is None:
                places = self._walk(connection, wanted, flows, limit + 1, after)
                counts = self._counted(connection, wanted, flows)
            else:
                fitting = [row for row in named if _fits(row, wanted)]
                counts = dict(Counter(State(row.state) for row in fitting))
                places = _newest(fitting, wanted.states, limit + 1, after)
            records = _records(connection, places[:limit])
        return Page(records, counts, places[limit - 1] if len(places) > limit else None)

    def outcomes(
        self, flows: frozenset[str] | None, run_id: str | None, *, begin: float, bucket_s: int
    ) -> dict[tuple[int, State], int]:
        """Count how often requests reached an outcome, over time.

        Args:
            flows: Only of these flows; None: of all.
            run_id: Only in this run.
            begin: From when, in seconds since 1970.
            bucket_s: How long one part of the time is, in seconds.

        Returns:
            The count by the part's number, from 0, and the state. What is 0 is absent.
        """
        elapsed = (_E.at - begin) / bucket_s
        bucket = cast(elapsed, Integer) if self._database.sqlite else cast(func.floor(elapsed), Integer)
        with self._database.read() as connection:
            known = self._flows(connection, flows)
            query = (
                select(bucket.label("bucket"), _E.state, func.count())
                .where(
                    _E.state.in_(OUTCOMES),
                    _E.at >= begin,
                    _E.step != "",
                    self._database.aside(_E.flow).in_(known),
                )
                .where(or_(and_(_E.state != State.IN_DOUBT, _E.step != "get_data"), _reached()))
                .group_by("bucket", _E.state)
            )
            if run_id is not None:
                query = query.where(_E.run_id == run_id)
            return {(number, State(state)): count for number, state, count in connection.execute(query)}

    @staticmethod
    def _flows(connection: Connection, allowed: frozenset[str] | None) -> list[str]:
        """Return the flows of which there are requests, as far as they are asked for.

        The index is leapt through from flow to flow, instead of reading it whole.
        """
        first = select(func.min(_R.flow).label("flow")).cte("known", recursive=True)
        later = select(func.min(_R.flow)).where(_R.flow > first.c.flow).scalar_subquery()
        known = first.union_all(select(later).where(first.c.flow.is_not(None)))
        rows = connection.execute(select(known.c.flow).where(known.c.flow.is_not(None))).scalars()
        return [flow for flow in rows if allowed is None or flow in allowed]

    def _named(self, connection: Connection, wanted: Wanted, flows: Sequence[str]) -> list[Row[Any]] | None:
        """Return all requests in which the text is found; None: they are too many to look at each."""
        found: dict[tuple[str, str], Row[Any]] = {}
        for condition in self._finds(wanted.text):
            query = select(*_PLACE, _R.state, _R.run_id).where(_R.flow.in_(flows), condition)
            rows = connection.execute(query.limit(_FEW + 1)).all()
            found |= {(row.flow, row.uuid): row for row in rows}
            if len(rows) > _FEW:
                return None
        return list(found.values())

    def _finds(self, text: str) -> Iterator[ColumnElement[bool]]:
        if text.isascii() and text.isdigit() and len(text) < _TOO_LONG:
            yield _R.id == int(text)
        yield self._begins(_R.uuid, text.lower())
        yield self._begins(_R.order_number, text)
        yield self._begins(_R.sku, text)

    def _begins(self, column: ColumnElement[str], text: str) -> ColumnElement[bool]:
        """Say that a column begins with a text, in the words for which each database uses its index."""
        if self._database.sqlite:
            return and_(column >= text, column < text + _LAST)
        escaped = text.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        return column.like(f"{escaped}%")

    def _walk(
        self, connection: Connection, wanted: Wanted, flows: Sequence[str], limit: int, after: Place | None
    ) -> list[Place]:
        query = select(*_PLACE).order_by(*(column.desc() for column in _PLACE)).limit(limit)
        query = query.where(*self._scope(wanted, flows))
        if wanted.states:
            query = query.where(self._database.aside(_R.state).in_(wanted.states))
        if after is not None:
            query = query.where(
                tuple_(*_PLACE)
                < tuple_(*(literal(value, column.type) for value, column in zip(after, _PLACE, strict=True)))
            )
        return [Place(*row) for row in connection.execute(query)]

    def _counted(self, connection: Connection, wanted: Wanted, flows: Sequence[str]) -> dict[State, int]:
        # by the index of states, unless more is asked than it holds
        state = self._database.aside(_R.state) if wanted.text or _is_timed(wanted) else _R.state
        query = select(state, func.count()).where(*self._scope(wanted, flows)).group_by(state)
        return {State(state): count for state, count in connection.execute(query)}

    def _scope(self, wanted: Wanted, flows: Sequence[str]) -> Iterator[ColumnElement[bool]]:
        if wanted.run_id is not None:
            yield and_(_R.flow.in_(flows), _R.run_id == wanted.run_id)
        else:
            yield self._database.aside(_R.flow).in_(flows)
        if wanted.text or _is_timed(wanted):
            yield _R.last_changed >= (wanted.changed_from or 0.0)  # begins the index in which all else stands
        if wanted.changed_to is not None:
            yield _R.last_changed < wanted.changed_to
        if wanted.text:
            yield or_(*self._finds(wanted.text))


def _reached() -> ColumnElement[bool]:
    """Say that an event's request was in another state before.

    Doubt is noted again at each look-up, and ``get_data`` notes what it leaves where it stands, too.
    """
    earlier = schema.events.alias("earlier")
    before: Select[tuple[str]] = (
        select(earlier.c.state)
        .where(earlier.c.flow == _E.flow, earlier.c.uuid == _E.uuid, earlier.c.id < _E.id)
        .order_by(earlier.c.id.desc())
        .limit(1)
    )
    return func.coalesce(before.scalar_subquery(), "") != _E.state


def _is_timed(wanted: Wanted) -> bool:
    return wanted.changed_from is not None or wanted.changed_to is not None


def _fits(row: Row[Any], wanted: Wanted) -> bool:
    return (
        wanted.run_id in (None, row.run_id)
        and (wanted.changed_from is None or row.last_changed >= wanted.changed_from)
        and (wanted.changed_to is None or row.last_changed < wanted.changed_to)
    )


def _newest(
    rows: Sequence[Row[Any]], states: frozenset[State], limit: int, after: Place | None
) -> list[Place]:
    places = [
        Place(row.last_changed, row.flow, row.uuid) for row in rows if not states or row.state in states
    ]
    return sorted((one for one in places if after is None or one < after), reverse=True)[:limit]


def _records(connection: Connection, places: Sequence[Place]) -> list[Record]:
    """Read the rows of some places, in their order."""
    found: dict[tuple[str, str], Record] = {}
    for start in range(0, len(places), _IN):
        some = places[start : start + _IN]
        query = RECORDS.where(
            _R.flow.in_({place.flow for place in some}), _R.uuid.in_({place.uuid for place in some})
        )
        found |= {(row.flow, row.uuid): record_from(row) for row in connection.execute(query)}
    return [found[place.flow, place.uuid] for place in places]
