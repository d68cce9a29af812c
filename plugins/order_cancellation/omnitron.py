"""Omnitron: reading its list of cancellation requests, and telling it what came of them.

All calls here may be repeated: reading changes nothing, and the writes are idempotent (a status that is set
twice is set). Where a repeated write is refused because its first send had worked, the request is read and
found as it should be, which counts as success. It is read, too, where a 2xx gives reason to think that the
write was not taken: a web page, or a request that still has another status.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from random import Random
from typing import Any
from urllib.parse import quote

from order_cancellation.clock import Clock
from order_cancellation.errors import (
    ConfigurationError,
    InDoubt,
    OrderCancellationError,
    Refused,
    UnreadableAnswer,
    Wait,
)
from order_cancellation.flow.model import STATUSES
from order_cancellation.http.listing import Page, page_of, problem_of
from order_cancellation.http.masking import excerpt
from order_cancellation.http.messages import Answer, Call
from order_cancellation.http.pauses import pauses
from order_cancellation.http.reading import ListQuery, Reading, ReadingSummary
from order_cancellation.http.session import Session
from order_cancellation.http.statuses import SUCCESS, refusal
from order_cancellation.http.transport import describe
from order_cancellation.http.urls import join_url

__all__ = ["ListQuery", "Omnitron", "OmnitronReader", "Reading", "ReadingSummary", "query_string"]

REQUESTS = "/api/v1/cancellation_requests"
TIMEOUT_S = 30.0
PATIENCE_S = 60.0
"""How long a reading call waits in all where Omnitron asks it to; the task's retry does the rest."""
FIRST_WAIT_S = 1.0
NOT_ALLOWED = frozenset({400, 406})


def query_string(parameters: Mapping[str, Any]) -> str:
    """Return query parameters as Omnitron is sent them."""
    return "&".join(f"{name}={quote(str(value), safe='')}" for name, value in parameters.items())


class OmnitronReader:
    """Omnitron behind a connection, for reading: all that a dry run is given.

    Args:
        session: The connection in use.
        clock: For pauses.
        random: For their jitter.
    """

    def __init__(self, session: Session, clock: Clock, random: Random) -> None:
        self._session = session
        self._clock = clock
        self._random = random

    async def log_in(self) -> None:
        """Make sure that there is a token.

        Raises:
            LoginFailed: No token could be had.
        """
        await self._session.log_in()

    def read(self, query: ListQuery) -> Reading:
        """Read the list of cancellation requests that match a query, page by page.

        Args:
            query: Which ones.

        Returns:
            Lists of new, distinct requests when iterated over; its ``summary`` afterwards says whether the
            reading was whole. Iterating raises as ``get`` does.
        """

        async def page(number: int) -> Page | None:
            return await self._page(query, number)

        return Reading(query, page)

    async def get(self, request_id: int) -> dict[str, Any] | None:
        """Read one cancellation request with all that belongs to it.

        Args:
            request_id: Omnitron's number.

        Returns:
            The request, or None where Omnitron has none of that number.

        Raises:
            UnreadableAnswer: What came back is no such request, the repeats included.
            Refused: Omnitron said no.
            Wait: It asks to come back later than a minute.
            NotSent: It could not be reached.
        """
        call = self._call("GET", f"{REQUESTS}/{request_id}/detailed/")
        answer, data = await self._read(call, lambda data: _is_request(data, request_id))
        return None if answer.status == HTTPStatus.NOT_FOUND else data

    def _call(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Call:
        pairs = query_string(query or {})
        content = None if body is None else json.dumps(body).encode()
        typed = {} if body is None else {"Content-Type": "application/json"}
        return Call(
            method,
            join_url(self._session.endpoint.base_url, f"{path}?{pairs}" if pairs else path),
            headers={"Accept": "application/json", **typed},
            body=content,
            timeout_s=TIMEOUT_S,
            only_reads=method == "GET",
        )

    async def _page(self, query: ListQuery, number: int) -> Page | None:
        call = self._call("GET", f"{REQUESTS}/detailed/", query=query.parameters(number))
        answer, data = await self._read(call, lambda data: page_of(data) is not None, f", page {number}")
        if answer.status != HTTPStatus.NOT_FOUND:
            return page_of(data)
        if number == 1:
            raise Refused(self._told(call, answer, ""), status=answer.status)
        return None

    async def _read(
        self, call: Call, is_readable: Callable[[Any], bool], place: str = ""
    ) -> tuple[Answer, Any]:
        """Send a reading call until its answer can be read; 404 is for the caller to understand."""
        for pause in (*pauses(self._random), None):
            answer = await self._patiently(call, place)
            if answer.status == HTTPStatus.NOT_FOUND:
                return answer, None
            data = answer.data
            if is_readable(data):
                return answer, data
            if pause is not None:
                await self._clock.sleep(pause)
        raise UnreadableAnswer(
            f"{self._told(call, answer, place)}. That is not what Omnitron's API promises; "
            "check the connection's host, and whether something stands between"
        )

    async def _patiently(self, call: Call, place: str) -> Answer:
        """Send a reading call, and wait where Omnitron asks for it, for a minute in all."""
        left, pause = PATIENCE_S, FIRST_WAIT_S
        while True:
            answer = await self._asked(call, place)
            refusal = self._refusal(call, answer, place)
            if refusal is None or answer.status == HTTPStatus.NOT_FOUND:
                return answer
            if isinstance(refusal, InDoubt):  # reading leaves nothing in doubt
                raise UnreadableAnswer(str(refusal))
            if not isinstance(refusal, Wait):
                raise refusal
            seconds = pause if refusal.seconds is None else refusal.seconds
            if seconds > left:
                raise refusal
            await self._clock.sleep(seconds)
            left, pause = left - seconds, pause * 2

    async def _asked(self, call: Call, place: str) -> Answer:
        try:
            return await self._session.ask(call)
        except InDoubt as error:
            raise UnreadableAnswer(f"{self._who()}{place}: {error}") from error

    def _refusal(self, call: Call, answer: Answer, place: str = "") -> OrderCancellationError | None:
        """Return what an answer means that is no success."""
        if answer.status in SUCCESS:
            return None
        told = self._told(call, answer, place)
        return refusal(answer, told, self._clock.now(), server_error=InDoubt)

    def _told(self, call: Call, answer: Answer, place: str) -> str:
        words = excerpt(answer, secrets=self._session.secrets)
        return f"{self._who()}: {describe(call)}{place} was answered {answer.status}: {words}"

    def _who(self) -> str:
        return f"Connection '{self._session.endpoint.connection_id}'"


class Omnitron(OmnitronReader):
    """Omnitron behind a connection, with the ways to tell it what came of its requests."""

    async def set_status(self, channel_pk: int, request_id: int, status: str) -> None:
        """Set a request's status; having it already is success.

        Args:
            channel_pk: The request's channel, since only the channel's resource can be written.
            request_id: Omnitron's number.
            status: The wire literal, such as ``completed``.

        Raises:
            Refused: Omnitron said no (400, 404, 406), in its own words.
            Wait: It asks to come back later.
            NotSent: It could not be reached, the repeats included.
            InDoubt: No whole answer came back, the repeats included; may be done again.
            UnreadableAnswer: The answer is a web page or names another status, and the request does not have
                this one; may be done again.
        """
        path = f"/api/v1/channel/{channel_pk}/cancellation_requests/{request_id}/"
        await self._write_unless(
            self._call("PATCH", path, {"status": status}),
            lambda: self._has_status(request_id, status),
            status=status,
        )

    async def reject(self, request_id: int) -> None:
        """Reject a request; being rejected already is success.

        Args:
            request_id: Omnitron's number.

        Raises:
            Refused: As ``set_status``, and so are the others.
        """
        await self._write_unless(
            self._call("POST", f"{REQUESTS}/{request_id}/reject/", {}),
            lambda: self._has_status(request_id, "rejected"),
            status="rejected",
        )

    async def add_tag(self, request_id: int, tag: str) -> None:
        """Add a tag to a request; having it already is success.

        Args:
            request_id: Omnitron's number.
            tag: The tag's key.

        Raises:
            Refused: As ``set_status``, and so are the others.
        """
        await self._write_unless(
            self._call("POST", f"{REQUESTS}/{request_id}/add_tag/", {"key": tag}),
            lambda: self._has_tag(request_id, tag),
        )

    async def free(self, method: str, path: str, body: Any) -> Answer:
        """Send a call of the flow's own to Omnitron, filled in already.

        Args:
            method: ``POST``, ``PUT`` or ``PATCH``.
            path: A path on Omnitron, beginning with one slash.
            body: What to send as JSON, or None for nothing.

        Returns:
            Omnitron's answer, which is a 2xx.

        Raises:
            ConfigurationError: The path leads elsewhere.
            Refused: As ``set_status``, and so are the others.
        """
        if not path.startswith("/") or path.startswith("//"):
            raise ConfigurationError("write_to_omnitron.request.path has to begin with one slash")
        return await self._write(self._call(method, path, body))

    async def _write_unless(
        self, call: Call, is_so: Callable[[], Awaitable[bool]], *, status: str | None = None
    ) -> None:
        """Write; where the answer leaves open whether it was taken, the request itself says."""
        try:
            answer = await self._write(call)
        except Refused as refusal:
            if refusal.status not in NOT_ALLOWED or not await self._confirms(is_so):
                raise
            return
        if _is_taken_unread(answer, status) and not await self._confirms(is_so):
            raise UnreadableAnswer(
                f"{self._told(call, answer, '')}. The request, read afterwards, is not as it was to be, so "
                "Omnitron has to be told again; check the connection's host, and whether something stands "
                "between"
            )

    async def _confirms(self, is_so: Callable[[], Awaitable[bool]]) -> bool:
        try:
            return await is_so()
        except Refused:
            return False  # the first answer is what there is to tell

    async def _has_status(self, request_id: int, status: str) -> bool:
        request = await self.get(request_id)
        return request is not None and request.get("status") == status

    async def _has_tag(self, request_id: int, tag: str) -> bool:
        call = self._call("GET", f"{REQUESTS}/{request_id}/get_tags/")
        _, tags = await self._read(call, lambda _: True)
        return isinstance(tags, list) and tag in tags

    async def _write(self, call: Call) -> Answer:
        answer = await self._session.ask(call)
        refusal = self._refusal(call, answer)
        if refusal is not None:
            raise refusal
        return answer


def _is_taken_unread(answer: Answer, status: str | None) -> bool:
    """Say whether a 2xx to a write gives reason to look: it comes from somebody else, or denies the status.

    Any other needs no look: Omnitron may answer with nothing, or in words of its own.
    """
    if answer.is_web_page:
        return True
    data = answer.data
    named = data.get("status") if isinstance(data, dict) else None
    return status is not None and named != status and named in STATUSES


def _is_request(data: Any, request_id: int) -> bool:
    return problem_of(data) is None and data["id"] == request_id
