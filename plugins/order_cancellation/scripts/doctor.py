"""What keeps scripts in on this machine, for ``order-cancellation doctor``."""

from __future__ import annotations

from order_cancellation.scripts.outcome import Protection
from order_cancellation.scripts.runner import ScriptRunner

__all__ = ["protections"]


def protections() -> tuple[Protection, ...]:
    """Start a child, and return which protections are in force in it.

    Raises:
        ConfigurationError: No child gets ready on this machine.
    """
    with ScriptRunner("", "doctor") as runner:
        return runner.protections
