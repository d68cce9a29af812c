"""Changes when a flow runs, as the designer, the command line and the DAG ``change_schedule`` do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from order_cancellation.errors import ConfigurationError, FlowInvalid, Problem
from order_cancellation.flow.durations import parse_duration, write_duration
from order_cancellation.flow.edits import replace_block
from order_cancellation.flow.faults import problems_of
from order_cancellation.flow.names import FLOW_FILE
from order_cancellation.flow.schedule import Schedule, describe
from order_cancellation.flow.store import FlowStore, LoadedFlow, open_files, revision_of
from order_cancellation.service.drafts import Draft, draft_of, files_of
from order_cancellation.service.order import place_problems
from order_cancellation.service.saving import Saved, Workshop, save

__all__ = ["Wish", "set_enabled", "set_schedule", "with_schedule"]

_STANDS_BEHIND = ("title", "description", "owner", "tags", "enabled")


@dataclass(frozen=True)
class Wish:
    """The schedule that somebody wants: exactly one of every, cron, after and none.

    Args:
        every: Run again after this length of time.
        cron: Run at these times.
        after: Run when these flows' runs have ended well.
        none: Run by hand only.
        timezone: The time zone; None keeps the one that is written.
    """

    every: str | float | timedelta | None = None
    cron: str | None = None
    after: Sequence[str] | None = None
    none: bool = False
    timezone: str | None = None


def set_schedule(
    shop: Workshop, flow_id: str, wish: Wish, *, author: str, base: str | None = None, note: str = ""
) -> Saved:
    """Write a flow's schedule into its ``flow.yaml``; everything else in the file stays as it is.

    Args:
        shop: Where.
        flow_id: The flow.
        wish: The schedule.
        author: Who wants it.
        base: The revision that was looked at; None for whatever is there now.
        note: Why; the schedule in words, where nothing is said.

    Raises:
        FlowInvalid: The flow would not be valid (or is not); nothing was written.
        SaveRefused: The folder was changed meanwhile, or can't be written.
        ConfigurationError: Not exactly one of every, cron, after, none is given.
    """
    now = shop.store.read(flow_id)
    changed = with_schedule(shop.store, flow_id, now, wish)
    return save(
        shop,
        flow_id,
        changed.files,
        base=base if base is not None else revision_of(now),
        author=author,
        note=note or f"Runs {describe(changed.flow.schedule)}",
        try_cases=False,
    )


def set_enabled(
    shop: Workshop, flow_id: str, *, enabled: bool, author: str, base: str | None = None, note: str = ""
) -> Saved:
    """Let a flow run by its schedule, or keep it from that; everything else in its file stays as it is.

    Args:
        shop: Where.
        flow_id: The flow.
        enabled: Whether it is to run by its schedule.
        author: Who wants it.
        base: The revision that was looked at; None for whatever is there now.
        note: Why.

    Raises:
        FlowInvalid: The flow is not valid, or the file can't be changed without changing more.
        SaveRefused: The folder was changed meanwhile, or can't be written.
    """
    loaded = shop.store.load(flow_id)
    return save(
        shop,
        flow_id,
        _with_enabled(loaded, enabled=enabled),
        base=base if base is not None else loaded.revision,
        author=author,
        note=note or ("Enabled" if enabled else "Disabled"),
        try_cases=False,
    )


def _with_enabled(loaded: LoadedFlow, *, enabled: bool) -> dict[str, bytes]:
    draft, _ = draft_of(loaded.files)
    document = dict(draft.document or {})
    if loaded.flow.enabled != enabled:
        document["enabled"] = enabled
    return files_of(loaded.flow.id, Draft(draft.files, document), loaded.files)


def with_schedule(store: FlowStore, flow_id: str, files: Mapping[str, bytes], wish: Wish) -> LoadedFlow:
    """Return a flow as it would be with another schedule; nothing is written.

    Args:
        store: The other flows.
        flow_id: The flow.
        files: Its files as they are.
        wish: The schedule.

    Raises:
        FlowInvalid: The flow would not be valid (or is not).
        ConfigurationError: Not exactly one of every, cron, after, none is given.
    """
    _one_of(
        flow_id,
        every=wish.every is not None,
        cron=wish.cron is not None,
        after=wish.after is not None,
        none=wish.none,
    )
    before = open_files(flow_id, files)
    text = before.files[FLOW_FILE].decode()
    try:
        changed = replace_block(text, "schedule", _block(before, wish), behind=_STANDS_BEHIND).encode()
    except ValueError as error:
        raise FlowInvalid([Problem(flow_id, "schedule", f"{error}. Edit {FLOW_FILE} by hand.")]) from error
    loaded = open_files(flow_id, {**files, FLOW_FILE: changed})
    problems = place_problems(store, loaded.flow)
    if problems:
        raise FlowInvalid(problems)
    return loaded


def _one_of(flow_id: str, **given: bool) -> None:
    names = [name for name, is_given in given.items() if is_given]
    if len(names) != 1:
        raise ConfigurationError(
            f"Flow '{flow_id}': got {' and '.join(names) or 'no schedule'}: "
            f"give exactly one of {', '.join(given)}."
        )


def _duration(flow_id: str, every: str | float | timedelta | None) -> str | None:
    if every is None:
        return None
    try:
        return (
            every.strip()
            if isinstance(every, str) and parse_duration(every)
            else write_duration(parse_duration(every))
        )
    except ValueError as error:
        raise ConfigurationError(f"Flow '{flow_id}', schedule.every: {error}") from error


def _block(before: LoadedFlow, wish: Wish) -> dict[str, Any] | None:
    """Make the new block, and let the model say what is wrong with it before the file is touched."""
    if wish.none:
        return None
    kinds = {
        "every": _duration(before.flow.id, wish.every),
        "cron": wish.cron,
        "after": None if wish.after is None else list(wish.after),
    }
    block: dict[str, Any] = {name: value for name, value in kinds.items() if value is not None}
    old = before.flow.schedule
    if wish.timezone is not None:
        block["timezone"] = wish.timezone
    elif old is not None and "timezone" in old.model_fields_set:
        block["timezone"] = old.timezone
    try:
        Schedule.model_validate(block)
    except ValidationError as error:
        raise FlowInvalid(problems_of(error, Schedule, before.flow.id, prefix="schedule.")) from error
    return block
