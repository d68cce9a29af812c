"""What a seed means: a flow, its requests, how the two systems behave, and what goes wrong how often."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any

from order_cancellation.flow.model import Flow
from order_cancellation.flow.store import LoadedFlow

__all__ = ["FAULTS", "Faults", "Nature", "Scenario", "draw"]

FLOW_ID = "acme"

FAULTS = {
    # the ERP
    "erp_refused": (0.1, 0.6),
    "erp_away": (0.05, 0.3),
    "erp_timeout_unbooked": (0.1, 0.6),
    "erp_timeout_booked": (0.1, 0.6),
    "erp_booked_late": (0.1, 0.6),
    "erp_cut_unbooked": (0.1, 0.6),
    "erp_cut_booked": (0.1, 0.6),
    "erp_5xx_unbooked": (0.1, 0.6),
    "erp_5xx_booked": (0.1, 0.6),
    "erp_429": (0.1, 0.6),
    "erp_503_later": (0.1, 0.6),
    "erp_junk_booked": (0.1, 0.4),
    "erp_junk_refused": (0.1, 0.4),
    "erp_slow": (0.1, 0.6),
    "erp_slow_connect": (0.1, 0.6),
    "erp_expires": (0.1, 0.5),
    "erp_login": (0.1, 0.5),
    "look_up_fails": (0.1, 0.6),
    # Omnitron
    "list_5xx": (0.1, 0.5),
    "list_junk": (0.1, 0.5),
    "list_cut": (0.1, 0.5),
    "list_429": (0.1, 0.5),
    "page_drifts": (0.1, 0.5),
    "page_repeated": (0.1, 0.4),
    "page_short": (0.1, 0.4),
    "omnitron_expires": (0.1, 0.4),
    "status_changes": (0.02, 0.1),
    "write_4xx": (0.1, 0.5),
    "write_5xx": (0.1, 0.5),
    "write_5xx_done": (0.1, 0.5),
    "write_timeout": (0.1, 0.5),
    "write_timeout_done": (0.1, 0.5),
    # ourselves
    "crash": (0.003, 0.03),
    "freeze": (0.005, 0.05),
    "ledger": (0.005, 0.05),
    "ledger_after": (0.005, 0.05),
    "clock_jump": (0.002, 0.01),
    "script_fails": (0.1, 0.5),
    "response_fails": (0.1, 0.4),
    "post_fails": (0.1, 0.5),
    # people and Airflow
    "presumed_dead": (0.1, 0.6),
    "overlap": (0.3, 1.0),
    "clear": (0.3, 1.0),
    "person": (0.2, 0.8),
}
"""Every fault, with the range in which a scenario draws how often it strikes."""

TOGETHER = (
    ("erp_slow_connect", "erp_booked_late"),
    ("erp_away", "erp_cut_booked"),
    ("erp_away", "freeze"),
    ("freeze", "erp_booked_late"),
    ("crash", "erp_booked_late"),
    ("presumed_dead", "erp_slow"),
    ("presumed_dead", "erp_slow_connect"),
    ("overlap", "erp_slow"),
    ("overlap", "freeze"),
    ("clock_jump", "erp_slow"),
    ("clock_jump", "erp_slow_connect"),
    ("clock_jump", "erp_booked_late"),
    ("clock_jump", "presumed_dead"),
    ("ledger", "erp_cut_booked"),
    ("ledger_after", "crash"),
    ("erp_timeout_booked", "person"),
    ("erp_timeout_unbooked", "erp_refused"),
    ("erp_5xx_booked", "erp_429"),
    ("erp_cut_booked", "erp_expires"),
    ("erp_cut_unbooked", "response_fails"),
    ("status_changes", "write_timeout_done"),
    ("status_changes", "erp_cut_booked"),
)
"""Faults that are worse together than alone."""

_TOO_MANY = {"crash": 4, "erp_away": 3, "freeze": 4, "clock_jump": 3, "status_changes": 2}
"""How often these strike at most: beyond that, scenarios get longer and not worse."""


class Faults:
    """Decides each time whether a fault strikes.

    Args:
        chances: Of each fault that the scenario has.
        random: The seed's.
    """

    def __init__(self, chances: dict[str, float], random: Random) -> None:
        self.chances = chances
        self.random = random
        self.left = dict(_TOO_MANY)
        self.on = True

    def strikes(self, fault: str, weight: float = 1.0) -> bool:
        chance = self.chances.get(fault)
        if not self.on or chance is None or self.random.random() >= chance * weight:
            return False
        if fault in self.left:
            self.left[fault] -= 1
            return self.left[fault] >= 0
        return True


@dataclass
class Nature:
    """What the ERP thinks of one request.

    Args:
        refused: How often it refuses it; -1: for as long as faults are on.
        pending: How often it says PENDING first.
        pending_books: Whether it has booked it under its key by then.
    """

    refused: int = 0
    pending: int = 0
    pending_books: bool = False


@dataclass
class Scenario:
    """What a seed means."""

    seed: int
    loaded: LoadedFlow
    lease_s: float
    natures: list[Nature]
    arrivals: list[int]
    runs: int
    chances: dict[str, float]
    erp_login: str
    detects_duplicates: bool
    bare_list: bool
    settle_s: float
    unknown_means: str
    page_cap: int
    breaker_after: int
    script_calls_5xx: str
    steps: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.steps = self.loaded.flow.steps

    @property
    def flow(self) -> Flow:
        return self.loaded.flow

    def told(self) -> str:
        """Describe it in one line, for a failure's message."""
        settings = self.flow.write_to_erp
        exits = [
            name
            for name in ("idempotency_header", "look_up", "duplicates_accepted", "check_status")
            if getattr(settings, name)
        ]
        response = self.flow.custom_response
        if response is not None and response.decides_unknown:
            exits.append(f"decides_unknown={self.unknown_means}")
        if response is not None:
            exits.append(f"its script calls a 3xx or 5xx {self.script_calls_5xx}")
        faults = ", ".join(f"{name} {chance:.3f}" for name, chance in self.chances.items())
        return (
            f"{settings.method} {'+'.join(exits) or 'no exit'}; steps {','.join(self.steps)}; "
            f"concurrency {settings.concurrency}; {len(self.natures)} requests, {self.runs} runs; {faults}"
        )


def draw(seed: int, random: Random) -> Scenario:
    """Draw a scenario.

    Args:
        seed: Its name.
        random: Made from the seed.
    """
    flow = _flow(random)
    loaded = LoadedFlow(Flow.model_validate({"id": FLOW_ID, **flow}), _FILES, "r1")
    has_key = loaded.flow.write_to_erp.idempotency_header is not None
    scripted = loaded.flow.custom_response is not None
    count = random.choices([1, 2, 3, 4, 6], [40, 30, 15, 10, 5])[0]
    return Scenario(
        seed=seed,
        loaded=loaded,
        lease_s=loaded.flow.delivery.lease.total_seconds(),
        natures=[_nature(random, scripted=scripted, has_key=has_key) for _ in range(count)],
        arrivals=[0 if random.random() < 0.8 else 1 for _ in range(count)],
        runs=random.choices([1, 2, 3, 4], [30, 40, 20, 10])[0],
        chances=_chances(random),
        erp_login=random.choice(["none", "jwt", "jwt", "oauth2"]),
        detects_duplicates=random.random() < 0.15,
        bare_list=random.random() < 0.15,
        settle_s=_settle_s(loaded.flow),
        unknown_means=random.choice(["continue", "failure", "do_nothing"]),
        page_cap=random.choice([1, 2, 3, 100]),
        breaker_after=random.choice([1, 1, 2, 10]),
        script_calls_5xx=random.choice(["failure", "failure", "do_nothing", "auth_fail"]),
    )


def _flow(random: Random) -> dict[str, Any]:
    method = random.choices(["POST", "PUT", "GET", "PATCH"], [55, 20, 15, 10])[0]
    exit_ = random.choices(
        ["none", "key", "look_up", "both", "duplicates", "decides"], [25, 25, 25, 5, 8, 12]
    )[0]
    erp: dict[str, Any] = {
        "connection": "erp_default",
        "url": "/cancellations/{{ request.uuid }}" if method == "PUT" else "/cancellations",
        "method": method,
        "timeout": 5.0,
        "concurrency": random.choice([1, 2, 3, 16]),
    }
    if exit_ in ("key", "both"):
        erp["idempotency_header"] = "Idempotency-Key"
    if exit_ in ("look_up", "both"):
        after = random.choice(["3s", "10s"])
        erp["look_up"] = {"url": "/look_up/{{ request.uuid }}", "found": "$.found", "after": after}
    if exit_ == "duplicates":
        erp["duplicates_accepted"] = True
    if random.random() < 0.15:
        erp["check_status"] = True
    if random.random() < 0.15:
        erp["rate_per_second"] = random.choice([0.5, 2.0, 20.0])
    flow: dict[str, Any] = {
        "get_data": {
            "connection": "omnitron_default",
            "cancel_type": "all",
            "status": "approved",
            "page_size": random.choice([1, 2, 100]),
        },
        "write_to_erp": erp,
        "write_to_omnitron": {
            "on_success": random.choice([{"status": "completed"}] * 3 + [{"tag": "sent"}, None]),
            "on_failure": random.choice([None, None, {"action": "reject"}, {"status": "rejected"}]),
        },
        "delivery": {
            "lease": random.choice(["2s", "4s", "15s"]),
            "max_attempts": random.choice([2, 3, 4]),
            "retry_pause": random.choice(["10s", "60s"]),
            "max_age": "2d",
            "parallel_batches": random.choice([1, 2]),
            "task_retries": random.choice([0, 1, 2]),
        },
    }
    if method == "GET" or random.random() < 0.3:
        flow["script"] = {"file": "script.py"}
    if random.random() < 0.15:
        flow["mapping"] = {"file": "mapping.json"}
    if exit_ == "decides" or random.random() < 0.5:
        flow["custom_response"] = {"file": "response.py", "decides_unknown": exit_ == "decides"}
    if random.random() < 0.35:
        flow["post_script"] = {"file": "post.py"}
    return flow


_MAPPING = [
    {
        "operation": "shift",
        "spec": {"id": "id", "uuid": "uuid", "order_item": {"price": "amount"}, "amount": "amount"},
    }
]
_FILES = {
    "script.py": b"script",
    "response.py": b"response",
    "post.py": b"post",
    "mapping.json": json.dumps(_MAPPING).encode(),
}


def _nature(random: Random, *, scripted: bool, has_key: bool) -> Nature:
    roll = random.random()
    if roll < 0.12:
        return Nature(refused=random.choice([1, 2, -1]))
    if roll < 0.27 and scripted:
        return Nature(pending=random.choice([1, 2]), pending_books=has_key and random.random() < 0.7)
    return Nature()


def _chances(random: Random) -> dict[str, float]:
    kinds = random.sample(sorted(FAULTS), random.choices([0, 1, 2, 3, 5], [3, 22, 35, 25, 15])[0])
    if random.random() < 0.5:
        kinds.extend(random.choice(TOGETHER))
    # what the worst mistakes need is drawn more often than the rest
    for kind, share in (("crash", 0.35), ("freeze", 0.3), ("clear", 0.3), ("person", 0.2)):
        if random.random() < share:
            kinds.append(kind)
    return {kind: random.uniform(*FAULTS[kind]) for kind in dict.fromkeys(kinds)}


def _settle_s(flow: Flow) -> float:
    """Return how long after a call's arrival the ERP may still book it: as long as the flow's owner said."""
    look_up = flow.write_to_erp.look_up
    return 10.0 if look_up is None else look_up.after.total_seconds() * 0.9
