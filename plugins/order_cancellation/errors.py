"""Every error of the engine, as classes by what the reader can do about it.

::

    OrderCancellationError
     ├── ConfigurationError       the user must change something
     │    ├── FlowInvalid         …in a flow's folder; carries every problem of it at once
     │    ├── SaveRefused         …before a flow's folder is written: nothing was
     │    └── ChangedMeanwhile    …after reading again what somebody else has changed: nothing was done
     ├── NotSent                  surely did not reach the other side; may be repeated freely
     │    └── LoginFailed         …because no token could be had
     ├── InDoubt                  may have been processed; must not simply be repeated
     ├── Refused                  the other side said no
     │    └── Unauthorized        …to our credentials: one new login, one repeat
     ├── Wait                     the other side said: later
     ├── UnreadableAnswer         the other side said something that nobody can read
     ├── ScriptFailed             the user's script raised, or set nothing that can be acted on
     ├── MappingFailed            the user's mapping gave nothing, or an error
     ├── LedgerUnavailable        our own storage: stop sending
     │    └── LeaseLost           …another worker has taken these requests over
     └── SourceChanged            the list changed while it was being read

``RECOVERY`` says of each class whether the work may be repeated without asking, and who acts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = [
    "RECOVERY",
    "ChangedMeanwhile",
    "ConfigurationError",
    "FlowInvalid",
    "InDoubt",
    "LeaseLost",
    "LedgerUnavailable",
    "LoginFailed",
    "MappingFailed",
    "NotSent",
    "OrderCancellationError",
    "Problem",
    "Recovery",
    "Refused",
    "SaveRefused",
    "ScriptFailed",
    "SourceChanged",
    "Unauthorized",
    "UnreadableAnswer",
    "Wait",
    "recovery_of",
]


class OrderCancellationError(Exception):
    """The root: whatever the engine raises on purpose is one of these."""


class ConfigurationError(OrderCancellationError):
    """A setting, connection or flow is wrong, and only its owner can put it right."""


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong with a flow.

    Args:
        flow: The flow's id.
        path: Where in ``flow.yaml`` (``write_to_erp.method``), or which file with its line.
        message: What is wrong and what to do, without the path.
    """

    flow: str
    path: str
    message: str

    def __str__(self) -> str:
        """Return the problem as one line for people."""
        where = f"Flow '{self.flow}', {self.path}" if self.path else f"Flow '{self.flow}'"
        return f"{where}: {self.message}"


class FlowInvalid(ConfigurationError):
    """A flow's folder does not hold a valid flow.

    Args:
        problems: All that is wrong with it, in the order of the file.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it travel to another process with its problems."""
        return type(self), (self.problems,)


class SaveRefused(ConfigurationError):
    """A flow's folder was left as it is, although what was to be written is a flow.

    Args:
        message: Why, and what to do.
        code: ``changed`` (by somebody else meanwhile), ``cases`` (some fail), ``read_only`` or ``taken``.
        facts: What a page shows beside the message.
    """

    def __init__(self, message: str, *, code: str, **facts: Any) -> None:
        self.code = code
        self.facts = facts
        super().__init__(message)


class ChangedMeanwhile(ConfigurationError):
    """What a person decided on is no longer as that person saw it: nothing was done."""


class NotSent(OrderCancellationError):
    """The request surely did not reach the other side: it may be repeated freely."""


class LoginFailed(NotSent):
    """No token could be had, so nothing was sent."""


class InDoubt(OrderCancellationError):
    """The other side may have processed the request: nobody may simply repeat it."""


class Refused(OrderCancellationError):
    """The other side said no.

    Args:
        message: What was refused, in the other side's own words where it gave any (masked).
        status: The HTTP status code.
    """

    def __init__(self, message: str, *, status: int) -> None:
        self.status = status
        super().__init__(message)


class Unauthorized(Refused):
    """The other side did not accept our token: one new login and one repeat may help."""


class Wait(OrderCancellationError):
    """The other side asked to come back later, and did not process the request.

    Args:
        message: Who asked, and for what request.
        seconds: For how long, or None where it did not say.
    """

    def __init__(self, message: str, *, seconds: float | None) -> None:
        self.seconds = seconds
        super().__init__(message)


class UnreadableAnswer(OrderCancellationError):
    """The other side answered a reading call with something that is not what its API promises."""


class ScriptFailed(OrderCancellationError):
    """The user's script raised, ran out of its limits, or left nothing to act on."""


class MappingFailed(OrderCancellationError):
    """The user's mapping raised or gave null."""


class LedgerUnavailable(OrderCancellationError):
    """The ledger can't be read or written: nothing may be sent until it can."""


class LeaseLost(LedgerUnavailable):
    """Another worker has taken these requests over: stop, and write nothing more about them."""


class SourceChanged(OrderCancellationError):
    """Omnitron's list changed while it was being read, and the reading has to start again."""


class Actor(StrEnum):
    """Who has to do something before the work can go on."""

    NOBODY = "nobody"
    OWNER = "the flow's owner"
    OPERATOR = "an operator"


@dataclass(frozen=True)
class Recovery:
    """What an error means for the work it interrupted.

    Args:
        repeat: Whether the same step may be run again without a person's word.
        actor: Who acts.
        alarm: Whether somebody should be told at once rather than by the next report.
    """

    repeat: bool
    actor: Actor
    alarm: bool


RECOVERY: dict[type[OrderCancellationError], Recovery] = {
    ConfigurationError: Recovery(repeat=False, actor=Actor.OWNER, alarm=False),
    FlowInvalid: Recovery(repeat=False, actor=Actor.OWNER, alarm=False),
    SaveRefused: Recovery(repeat=False, actor=Actor.OWNER, alarm=False),
    ChangedMeanwhile: Recovery(repeat=False, actor=Actor.OWNER, alarm=False),
    NotSent: Recovery(repeat=True, actor=Actor.NOBODY, alarm=False),
    LoginFailed: Recovery(repeat=True, actor=Actor.OPERATOR, alarm=False),
    InDoubt: Recovery(repeat=False, actor=Actor.OPERATOR, alarm=True),
    Refused: Recovery(repeat=False, actor=Actor.OWNER, alarm=False),
    Unauthorized: Recovery(repeat=True, actor=Actor.OPERATOR, alarm=False),
    Wait: Recovery(repeat=True, actor=Actor.NOBODY, alarm=False),
    UnreadableAnswer: Recovery(repeat=True, actor=Actor.OPERATOR, alarm=False),
    ScriptFailed: Recovery(repeat=False, actor=Actor.OWNER, alarm=False),
    MappingFailed: Recovery(repeat=False, actor=Actor.OWNER, alarm=False),
    LedgerUnavailable: Recovery(repeat=True, actor=Actor.OPERATOR, alarm=True),
    LeaseLost: Recovery(repeat=True, actor=Actor.NOBODY, alarm=False),
    SourceChanged: Recovery(repeat=True, actor=Actor.NOBODY, alarm=False),
    OrderCancellationError: Recovery(repeat=False, actor=Actor.OPERATOR, alarm=True),
}


def recovery_of(error: BaseException) -> Recovery:
    """Return the row of the recovery table for an error, by its nearest class.

    Args:
        error: Any exception; what is not one of ours is treated as the root's row says.
    """
    for cls in type(error).__mro__:
        if cls in RECOVERY:
            return RECOVERY[cls]
    return RECOVERY[OrderCancellationError]
