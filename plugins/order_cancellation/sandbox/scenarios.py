"""Scenarios: which requests there are, how both servers are set, and what goes wrong. All as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from order_cancellation.sandbox.data import DEFAULT_SEED, STATUSES, TYPES, make_request
from order_cancellation.sandbox.rules import Change, Rule, record, rule_from
from order_cancellation.sandbox.settings import SandboxError, Settings, is_whole
from order_cancellation.sandbox.store import RequestStore


@dataclass(frozen=True)
class Holding:
    """Which requests Omnitron holds at the start.

    Args:
        count: How many.
        statuses: Their statuses, in turn after each round of the types.
        types: Their cancellation types, in turn.
        channels: Their channels' pks, in turn; empty for drawn ones.
        first_id: The first one's id.
        seed: Decides their data.
        changes: Values set or dropped in some of them before the start.
    """

    count: int = 10
    statuses: Sequence[str] = ("approved",)
    types: Sequence[str] = TYPES
    channels: Sequence[int] = ()
    first_id: int = 1
    seed: str = DEFAULT_SEED
    changes: tuple[Change, ...] = ()

    def fill(self, store: RequestStore) -> None:
        """Put the requests into an empty store."""
        for index in range(self.count):
            store.add(self._made(index))
        for change in self.changes:
            store.prepare(change)

    def _made(self, index: int) -> dict[str, Any]:
        return make_request(
            self.first_id + index,
            seed=self.seed,
            status=self.statuses[index // len(self.types) % len(self.statuses)],
            cancellation_type=self.types[index % len(self.types)],
            channel=self.channels[index % len(self.channels)] if self.channels else None,
        )


@dataclass(frozen=True)
class Scenario:
    """A named story.

    Args:
        name: Its name.
        about: One sentence for people.
        requests: What Omnitron holds.
        settings: Changes to the settings.
        rules: What goes wrong, and where.
        erp_listens: Whether the ERP's own port takes connections at all, where it has one.
        expect: How many requests end one run in which state, the others being ``done``; None where that
            depends on the flow.
        seed: Decides where a rule's ``chance`` strikes.
    """

    name: str
    about: str = ""
    requests: Holding = field(default_factory=Holding)
    settings: Mapping[str, Any] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()
    erp_listens: bool = True
    expect: Mapping[str, int] | None = None
    seed: str = "sandbox"

    def expected(self) -> dict[str, int] | None:
        """Return how many requests end one run in which state, ``done`` included; None for nobody knows."""
        if self.expect is None:
            return None
        rest = self.requests.count - sum(self.expect.values())
        return {state: count for state, count in {"done": rest, **self.expect}.items() if count}


def scenario_from(data: Any) -> Scenario:
    """Return a scenario.

    Args:
        data: A scenario, the name of a ready-made one, or an object. An object whose ``name`` is that of a
            ready-made one changes that one, its ``requests`` and ``settings`` name by name. ``requests`` may
            be a number for ``{"count": …}``.

    Raises:
        SandboxError: If it is none, with the place.
    """
    if isinstance(data, Scenario):
        return data
    if isinstance(data, str):
        data = {"name": data}
    if not isinstance(data, Mapping):
        raise SandboxError("scenario: give a name or an object.")
    if set(data) == {"name"} and data["name"] not in READY_MADE:
        raise SandboxError(f"scenario: {data['name']!r} is not known. Known are: {', '.join(READY_MADE)}.")
    ready_made = READY_MADE.get(str(data.get("name")), {})
    return _read({"name": "unnamed", **ready_made, **data, **_joined(ready_made, data)})


def _joined(ready_made: Mapping[str, Any], data: Mapping[str, Any]) -> dict[str, Any]:
    joined = {}
    for name in ("requests", "settings"):
        mine, theirs = ready_made.get(name, {}), data.get(name, {})
        if name == "requests" and is_whole(theirs):
            theirs = {"count": theirs}
        joined[name] = {**mine, **theirs} if isinstance(theirs, Mapping) else theirs
    return joined


def _read(data: Mapping[str, Any]) -> Scenario:
    parts = record(Scenario, data, "scenario")
    Settings().changed(parts.get("settings", {}))
    parts["requests"] = _holding(parts.get("requests", {}))
    rules = parts.get("rules", [])
    if not isinstance(rules, list | tuple):
        raise SandboxError("scenario: rules must be a list.")
    parts["rules"] = tuple(
        each if isinstance(each, Rule) else rule_from(each, f"rule {index}")
        for index, each in enumerate(rules, start=1)
    )
    return Scenario(**parts)


def _holding(data: Any) -> Holding:
    if isinstance(data, Holding):
        return data
    parts = record(Holding, data, "requests")
    parts["changes"] = tuple(
        Change(**record(Change, each, "requests, changes")) for each in parts.get("changes", [])
    )
    holding = Holding(**parts)
    if unknown := sorted({*holding.statuses} - {*STATUSES} | {*holding.types} - {*TYPES}):
        raise SandboxError(f"requests: {', '.join(unknown)} is no status or type of the document.")
    if not holding.statuses or not holding.types or holding.count < 0:
        raise SandboxError("requests: give at least one status, one type, and a count of 0 or more.")
    return holding


REFUSAL = {
    "status": "ERROR",
    "code": "PERIOD_CLOSED",
    "message": "Muhasebe dönemi kapalı: iade kaydı açılamadı.",
}
PENDING = {"status": "PENDING", "message": "Sipariş henüz aktarılmadı, daha sonra tekrar deneyin."}


def _erp(then: Mapping[str, Any], **match: Any) -> dict[str, Any]:
    return {"match": {"route": "erp.book", **match}, "then": then}


def _omnitron(then: Mapping[str, Any], **match: Any) -> dict[str, Any]:
    return {"match": {"route": "omnitron.list", **match}, "then": then}


READY_MADE: dict[str, dict[str, Any]] = {
    "all_fine": {"about": "Both servers answer as they should.", "expect": {}},
    "demo": {
        "about": "A merchant's morning: eight fine, one refused with a reason, one that the ERP wants later.",
        "requests": {"count": 10, "first_id": 4701, "seed": "demo"},
        "settings": {"erp_latency": 0.05},
        "rules": [
            {"name": "refused", **_erp({"status": 422, "body": REFUSAL}, position=4)},
            {"name": "not yet", **_erp({"status": 200, "body": PENDING}, position=7)},
        ],
        "expect": {"failed": 1, "postponed": 1},
    },
    "every_status": {
        "about": "Every status of the document with both types.",
        "requests": {"count": 20, "statuses": list(STATUSES)},
    },
    "refusal": {
        "about": "The ERP refuses the third request with a reason.",
        "rules": [_erp({"status": 422, "body": REFUSAL}, position=3)],
        "expect": {"failed": 1},
    },
    "do_nothing": {
        "about": "The ERP answers 200 with PENDING for the third request and books nothing.",
        "rules": [_erp({"status": 200, "body": PENDING}, position=3)],
        "expect": {"postponed": 1},
    },
    "expired_token": {
        "about": "The ERP's token ends early, at the fourth booking; a new login is good again.",
        "rules": [_erp({"expire_tokens": True}, nth=4)],
        "expect": {},
    },
    "expired_omnitron_token": {
        "about": "Omnitron's token ends early, at the third write; a new login is good again.",
        "rules": [{"match": {"route": "omnitron.update", "nth": 3}, "then": {"expire_tokens": True}}],
        "expect": {},
    },
    "erp_down": {
        "about": "Nobody is there: connections are refused on the ERP's own port, else cut unanswered.",
        "erp_listens": False,
        "rules": [{"match": {"side": "erp", "unauthenticated": True}, "then": {"close": "before"}}],
    },
    "erp_unavailable": {
        "about": "The ERP answers 503 with Retry-After to every booking, and books nothing.",
        "rules": [_erp({"status": 503, "headers": {"Retry-After": "1"}})],
    },
    "erp_throttles": {
        "about": "The ERP answers 429 to the first try of each third request.",
        "rules": [
            _erp({"status": 429, "headers": {"Retry-After": "0"}}, position={"every": 3}, attempt=1),
        ],
    },
    "booked_then_cut": {
        "about": "The ERP books the third request and the connection breaks before the answer.",
        "rules": [_erp({"close": "before", "book": "before"}, position=3, attempt=1)],
    },
    "cut_unbooked": {
        "about": "The connection breaks at the third request, and the ERP has not booked it.",
        "rules": [_erp({"close": "before", "book": "never"}, position=3, attempt=1)],
    },
    "booked_then_error": {
        "about": "The ERP books the third request and answers 500.",
        "rules": [_erp({"status": 500, "book": "before"}, position=3, attempt=1)],
    },
    "omnitron_not_json": {
        "about": "Omnitron answers the list with a web page.",
        "rules": [_omnitron({"malformed": "not_json"})],
    },
    "omnitron_no_results": {
        "about": "Omnitron's list has no results field.",
        "rules": [_omnitron({"drop": ["results"]})],
    },
    "omnitron_repeated_page": {
        "about": "Omnitron answers every page with the first one.",
        "requests": {"count": 25},
        "settings": {"limit_cap": 10},
        "rules": [_omnitron({"query": {"page": "1"}}, page={"from": 2})],
    },
    "omnitron_no_uuid": {
        "about": "The third request has no uuid.",
        "requests": {"changes": [{"position": 3, "drop": ["uuid"]}]},
    },
    "omnitron_drifts": {
        "about": "While pages are read, a listed request leaves the list and another one is changed.",
        "requests": {"count": 25},
        "settings": {"limit_cap": 10},
        "rules": [
            _omnitron(
                {"change": [{"position": 1, "set": {"status": "rejected"}}, {"position": 2}]},
                page=2,
                nth=1,
            )
        ],
    },
    "omnitron_forbids": {
        "about": "Omnitron answers 406 to every step to completed.",
        "settings": {"forbidden_transitions": [["*", "completed"]]},
    },
}
