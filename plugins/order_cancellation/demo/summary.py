"""What happened to each request, for people: the table at the end of the demo."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

Request = Mapping[str, Any]

_MEANING = {
    "done": ("green", "booked by the ERP, written back to Omnitron"),
    "failed": ("red", "refused"),
    "postponed": ("yellow", "the ERP wants it later: asked again at the next run"),
    "parked": ("magenta", "waits for a person"),
    "in_doubt": ("magenta", "perhaps booked: settled before anything is sent again"),
}

_TOLD = {"done": ["status completed"], "failed": ["tag refused_by_erp"]}
"""What the demo's flow tells Omnitron of a request; of one in another state nothing."""


def count_states(requests: Iterable[Request]) -> dict[str, int]:
    """Return how many requests stand in which state."""
    return dict(Counter(str(request["state"]) for request in requests))


def states_table(requests: Iterable[Request]) -> Table:
    """Return a row per request, in the order of their numbers."""
    table = Table("Request", "State", "ERP said", box=None, pad_edge=False)
    table.add_column("What happened", overflow="fold")
    for request in sorted(requests, key=lambda each: int(each["id"])):
        colour, meaning = _MEANING.get(str(request["state"]), ("", ""))
        table.add_row(
            str(request["id"]),
            Text(str(request["state"]), colour),
            _verdict(request),
            Text(str(request["error"] or meaning)),
        )
    return table


def _verdict(request: Request) -> str:
    return " ".join(str(part) for part in (request["erp_status"], request["relation"]) if part)


def differences(found: Mapping[str, int], expected: Mapping[str, int], twice: Sequence[str]) -> list[str]:
    """Say where a run did not end as the scenario says; an empty list where it did.

    Args:
        found: How many requests stand in which state.
        expected: How many should.
        twice: The requests that the ERP has booked more than once.
    """
    wrong = [
        f"{found.get(state, 0)} requests are {state}, and the scenario says {expected.get(state, 0)}."
        for state in sorted({*found, *expected})
        if found.get(state, 0) != expected.get(state, 0)
    ]
    return wrong + [f"The ERP has booked request {each} more than once." for each in twice]


def told_differences(requests: Iterable[Request], writes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Say of which requests Omnitron was told something else than what became of them.

    Args:
        requests: As the ledger has them.
        writes: What Omnitron was told, in its order.
    """
    told: dict[int, list[str]] = defaultdict(list)
    for write in writes:
        told[int(write["id"])].append(_in_words(write))
    return [
        f"Request {request['id']} is {request['state']}, and Omnitron was told "
        f"{', '.join(told[int(request['id'])]) or 'nothing'}."
        for request in requests
        if told[int(request["id"])] != _TOLD.get(str(request["state"]), [])
    ]


def _in_words(write: Mapping[str, Any]) -> str:
    kind = {"update": "status", "add_tag": "tag"}.get(str(write["action"]))
    return f"{kind} {write[kind]}" if kind else str(write["action"])
