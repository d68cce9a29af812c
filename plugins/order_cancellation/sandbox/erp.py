"""The fake ERP: it books cancellations, tells what it has booked, and keeps the book."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from order_cancellation.sandbox.book import Book, Booking
from order_cancellation.sandbox.erp_logins import ErpLogins
from order_cancellation.sandbox.exchange import Asked, Reply, encode, error_reply, json_reply
from order_cancellation.sandbox.paths import MISSING, find
from order_cancellation.sandbox.routing import Plan, Route, Router, answer_with
from order_cancellation.sandbox.rules import Visit
from order_cancellation.sandbox.settings import Settings
from order_cancellation.sandbox.store import RequestStore

KEY = r"(?P<key>[^/]+)"


class Erp:
    """The ERP's side.

    Args:
        book: Where it books.
        logins: Who may call.
        store: Omnitron's requests, to tell which of them a key means.
        settings: Gives the settings of the moment.
        now: The clock, in seconds since 1970.
    """

    name = "erp"

    def __init__(
        self,
        book: Book,
        logins: ErpLogins,
        store: RequestStore,
        settings: Callable[[], Settings],
        now: Callable[[], float],
    ) -> None:
        self.book = book
        self.tokens = logins.tokens
        self._logins = logins
        self._store = store
        self._settings = settings
        self._now = now
        self._references = 0
        self._router = Router(
            [
                Route("erp.book", "POST PUT PATCH GET", r"/erp/cancellations/?", self._book),
                Route("erp.look_up", "GET", rf"/erp/cancellations/{KEY}/?", self._look_up),
                Route("erp.book", "POST PUT PATCH", rf"/erp/cancellations/{KEY}/?", self._book),
                Route(
                    "erp.root", "GET", r"/erp/?", lambda _: answer_with(json_reply(200, {"erp": "sandbox"}))
                ),
                Route("erp.login", "POST", r"/erp/login/?", self._login, guarded=False),
                Route("erp.oauth_token", "POST", r"/erp/oauth/token/?", self._oauth, guarded=False),
            ]
        )

    def visit(self, asked: Asked) -> tuple[Route, Visit]:
        """Return where a call goes and what it is about."""
        route, args = self._router.find(asked.method, asked.path)
        visit = Visit(asked, self.name, route.name, args)
        if route.name == "erp.book":
            visit = replace(visit, data=_data(asked))
            visit = replace(visit, key=self._key(visit))
        elif route.name == "erp.look_up":
            visit = replace(visit, key=args["key"])
        held = self._store.find(visit.key) if visit.key else None
        return route, replace(visit, id=held.document["id"], position=held.position) if held else visit

    def accepts(self, asked: Asked) -> bool:
        """Say whether the call carries what the login demands."""
        return self._logins.accepts(asked)

    def refuse(self, asked: Asked) -> Reply:
        """Return the answer for a call without a valid login."""
        told = self._settings().erp_header.lower() in asked.headers
        return error_reply(401, "Oturum geçersiz." if told else "Oturum gerekli.", "not_authenticated")

    def _login(self, visit: Visit) -> Plan:
        return Plan(lambda: self._logins.login(visit.asked))

    def _oauth(self, visit: Visit) -> Plan:
        return Plan(lambda: self._logins.oauth_token(visit.asked))

    def _look_up(self, visit: Visit) -> Plan:
        return Plan(lambda: self._found(self.book.find(visit.key)))

    def _found(self, entry: Booking | None) -> Reply:
        if entry is None:
            return json_reply(self._settings().look_up_missing, {"found": False})
        answer = {"found": True, "reference": entry.reference, "request": entry.key, "booked_at": entry.at}
        return json_reply(200, answer)

    def _book(self, visit: Visit) -> Plan:
        if visit.data is MISSING:
            return answer_with(error_reply(400, "The body is not JSON.", "parse_error"))
        settings = self._settings()
        key = visit.asked.headers.get(settings.idempotency_header.lower(), "")
        if settings.idempotency and (first := self.book.under_key(key)):
            return answer_with(_repeated(first, visit.data))
        entry = self._entry(visit, key)
        status = 200 if entry.kind == "replaced" else 201
        return Plan(
            lambda: json_reply(status, _receipt(entry)),
            lambda: self.book.enter(replace(entry, at=self._now()), honour_key=settings.idempotency),
        )

    def _entry(self, visit: Visit, idempotency_key: str) -> Booking:
        held = self._store.get(visit.id)
        old = self.book.find(visit.key) if visit.asked.method == "PUT" else None
        return Booking(
            reference=old.reference if old else self._next_reference(),
            key=visit.key,
            id=visit.id,
            uuid=held.document.get("uuid") if held else None,
            method=visit.asked.method,
            idempotency_key=idempotency_key,
            body=visit.data,
            at=0.0,
            attempt=visit.attempt,
            kind="replaced" if old else "booked",
        )

    def _next_reference(self) -> str:
        self._references += 1
        return f"ERP-{self._references:06d}"

    def _key(self, visit: Visit) -> str:
        if "key" in visit.args:
            return visit.args["key"]
        for path in self._settings().book_paths:
            value = find(visit.data, path)
            if isinstance(value, str | int) and value != "":
                return str(value)
        return "sha256:" + hashlib.sha256(visit.asked.body or encode(visit.asked.pairs)).hexdigest()


def _data(asked: Asked) -> Any:
    if asked.method != "GET":
        try:
            return asked.json()
        except (ValueError, RecursionError):
            return MISSING
    data: dict[str, Any] = {}
    for name, value in asked.pairs:
        data[name] = value if name not in data else [*_listed(data[name]), value]
    return data


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _receipt(entry: Booking) -> dict[str, Any]:
    return {"status": "OK", "reference": entry.reference, "request": entry.key}


def _repeated(first: Booking, data: Any) -> Reply:
    if first.body != data:
        words = "This idempotency key was used with another body."
        return error_reply(422, words, "idempotency_key_reused")
    return json_reply(200, _receipt(first))
