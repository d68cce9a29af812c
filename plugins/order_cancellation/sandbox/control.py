"""The sandbox's own routes under ``/sandbox/``: look into both books, change the story."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

from order_cancellation.sandbox.exchange import Asked, Reply, error_reply, json_reply
from order_cancellation.sandbox.scenarios import READY_MADE, scenario_from
from order_cancellation.sandbox.settings import SandboxError
from order_cancellation.sandbox.world import World


class Control:
    """Answers the control routes.

    Args:
        world: What is looked into and changed.
        traffic: Gives how many calls are and were in flight, by side.
        release: Lets the answers go that a rule holds back.
    """

    def __init__(
        self, world: World, traffic: Callable[[], Mapping[str, Any]], release: Callable[[], None]
    ) -> None:
        self._world = world
        self._traffic = traffic
        self._release = release
        self._routes: dict[tuple[str, str], Callable[[Any], Any]] = {
            ("GET", "/sandbox/state"): lambda _: self.state(),
            ("GET", "/sandbox/book"): lambda _: world.book.as_data(),
            ("GET", "/sandbox/omnitron/writes"): lambda _: world.omnitron.writes,
            ("GET", "/sandbox/calls"): lambda _: [call.as_data() for call in world.calls],
            ("GET", "/sandbox/requests"): lambda _: [held.document for held in world.store.all()],
            ("GET", "/sandbox/scenarios"): lambda _: {name: scenario_from(name).about for name in READY_MADE},
            ("POST", "/sandbox/reset"): self._reset,
            ("POST", "/sandbox/scenario"): self._scenario,
            ("POST", "/sandbox/settings"): self._settings,
            ("POST", "/sandbox/requests"): self._requests,
            ("POST", "/sandbox/release"): self._let_go,
        }

    def answer(self, asked: Asked) -> Reply:
        """Treat one control call."""
        route = self._routes.get((asked.method, asked.path.rstrip("/")))
        if route is None:
            return error_reply(404, "No such control. There are: " + ", ".join(map(" ".join, self._routes)))
        try:
            return json_reply(200, route(asked.json() if asked.body else {}))
        except ValueError as error:
            return error_reply(400, str(error))

    def state(self) -> dict[str, Any]:
        """Return what stands where, in numbers."""
        world = self._world
        return {
            "scenario": world.scenario.name,
            "about": world.scenario.about,
            "expected": world.scenario.expected(),
            "requests": len(world.store),
            "booked": len(world.book.entries),
            "booked_twice": world.book.twice(),
            "writes": len(world.omnitron.writes),
            "calls": len(world.calls),
            "in_flight": dict(self._traffic()),
        }

    def _reset(self, _: Any) -> dict[str, Any]:
        self._release()
        self._world.reset()
        return self.state()

    def _scenario(self, data: Any) -> dict[str, Any]:
        keep = False
        if isinstance(data, dict):
            data = dict(data)
            keep = bool(data.pop("keep", False))
        self._world.use(data, keep=keep)
        return self.state()

    def _settings(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            raise SandboxError("settings: give an object.")
        settings = asdict(self._world.change_settings(data))
        return {name: value for name, value in settings.items() if name != "erp_secret_headers"}

    def _requests(self, data: Any) -> list[Any]:
        wanted = data.get("requests", [data]) if isinstance(data, dict) else data
        if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
            raise SandboxError("requests: give an object or a list of objects.")
        return [self._world.store.put(each).document for each in wanted]

    def _let_go(self, _: Any) -> dict[str, Any]:
        self._release()
        return self.state()
