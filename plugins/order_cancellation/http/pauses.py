"""Repeats of calls that may be repeated: reading calls, logins, and idempotent writes to Omnitron.

Nothing that goes to an ERP ever passes here: whether that may be repeated is the ledger's decision.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from random import Random

from order_cancellation.clock import Clock
from order_cancellation.errors import InDoubt, LoginFailed, NotSent
from order_cancellation.http.messages import Answer
from order_cancellation.http.statuses import SERVER_ERRORS

__all__ = ["REPEATS", "pauses", "repeating"]

REPEATS = 3
FIRST_S = 0.5


def pauses(random: Random, repeats: int = REPEATS) -> Iterator[float]:
    """Give the pause before each repeat in seconds: doubled each time, times a jitter of 0.5 to 1.5.

    Args:
        random: Where the jitter comes from.
        repeats: How many.
    """
    for number in range(repeats):
        yield FIRST_S * 2**number * random.uniform(0.5, 1.5)


async def repeating(
    send: Callable[[], Awaitable[Answer]], *, clock: Clock, random: Random, repeats: int = REPEATS
) -> Answer:
    """Send a harmless call, and again after 5xx, time-outs and lost or refused connections.

    A 503 with ``Retry-After`` is not repeated here: the other side has said when.

    Args:
        send: Sends the call once.
        clock: For the pauses.
        random: For their jitter.
        repeats: How many times to repeat.

    Returns:
        The first answer that is no server error, or the last one of all.

    Raises:
        NotSent: The last repeat did not reach the other side.
        InDoubt: The last repeat got no whole answer.
    """
    for pause in pauses(random, repeats):
        try:
            answer = await send()
        except LoginFailed:
            raise  # the login has had its own repeats
        except (NotSent, InDoubt):
            pass
        else:
            if answer.status not in SERVER_ERRORS or "retry-after" in answer.headers:
                return answer
        await clock.sleep(pause)
    return await send()
