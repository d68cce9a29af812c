"""How requests get into a run: what Omnitron lists, and what earlier runs left unfinished.

What to do with each one is decided in ``decisions``, and ``entries`` says what it is like then; here they are
read and written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
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
from order_cancellation.ledger.decisions import Decision, Limits, carry_on, decide, had_by
from order_cancellation.ledger.entries import Place, entered, lifted, parked, unlisted, written_back_again
from order_cancellation.ledger.former import Former, flows_with
from order_cancellation.ledger.records import Record
from order_cancellation.ledger.states import UNFINISHED_OUTSIDE, WITHDRAWABLE, State
from order_cancellation.ledger.work import RECORDS, live_claims, record_from
from order_cancellation.ledger.writes import Writes, event

__all__ = ["Asked", "Intake", "Taken"]

_R = schema.requests.c
_IN = 500
_AT_ONCE = 1000
"""How many rows are in memory together: a run may have very many."""
# Made once: making a statement costs as much as running it.
_OF_FLOW = (_R.flow == bindparam("at_flow"), _R.uuid.in_(bindparam("at_uuids", expanding=True)))
_KNOWN = RECORDS.where(*_OF_FLOW)
_HELD = select(_R.uuid).where(*_OF_FLOW, _R.claim_id.in_(live_claims(bindparam("at_now"))))


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
        named: bool = False,
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
            named: Whether a person named these: they are taken up again until they have an outcome, listed or
                not.
            former: Flows whose folders are gone. What one of them has at work or may have booked is not
                sent: a flow that was renamed would send it again (see ``Former``).

        Returns:
            How many were met, by reason; under ``taken`` those that the run took up, under ``left`` those for
            which there was no room.
        """
        counts: Counter[str] = Counter()
        distinct = {one["uuid"]: one for one in listed}
        with self._database.write() as connection:
            theirs = flows_with(connection, former, list(distinct))
            for locked in sorted({flow, *theirs}):  # in one order, so that no two wait for each other
                self._database.lock_flow(connection, locked)
            now = self._now()
            known = self._known(connection, flow, list(distinct))
            held = self._held(connection, flow, list(known), now)
            had = self._had(connection, sorted(theirs), list(distinct), now)
            since = self._sent_since(connection, flow, run_id, list(known)) if redo else set()
            writes = Writes()
            for uuid, request in distinct.items():
                old = known.get(uuid)
                again = redo and not had_by(old, run_id, sent_since=uuid in since)
                decision = (
                    Decision(take=False, why="in work by another worker")
                    if uuid in held
                    else had.decision(uuid, old, redo=redo) or decide(old, now=now, limits=limits, redo=again)
                )
                if decision.take and counts["taken"] >= room:
                    counts["left"] += 1
                    continue
                counts[decision.why] += 1
                at = position + counts["taken"]
                place = Place(flow, run_id, at, first_step, now, ready=ready, named=named)
                counts["taken"] += decision.take
                self._carry_out(writes, decision, old, request, place)
                if decision.take:
                    had.hand_over(uuid, place, writes)
            writes.write(self._database, connection)
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
                writes = Writes()
                for old in records:
                    decision = carry_on(old, now=now, limits=limits)
                    if decision.take and counts["taken"] >= room:
                        counts["left"] += 1
                        continue
                    counts[decision.why] += 1
                    place = Place(flow, run_id, position + counts["taken"], "", now)
                    counts["taken"] += decision.take
                    if decision.state is not None:
                        writes.change(old, parked(old, decision, now), place, decision.why)
                    elif decision.take:
                        writes.own(old, place)
                writes.write(self._database, connection)
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
                _R.asked.is_(False),
                self._not_held(now),
            )
            if refusals_told:
                query = query.where(not_(and_(_R.state == State.FAILED, _R.relation == "failure")))
            gone = [uuid for uuid in _uuids(connection, query) if uuid not in listed]
            for records in self._in_parts(connection, flow, gone):
                writes = Writes()
                for old in records:
                    place = Place(flow, run_id, old.position, "", now)
                    writes.change(old, unlisted(old), place, "no longer listed")
                writes.write(self._database, connection)
                closed += sum(not (old.doubt or old.pending) for old in records)
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
                writes = Writes()
                for old in records:
                    new = lifted(old)
                    self._carry_over(connection, old, now)
                    place = Place(flow, run_id, old.position, "", now)
                    judged = ": its answer is judged again" if new.state == State.ANSWERED else ""
                    writes.change(old, new, place, f"cleared by a person{judged}")
                writes.write(self._database, connection)
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

    def asked_for(self, flow: str) -> list[Asked]:
        """Return the requests that a person named: those to be done again, and those without an outcome yet.

        The latter need not be listed by Omnitron; what failed for good is left out.
        """
        unfinished = and_(_R.asked, _R.state.in_(WITHDRAWABLE), _R.settled.is_(False))
        query = (
            select(_R.id, _R.uuid, _R.redo)
            .where(_R.flow == flow, _R.id.is_not(None), or_(_R.redo, unfinished))
            .order_by(_R.id, _R.uuid)
        )
        with self._database.read() as connection:
            return [Asked(*row) for row in connection.execute(query)]

    def drop_word(self, flow: str, uuid: str, *, run_id: str, why: str) -> None:
        """Let a person's word about a request fall away, with a line in its history."""
        with self._database.write() as connection:
            self._database.lock_flow(connection, flow)
            now = self._now()
            old = self._known(connection, flow, [uuid])[uuid]
            here = (_R.flow == flow, _R.uuid == uuid)
            nothing = {"redo": False, "asked": False, "last_changed": now}
            connection.execute(update(schema.requests).where(*here).values(nothing))
            place = Place(flow, run_id, old.position, "", now)
            self._database.add(connection, schema.events, [event(replace(old, error=""), place, why)])

    def _in_parts(self, connection: Connection, flow: str, uuids: Sequence[str]) -> Iterator[list[Record]]:
        """Read records some at a time, in the order in which their uuids are given."""
        for start in range(0, len(uuids), _AT_ONCE):
            some = uuids[start : start + _AT_ONCE]
            known = self._known(connection, flow, some)
            yield [known[uuid] for uuid in some]

    def _known(self, connection: Connection, flow: str, uuids: Sequence[str]) -> dict[str, Record]:
        found: dict[str, Record] = {}
        for start in range(0, len(uuids), _IN):
            rows = connection.execute(_KNOWN, {"at_flow": flow, "at_uuids": uuids[start : start + _IN]})
            found |= {row.uuid: record_from(row) for row in rows}
        return found

    def _had(self, connection: Connection, flows: Sequence[str], uuids: Sequence[str], now: float) -> Former:
        records = {flow: self._known(connection, flow, uuids) for flow in flows}
        held = {uuid for flow in flows for uuid in self._held(connection, flow, uuids, now)}
        return Former(records, held)

    def _sent_since(self, connection: Connection, flow: str, run_id: str, uuids: Sequence[str]) -> set[str]:
        """Return what any run has sent, or learned to be booked, since this one first began."""
        r, e = schema.runs.c, schema.events.c
        begun = select(r.started_at).where(r.flow == flow, r.run_id == run_id).scalar_subquery()
        sent: set[str] = set()
        for start in range(0, len(uuids), _IN):
            here = (e.flow == flow, e.uuid.in_(uuids[start : start + _IN]))
            told = self._database.aside(e.state).in_((State.SENDING, State.ACCEPTED))
            query = select(e.uuid).where(*here, told, e.at >= begun)
            sent |= set(connection.execute(query).scalars())
        return sent

    def _held(self, connection: Connection, flow: str, uuids: Sequence[str], now: float) -> set[str]:
        held: set[str] = set()
        for start in range(0, len(uuids), _IN):
            some = {"at_flow": flow, "at_uuids": uuids[start : start + _IN], "at_now": now}
            held |= set(connection.execute(_HELD, some).scalars())
        return held

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _not_held(self, now: float) -> Any:
        return or_(_R.claim_id.is_(None), _R.claim_id.not_in(live_claims(now)))

    def _carry_out(
        self,
        writes: Writes,
        decision: Decision,
        old: Record | None,
        request: Mapping[str, Any],
        place: Place,
    ) -> None:
        if decision.state == State.FETCHED:
            new = entered(old, request, place)
            writes.payloads.append(self._payload(new, request, place.now))
            if old is None:
                writes.add(new, place, decision.why)
            else:
                writes.own(old, place)
                writes.change(old, new, place, decision.why)
                writes.outdate(new)
        elif (old is None or old.state == State.WITHDRAWN) and decision.state == State.PARKED:
            new = entered(old, request, place)
            writes.payloads.append(self._payload(new, request, place.now))
            waiting = parked(new, decision, place.now)
            if old is None:
                writes.add(waiting, place, decision.why)
            else:
                writes.own(old, place)
                writes.change(old, waiting, place, decision.why)
        elif decision.state == State.ACCEPTED and old is not None:
            writes.own(old, place)
            writes.change(old, written_back_again(old), place, decision.why)
        elif decision.state is not None and old is not None:
            writes.change(old, parked(old, decision, place.now), place, decision.why)
        elif decision.take and old is not None:
            writes.own(old, place)

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


class Asked(NamedTuple):
    """A request that a person named, and whether to do it again whatever its state."""

    id: int
    uuid: str
    redo: bool


class Taken(NamedTuple):
    """Of what a run has taken up, as much as a batch's name tells."""

    uuid: str
    id: int | None
    order_number: str
