"""Changes a flow's schedule, as the designer, the command line and the DAG ``change_schedule`` do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from pydantic import ValidationError

from order_cancellation.errors import ConfigurationError, FlowInvalid, Problem
from order_cancellation.flow.durations import parse_duration, write_duration
from order_cancellation.flow.edits import replace_block, write_atomically
from order_cancellation.flow.faults import problems_of
from order_cancellation.flow.names import FLOW_FILE
from order_cancellation.flow.schedule import Schedule
from order_cancellation.flow.store import FlowStore, LoadedFlow, open_files
from order_cancellation.service.order import place_problems

__all__ = ["set_schedule"]

_STANDS_BEHIND = ("title", "description", "owner", "tags", "enabled")


def set_schedule(
    store: FlowStore,
    flow_id: str,
    *,
    every: str | float | timedelta | None = None,
    cron: str | None = None,
    after: Sequence[str] | None = None,
    none: bool = False,
    timezone: str | None = None,
) -> LoadedFlow:
    """Write a flow's schedule into its ``flow.yaml``; everything else in the file stays as it is.

    Args:
        store: The flows folder.
        flow_id: The flow.
        every: Run again after this length of time.
        cron: Run at these times.
        after: Run when these flows' runs have ended well.
        none: Run by hand only.
        timezone: The time zone; None keeps the one that is written.

    Returns:
        The flow as it is now.

    Raises:
        FlowInvalid: The flow would not be valid (or is not); nothing was written.
        ConfigurationError: Not exactly one of every, cron, after, none is given; the file can't be written.
    """
    _one_of(every=every is not None, cron=cron is not None, after=after is not None, none=none)
    files = store.read(flow_id)
    before = open_files(flow_id, files)
    kinds = {"every": _duration(every), "cron": cron, "after": None if after is None else list(after)}
    wanted = None if none else _block(before, kinds, timezone)
    text = before.files[FLOW_FILE].decode()
    try:
        changed = replace_block(text, "schedule", wanted, behind=_STANDS_BEHIND).encode()
    except ValueError as error:
        raise FlowInvalid([Problem(flow_id, "schedule", f"{error}. Edit {FLOW_FILE} by hand.")]) from error
    loaded = open_files(flow_id, {**files, FLOW_FILE: changed})
    problems = place_problems(store, loaded.flow)
    if problems:
        raise FlowInvalid(problems)
    _write(store, flow_id, files[FLOW_FILE], changed)
    return loaded


def _one_of(**given: bool) -> None:
    names = [name for name, is_given in given.items() if is_given]
    if len(names) != 1:
        raise ConfigurationError(
            f"Got {' and '.join(names) or 'no schedule'}: give exactly one of {', '.join(given)}."
        )


def _duration(every: str | float | timedelta | None) -> str | None:
    if every is None:
        return None
    try:
        return (
            every.strip()
            if isinstance(every, str) and parse_duration(every)
            else write_duration(parse_duration(every))
        )
    except ValueError as error:
        raise ConfigurationError(f"every: {error}") from error


def _block(before: LoadedFlow, kinds: dict[str, Any], timezone: str | None) -> dict[str, Any]:
    """Make the new block, and let the model say what is wrong with it before the file is touched."""
    block: dict[str, Any] = {name: value for name, value in kinds.items() if value is not None}
    old = before.flow.schedule
    if timezone is not None:
        block["timezone"] = timezone
    elif old is not None and "timezone" in old.model_fields_set:
        block["timezone"] = old.timezone
    try:
        Schedule.model_validate(block)
    except ValidationError as error:
        raise FlowInvalid(problems_of(error, Schedule, before.flow.id, prefix="schedule.")) from error
    return block


def _write(store: FlowStore, flow_id: str, expected: bytes, content: bytes) -> None:
    path = store.folder / flow_id / FLOW_FILE
    try:
        if path.read_bytes() != expected:
            raise ConfigurationError(f"{path} was changed by somebody else at this moment. Try again.")
        write_atomically(path, content)
    except OSError as error:
        raise ConfigurationError(
            f"{path} can't be written ({error.strerror}). Give this user the right to write there, "
            "or change the schedule where the flows come from."
        ) from error
