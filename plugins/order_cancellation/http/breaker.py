"""The breaker: when call after call fails, stop calling for a while, so that few requests end in doubt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from order_cancellation.clock import Clock
from order_cancellation.errors import InDoubt, NotSent
from order_cancellation.http.messages import Answer

__all__ = ["Breaker"]

SERVER_ERRORS = range(500, 600)


class Breaker:
    """Counts failures in a row, and lets nothing out while it is open.

    A failure is a call that was not sent, that got no whole answer, or a 5xx. An answer that says when to
    come back (``Retry-After``) is neither failure nor success. After the pause one call goes out as a probe:
    its success closes the breaker, its failure begins another pause.

    Args:
        name: Whose breaker it is, for messages (``Connection 'erp_default'``).
        clock: For the pause.
        threshold: How many failures in a row open it, at least 1.
        pause_s: How long it stays open, in seconds.
    """

    def __init__(self, name: str, clock: Clock, *, threshold: int = 10, pause_s: float = 30.0) -> None:
        self._name = name
        self._clock = clock
        self._threshold = threshold
        self._pause_s = pause_s
        self._failures = 0
        self._closed_at = 0.0
        self._probing = False

    @property
    def is_open(self) -> bool:
        """Whether no call may go out now, not even a probe."""
        if self._failures < self._threshold:
            return False
        return self._probing or self._clock.monotonic() < self._closed_at

    def check(self) -> None:
        """Make sure that a call may go out now.

        Raises:
            NotSent: The breaker is open.
        """
        if self.is_open:
            raise NotSent(
                f"{self._name} was not called: {self._failures} calls in a row failed, "
                f"so nothing is sent for {self._pause_s:g} s"
            )

    async def guard(self, send: Callable[[], Awaitable[Answer]]) -> Answer:
        """Send a call unless the breaker is open, and learn from what comes of it.

        Args:
            send: Sends the call once.

        Raises:
            NotSent: The breaker is open, and nothing left; or ``send`` raised it.
            InDoubt: ``send`` raised it.
        """
        self.check()
        is_probe = self._failures >= self._threshold
        self._probing = self._probing or is_probe
        try:
            answer = await send()
        except (NotSent, InDoubt):
            self._failed()
            raise
        finally:
            if is_probe:
                self._probing = False
        if "retry-after" not in answer.headers:
            self._judge(answer)
        return answer

    def _judge(self, answer: Answer) -> None:
        if answer.status in SERVER_ERRORS:
            self._failed()
        else:
            self._failures = 0

    def _failed(self) -> None:
        self._failures += 1
        if self._failures >= self._threshold:
            self._closed_at = self._clock.monotonic() + self._pause_s
