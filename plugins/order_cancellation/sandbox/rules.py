"""Faults as data: which calls a rule is for, and what happens to them.

A rule reads ``{"name": …, "match": {…}, "then": {…}, "times": n}``. Of all rules the first that
matches a call is applied, and no other.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase
from typing import Any

from order_cancellation.sandbox.exchange import Asked
from order_cancellation.sandbox.malformed import MALFORMED
from order_cancellation.sandbox.settings import SandboxError, is_duration, is_texts, is_whole, only_known

BOOKINGS = ("before", "after", "never")
CUTS = ("before", "midway")


@dataclass(frozen=True)
class Visit:
    """A call with what the sandbox has made out about it.

    Args:
        asked: The call.
        side: ``omnitron`` or ``erp``.
        route: The route's name, such as ``erp.book`` or ``omnitron.list``.
        args: The values in the path.
        data: The parsed body (or the query of a GET that books), or None.
        key: What the call is about: a booking's key or a request's id as text; empty for neither.
        id: The cancellation request that it is about, or None.
        position: That request's place among those held, from 1, or None.
        attempt: How many calls to this route there were about this key, this one included.
    """

    asked: Asked
    side: str
    route: str
    args: Mapping[str, str] = field(default_factory=dict)
    data: Any = None
    key: str = ""
    id: int | None = None
    position: int | None = None
    attempt: int = 1


def is_numbers(value: Any) -> bool:
    """Whether this is a number, a list of numbers, or a range of ``from``, ``to`` and ``every``."""
    if isinstance(value, Mapping):
        return bool(value) and set(value) <= {"from", "to", "every"} and all(map(is_whole, value.values()))
    return is_whole(value) or (isinstance(value, list | tuple) and all(map(is_whole, value)))


def includes(numbers: Any, number: int | None) -> bool:
    """Whether a number is among the ``numbers``; ``every`` counts on from ``from``."""
    if number is None:
        return False
    if isinstance(numbers, Mapping):
        first = numbers.get("from", numbers.get("every", 1))
        last = numbers.get("to", number)
        return bool(first <= number <= last and (number - first) % numbers.get("every", 1) == 0)
    return number == numbers if isinstance(numbers, int) else number in numbers


@dataclass(frozen=True)
class Match:
    """Which calls a rule is for; what is not given does not matter.

    Args:
        side: ``omnitron`` or ``erp``.
        route: The route's name; ``*`` stands for any text.
        method: The HTTP method.
        path: The path; ``*`` stands for any text.
        id: The cancellation request's id, or several.
        position: The request's place among those held, from 1, or several.
        page: The page that is asked for, or several.
        attempt: Which call to this route about the same key, or several.
        nth: Which of the calls that fit all the above, or several.
        chance: The share of the calls that fit all else, drawn from the scenario's seed.
        unauthenticated: Whether calls without a valid login are meant too.
    """

    side: str | None = None
    route: str | None = None
    method: str | None = None
    path: str | None = None
    id: Any = None
    position: Any = None
    page: Any = None
    attempt: Any = None
    nth: Any = None
    chance: float | None = None
    unauthenticated: bool = False

    def __post_init__(self) -> None:
        for name in ("id", "position", "page", "attempt", "nth"):
            value = getattr(self, name)
            if value is not None and not is_numbers(value):
                raise SandboxError(f"match: {name} must be a number, a list of them, or from/to/every.")
        if self.chance is not None and not (is_duration(self.chance) and self.chance <= 1):
            raise SandboxError("match: chance must be a number from 0 to 1.")

    def fits(self, visit: Visit) -> bool:
        """Whether the call fits, leaving ``nth`` and ``chance`` aside."""
        texts = ((self.route, visit.route), (self.path, visit.asked.path))
        numbers = ((self.id, visit.id), (self.position, visit.position), (self.attempt, visit.attempt))
        return (
            self.side in (None, visit.side)
            and self.method in (None, visit.asked.method)
            and all(pattern is None or fnmatchcase(text, pattern) for pattern, text in texts)
            and all(wanted is None or includes(wanted, number) for wanted, number in numbers)
            and (self.page is None or includes(self.page, _page(visit)))
        )


def _page(visit: Visit) -> int | None:
    text = visit.asked.query.get("page", "1")
    return int(text) if text.isdecimal() else None


@dataclass(frozen=True)
class Change:
    """A change to one request that Omnitron holds, made behind the flow's back.

    Args:
        id: Its id; or give ``position``.
        position: Its place among those held, from 1.
        set: New values by path.
        drop: Paths to take away.
        remove: Whether the request goes altogether.
    """

    id: int | None = None
    position: int | None = None
    set: Mapping[str, Any] = field(default_factory=dict)
    drop: Sequence[str] = ()
    remove: bool = False


@dataclass(frozen=True)
class Then:
    """What happens to a call.

    Args:
        status: Answer with this status. Alone it brings a plain body of its own.
        body: Answer with this: JSON, or a text, which is sent as it stands.
        headers: Headers to add or replace.
        set: Values to set in the usual answer, by path.
        drop: Values to take out of the usual answer, by path.
        malformed: Break the answer's bytes; one of the names in ``malformed.py``.
        delay: Let the answer wait so many seconds more.
        hold: Let the answer wait until the sandbox is told to release it.
        close: Cut the connection: ``before`` any answer, or ``midway`` in the body.
        book: When the call takes effect: ``before`` any delay, ``after`` it, or ``never``. By default
            a rule that gives the answer or cuts the connection before it means ``never``, else ``before``.
        book_delay: With ``after``: so many seconds after the answer.
        expire_tokens: End all tokens of this side with this call, which is answered 401.
        query: Treat the call as if it had these query values.
        change: Changes to requests that Omnitron holds, made just before the call is treated.
        add: How many requests to add, made just before the call is treated.
    """

    status: int | None = None
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    set: Mapping[str, Any] = field(default_factory=dict)
    drop: Sequence[str] = ()
    malformed: str | None = None
    delay: float = 0.0
    hold: bool = False
    close: str | None = None
    book: str | None = None
    book_delay: float = 0.0
    expire_tokens: bool = False
    query: Mapping[str, str] = field(default_factory=dict)
    change: tuple[Change, ...] = ()
    add: int = 0

    def __post_init__(self) -> None:
        if self.book not in (None, *BOOKINGS):
            raise SandboxError(f"then: book must be one of {', '.join(BOOKINGS)}.")
        if self.close not in (None, *CUTS):
            raise SandboxError(f"then: close must be one of {', '.join(CUTS)}.")
        if self.malformed not in (None, *MALFORMED):
            raise SandboxError(f"then: malformed must be one of {', '.join(MALFORMED)}.")
        if not is_duration(self.delay) or not is_duration(self.book_delay):
            raise SandboxError("then: delay and book_delay must be seconds.")

    @property
    def booking(self) -> str:
        """When the call takes effect: ``before``, ``after`` or ``never``."""
        gives_answer = self.status is not None or self.body is not None or self.close == "before"
        return self.book or ("never" if gives_answer else "before")


@dataclass(frozen=True)
class Rule:
    """One fault.

    Args:
        match: Which calls it is for.
        then: What happens to them.
        times: How often at most; None for always.
        name: What the log calls it.
    """

    match: Match = Match()
    then: Then = Then()
    times: int | None = None
    name: str = ""


def rule_from(data: Any, name: str) -> Rule:
    """Read a rule from JSON.

    Args:
        data: The rule as an object.
        name: What to call it if it has no name.

    Raises:
        SandboxError: If it is not a rule, with the place.
    """
    parts = record(Rule, data, name)
    match = Match(**record(Match, parts.get("match", {}), f"{name}, match"))
    wanted = parts.get("then", {})
    if isinstance(wanted, Mapping) and wanted.get("close") is True:
        wanted = {**wanted, "close": "before"}
    then = record(Then, wanted, f"{name}, then")
    changes = then.get("change", [])
    then["change"] = tuple(
        Change(**record(Change, each, f"{name}, change"))
        for each in (changes if isinstance(changes, list) else [changes])
    )
    return Rule(match, Then(**then), parts.get("times"), str(parts.get("name", name)))


def record(kind: Any, data: Any, where: str) -> dict[str, Any]:
    """Return the data as arguments for a dataclass, its names and plain kinds checked.

    Raises:
        SandboxError: If it is not an object, or a name or a value does not fit.
    """
    if not isinstance(data, Mapping):
        raise SandboxError(f"{where}: must be an object.")
    only_known(data, [each.name for each in fields(kind)], where)
    for each in fields(kind):
        if each.name in data:
            _check_plain(each.name, data[each.name], str(each.type), where)
    return dict(data)


def _check_plain(name: str, value: Any, kind: str, where: str) -> None:
    if value is None and kind.endswith("None"):
        return
    for start, (fits, words) in _PLAIN.items():
        if kind.startswith(start) and not fits(value):
            raise SandboxError(f"{where}: {name} must be {words}.")


_PLAIN: dict[str, tuple[Callable[[Any], bool], str]] = {
    "bool": (lambda value: isinstance(value, bool), "true or false"),
    "int": (is_whole, "a whole number"),
    "str": (lambda value: isinstance(value, str), "a text"),
    "Mapping": (lambda value: isinstance(value, Mapping), "an object"),
    "Sequence[str]": (is_texts, "a list of texts"),
    "Sequence[int]": (
        lambda value: isinstance(value, list | tuple) and all(map(is_whole, value)),
        "a list of ids",
    ),
}


class RuleBook:
    """The rules in force, with how often each was met.

    Args:
        rules: The rules in their order.
        seed: Decides where ``chance`` strikes; the same call is struck or spared each time the seed is.
    """

    def __init__(self, rules: Sequence[Rule], seed: str) -> None:
        self.rules = tuple(rules)
        self._seed = seed
        self._met = [0] * len(self.rules)
        self._fired = [0] * len(self.rules)

    def take(self, visit: Visit, *, signed_in: bool) -> Rule | None:
        """Return the first rule for this call, and count it; None where there is none."""
        for index, rule in enumerate(self.rules):
            if not (signed_in or rule.match.unauthenticated) or not rule.match.fits(visit):
                continue
            self._met[index] += 1
            if self._strikes(index, rule, visit):
                self._fired[index] += 1
                return rule
        return None

    def _strikes(self, index: int, rule: Rule, visit: Visit) -> bool:
        if rule.times is not None and self._fired[index] >= rule.times:
            return False
        if rule.match.nth is not None and not includes(rule.match.nth, self._met[index]):
            return False
        if rule.match.chance is None:
            return True
        # by what the call is about and not by its turn, which differs when many are in flight
        turn = visit.attempt if visit.key else self._met[index]
        draw = random.Random(f"{self._seed}:{index}:{visit.route}:{visit.key}:{turn}")  # noqa: S311  a fault, no secret
        return draw.random() < rule.match.chance
