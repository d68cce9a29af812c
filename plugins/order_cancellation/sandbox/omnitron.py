"""The fake Omnitron: logins, lists of cancellation requests, and the writes that the document needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from order_cancellation.sandbox.data import STATUSES, TYPES
from order_cancellation.sandbox.exchange import JSON_TYPE, Asked, Reply, encode, error_reply, json_reply
from order_cancellation.sandbox.routing import Plan, Route, Router, answer_with
from order_cancellation.sandbox.rules import Visit
from order_cancellation.sandbox.settings import Settings
from order_cancellation.sandbox.store import FILTER_PATHS, SORTS, Held, RequestStore
from order_cancellation.sandbox.tokens import Tokens

REQUESTS = r"/api/v1/cancellation_requests"
CHANNEL = r"/api/v1/channel/(?P<channel>\d+)/cancellation_requests"
ID = r"(?P<id>\d+)"
CHOICES = {"status": STATUSES, "cancellation_type": TYPES}
WRITABLE = (
    "status", "description", "iban", "holder_name", "cancellation_type", "quantity",
    "fully_refund_as_loyalty_money", "reason", "order_item",
)  # fmt: skip
PLAIN = (
    "id", "description", "cancellation_type", "status", "iban", "holder_name", "easy_return", "quantity",
    "fully_refund_as_loyalty_money", "created_date", "modified_date", "uuid",
)  # fmt: skip


class Omnitron:
    """Omnitron's side.

    Args:
        store: The requests that it holds.
        tokens: The tokens that it has given out.
        settings: Gives the settings of the moment.
        now: The clock, in seconds since 1970.
    """

    name = "omnitron"

    def __init__(
        self,
        store: RequestStore,
        tokens: Tokens,
        settings: Callable[[], Settings],
        now: Callable[[], float],
    ) -> None:
        self.store = store
        self.tokens = tokens
        self.writes: list[dict[str, Any]] = []
        self._settings = settings
        self._now = now
        self._router = Router(
            [
                Route("omnitron.list", "GET", rf"{REQUESTS}/detailed/", self._list),
                Route("omnitron.detailed", "GET", rf"{REQUESTS}/{ID}/detailed/", self._detailed),
                Route("omnitron.update", "PATCH PUT", rf"{CHANNEL}/{ID}/", self._update),
                Route("omnitron.retrieve", "GET", rf"(?:{REQUESTS}|{CHANNEL})/{ID}/?", self._retrieve),
                Route("omnitron.reject", "POST", rf"(?:{REQUESTS}|{CHANNEL})/{ID}/reject/", self._reject),
                Route("omnitron.add_tag", "POST", rf"{REQUESTS}/{ID}/add_tag/", self._add_tag),
                Route("omnitron.get_tags", "GET", rf"{REQUESTS}/{ID}/get_tags/", self._get_tags),
                Route("omnitron.login", "POST", r"/api/[iv]1/auth/login/", self._login, guarded=False),
            ]
        )

    def visit(self, asked: Asked) -> tuple[Route, Visit]:
        """Return where a call goes and what it is about."""
        route, args = self._router.find(asked.method, asked.path)
        visit = Visit(asked, self.name, route.name, args)
        if "id" in args:
            held = self.store.get(int(args["id"]))
            position = held.position if held else None
            visit = replace(visit, key=args["id"], id=int(args["id"]), position=position)
        return route, visit

    def accepts(self, asked: Asked) -> bool:
        """Say whether the call carries a valid token."""
        word, _, token = asked.headers.get("authorization", "").partition(" ")
        return word == "Token" and self.tokens.accepts(token)

    def refuse(self, asked: Asked) -> Reply:
        """Return the answer for a call without a valid token."""
        if "authorization" in asked.headers:
            return error_reply(401, "Invalid token.", "authentication_failed")
        return error_reply(401, "Authentication credentials were not provided.", "not_authenticated")

    def _login(self, visit: Visit) -> Plan:
        if not visit.asked.is_json:
            kind = visit.asked.headers.get("content-type", "")
            return answer_with(error_reply(415, f'Unsupported media type "{kind}" in request.'))
        data = _object(visit.asked)
        if data is None:
            return answer_with(error_reply(400, "JSON parse error", "parse_error"))
        if missing := [name for name in ("username", "password") if not data.get(name)]:
            return answer_with(_field_error(missing[0], "This field is required.", "required"))
        settings = self._settings()
        if (data["username"], data["password"]) != (settings.omnitron_user, settings.omnitron_password):
            words = ["Unable to log in with provided credentials."]
            return answer_with(json_reply(400, {"non_field_errors": words, "code": "authorization"}))
        return Plan(lambda: json_reply(200, {"key": self.tokens.issue_key(settings.omnitron_token_calls)}))

    def _list(self, visit: Visit) -> Plan:
        query = visit.asked.query
        for name, choices in CHOICES.items():
            if query.get(name) and query[name] not in choices:
                return answer_with(_field_error(name, _no_choice(query[name]), "invalid_choice"))
        filters = tuple((name, query[name]) for name in FILTER_PATHS if query.get(name))
        sort = query.get("sort", "id")
        found = self.store.listing(filters, sort if sort.removeprefix("-") in SORTS else "id")
        return answer_with(self._page(visit.asked, found))

    def _page(self, asked: Asked, found: list[Held]) -> Reply:
        settings, query = self._settings(), asked.query
        limit = min(_whole(query.get("limit"), settings.default_limit), settings.limit_cap)
        page = _whole(query.get("page"), 0) if "page" in query else 1
        start, end = (page - 1) * limit, page * limit
        if page < 1 or (start >= len(found) and page > 1):
            return error_reply(404, "Invalid page.", "not_found")
        after = _link(asked, page + 1) if end < len(found) else None
        before = _link(asked, page - 1) if page > 1 else None
        head = encode({"count": len(found), "next": after, "previous": before})
        # joined from the requests' own bytes: a page costs a copy and no encoding
        body = head[:-1] + b',"results":[' + b",".join([each.bytes for each in found[start:end]]) + b"]}"
        return Reply(200, body, {"Content-Type": JSON_TYPE})

    def _detailed(self, visit: Visit) -> Plan:
        return self._about(
            visit, lambda held: Plan(lambda: Reply(200, held.bytes, {"Content-Type": JSON_TYPE}))
        )

    def _retrieve(self, visit: Visit) -> Plan:
        return self._about(visit, lambda held: Plan(lambda: json_reply(200, _plain(held))))

    def _get_tags(self, visit: Visit) -> Plan:
        return self._about(visit, lambda held: Plan(lambda: json_reply(200, held.tags)))

    def _reject(self, visit: Visit) -> Plan:
        return self._about(visit, lambda held: self._write(visit, held, {"status": "rejected"}))

    def _add_tag(self, visit: Visit) -> Plan:
        data = _object(visit.asked) or {}
        if not isinstance(data.get("key"), str) or not data["key"]:
            return answer_with(_field_error("key", "This field is required.", "required"))
        return self._about(visit, lambda held: self._tag(visit, held, data["key"]))

    def _tag(self, visit: Visit, held: Held, tag: str) -> Plan:
        def effect() -> None:
            if tag not in held.tags:
                held.tags.append(tag)
            self.store.write(held, {})
            self._note(visit, held, {"tag": tag})

        return Plan(lambda: Reply(200), effect)

    def _update(self, visit: Visit) -> Plan:
        data = _object(visit.asked)
        if data is None:
            return answer_with(error_reply(400, "JSON parse error", "parse_error"))
        for name, choices in CHOICES.items():
            if name in data and data[name] not in choices:
                return answer_with(_field_error(name, _no_choice(data[name]), "invalid_choice"))
        values = {name: value for name, value in data.items() if name in WRITABLE}
        return self._about(visit, lambda held: self._write(visit, held, values))

    def _write(self, visit: Visit, held: Held, values: Mapping[str, Any]) -> Plan:
        old, new = held.document.get("status"), values.get("status")
        if new is not None and self._is_forbidden(str(old), str(new)):
            text = f"Status can not be changed from {old} to {new}."
            return answer_with(error_reply(406, text, "cancellation_request_status_100_1"))

        def effect() -> None:
            # reason and order item are written by key, and the object holds them whole
            flat = {name: value for name, value in values.items() if name not in ("reason", "order_item")}
            self.store.write(held, flat)
            self._note(visit, held, {"from": old, "values": dict(values)})

        return Plan(lambda: json_reply(200, _plain(held)), effect)

    def _is_forbidden(self, old: str, new: str) -> bool:
        pairs = self._settings().forbidden_transitions
        return any(source in ("*", old) and target in ("*", new) for source, target in pairs)

    def _about(self, visit: Visit, plan: Callable[[Held], Plan]) -> Plan:
        held = self.store.get(visit.id)
        channel = visit.args.get("channel")
        if held is None or (channel and channel != str(held.document["channel"]["pk"])):
            return answer_with(error_reply(404, "Not found.", "not_found"))
        return plan(held)

    def _note(self, visit: Visit, held: Held, what: Mapping[str, Any]) -> None:
        document = held.document
        self.writes.append(
            {
                "at": self._now(),
                "action": visit.route.removeprefix("omnitron."),
                "id": document["id"],
                "uuid": document.get("uuid"),
                "status": document["status"],
                "method": visit.asked.method,
                "path": visit.asked.path,
                "modified_date": document["modified_date"],
                **what,
            }
        )


def _object(asked: Asked) -> dict[str, Any] | None:
    try:
        data = asked.json()
    except ValueError:
        return None
    return data if isinstance(data, dict) else None


def _plain(held: Held) -> dict[str, Any]:
    document = held.document
    plain = {name: document[name] for name in PLAIN if name in document}
    plain["order_item"] = document["order_item"]["pk"]
    plain["reason"] = document["reason"]["pk"]
    extras = ("attributes", "attributes_kwargs", "localized_attributes", "localized_attributes_kwargs")
    return plain | {name: {} for name in extras}


def _field_error(name: str, words: str, code: str) -> Reply:
    return json_reply(400, {name: [words], "code": code})


def _no_choice(value: Any) -> str:
    return f'"{value}" is not a valid choice.'


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() and int(text) > 0 else otherwise


def _link(asked: Asked, page: int) -> str:
    return f"{asked.base_url}{asked.path}?{urlencode({**asked.query, 'page': str(page)})}"
