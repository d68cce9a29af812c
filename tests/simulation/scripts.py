"""The users' scripts, played in the simulation's own process."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from simulation.worker import Worker

__all__ = ["scripts_of"]


@dataclass(frozen=True)
class Ran:
    """What a run of a script left."""

    attributes: dict[str, str]
    result_data: str | None = None
    printed: str = ""
    error: str | None = None
    log_lines: tuple[tuple[str, str], ...] = ()


class Script:
    """One of the flow's scripts, on behalf of a worker."""

    def __init__(self, worker: Worker, step: str) -> None:
        self._worker = worker
        self._step = step

    async def run(self, input_text: str, attributes: dict[str, str]) -> Ran:
        world = self._worker.world
        world.judge.a_script_runs(self._step, attributes)
        await self._worker.pause(world.random.uniform(0.0, 0.01))
        self._worker.fate(f"script {self._step}")
        work = {"script": self._script, "custom_response": self._response, "post_script": self._post}
        return work[self._step](input_text, attributes)

    def _script(self, input_text: str, attributes: dict[str, str]) -> Ran:
        if self._worker.world.faults.strikes("script_fails"):
            return Ran(attributes, error="ValueError: no tax number for canary.person@example.com")
        request = json.loads(input_text)
        flat = {"id": request["id"], "uuid": request["uuid"], "amount": request["order_item"]["price"]}
        return Ran({**attributes, "log.seen": "1"}, json.dumps(flat))

    def _response(self, input_text: str, attributes: dict[str, str]) -> Ran:
        world = self._worker.world
        if world.faults.strikes("response_fails"):
            if world.random.random() < 0.5:
                return Ran(attributes, error="KeyError: 'status'")
            return Ran({**attributes, "relation": "maybe"})
        relation = self._relation(json.loads(input_text), attributes)
        return Ran({**attributes, "relation": relation})

    def _relation(self, exchanged: dict[str, Any], attributes: dict[str, str]) -> str:
        world = self._worker.world
        status = attributes.get("invokehttp.status.code")
        if status is None or status.startswith(("3", "5")):
            scenario = world.scenario
            decided = scenario.unknown_means if status is None else scenario.script_calls_5xx
            world.judge.owner_decides(attributes["request.uuid"], decided)
            return decided
        if status == "401":
            return "auth_fail"
        if not status.startswith("2"):
            return "failure"
        answer = exchanged["response_data"]
        pending = isinstance(answer, dict) and answer.get("status") == "PENDING"
        return "do_nothing" if pending else "continue"

    def _post(self, input_text: str, attributes: dict[str, str]) -> Ran:
        if self._worker.world.faults.strikes("post_fails"):
            return Ran(attributes, error="ConnectionError: the CRM is down")
        return Ran({**attributes, "log.post": "through"})


def scripts_of(worker: Worker) -> Any:
    """Return what a step opens its scripts with."""

    @asynccontextmanager
    async def opened(_settings: Any, _source: str, step: str) -> AsyncIterator[Script]:
        yield Script(worker, step)

    return opened
