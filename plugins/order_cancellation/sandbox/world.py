"""Both servers without a network: a call goes in, an answer with its faults comes out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from order_cancellation.sandbox.book import Book
from order_cancellation.sandbox.erp import Erp
from order_cancellation.sandbox.erp_logins import ErpLogins
from order_cancellation.sandbox.exchange import Asked, Reply, encode, error_reply, json_reply
from order_cancellation.sandbox.malformed import MALFORMED
from order_cancellation.sandbox.omnitron import Omnitron
from order_cancellation.sandbox.paths import drop, put
from order_cancellation.sandbox.routing import Route
from order_cancellation.sandbox.rules import Rule, RuleBook, Then, Visit
from order_cancellation.sandbox.scenarios import Scenario, scenario_from
from order_cancellation.sandbox.settings import Settings
from order_cancellation.sandbox.store import RequestStore
from order_cancellation.sandbox.tokens import Tokens

_USUAL = Then()


@dataclass(slots=True)
class Call:
    """One line of the call log.

    Args:
        visit: The call and what was made out about it.
        status: The status of the answer.
        rule: The rule that shaped it, or an empty text.
        cut: Where the connection was cut, or an empty text.
    """

    visit: Visit
    status: int
    rule: str
    cut: str

    def as_data(self) -> dict[str, Any]:
        """Return it as JSON, with its headers and its body as text."""
        asked = self.visit.asked
        return {
            "at": asked.at,
            "side": self.visit.side,
            "route": self.visit.route,
            "method": asked.method,
            "path": asked.path,
            "query": [list(pair) for pair in asked.pairs],
            "headers": dict(asked.headers),
            "body": asked.body.decode(errors="replace"),
            "key": self.visit.key,
            "id": self.visit.id,
            "attempt": self.visit.attempt,
            "status": self.status,
            "rule": self.rule,
            "cut": self.cut,
        }


class World:
    """Omnitron and ERP in one, following one scenario.

    Args:
        scenario: A scenario, its name or its data.
        settings: Changes to the settings that hold through all scenarios.
        now: The clock, in seconds since 1970.
    """

    def __init__(self, scenario: Any, settings: Mapping[str, Any], now: Callable[[], float]) -> None:
        self._now = now
        self._fixed = Settings().changed(settings)
        self._settings = self._fixed
        self.scenario = scenario_from(scenario)
        self.reset()

    @property
    def settings(self) -> Settings:
        """The settings of the moment."""
        return self._settings

    def use(self, scenario: Any, *, keep: bool = False) -> Scenario:
        """Follow another scenario.

        Args:
            scenario: A scenario, its name or its data.
            keep: Whether requests, book, logs and tokens stay, so that only rules and settings change.

        Returns:
            The scenario.

        Raises:
            SandboxError: If it is none; then nothing has changed.
        """
        self.scenario = scenario_from(scenario)
        if keep:
            self._settings = self._fixed.changed(self.scenario.settings)
            self._rules = RuleBook(self.scenario.rules, self.scenario.seed)
        else:
            self.reset()
        return self.scenario

    def reset(self) -> None:
        """Begin the scenario anew: fresh requests, an empty book, empty logs, no tokens."""
        self._settings = self._fixed.changed(self.scenario.settings)
        self._rules = RuleBook(self.scenario.rules, self.scenario.seed)
        self.store = RequestStore(self._now)
        self.scenario.requests.fill(self.store)
        self.book = Book()
        self.calls: list[Call] = []
        self._attempts: Counter[tuple[str, str]] = Counter()

        def current() -> Settings:
            return self._settings

        self.omnitron = Omnitron(self.store, Tokens(self._now, "omnitron"), current, self._now)
        self.erp = Erp(
            self.book, ErpLogins(Tokens(self._now, "erp"), current), self.store, current, self._now
        )

    def change_settings(self, changes: Mapping[str, Any]) -> Settings:
        """Change settings of the moment and of all scenarios to come.

        Args:
            changes: Settings by name. ``requests`` is the number of requests: it begins the scenario anew.

        Raises:
            SandboxError: If a name or a value does not fit; then nothing has changed.
        """
        rest = {name: value for name, value in changes.items() if name != "requests"}
        fixed, settings = self._fixed.changed(rest), self._settings.changed(rest)
        if "requests" not in changes:
            self._fixed, self._settings = fixed, settings
            return settings
        counted = scenario_from({"requests": changes["requests"]}).requests.count
        self.scenario = replace(self.scenario, requests=replace(self.scenario.requests, count=counted))
        self._fixed = fixed
        self.reset()
        return self._settings

    def answer(self, asked: Asked) -> Reply:
        """Treat one call.

        What an answer shall wait for, and what is to be done after it, is left to the caller.
        """
        side = self.erp if asked.path.startswith("/erp/") else self.omnitron
        route, visit = side.visit(asked)
        signed_in = not route.guarded or side.accepts(asked)
        if visit.key and signed_in:
            self._attempts[route.name, visit.key] += 1
            visit = replace(visit, attempt=self._attempts[route.name, visit.key])
        rule = self._rules.take(visit, signed_in=signed_in)
        reply = self._treat(side, route, visit, rule, signed_in=signed_in)
        reply.delay_s += self._latency(visit.side)
        self.calls.append(Call(visit, reply.status, reply.rule, reply.cut))
        return reply

    def _latency(self, side: str) -> float:
        return self._settings.erp_latency if side == "erp" else self._settings.omnitron_latency

    def _treat(
        self, side: Omnitron | Erp, route: Route, visit: Visit, rule: Rule | None, *, signed_in: bool
    ) -> Reply:
        then = rule.then if rule else _USUAL
        if then.expire_tokens:
            side.tokens.expire_all()
        if (not signed_in and rule is None) or then.expire_tokens:
            reply = side.refuse(visit.asked)
        else:
            reply = self._follow(route, visit, then)
        reply.rule = rule.name if rule else ""
        return reply

    def _follow(self, route: Route, visit: Visit, then: Then) -> Reply:
        for change in then.change:
            self.store.apply(change)
        for _ in range(then.add):
            self.store.put({})
        plan = route.handler(_redirected(visit, then))
        if then.booking == "before":
            plan.effect()
        reply = shape(plan.answer(), then)
        if then.booking == "after":
            reply.late, reply.late_s = plan.effect, then.book_delay
        return reply


def _redirected(visit: Visit, then: Then) -> Visit:
    if not then.query:
        return visit
    pairs = tuple({**visit.asked.query, **then.query}.items())
    return replace(visit, asked=replace(visit.asked, pairs=pairs))


def shape(reply: Reply, then: Then) -> Reply:
    """Return the usual answer as the rule wants it."""
    if then.status is not None or then.body is not None:
        reply = _given(reply, then)
    if then.set or then.drop:
        _edit(reply, then)
    if then.malformed:
        MALFORMED[then.malformed](reply)
    reply.headers |= then.headers
    reply.delay_s, reply.hold, reply.cut = then.delay, then.hold, then.close or ""
    return reply


def _given(usual: Reply, then: Then) -> Reply:
    status = usual.status if then.status is None else then.status
    if isinstance(then.body, str):
        return Reply(status, then.body.encode(), {"Content-Type": "text/html; charset=utf-8"})
    if then.body is not None:
        return json_reply(status, then.body)
    return error_reply(status, f"The sandbox answers {status}.", f"sandbox_{status}")


def _edit(reply: Reply, then: Then) -> None:
    document = json.loads(reply.body or b"null")
    for path, value in then.set.items():
        put(document, path, value)
    for path in then.drop:
        drop(document, path)
    reply.body = encode(document)
