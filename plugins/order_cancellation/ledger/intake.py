"""How requests get into a run: what Omnitron lists, and what earlier runs left unfinished.

What to do with each one is decided by pure functions (:func:`decide`, :func:`carry_on`); the class around
them reads and writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Select,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)

from order_cancellation.clock import Clock
from order_cancellation.ledger import schema
from order_cancellation.ledger.cipher import Cipher
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.records import COLUMNS, MUTABLE, Record
from order_cancellation.ledger.states import UNFINISHED_OUTSIDE, WITHDRAWABLE, State, check_move
from order_cancellation.ledger.work import end_leases, live_claims, record_from

__all__ = [
    "POSTPONED_TOO_LONG",
    "Decision",
    "Intake",
    "Limits",
    "Taken",
    "carry_on",
    "decide",
    "even",
    "record_of",
]

T = TypeVar("T")
POSTPONED_TOO_LONG = "postponed for longer than max_age and parked now"
_MAY_BE_RENAMED = "parked: a flow whose folder is gone has had it"
_R = schema.requests.c
_IN = 500
_AT_ONCE = 1000
"""How many rows are in memory together: a run may have very many."""

_REFETCHED = (State.FETCHED, State.PREPARED, State.POSTPONED, State.FAILED, State.WITHDRAWN)
_SENT_BEFORE = (State.DONE, State.PARKED, State.IN_DOUBT)
_REDONE = (*_SENT_BEFORE, *_REFETCHED)
_BOOKED = (State.ACCEPTED, State.WRITTEN_BACK)
_NEVER_BOOKED = (State.FETCHED, State.PREPARED, State.REFUSED, State.FAILED, State.WITHDRAWN)
_PREPARED_KINDS = ("script", "mapping", "attributes")
_ATTRIBUTE_LENGTH = {"order_number": 64, "sku": 128}


@dataclass(frozen=True)
class Limits:
    """How often and how long something is tried again (the flow's ``delivery`` block).

    Args:
        max_attempts: After so many failures or tries it is parked.
        max_age_s: So long a postponed or doubtful request is tried again, in seconds.
    """

    max_attempts: int
    max_age_s: float


@dataclass(frozen=True)
class Decision:
    """What becomes of a request that a run meets.

    Args:
        take: Whether the run takes it up.
        why: In a few words, for the counts in the log and the report.
        state: The state it is given, or None to leave it.
        error: The error to write with a new state.
    """

    take: bool
    why: str
    state: State | None = None
    error: str = ""


def decide(known: Record | None, *, now: float, limits: Limits, redo: bool) -> Decision:
    """Decide about a request that Omnitron lists.

    Args:
        known: What the ledger has of it, or None.
        now: The time, in seconds since 1970.
        limits: The flow's limits.
        redo: Whether a person asked for this one by name, to be done whatever its state.
    """
    if known is None:
        return Decision(take=True, why="new", state=State.FETCHED)
    if (redo or known.redo) and known.state == State.PARKED and known.parked_from in _BOOKED:
        return Decision(take=True, why="written back again by a person's word", state=State.ACCEPTED)
    if (redo or known.redo) and known.state in _REDONE:
        return Decision(take=True, why="done again by a person's word", state=State.FETCHED)
    return _by_state(known, now, limits)


def _by_state(known: Record, now: float, limits: Limits) -> Decision:  # noqa: PLR0911 -- a table, row by row
    match known.state:  # the rules stand in one place, each with its own outcome
        case State.DONE:
            return Decision(take=False, why="already done")
        case State.PARKED:
            return Decision(take=False, why="parked")
        case State.POSTPONED if now - known.since > limits.max_age_s:
            return Decision(
                take=False,
                why=POSTPONED_TOO_LONG,
                state=State.PARKED,
                error="postponed (do_nothing) for longer than max_age",
            )
        case State.FAILED if known.settled:
            return Decision(take=False, why="failed for good until redo")
        case State.FAILED if known.failures >= limits.max_attempts:
            return Decision(take=False, why="parked now", state=State.PARKED, error=known.error)
        case State.FAILED if known.next_at is not None and now < known.next_at:
            return Decision(take=False, why="failed, waiting for its retry_pause")
        case state if state in _REFETCHED:
            return Decision(take=True, why=f"again ({state})", state=State.FETCHED)
    return carry_on(known, now=now, limits=limits)


def carry_on(known: Record, *, now: float, limits: Limits) -> Decision:
    """Decide about a request of which the ERP may know, listed or not.

    A request in doubt that no look-up, no key and no declaration has settled waits for a person; so does one
    that was tried too often where it stands.
    """
    if known.state == State.IN_DOUBT and not known.hopeful:
        return Decision(take=False, why="parked now", state=State.PARKED, error=known.error)
    if known.state == State.IN_DOUBT and now - known.since > limits.max_age_s:
        return Decision(take=False, why="parked now", state=State.PARKED, error=known.error)
    if known.state != State.SENDING and known.tries >= limits.max_attempts:
        return Decision(take=False, why="parked now", state=State.PARKED, error=known.error)
    return Decision(take=True, why=f"unfinished ({known.state})")


class Intake:
    """Enters requests into a run.

    Args:
        database: Where.
        cipher: For the requests' payloads.
        clock: For times.
    """

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    def enter(
        self,
        flow: str,
        run_id: str,
        listed: Sequence[Mapping[str, Any]],
        *,
        first_step: str,
        ready: bool,
        limits: Limits,
        position: int,
        room: int,
        redo: bool = False,
        former: Sequence[str] = (),
    ) -> Counter[str]:
        """Enter listed requests; those that the run takes up become its own.

        Args:
            flow: The flow's id.
            run_id: The run.
            listed: Request objects of Omnitron, each with an integer ``id`` and a ``uuid``.
            first_step: The step that takes on what is entered.
            ready: Whether there is nothing to prepare, so that it is entered as ``prepared``.
            limits: The flow's limits.
            position: The position of the first one taken.
            room: How many may be taken.
            redo: Whether a person asked for these by name; it counts once for each run and request.
            former: Flows whose folders are gone. What one of them may have booked is parked and not sent: a
                flow that was renamed would send it again.

        Returns:
            How many were met, by reason; under ``taken`` those that the run took up, under ``left`` those for
            which there was no room.
        """
        counts: Counter[str] = Counter()
        distinct = {one["uuid"]: one for one in listed}
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            now = self._now()
            known = self._known(connection, flow, list(distinct))
            held = self._held(connection, flow, list(known), now)
            new = [] if redo else [uuid for uuid in distinct if uuid not in known]
            had = self._had_by_former(connection, former, new)
            writes = _Writes()
            for uuid, request in distinct.items():
                old = known.get(uuid)
                decision = (
                    Decision(take=False, why="in work by another worker")
                    if uuid in held
                    else had.get(uuid)
                    or decide(old, now=now, limits=limits, redo=redo and not _had_by(old, run_id))
                )
                if decision.take and counts["taken"] >= room:
                    counts["left"] += 1
                    continue
                counts[decision.why] += 1
                place = _Place(flow, run_id, position + counts["taken"], first_step, now, ready=ready)
                counts["taken"] += decision.take
                self._carry_out(writes, decision, old, request, place)
            self._write_all(connection, writes)
        return counts

    def preview(
        self, flow: str, listed: Sequence[Mapping[str, Any]], *, limits: Limits, redo: bool = False
    ) -> tuple[list[Mapping[str, Any]], Counter[str]]:
        """Return which listed requests a run would send, by the rule of :meth:`enter`; nothing is written.

        Returns:
            Those that would go through the chain from its first step, and how many were met, by reason.
        """
        counts: Counter[str] = Counter()
        distinct = {one["uuid"]: one for one in listed}
        sent: list[Mapping[str, Any]] = []
        with self._database.read() as connection:
            now = self._now()
            known = self._known(connection, flow, list(distinct))
        for uuid, request in distinct.items():
            decision = decide(known.get(uuid), now=now, limits=limits, redo=redo)
            counts[decision.why] += 1
            if decision.state == State.FETCHED:
                sent.append(request)
        return sent, counts

    def take_unfinished(
        self, flow: str, run_id: str, *, limits: Limits, position: int, room: int
    ) -> Counter[str]:
        """Take up what earlier runs left where the ERP may know of it, whether Omnitron lists it or not.

        What is in doubt and to be done again by a person's word is left to that word.
        """
        counts: Counter[str] = Counter()
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            now = self._now()
            query = (
                select(_R.uuid)
                .where(_R.flow == flow, _R.state.in_(UNFINISHED_OUTSIDE), self._not_held(now))
                .where(not_(and_(_R.redo, _R.state == State.IN_DOUBT)))
                .order_by(_R.first_seen, _R.uuid)
            )
            for records in self._in_parts(connection, flow, list(_uuids(connection, query))):
                writes = _Writes()
                for old in records:
                    decision = carry_on(old, now=now, limits=limits)
                    if decision.take and counts["taken"] >= room:
                        counts["left"] += 1
                        continue
                    counts[decision.why] += 1
                    place = _Place(flow, run_id, position + counts["taken"], "", now)
                    counts["taken"] += decision.take
                    if decision.state is not None:
                        writes.change(old, _parked(old, decision, now), place, decision.why)
                    elif decision.take:
                        writes.own(old, place)
                self._write_all(connection, writes)
        return counts

    def withdraw(self, flow: str, run_id: str, listed: Container[str], *, refusals_told: bool) -> int:
        """Close what nobody has booked and Omnitron no longer lists.

        Only for a list that was read whole and without filters but the flow's own.

        Args:
            flow: The flow's id.
            run_id: The run.
            listed: The uuids that Omnitron lists.
            refusals_told: Whether Omnitron hears of refusals (``on_failure``): then a refused request has
                left the list because of us, and stays ``failed``.

        Returns:
            How many were closed.
        """
        closed = 0
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            now = self._now()
            query = select(_R.uuid).where(
                _R.flow == flow,
                _R.state.in_(WITHDRAWABLE),
                _R.settled.is_(False),
                _R.redo.is_(False),
                self._not_held(now),
            )
            if refusals_told:
                query = query.where(not_(and_(_R.state == State.FAILED, _R.relation == "failure")))
            gone = [uuid for uuid in _uuids(connection, query) if uuid not in listed]
            for records in self._in_parts(connection, flow, gone):
                writes = _Writes()
                for old in records:
                    place = _Place(flow, run_id, old.position, "", now)
                    writes.change(old, _unlisted(old), place, "no longer listed")
                self._write_all(connection, writes)
                closed += sum(not old.doubt for old in records)
        return closed

    def lift(self, flow: str, run_id: str, batch: int, steps: Sequence[str]) -> int:
        """Take up again what failed at these steps, because a person cleared the failed task.

        What is parked or in doubt is not lifted: that takes ``redo`` or ``resolve``.

        Returns:
            How many requests were lifted.
        """
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            now = self._now()
            query = select(_R.uuid).where(
                _R.flow == flow,
                _R.run_id == run_id,
                _R.batch == batch,
                _R.step.in_(steps),
                _R.state.in_((State.FAILED, State.REFUSED)),
                _R.settled.is_(False),
                self._not_held(now),
            )
            failed = list(_uuids(connection, query))
            for records in self._in_parts(connection, flow, failed):
                writes = _Writes()
                for old in records:
                    new = _lifted(old)
                    self._carry_over(connection, old, now)
                    place = _Place(flow, run_id, old.position, "", now)
                    judged = ": its answer is judged again" if new.state == State.ANSWERED else ""
                    writes.change(old, new, place, f"cleared by a person{judged}")
                self._write_all(connection, writes)
        return len(failed)

    def _carry_over(self, connection: Connection, old: Record, now: float) -> None:
        """Let the next attempt begin with what the last one had when it came to the failed step."""
        p = schema.payloads.c
        kinds = ("request",) if old.step == "script" else ("request", "script", "mapping", "attributes")
        columns = (p.flow, p.uuid, p.kind, literal(old.attempts + 1), p.data, literal(now))
        connection.execute(
            insert(schema.payloads).from_select(
                [p.flow, p.uuid, p.kind, p.number, p.data, p.created_at],
                select(*columns).where(
                    p.flow == old.flow, p.uuid == old.uuid, p.number == old.attempts, p.kind.in_(kinds)
                ),
            )
        )

    def asked_again(self, flow: str) -> list[tuple[int, str]]:
        """Return number and uuid of the requests that a person wants done again."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(_R.id, _R.uuid)
                .where(_R.flow == flow, _R.redo.is_(True), _R.id.is_not(None))
                .order_by(_R.id, _R.uuid)
            )
            return [(row.id, row.uuid) for row in rows]

    def drop_redo(self, flow: str, uuid: str, *, run_id: str, why: str) -> None:
        """Let a person's redo fall away, with a line in the request's history."""
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            now = self._now()
            old = self._known(connection, flow, [uuid])[uuid]
            here = (_R.flow == flow, _R.uuid == uuid)
            connection.execute(update(schema.requests).where(*here).values(redo=False, last_changed=now))
            place = _Place(flow, run_id, old.position, "", now)
            self._database.add(connection, schema.events, [_event(replace(old, error=""), place, why)])

    def _in_parts(self, connection: Connection, flow: str, uuids: Sequence[str]) -> Iterator[list[Record]]:
        """Read records some at a time, in the order in which their uuids are given."""
        for start in range(0, len(uuids), _AT_ONCE):
            some = uuids[start : start + _AT_ONCE]
            known = self._known(connection, flow, some)
            yield [known[uuid] for uuid in some]

    def _known(self, connection: Connection, flow: str, uuids: Sequence[str]) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(uuids), _IN):
            rows = connection.execute(
                select(*_columns()).where(_R.flow == flow, _R.uuid.in_(uuids[start : start + _IN]))
            )
            found |= {row.uuid: record_from(row) for row in rows}
        return found

    def _had_by_former(
        self, connection: Connection, former: Sequence[str], uuids: Sequence[str]
    ) -> dict[str, Decision]:
        """Return the decisions about what is new here, and what a flow that is gone may have booked."""
        decisions: dict[str, Decision] = {}
        for flow in former:
            for uuid, record in self._known(connection, flow, uuids).items():
                if record.doubt or record.state not in _NEVER_BOOKED:
                    error = (
                        f"flow '{flow}' has had this request (it is {record.state} there), and its folder is "
                        f"gone: if it was renamed, call it '{flow}' again; else look into the ERP, then "
                        "resolve it, or redo it to have it sent"
                    )
                    decisions[uuid] = Decision(False, _MAY_BE_RENAMED, State.PARKED, error)
        return decisions

    def _held(self, connection: Connection, flow: str, uuids: Sequence[str], now: float) -> set[str]:
        held: set[str] = set()
        for start in range(0, len(uuids), _IN):
            held |= set(
                connection.execute(
                    select(_R.uuid).where(
                        _R.flow == flow,
                        _R.uuid.in_(uuids[start : start + _IN]),
                        _R.claim_id.in_(live_claims(now)),
                    )
                ).scalars()
            )
        return held

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _not_held(self, now: float) -> Any:
        return or_(_R.claim_id.is_(None), _R.claim_id.not_in(live_claims(now)))

    def _carry_out(
        self,
        writes: _Writes,
        decision: Decision,
        old: Record | None,
        request: Mapping[str, Any],
        place: _Place,
    ) -> None:
        if decision.state == State.FETCHED:
            new = _entered(old, request, place)
            writes.payloads.append(self._payload(new, request, place.now))
            if old is None:
                self._add(writes, new, place, decision)
            else:
                writes.own(old, place)
                writes.change(old, new, place, decision.why)
                writes.outdated.append(_row(new) | {"at_number": new.attempts})
        elif old is None and decision.state == State.PARKED:
            entered = _entered(None, request, place)
            writes.payloads.append(self._payload(entered, request, place.now))
            self._add(writes, _parked(entered, decision, place.now), place, decision)
        elif decision.state == State.ACCEPTED and old is not None:
            writes.own(old, place)
            writes.change(old, _written_back_again(old), place, decision.why)
        elif decision.state is not None and old is not None:
            writes.change(old, _parked(old, decision, place.now), place, decision.why)
        elif decision.take and old is not None:
            writes.own(old, place)

    @staticmethod
    def _add(writes: _Writes, new: Record, place: _Place, decision: Decision) -> None:
        writes.requests.append(new.columns())
        writes.events.append(_event(new, place, decision.why))

    def _write_all(self, connection: Connection, writes: _Writes) -> None:
        p, here = schema.payloads.c, (_R.flow == bindparam("at_flow"), _R.uuid == bindparam("at_uuid"))
        end_leases(connection, writes.freed)
        self._database.add(connection, schema.requests, writes.requests)
        own: dict[str, Any] = {name: bindparam(f"to_{name}") for name in ("run_id", "position")}
        self._each(
            connection,
            update(schema.requests).where(*here).values(**own, batch=None, claim_id=None),
            writes.owned,
        )
        to: dict[str, Any] = {name: bindparam(f"to_{name}") for name in MUTABLE}
        self._each(
            connection, update(schema.requests).where(*here).values(**to, claim_id=None), writes.changed
        )
        # what another revision of the flow prepared must not be taken for what this one does
        outdated = delete(schema.payloads).where(
            p.flow == bindparam("at_flow"),
            p.uuid == bindparam("at_uuid"),
            p.number == bindparam("at_number"),
            or_(*(p.kind == kind for kind in _PREPARED_KINDS)),  # an IN list can't be sent with many rows
        )
        self._each(connection, outdated, writes.outdated)
        self._database.add(connection, schema.events, writes.events)
        self._database.upsert(connection, schema.payloads, writes.payloads)

    @staticmethod
    def _each(connection: Connection, statement: Executable, rows: list[dict[str, Any]]) -> None:
        if rows:
            connection.execute(statement, rows)

    def _payload(self, new: Record, request: Mapping[str, Any], now: float) -> dict[str, Any]:
        return {
            "flow": new.flow,
            "uuid": new.uuid,
            "kind": "request",
            "number": new.attempts,
            "data": self._cipher.pack(request),
            "created_at": now,
        }

    def assign(self, flow: str, run_id: str, batches: int) -> None:
        """Spread what the run has taken up evenly over its batches, in its order.

        Args:
            flow: The flow's id.
            run_id: The run.
            batches: How many there are.
        """
        if not batches:
            return
        place = (func.row_number().over(order_by=(_R.position, _R.uuid)) - 1).label("place")
        placed = select(_R.uuid, place).where(*_taken_up(flow, run_id)).subquery("placed")
        statement = (
            update(schema.requests)
            .where(_R.flow == flow, _R.run_id == run_id, _R.uuid == placed.c.uuid)
            .values(batch=placed.c.place % batches, position=placed.c.place // batches)
        )
        with self._database.write() as connection:
            connection.execute(statement)

    def taken(self, flow: str, run_id: str) -> int:
        """Return how many requests the run has taken up and not finished."""
        query = select(func.count()).select_from(schema.requests).where(*_taken_up(flow, run_id))
        with self._database.read() as connection:
            return connection.execute(query).scalar_one()

    def first_of(self, flow: str, run_id: str, batch: int, *, limit: int) -> list[Taken]:
        """Return the first requests of a batch."""
        query = (
            select(_R.uuid, _R.id, _R.order_number)
            .where(*_taken_up(flow, run_id), _R.batch == batch)
            .order_by(_R.position)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [Taken(*row) for row in connection.execute(query)]

    def unfinished(self, flow: str, run_id: str) -> list[str]:
        """Return the uuids of what the run has taken up where the ERP may know of it."""
        query = select(_R.uuid).where(*_taken_up(flow, run_id), _R.state.in_(UNFINISHED_OUTSIDE))
        with self._database.read() as connection:
            return list(_uuids(connection, query))


def _taken_up(flow: str, run_id: str) -> tuple[ColumnElement[bool], ...]:
    """Say that a run has taken a request up and not finished it."""
    waits = (_R.step != "", _R.state.not_in((State.FAILED, State.PARKED)))
    return (_R.flow == flow, _R.run_id == run_id, *waits)


def _uuids(connection: Connection, query: Select[Any]) -> Iterator[str]:
    """Read uuids, some at a time."""
    yield from connection.execute(query, execution_options={"yield_per": _AT_ONCE}).scalars()


class Taken(NamedTuple):
    """Of what a run has taken up, as much as a batch's name tells."""

    uuid: str
    id: int | None
    order_number: str


@dataclass(frozen=True)
class _Place:
    flow: str
    run_id: str
    position: int
    first_step: str
    now: float
    ready: bool = False


@dataclass
class _Writes:
    """Rows of one page, written together: one statement per table instead of three per request."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    owned: list[dict[str, Any]] = field(default_factory=list)
    changed: list[dict[str, Any]] = field(default_factory=list)
    outdated: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    payloads: list[dict[str, Any]] = field(default_factory=list)
    freed: set[int | None] = field(default_factory=set)

    def own(self, record: Record, place: _Place) -> None:
        """Let the run have a request."""
        self.freed.add(record.claim_id)
        self.owned.append(_row(record) | {"to_run_id": place.run_id, "to_position": place.position})

    def change(self, old: Record, new: Record, place: _Place, note: str) -> None:
        """Let a request be another, with a line in its history."""
        self.freed.add(old.claim_id)
        values = {f"to_{name}": getattr(new, name) for name in MUTABLE}
        self.changed.append(_row(new) | values | {"to_last_changed": place.now})
        self.events.append(_event(new, place, note))


def _row(record: Record) -> dict[str, Any]:
    return {"at_flow": record.flow, "at_uuid": record.uuid}


def _event(new: Record, place: _Place, note: str) -> dict[str, Any]:
    return {
        "flow": new.flow,
        "uuid": new.uuid,
        "at": place.now,
        "run_id": place.run_id,
        "step": "get_data",
        "attempt": new.attempts,
        "send": new.sends,
        "state": new.state,
        "revision": "",
        "duration_ms": None,
        "note": f"{note}: {new.error}" if new.error else note,
    }


def _had_by(old: Record | None, run_id: str) -> bool:
    """Say whether the run has sent a request already: its parameter ``redo`` counts once."""
    return old is not None and old.run_id == run_id and old.state in _SENT_BEFORE


def _columns() -> list[Any]:
    return [schema.requests.c[name] for name in COLUMNS]


def _unlisted(old: Record) -> Record:
    """Return what Omnitron no longer lists: withdrawn, but never what an earlier send may have booked."""
    if not old.doubt:
        return old.moved(State.WITHDRAWN, step="", next_at=None, error="no longer listed by Omnitron")
    error = "in doubt: an earlier send may have been booked, and Omnitron no longer lists the request"
    return old.moved(State.PARKED, parked_from=State.IN_DOUBT, next_at=None, error=error)


def _parked(old: Record, decision: Decision, now: float) -> Record:
    assert decision.state is not None
    return old.moved(
        decision.state, error=decision.error, parked_from=old.state, next_at=None, last_changed=now
    )


def _lifted(old: Record) -> Record:
    """Return what a person cleared, as the step that it failed at takes it up.

    A 2xx that the response script called a failure is judged once more before anything is sent: the script
    may have been wrong, and repaired since. For that it stands under the key that it was sent under.
    """
    changes: dict[str, Any] = {"next_at": None, "auth_fails": 0, "attempts": old.attempts + 1}
    if old.step == "custom_response" and old.relation == "failure" and (old.erp_status or 0) // 100 == 2:  # noqa: PLR2004 -- 2xx
        return old.moved(State.ANSWERED, key_number=old.key_number - 1, **changes)
    state = State.FETCHED if old.step in ("script", "mapping") else State.PREPARED
    return old.moved(state, relation="", **changes)


def _written_back_again(old: Record) -> Record:
    """Return what was parked although the ERP has booked it: it is only written back, never sent again."""
    return old.moved(State.ACCEPTED, step="write_to_omnitron", parked_from="", next_at=None, redo=False)


def record_of(flow: str, run_id: str, request: Mapping[str, Any], *, now: float) -> Record:
    """Return a listed request as a new record that stands nowhere yet: what a dry run computes with."""
    return _entered(None, request, _Place(flow, run_id, 0, "", now))


def _entered(old: Record | None, request: Mapping[str, Any], place: _Place) -> Record:
    told = _told(request) | {"step": place.first_step, "error": "", "hopeful": False, "redo": False}
    state = State.PREPARED if place.ready else State.FETCHED
    if old is None:
        return Record(
            flow=place.flow,
            uuid=str(request["uuid"]),
            state=state,
            run_id=place.run_id,
            batch=None,
            position=place.position,
            attempts=1,
            failures=0,
            tries=0,
            sends=0,
            auth_fails=0,
            key_number=1,
            body_digest=None,
            doubt=False,
            last_send_at=None,
            since=place.now,
            next_at=None,
            erp_status=None,
            relation="",
            parked_from="",
            settled=False,
            first_seen=place.now,
            last_changed=place.now,
            claim_id=None,
            **told,
        )
    check_move(old.state, State.FETCHED)
    return replace(old, state=state, **told, **_afresh(old, place.now))


def _afresh(old: Record, now: float) -> dict[str, Any]:
    """Return what changes when a request goes through the chain once more."""
    changes: dict[str, Any] = {
        "attempts": old.attempts + (old.state not in (State.FETCHED, State.PREPARED)),
        "tries": 0,
        "auth_fails": 0,
        "next_at": None,
        "relation": "",
        "settled": False,
        "parked_from": "",
    }
    if old.state in (State.DONE, State.PARKED, State.IN_DOUBT, State.WITHDRAWN) or old.redo:
        changes |= {"failures": 0, "since": now}
    known = old.state == State.PARKED and old.parked_from not in _IN_THE_DARK and not old.doubt
    if old.state == State.DONE or known:
        # the outcome of what was sent is known, so what is sent now is another booking
        changes |= {"key_number": old.key_number + 1, "body_digest": None, "doubt": False}
    return changes


_IN_THE_DARK = (State.IN_DOUBT, State.SENDING, State.POSTPONED, State.ANSWERED)


def _told(request: Mapping[str, Any]) -> dict[str, Any]:
    channel = _within(request, "channel", "pk")
    return {
        "id": request["id"],
        "channel": channel if isinstance(channel, int) else None,
        "customer": _customer(request),
        "order_number": _text(_within(request, "order_item", "order", "number"), "order_number"),
        "sku": _text(_within(request, "order_item", "product", "sku"), "sku"),
    }


def _customer(request: Mapping[str, Any]) -> int | None:
    """Return Omnitron's number of the customer: the request's, or its order's."""
    places = (("customer", "pk"), ("customer",), ("order_item", "order", "customer"))
    found = (_within(request, *path) for path in places)
    return next((one for one in found if isinstance(one, int) and 0 <= one < 2**63), None)


def _text(value: Any, column: str) -> str:
    return "" if value is None else str(value)[: _ATTRIBUTE_LENGTH[column]]


def _within(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def even(items: Sequence[T], count: int) -> list[list[T]]:
    """Spread items over ``count`` lists whose lengths differ by one at most."""
    return [list(items[start::count]) for start in range(count)]
