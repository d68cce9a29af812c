"""What a run does with a request that it meets, by where the ledger has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from order_cancellation.ledger.records import Record
from order_cancellation.ledger.states import BOOKED, State

__all__ = ["POSTPONED_TOO_LONG", "Decision", "Limits", "carry_on", "decide", "had_by", "is_booked_earlier"]

POSTPONED_TOO_LONG = "postponed for longer than max_age and parked now"

_REFETCHED = (State.FETCHED, State.PREPARED, State.POSTPONED, State.FAILED, State.WITHDRAWN)
_SENT_BEFORE = (State.DONE, State.PARKED, State.IN_DOUBT)
_REDONE = (*_SENT_BEFORE, *_REFETCHED)


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
    known = replace(known, redo=redo or known.redo)
    if known.redo and known.state == State.PARKED and known.parked_from in BOOKED:
        return Decision(take=True, why="written back again by a person's word", state=State.ACCEPTED)
    if known.redo and known.state in _REDONE:
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
    that was tried too often where it stands. An answer is judged before a person's redo counts, however often
    that was tried: where it says booked, the redo falls away.
    """
    if known.state == State.ANSWERED and known.redo:
        return Decision(take=True, why="its answer is judged before it is done again")
    if known.state == State.IN_DOUBT and not known.hopeful:
        return Decision(take=False, why="parked now", state=State.PARKED, error=known.error)
    if known.state == State.IN_DOUBT and now - known.since > limits.max_age_s:
        return Decision(take=False, why="parked now", state=State.PARKED, error=known.error)
    if known.state != State.SENDING and known.tries >= limits.max_attempts:
        return Decision(take=False, why="parked now", state=State.PARKED, error=known.error)
    return Decision(take=True, why=f"unfinished ({known.state})")


def had_by(old: Record | None, run_id: str, *, sent_since: bool) -> bool:
    """Say whether a run's parameter ``redo`` has been followed already: it counts once for each request.

    Args:
        old: What the ledger has of the request, or None.
        run_id: The run.
        sent_since: Whether it was sent, or its booking got known, after this run had first begun: another run
            may have done meanwhile what this one was to do.
    """
    if old is None or not (sent_since or old.run_id == run_id):
        return False
    return old.settled or old.state in _SENT_BEFORE


def is_booked_earlier(record: Record, events: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether the ERP has booked an earlier call of a request that was redone since.

    A person's "not booked" is about the whole request: what was booked before it counts as undone.

    Args:
        record: The request; while the last booking is still being brought to its end, none is earlier.
        events: Its history, oldest first.
    """
    ended = (*BOOKED, State.DONE)
    if record.state in ended or (record.state == State.PARKED and record.parked_from in BOOKED):
        return False
    booked = False
    for event in events:
        if event["state"] in ended:
            booked = True
        elif event["state"] == State.REFUSED and event["step"] == "":
            booked = False
    return booked
