"""The ERP: what is sent to it, and asking it whether it has booked.

Nothing is ever repeated here. Whether a call to the ERP may go out again is for the ledger to say.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlencode

from order_cancellation.errors import (
    ConfigurationError,
    OrderCancellationError,
    UnreadableAnswer,
)
from order_cancellation.flow.model import LookUp, WriteToErp
from order_cancellation.http.breaker import Breaker
from order_cancellation.http.jsonpath import first_match
from order_cancellation.http.limits import Limits
from order_cancellation.http.masking import excerpt
from order_cancellation.http.messages import Answer, Call
from order_cancellation.http.session import Session
from order_cancellation.http.statuses import SUCCESS, refusal
from order_cancellation.http.templates import template
from order_cancellation.http.transport import describe
from order_cancellation.http.urls import ABSOLUTE, has_written_host, join_url, same_origin

__all__ = ["Erp", "build_call", "encode_body", "leads_there", "uses_request"]

log = logging.getLogger(__name__)

LOOK_UP_TIMEOUT_S = 30.0
MISSING: Any = object()


def encode_body(body: Any) -> bytes:
    """Return a mapped object as it travels: compact JSON in UTF-8, keys in their own order.

    Args:
        body: Anything that JSON knows; bytes are such a text already (a stored body that is sent again) and
            stay as they are.

    Raises:
        ConfigurationError: It holds something that JSON can't write.
    """
    if isinstance(body, bytes):
        return body
    try:
        return json.dumps(body, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:  # half a surrogate pair: only its escape can be sent
        return json.dumps(body, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise ConfigurationError(
            f"What the mapping gave can't be written as JSON ({type(error).__name__}); "
            "it may hold texts, numbers, true, false, null, lists and objects"
        ) from error


def build_call(
    settings: WriteToErp,
    base_url: str,
    *,
    body: Any,
    request: Any,
    attributes: Mapping[str, str],
    key: str | None,
) -> Call:
    """Build the call that writes one cancellation request to the ERP, complete but for the credentials.

    Args:
        settings: The flow's ``write_to_erp``.
        base_url: The ERP connection's address.
        body: The mapped object, or the bytes of an earlier attempt, which are sent unchanged.
        request: The cancellation request, for templates.
        attributes: Its attributes, for templates.
        key: The idempotency key; it is sent where the flow declares a header for it.

    Raises:
        ConfigurationError: A template can't be filled in, or for GET the mapped object is not flat.
    """
    content = encode_body(body)
    values = {"request": request, "attributes": attributes, "body": _decoded(body)}
    url = _address(settings.url, "write_to_erp.url", base_url, values)
    headers = _headers(settings, values)
    if settings.idempotency_header and key is not None:
        headers[settings.idempotency_header] = key
    if settings.method == "GET":
        return Call("GET", _with_query(url, values["body"], settings.nested), headers, None, settings.timeout)
    return Call(settings.method, url, _with_content_type(headers), content, settings.timeout)


def leads_there(settings: WriteToErp, base_url: str, sent_url: str) -> bool:
    """Say whether a call that was sent earlier went to where the flow sends by now.

    A look-up and a key are worth something only at the system that knows the call; and credentials are never
    sent to an address that the connection no longer names.

    Args:
        settings: The flow's ``write_to_erp``.
        base_url: The ERP connection's address.
        sent_url: Where the earlier call went.

    Raises:
        ConfigurationError: The connection's address can't be read.
    """
    if has_written_host(settings.url):
        return same_origin(sent_url, settings.url.partition("{")[0])
    base = join_url(base_url, "").rstrip("/")
    return sent_url.startswith((f"{base}/", f"{base}?")) or sent_url == base


def uses_request(settings: WriteToErp) -> bool:
    """Say whether the call's templates name the cancellation request; if not, ``build_call`` needs none."""
    return any(template(text).uses("request") for text in (settings.url, *settings.headers.values()))


def _decoded(body: Any) -> Any:
    return json.loads(body) if isinstance(body, bytes) else body


def _address(text: str, name: str, base_url: str, values: Mapping[str, Any]) -> str:
    """Fill in an address; only the flow's own text may choose a host, never a value."""
    url = template(text, name).render_url(**values)
    absolute = join_url(base_url, url)
    if ABSOLUTE.match(url) and not has_written_host(text) and not same_origin(absolute, base_url):
        raise ConfigurationError(
            f"{name}: the values lead to another host than the connection's; write the host out"
        )
    return absolute


def _headers(settings: WriteToErp, values: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: template(text, f"write_to_erp.headers.{name}").render_header(**values)
        for name, text in settings.headers.items()
    }


def _with_content_type(headers: dict[str, str]) -> dict[str, str]:
    named = any(name.lower() == "content-type" for name in headers)
    return headers if named else {"Content-Type": "application/json", **headers}


def _with_query(url: str, body: Any, nested: str) -> str:
    """Append the mapped object to the URL; null values are left out, as a query knows no null."""
    if not isinstance(body, Mapping):
        raise ConfigurationError(
            "write_to_erp.method is GET, which sends the mapped object as query parameters, "
            f"but the mapping gave {_kind(body)}; map to a flat object"
        )
    pairs = [(key, _parameter(key, value, nested)) for key, value in body.items() if value is not None]
    query = urlencode(pairs, quote_via=quote)
    return f"{url}{'&' if '?' in url else '?'}{query}" if query else url


def _parameter(key: str, value: Any, nested: str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | list) and nested == "refuse":
        raise ConfigurationError(
            f"write_to_erp.method is GET, and '{key}' of the mapped object is {_kind(value)}, which no query "
            "parameter can hold; flatten it in the mapping, or set nested: json"
        )
    return encode_body(value).decode()


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return names.get(type(value), "null" if value is None else "a number")


_ODD = frozenset({"0", "no", "n", "none", "null", "nil", "nan", "undefined", "not found", "not_found"})
"""Texts that are there and yet may mean that nothing is: booked or not, a wrong guess costs a refund."""


def _is_odd(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() in _ODD or value.strip().startswith("-")
    return isinstance(value, int | float) and not value >= 0  # -1, and NaN


class Erp:
    """The ERP behind a connection.

    Args:
        session: The connection in use.
        limits: Its share of the flow's ``concurrency`` and ``rate_per_second``.
        breaker: What stops all calls for a while when nothing comes back, or None.
    """

    def __init__(self, session: Session, limits: Limits, breaker: Breaker | None = None) -> None:
        self._session = session
        self._breaker = breaker
        self._renewed = False
        self._token_is_good = asyncio.Event()
        self._token_is_good.set()
        self.limits = limits

    @property
    def base_url(self) -> str:
        """The connection's address, for ``build_call``."""
        return self._session.endpoint.base_url

    @property
    def secrets(self) -> list[str]:
        """What must not be shown of an answer that repeats it."""
        return self._session.secrets

    def slot(self) -> AbstractAsyncContextManager[None]:
        """Hold a place among the calls under way; to be held before an intent is committed."""
        return self.limits.slot()

    async def check_open(self) -> None:
        """Make sure that calls may go out at all; to be asked before an intent is committed.

        Raises:
            NotSent: The breaker is open, or the ERP asks to wait for longer than a step does.
            LedgerUnavailable: What the other batches know can't be read.
        """
        await self.limits.check()
        if self._breaker is not None:
            await self._breaker.check()

    async def send(self, call: Call, *, before_write: Callable[[], None] | None = None) -> Answer:
        """Send a call once, with the connection's credentials, inside a slot that the caller holds.

        No redirect is followed, not even for GET: it is an answer, for the steps to judge.

        Args:
            call: From ``build_call``.
            before_write: Called right before the first byte is written; checks the lease.

        Raises:
            NotSent: Surely nothing left, or the breaker is open.
            InDoubt: The call may have arrived, and no whole answer came back.
        """
        await self._token_is_good.wait()
        answer = await self._guarded(lambda: self._session.send(call, before_write=before_write), call)
        if answer.status == HTTPStatus.UNAUTHORIZED and not self._renewed:
            await self._renew_for_the_rest(answer.token_generation)
        return answer

    async def _guarded(self, send: Callable[[], Awaitable[Answer]], call: Call) -> Answer:
        """Send a call of whatever kind, unless the breaker is open, and learn from its answer."""
        if self._breaker is None:
            answer = await send()
        else:
            answer = await self._breaker.guard(send, prepare=self._session.log_in, lasts_s=call.timeout_s)
        self.limits.learn(answer)
        return answer

    async def _renew_for_the_rest(self, seen_generation: int) -> None:
        """Log in anew at the first 401, so that the calls after it do not meet the same end.

        Once only: an ERP that answers 401 to a fresh token means something else by it. What the 401 itself
        means is still the caller's business.
        """
        self._renewed = True
        self._token_is_good.clear()
        try:
            await self._session.renew(seen_generation)
        except OrderCancellationError as error:
            log.warning("%s", error)
        finally:
            self._token_is_good.set()

    async def look_up(
        self, look_up: LookUp, *, request: Any, attributes: Mapping[str, str], body: Any = None
    ) -> bool:
        """Ask the ERP whether it has booked a request. A reading call: repeated, and once after a new login.

        It takes a slot of its own, so the caller must hold none. "Not found" may be believed only
        ``look_up.after`` the last possible send.

        Args:
            look_up: The flow's ``write_to_erp.look_up``.
            request: The cancellation request, for the template.
            attributes: Its attributes, for the template.
            body: What was sent, for the template.

        Returns:
            True where it is booked; False for 404 or a false value at ``found``.

        Raises:
            UnreadableAnswer: The answer does not say: a server error, a web page, or nothing at ``found``.
            Wait: The ERP asks to come back later.
            Unauthorized: Not even a new login's token was accepted.
            Refused: Another refusal.
            NotSent: The ERP was not reached.
            InDoubt: No whole answer came back, the repeats included.
            LedgerUnavailable: What the other batches know can't be read.
        """
        values = {"request": request, "attributes": attributes, "body": _decoded(body)}
        url = _address(look_up.url, "write_to_erp.look_up.url", self.base_url, values)
        call = Call("GET", url, {"Accept": "application/json"}, timeout_s=LOOK_UP_TIMEOUT_S, only_reads=True)
        async with self.slot():
            answer = await self._session.ask(call, through=lambda send: self._guarded(send, call))
        if answer.status == HTTPStatus.NOT_FOUND:
            return False
        if answer.status not in SUCCESS:
            raise self._refusal(call, answer, request)
        if answer.is_web_page:
            raise UnreadableAnswer(
                f"{self._about(call)} was answered {answer.status} with a web page (a sign-in, a proxy, "
                f"maintenance?), which says nothing of a booking: {self._words(answer, request)}. Check the "
                "connection's login, and what look_up.url leads to"
            )
        return self._found(call, answer, look_up.found, request)

    async def log_in(self) -> None:
        """Make sure that there is a token.

        Raises:
            LoginFailed: No token could be had.
        """
        await self._session.log_in()

    async def renew_login(self, seen_generation: int) -> None:
        """Log in again, once for all who ask (see ``Session.renew``).

        Args:
            seen_generation: ``token_generation`` of the answer that was 401.

        Raises:
            LoginFailed: No token could be had.
        """
        await self._session.renew(seen_generation)

    def _found(self, call: Call, answer: Answer, path: str, request: Any) -> bool:
        value = first_match(path, answer.data, MISSING)
        if value is MISSING:
            raise UnreadableAnswer(
                f"{self._about(call)} was answered {answer.status}, but there is nothing at {path}: "
                f"{self._words(answer, request)}. Point look_up.found at a value that is always there"
            )
        if _is_odd(value):
            raise UnreadableAnswer(
                f"{self._about(call)}: at {path} stands {str(value)[:40]!r}, which says neither yes nor no. "
                "Point look_up.found at true or false, or at what is there only for a booking"
            )
        return value.strip().lower() not in {"", "false"} if isinstance(value, str) else bool(value)

    def _refusal(self, call: Call, answer: Answer, request: Any) -> OrderCancellationError:
        told = f"{self._about(call)} was answered {answer.status}: {self._words(answer, request)}"
        now = self._session.clock.now()
        return refusal(answer, told, now, server_error=UnreadableAnswer)

    def _about(self, call: Call) -> str:
        return f"Connection '{self._session.endpoint.connection_id}': the look-up {describe(call)}"

    def _words(self, answer: Answer, request: Any) -> str:
        return excerpt(answer, secrets=self._session.secrets, about=request)
