"""A step's execution over one batch: the claim, its lease, and the writing down of what happens.

Changes are committed in groups: while one transaction is under way the next changes gather, and what is no
intent waits a moment for company, so that a thousand requests do not cost a thousand commits. ``record``
returns when its change is on the disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Self

from order_cancellation.errors import LeaseLost, LedgerUnavailable
from order_cancellation.ledger import Change, Claim, Record, State
from order_cancellation.steps.context import Context

__all__ = ["LEVELS", "Desk"]

CHUNK = 250
"""How many requests are read from the ledger at once; a batch of any size takes the same memory."""

_GROUP = 100
"""How many changes are written in one transaction at most: other batches want to write, too."""

_LINGER_S = 0.01
"""How long a change waits for others to share its transaction; never an intent: a slot is held for it."""

_LINES = 25
"""How many lines of scripts go to the task log as one event."""

LEVELS = {
    "debug": logging.DEBUG,
    "warn": logging.WARNING,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}
"""What a script's own levels are in the task log; any other is info."""

_Waiting = tuple[Sequence[Change], asyncio.Future[None]]
"""Changes of one request, and who is told once they are on the disk."""


class Desk:
    """The place where one step works on one batch.

    Args:
        context: The step's ports.
        step: The step's name.
        batch: The batch's number.
    """

    def __init__(self, context: Context, step: str, batch: int) -> None:
        self.context = context
        self.step = step
        self.batch = batch
        self._claim: Claim | None = None
        self._alive_until = self._lease_until = 0.0
        self._waiting: list[_Waiting] = []
        self._handling = 0
        self._leaving = False
        self._some = asyncio.Event()
        self._pressing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._said: list[str] = []
        self._standing: dict[str, Record] = {}

    @property
    def claim(self) -> Claim:
        """The claim under which everything is written."""
        assert self._claim is not None
        return self._claim

    async def __aenter__(self) -> Self:
        """Open the claim and begin to renew its lease."""
        context = self.context
        lease_s = context.flow.delivery.lease.total_seconds()
        begun = context.clock.monotonic(), context.clock.now().timestamp()
        self._claim = await asyncio.to_thread(
            context.ledger.work.open_claim,
            context.flow.id,
            context.run_id,
            self.batch,
            self.step,
            worker=context.worker,
            lease_s=lease_s,
        )
        self._hold(begun)
        self._tasks = [asyncio.create_task(self._renew()), asyncio.create_task(self._write())]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Write down what is still to be written, and let go of the requests."""
        self._tell()
        renewing, writing = self._tasks
        self._leaving = True
        self._some.set()
        self._pressing.set()
        await writing
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        with suppress(LedgerUnavailable):  # the lease ends by itself; what failed before is told already
            await asyncio.to_thread(self.context.ledger.work.release, self.claim)

    def _hold(self, begun: tuple[float, float]) -> None:
        self._alive_until, self._lease_until = (at + self.claim.lease_s for at in begun)

    def check_lease(self) -> None:
        """Make sure that the requests are still ours; called right before anything leaves.

        By both clocks: others judge the lease by the wall's, which somebody may set forward meanwhile.

        Raises:
            LeaseLost: The lease may have ended: another worker may have these requests now.
        """
        clock = self.context.clock
        if clock.monotonic() >= self._alive_until or clock.now().timestamp() >= self._lease_until:
            raise LeaseLost(
                f"Flow '{self.context.flow.id}', {self.step}, batch {self.batch}: the lease has ended, "
                "so nothing more is sent from here."
            )

    def say(self, lines: Iterable[tuple[str, str]]) -> None:
        """Write lines to the task log; ``info`` in blocks, since each event costs Airflow some 3 ms.

        Args:
            lines: Level (``debug``, ``info``, ``warn``, ``error`` …) and text, without personal data.
        """
        for level, line in lines:
            if level == "info":
                self._said.append(line)
            else:
                self._tell()
                self.context.log.log(LEVELS.get(level, logging.INFO), "%s", line)
        if len(self._said) >= _LINES:
            self._tell()

    def _tell(self) -> None:
        if self._said:
            self.context.log.info("%s", "\n".join(self._said))
            self._said.clear()

    async def record(self, *changes: Change) -> Record:
        """Write changes of one request, and return it as it is now.

        Raises:
            LeaseLost: Another worker has the request; nothing was written.
            LedgerUnavailable: Nothing could be written.
        """
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((changes, written))
        self._some.set()
        self._press(at_once=any(change.new.state == State.SENDING for change in changes))
        await written
        new = changes[-1].new
        self._standing[new.uuid] = new
        return new

    @contextmanager
    def handling(self) -> Iterator[None]:
        """Count a request as worked on: once each of them waits for its change, no other one will come."""
        self._handling += 1
        try:
            yield
        finally:
            self._handling -= 1
            self._press(at_once=False)

    def standing(self, record: Record) -> Record:
        """Return a request as it was last written here, and forget it: the work on it is over."""
        return self._standing.pop(record.uuid, record)

    async def chunks(
        self,
        *,
        steps: Sequence[str],
        states: Sequence[State],
        any_step: Sequence[State],
        kinds: Iterable[str],
    ) -> AsyncIterator[list[Record]]:
        """Take the batch's requests, some hundred at a time, until there are no more."""
        after = -1
        wanted = tuple(kinds)
        while True:
            records = await asyncio.to_thread(
                self.context.ledger.work.take,
                self.claim,
                steps=steps,
                states=states,
                any_step=any_step,
                kinds=wanted,
                after=after,
                limit=CHUNK,
            )
            if not records:
                return
            yield records
            after = records[-1].position

    async def wait_for_others(self, *, steps: Sequence[str], states: Sequence[State]) -> None:
        """Wait until a worker that went silent no longer holds requests of this batch.

        A worker that is alive renews its lease; then this gives up, and its requests are left to it.
        """
        clock, work = self.context.clock, self.context.ledger.work
        until = await asyncio.to_thread(work.held_until, self.claim, steps=steps, states=states)
        if until is None:
            return
        pause = max(until - clock.now().timestamp(), 0) + 0.1
        self.context.log.info(
            "Another execution held requests of this batch; waiting up to %.0f s for its lease to end", pause
        )
        await clock.sleep(min(pause, self.claim.lease_s + 0.1))

    async def _renew(self) -> None:
        clock = self.context.clock
        while True:
            await clock.sleep(self.claim.lease_s / 3)
            self._tell()
            begun = clock.monotonic(), clock.now().timestamp()
            try:
                await asyncio.to_thread(self.context.ledger.work.renew, self.claim)
            except LeaseLost as error:
                self._alive_until = 0.0
                self.context.log.warning("%s", error)
                return
            except LedgerUnavailable as error:
                self.context.log.warning("%s", error)
                continue
            self._hold(begun)

    def _press(self, *, at_once: bool) -> None:
        """Let the writer go on, if a change can't wait or nobody is left who could bring another one."""
        if self._waiting and (at_once or len(self._waiting) >= min(self._handling, _GROUP)):
            self._pressing.set()

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            if not self._waiting:
                return
            await self._linger()
            group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
            if not self._waiting:
                self._pressing.clear()
                if not self._leaving:
                    self._some.clear()
            await self._commit(group)

    async def _linger(self) -> None:
        if self._pressing.is_set():
            return
        nap = asyncio.create_task(self.context.clock.sleep(_LINGER_S))
        nap.add_done_callback(lambda done: None if done.cancelled() else self._pressing.set())
        await self._pressing.wait()
        nap.cancel()

    async def _commit(self, group: list[_Waiting]) -> None:
        changes = [change for one, _ in group for change in one]
        try:
            lost = await asyncio.to_thread(
                self.context.ledger.work.apply, self.claim, changes, revision=self.context.loaded.revision
            )
        except LedgerUnavailable as error:
            for _, written in group:
                _settle(written, error)
            return
        except Exception as error:  # noqa: BLE001 (handed to whoever waits: with no answer it would wait for ever)
            await self._commit_apart(group, error)
            return
        for one, written in group:
            taken = one[0].new.uuid in lost
            _settle(written, _taken_over(one[0].new) if taken else None)

    async def _commit_apart(self, group: list[_Waiting], error: Exception) -> None:
        """Write a group's changes one by one: one that can't be written must not hold up the others."""
        if len(group) == 1:
            _settle(group[0][1], error)
            return
        for one in group:
            await self._commit([one])


def _settle(written: asyncio.Future[None], error: Exception | None) -> None:
    if written.done():
        return
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)


def _taken_over(record: Record) -> LeaseLost:
    return LeaseLost(f"Request {record.id} ({record.uuid}): another worker has taken it over.")
