"""Status codes as they are told apart here, and the error that an answer stands for."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus

from order_cancellation.errors import OrderCancellationError, Refused, Unauthorized, Wait
from order_cancellation.http.messages import Answer
from order_cancellation.http.retry_after import retry_after

__all__ = ["SERVER_ERRORS", "SUCCESS", "refusal"]

SUCCESS = range(200, 300)
SERVER_ERRORS = range(500, 600)


def refusal(
    answer: Answer, told: str, now: datetime, *, server_error: type[OrderCancellationError]
) -> OrderCancellationError:
    """Return what an answer means that is no success.

    Args:
        answer: The answer.
        told: What happened, in words.
        now: The time, for a ``Retry-After`` that names a date.
        server_error: What a 5xx means here that does not say when to come back.
    """
    wait = retry_after(answer.headers, now)
    is_server_error = answer.status in SERVER_ERRORS
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or (is_server_error and wait is not None):
        return Wait(told, seconds=wait)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return Unauthorized(told, status=answer.status)
    return server_error(told) if is_server_error else Refused(told, status=answer.status)
