"""The order in which flows run after each other: nobody waits for a flow that is not there, or for itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from order_cancellation.errors import FlowInvalid, Problem
from order_cancellation.flow.model import Flow
from order_cancellation.flow.store import FlowStore

__all__ = ["order_problems", "place_problems"]

_PATH = "schedule.after"


def order_problems(flows: Mapping[str, Flow], folders: Iterable[str]) -> list[Problem]:
    """Name every flow that runs after an unknown flow, and every flow that stands in a circle.

    Args:
        flows: The valid flows, by id.
        folders: The names of all flow folders, broken ones too.
    """
    after = {name: flow.schedule.after if flow.schedule else None for name, flow in flows.items()}
    known = {*flows, *folders}
    problems: list[Problem] = []
    for name, earlier in sorted(after.items()):
        problems += [_unknown(name, other) for other in earlier or () if other not in known]
        circle = _circle_through(name, after)
        if circle:
            way = " → ".join([*circle, name])
            problems.append(Problem(name, _PATH, f"runs after itself: {way}. Take one of them out."))
    return problems


def place_problems(store: FlowStore, flow: Flow) -> list[Problem]:
    """Name what is wrong with one flow's place among the others.

    Only the flows that it runs after, and those that these run after, are read.

    Args:
        store: The flows folder.
        flow: The flow, as it is or as it would be after a change.
    """
    if flow.schedule is None or flow.schedule.after is None:
        return []
    flows = {flow.id: flow}
    waiting = list(flow.schedule.after)
    while waiting:
        name = waiting.pop()
        earlier = None if name in flows else _valid(store, name)
        if earlier is not None:
            flows[name] = earlier
            waiting += (earlier.schedule.after or ()) if earlier.schedule else ()
    return [problem for problem in order_problems(flows, store.ids()) if problem.flow == flow.id]


def _valid(store: FlowStore, flow_id: str) -> Flow | None:
    try:
        return store.load(flow_id).flow
    except FlowInvalid:
        return None


def _unknown(name: str, other: str) -> Problem:
    return Problem(name, _PATH, f"there is no flow '{other}'. Correct the name, or take it out.")


def _circle_through(start: str, after: Mapping[str, tuple[str, ...] | None]) -> list[str] | None:
    """Return the way from a flow back to itself along ``after``, or None."""
    ways = [[start]]
    seen = {start}
    while ways:
        way = ways.pop()
        for other in after.get(way[-1]) or ():
            if other == start:
                return way
            if other not in seen:
                seen.add(other)
                ways.append([*way, other])
    return None
