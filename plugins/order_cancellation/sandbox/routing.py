"""Routes of the two sides, and what treating a call is: an effect and an answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from order_cancellation.sandbox.exchange import Reply, error_reply
from order_cancellation.sandbox.rules import Visit


def no_effect() -> None:
    """Change nothing."""


@dataclass(frozen=True)
class Plan:
    """How a call is to be treated; a rule may leave the effect out or have it later.

    Args:
        answer: Makes the answer, of the state that is then.
        effect: Books or writes.
    """

    answer: Callable[[], Reply]
    effect: Callable[[], None] = no_effect


def answer_with(reply: Reply) -> Plan:
    """Return a plan that only answers."""
    return Plan(lambda: reply)


@dataclass(frozen=True)
class Route:
    """One place that can be called.

    Args:
        name: What rules and the log call it.
        methods: The HTTP methods, parted by a space.
        path: A pattern for the whole path; its named groups become the visit's ``args``.
        handler: Plans what is to be done.
        guarded: Whether it takes a valid login.
    """

    name: str
    methods: str
    path: str
    handler: Callable[[Visit], Plan]
    guarded: bool = True


class Router:
    """Finds the route for a path.

    Args:
        routes: The routes; the first that fits is taken.
    """

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = [(re.compile(route.path), route) for route in routes]

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]]:
        """Return the route and the values in the path; for none, one that answers 404 or 405."""
        is_known_path = False
        for pattern, route in self._routes:
            if found := pattern.fullmatch(path):
                if method in route.methods.split():
                    return route, found.groupdict()
                is_known_path = True
        return (_WRONG_METHOD if is_known_path else _NOWHERE), {}


_NOWHERE = Route("nowhere", "", "", lambda _: answer_with(error_reply(404, "Not found.")), guarded=False)
_WRONG_METHOD = Route(
    "wrong_method",
    "",
    "",
    lambda visit: answer_with(error_reply(405, f'Method "{visit.asked.method}" not allowed.')),
    guarded=False,
)
