"""Whether all of a running Airflow lives: ``standalone`` neither restarts a killed part nor tells of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from pathlib import Path

from order_cancellation.errors import OrderCancellationError

__all__ = ["LOOK_EVERY", "PartGone", "Watch"]

LOOK_EVERY = 5.0
TELL_AFTER = 30.0
END_AFTER = 120.0
"""Seconds of silence. Airflow itself calls a part silent 30 s after its last sign of life, and on a busy
machine one may be late; so it is told first."""


class PartGone(OrderCancellationError):
    """A part of Airflow gives no sign of life any more, and nobody but a person starts it again."""


class Watch:
    """Tells of a part that is silent, and gives up when it stays so.

    Args:
        silent_parts: Names the parts that are silent now.
        tell: Tells people something.
        log: Where the parts write what they say.
        clock: Counts seconds.
    """

    def __init__(
        self,
        silent_parts: Callable[[], Collection[str]],
        tell: Callable[[str], None],
        log: Path,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._silent_parts = silent_parts
        self._tell = tell
        self._log = log
        self._clock = clock
        self._since: dict[str, float] = {}
        self._told: set[str] = set()

    def look(self) -> None:
        """Look once.

        Raises:
            PartGone: If a part has been silent for two minutes.
        """
        now, silent = self._clock(), self._silent_parts()
        self._since = {part: self._since.get(part, now) for part in silent}
        for part in sorted(self._told - set(silent)):
            self._told.remove(part)
            self._tell(f"Airflow's {part} gives signs of life again.")
        for part, since in self._since.items():
            self._judge(part, now - since)

    def _judge(self, part: str, seconds: float) -> None:
        said = f"Airflow's {part} has given no sign of life for more than {seconds:.0f} s"
        if seconds >= END_AFTER:
            raise PartGone(
                f"{said}: it was killed, or hangs. Nothing starts it again, so everything is stopped. "
                "Start it anew with the same command; what is unfinished is taken up. "
                f"Why it ended may stand in {self._log}, or in the system's log where memory ran out."
            )
        if seconds >= TELL_AFTER and part not in self._told:
            self._told.add(part)
            self._tell(
                f"{said}. If it stays silent, everything is stopped {END_AFTER - seconds:.0f} s from now."
            )
