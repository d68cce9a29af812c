"""All flows at a glance, with what is wrong with each; a folder that has not changed is not checked again."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock

from order_cancellation.errors import FlowInvalid, Problem
from order_cancellation.flow.model import Flow
from order_cancellation.flow.store import FlowStore, revision_of
from order_cancellation.service.flows import check, opened
from order_cancellation.service.order import order_problems

__all__ = ["Catalogue", "Listed"]

_MOST = 2000


@dataclass(frozen=True)
class Listed:
    """One flow.

    Args:
        id: Its id.
        flow: What it is, or None where that can't be said.
        problems: All that is wrong with it.
    """

    id: str
    flow: Flow | None
    problems: tuple[Problem, ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return self.id if self.flow is None else self.flow.name

    @property
    def is_broken(self) -> bool:
        """Whether it can't run as it is."""
        return self.flow is None or bool(self.problems)


class Catalogue:
    """Lists flows, and remembers what it found out about folders, by their content."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, str], Listed] = OrderedDict()
        self._lock = Lock()

    def list(self, store: FlowStore) -> list[Listed]:
        """Return every flow of a folder, in the order of their ids.

        Args:
            store: The flows folder.
        """
        found = {flow_id: self._look(store, flow_id) for flow_id in store.ids()}
        flows = {one.id: one.flow for one in found.values() if one.flow is not None}
        for problem in order_problems(flows, found):
            one = found[problem.flow]
            found[problem.flow] = replace(one, problems=(*one.problems, problem))
        return list(found.values())

    def _look(self, store: FlowStore, flow_id: str) -> Listed:
        try:
            files = store.read(flow_id)
        except FlowInvalid as error:
            return Listed(flow_id, None, tuple(error.problems))
        key = (flow_id, revision_of(files))
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = _judged(flow_id, files)
            with self._lock:
                self._known[key] = known
                while len(self._known) > _MOST:
                    self._known.popitem(last=False)
        return known


def _judged(flow_id: str, files: dict[str, bytes]) -> Listed:
    try:
        loaded = opened(flow_id, files)
    except FlowInvalid as error:
        return Listed(flow_id, None, tuple(error.problems))
    return Listed(flow_id, loaded.flow, tuple(check(loaded)))
