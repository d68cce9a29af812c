"""A morning at a made-up merchant's: ten requests that no earlier morning had, and what became of them."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from order_cancellation.demo.environment import Place
from order_cancellation.demo.programs import OTHERS_NOTHING
from order_cancellation.demo.summary import Request, count_states, differences, told_differences
from order_cancellation.errors import ConfigurationError
from order_cancellation.sandbox.scenarios import READY_MADE

FLOW = "returns_to_erp"
SCENARIO = "demo"
_RED = {"failed", "in_doubt", "parked"}
"""With a request in one of these a run is red."""


@dataclass(frozen=True)
class Morning:
    """A morning at its end.

    Args:
        run_state: Of Airflow's run.
        requests: The morning's, as the ledger has them.
        sandbox: What stands where in the sandbox, in numbers, and what is expected.
        writes: What Omnitron was told.
    """

    run_state: str
    requests: Sequence[Request]
    sandbox: Mapping[str, Any]
    writes: Sequence[Mapping[str, Any]]

    def wrong(self) -> list[str]:
        """Say what is not as the scenario says; an empty list where all is."""
        expected: Mapping[str, int] = self.sandbox["expected"]
        state = "failed" if _RED & expected.keys() else "success"
        run = (
            []
            if self.run_state == state
            else [f"The run is {self.run_state}, and the scenario says {state}."]
        )
        counts = differences(count_states(self.requests), expected, self.sandbox["booked_twice"])
        return [*run, *counts, *told_differences(self.requests, self.writes)]


def next_scenario(first_id: int) -> dict[str, Any]:
    """Return the demo's scenario with requests that no earlier morning had."""
    ready = READY_MADE[SCENARIO]
    return {
        "name": SCENARIO,
        "requests": {**ready["requests"], "first_id": first_id},
        # the demo's flow declares it
        "settings": {**ready["settings"], "idempotency": True},
    }


def first_new_id(known: list[dict[str, Any]]) -> int:
    """Return the first request's number: behind all that the ledger knows."""
    usual = int(READY_MADE[SCENARIO]["requests"]["first_id"])
    return max([usual, *(int(request["id"]) + 1 for request in known)])


def list_requests(place: Place, flow: str) -> list[dict[str, Any]]:
    """Return what the ledger knows of a flow's requests, by the command line that people use.

    Raises:
        ConfigurationError: If the command fails.
    """
    command = [place.program("order-cancellation"), "requests", "list", "--flow", flow, "--format", "json"]
    done = subprocess.run(  # noqa: S603  the project's own program
        command,
        env=dict(place.variables),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        umask=OTHERS_NOTHING,  # the first call makes the ledger
    )
    if done.returncode:
        raise ConfigurationError(f"{' '.join(command)} failed:\n{done.stderr[-2000:]}")
    return list(json.loads(done.stdout))
