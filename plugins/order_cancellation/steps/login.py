"""Login step: tokens for Omnitron and the ERP, before anything is fetched.

They are kept encrypted in the ledger's database, so the other tasks find them there; nothing of them is
returned or logged.
"""

from __future__ import annotations

from typing import Protocol

from order_cancellation.errors import ConfigurationError, LoginFailed, OrderCancellationError, recovery_of

__all__ = ["Door", "run"]


class Door(Protocol):
    """A remote system that one logs in to."""

    async def log_in(self) -> None:
        """Make sure that there is a token."""


async def run(doors: dict[str, Door]) -> None:
    """Log in to every system, and tell of all that failed at once.

    Args:
        doors: By their connection's name.

    Raises:
        OrderCancellationError: The only error; of several the words of all, as ``ConfigurationError`` where
            somebody has to act on one of them first, else as ``LoginFailed``.
    """
    errors: list[OrderCancellationError] = []
    for door in doors.values():
        try:
            await door.log_in()
        except OrderCancellationError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    if errors:
        kind = LoginFailed if all(recovery_of(error).repeat for error in errors) else ConfigurationError
        raise kind("\n".join(str(error) for error in errors))
