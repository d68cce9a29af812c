"""An end for what a flow's owner writes and our own code works out: mappings and templates.

A regular expression or a loop in them may never end, for one request's values only. Its task would go on for
ever, hold a slot, and say nothing. (Scripts run in processes of their own, with limits of their own.)
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

__all__ = ["MOST_S", "cpu_limit"]

MOST_S = 10.0
"""Processor time for one request's mapping, or one template: thousands of times what they take."""


@contextmanager
def cpu_limit(error: Exception) -> Iterator[None]:
    """End what is inside after ``MOST_S`` seconds of processor time.

    Only a process's main thread can be ended so; that is where steps work. Elsewhere there is no limit.

    Args:
        error: What is raised where the work is by then.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    is_over = False

    def end(_signal: int, _frame: FrameType | None) -> None:
        if not is_over:
            raise error

    before = signal.signal(signal.SIGVTALRM, end)
    signal.setitimer(signal.ITIMER_VIRTUAL, MOST_S, MOST_S)  # again, should something have swallowed it
    try:
        yield
    finally:
        is_over = True  # what comes between here and the timer's end does no harm
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
