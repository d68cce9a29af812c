"""Bugs to plant: the simulation has to find each of them, or it proves nothing.

Each is switched on by a test and takes the engine's code apart in this process only; nothing of it is in the
product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from sqlalchemy import true

from order_cancellation import omnitron
from order_cancellation.erp import Erp
from order_cancellation.errors import OrderCancellationError
from order_cancellation.http.session import Session
from order_cancellation.http.traffic import Traffic, Watch
from order_cancellation.ledger import State, intake, work
from order_cancellation.ledger.decisions import Decision
from order_cancellation.steps import relation
from order_cancellation.steps.desk import Desk
from order_cancellation.steps.judge import StoredAnswer

__all__ = ["BUGS", "planted"]


@contextmanager
def _send_before_intent() -> Iterator[None]:
    """The intent is written together with the answer."""
    with _held_back(State.SENDING):
        yield


@contextmanager
def _judge_before_saving() -> Iterator[None]:
    """The answer is written together with its judgement."""
    with _held_back(State.ANSWERED):
        yield


@contextmanager
def _held_back(state: State) -> Iterator[None]:
    real = Desk.record

    async def record(self: Desk, *changes: Any) -> Any:
        kept = self.__dict__.setdefault("_held_back", {})
        new = changes[-1].new
        if new.state == state and changes[-1].old.state != state:
            kept[new.uuid] = (*kept.pop(new.uuid, ()), *changes)
            return new
        return await real(self, *kept.pop(new.uuid, ()), *changes)

    with patch.object(Desk, "record", record):
        yield


@contextmanager
def _key_changed_too_early() -> Iterator[None]:
    """A postponed request gets a new key, though the ERP may hold something under the old one."""
    real = relation._postponed

    def postponed(record: Any, *rest: Any) -> Any:
        return replace(real(record, *rest), key_number=record.key_number + 1, body_digest=None)

    with patch.object(relation, "_postponed", postponed):
        yield


@contextmanager
def _lease_ignored() -> Iterator[None]:
    """Requests are taken whoever holds them, and a worker that slept past its lease sends all the same."""

    async def wait_for_others(_self: Desk, **_what: Any) -> None:
        pass

    with (
        patch.object(work, "_TAKE", work._taking(true())),
        patch.object(Desk, "wait_for_others", wait_for_others),
        _lease_not_checked_before_sending(),
    ):
        yield


@contextmanager
def _lease_not_checked_before_sending() -> Iterator[None]:
    """Only that last look at the clock is missing, right before the first byte."""
    with patch.object(Desk, "check_lease", lambda _self: None):
        yield


@contextmanager
def _write_back_before_judgement() -> Iterator[None]:
    """Omnitron is told as soon as any answer came."""
    real = relation._judged

    async def judged(desk: Any, record: Any, judge: Any) -> Any:
        status = desk.context.flow.write_to_omnitron.on_success
        if status is not None and status.status is not None:
            with suppress(OrderCancellationError):
                await desk.context.omnitron_to_tell().set_status(record.channel, record.id, status.status)
        return await real(desk, record, judge)

    with patch.object(relation, "_judged", judged):
        yield


@contextmanager
def _done_row_sent_again() -> Iterator[None]:
    """A request that is done, and that Omnitron still lists, is taken up as new."""
    real = intake.decide

    def decide(known: Any, **rest: Any) -> Decision:
        if known is not None and known.state == State.DONE:
            return Decision(take=True, why="again", state=State.FETCHED)
        return real(known, **rest)

    with patch.object(intake, "decide", decide):
        yield


@contextmanager
def _breaker_of_each_batch() -> Iterator[None]:
    """A batch knows only of its own failures."""

    async def look(self: Watch) -> Traffic:
        return self.known

    with patch.object(Watch, "look", look):
        yield


@contextmanager
def _look_ups_past_the_breaker() -> Iterator[None]:
    """Only writes to the ERP mind the breaker."""
    real = Session.ask

    async def ask(self: Session, call: Any, **_through: Any) -> Any:
        return await real(self, call)

    async def check_open(_self: Erp) -> None:
        pass

    with patch.object(Session, "ask", ask), patch.object(Erp, "check_open", check_open):
        yield


@contextmanager
def _redirect_taken_for_a_no() -> Iterator[None]:
    """A redirect after a booking counts as not booked, wherever it leads."""
    with patch.object(StoredAnswer, "_sends_it_elsewhere", True):
        yield


@contextmanager
def _web_page_taken_for_told() -> Iterator[None]:
    """Any 2xx to a write counts as Omnitron told."""
    with patch.object(omnitron, "_is_taken_unread", lambda *_: False):
        yield


BUGS: dict[str, Callable[[], Any]] = {
    "send_before_intent": _send_before_intent,
    "judge_before_saving": _judge_before_saving,
    "key_changed_too_early": _key_changed_too_early,
    "lease_ignored": _lease_ignored,
    "lease_not_checked_before_sending": _lease_not_checked_before_sending,
    "write_back_before_judgement": _write_back_before_judgement,
    "done_row_sent_again": _done_row_sent_again,
    "breaker_of_each_batch": _breaker_of_each_batch,
    "look_ups_past_the_breaker": _look_ups_past_the_breaker,
    "redirect_taken_for_a_no": _redirect_taken_for_a_no,
    "web_page_taken_for_told": _web_page_taken_for_told,
}
"""Every bug by its name."""


@contextmanager
def planted(bug: str | None) -> Iterator[None]:
    """Plant a bug for a while; None plants nothing."""
    if bug is None:
        yield
        return
    with BUGS[bug]():
        yield
