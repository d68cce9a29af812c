"""What an answer of the ERP means: the user's response script says, or the document's default rule.

Everything here is pure; the steps write down what it says.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from http import HTTPStatus
from typing import Any

from order_cancellation.errors import InDoubt, ScriptFailed
from order_cancellation.http.messages import is_web_page
from order_cancellation.http.retry_after import retry_after
from order_cancellation.http.urls import is_same_call_elsewhere
from order_cancellation.steps.context import Outcome

__all__ = ["Relation", "StoredAnswer", "default_relation", "relation_of", "wait_asked"]


class Relation(StrEnum):
    """The four outcomes of the document's Custom Response card."""

    CONTINUE = "continue"
    FAILURE = "failure"
    DO_NOTHING = "do_nothing"
    AUTH_FAIL = "auth_fail"


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as the ledger keeps it.

    Args:
        status: The status code, or None where no answer came.
        reason: The status line's words.
        url: The URL that answered.
        headers: The headers that a judgement may need.
        text: The body as text.
        data: The body as parsed JSON, or its text.
        token_generation: Which token was used.
    """

    status: int | None
    reason: str = ""
    url: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    text: str = field(default="", repr=False)
    data: Any = field(default=None, repr=False)
    token_generation: int = 0

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status is not None and self.status // 100 == 2  # noqa: PLR2004 -- 2xx

    @property
    def proves_nothing(self) -> bool:
        """Whether the ERP may have booked in spite of what it says: no 2xx and no 4xx, or no answer at all.

        A redirect most likely points to where the outcome is shown of a call that was worked on, or to a
        sign-in; only one that sends the very call to another address says that it was not worked on.
        """
        if self.status is None or self.status // 100 not in (2, 3, 4):
            return True
        return self.status // 100 == 3 and not self._sends_it_elsewhere  # noqa: PLR2004 -- 3xx

    @property
    def _sends_it_elsewhere(self) -> bool:
        """Whether it is a redirect that wants the same call again, at another address of the same thing."""
        if self.status in (HTTPStatus.TEMPORARY_REDIRECT, HTTPStatus.PERMANENT_REDIRECT):
            return True
        moved = self.status in (HTTPStatus.MOVED_PERMANENTLY, HTTPStatus.FOUND)
        return moved and is_same_call_elsewhere(self.url, self.headers.get("location", ""))

    @property
    def refuses_what_it_read(self) -> bool:
        """Whether the ERP itself surely looked at the body: a 400 or 422, in JSON.

        A gateway's 404, a firewall's 403 or a maintenance page say nothing of an earlier send of that body.
        """
        read = self.status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
        return read and not isinstance(self.data, str)

    @property
    def is_web_page(self) -> bool:
        """Whether it is a page for people (see ``http.messages.is_web_page``)."""
        return is_web_page(self.data)

    @property
    def attributes(self) -> dict[str, str]:
        """What scripts find of the answer, named as NiFi's InvokeHTTP names it."""
        if self.status is None:
            return {"delivery.outcome": "unknown", "invokehttp.request.url": self.url}
        return {
            "invokehttp.status.code": str(self.status),
            "invokehttp.status.message": self.reason,
            "invokehttp.request.url": self.url,
            "invokehttp.response.body": self.text,
            "delivery.outcome": "answered",
        }


def wait_asked(answer: StoredAnswer, now: datetime) -> float | None:
    """Return how long the ERP asks to wait, in seconds, or None where it does not ask.

    429 with or without Retry-After, and 503 with it: the request was not processed.
    """
    asked = retry_after(answer.headers, now)
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return 1.0 if asked is None else asked
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return asked
    return None


def default_relation(answer: StoredAnswer) -> Relation:
    """Judge an answer without a script: 2xx is a yes, 401 asks for a new login, all else is a no.

    A no on what proves nothing is turned into doubt by the steps, as it is for scripts.

    Raises:
        InDoubt: It is a web page with a 2xx. Most likely the call never came to the ERP itself; who took it
            for a yes would lose the refund, who took it for a no might send it twice.
    """
    if answer.is_success and answer.is_web_page:
        raise InDoubt(
            "which is a web page (a sign-in, a proxy, maintenance?) and says nothing of a booking. If this "
            "ERP always answers so, let a response script judge (custom_response)"
        )
    if answer.is_success:
        return Relation.CONTINUE
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return Relation.AUTH_FAIL
    return Relation.FAILURE


def relation_of(outcome: Outcome) -> Relation:
    """Return what a response script decided.

    Raises:
        ScriptFailed: It raised, or set no relation that exists.
    """
    if outcome.error is not None:
        raise ScriptFailed(outcome.error)
    said = outcome.attributes.get("relation")
    try:
        return Relation(said or "")
    except ValueError as error:
        what = "did not set the attribute relation" if said is None else f"set relation to {said[:40]!r}"
        raise ScriptFailed(
            f"the response script {what}; it must be one of continue, failure, do_nothing, auth_fail"
        ) from error
