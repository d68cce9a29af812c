"""When a flow runs by itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from order_cancellation.flow.choice import one_of
from order_cancellation.flow.durations import Duration, write_duration
from order_cancellation.flow.names import FlowId

__all__ = ["PRESETS", "Schedule", "describe"]

PRESETS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
}
"""Names of cron expressions."""
_CRON_FIELDS = 5
_ANY_DAY = datetime(2024, 1, 1, tzinfo=UTC)
_CHANCE = re.compile(r"(?<![a-z])[rh](?![a-z])", re.IGNORECASE)
_SHORTEST = timedelta(seconds=1)


def _checked_cron(text: str) -> str:
    """Refuse what Airflow would refuse, what is not the same on each parse, and what never comes round."""
    reason = _fault_of(PRESETS.get(text, text))
    if reason:
        raise PydanticCustomError(
            "cron",
            "'{text}' is no cron expression: {reason}. Write five fields (minute, hour, day of the month, "
            'month, day of the week), for example "*/5 * * * *".',
            {"text": text[:60], "reason": reason[:120]},
        )
    return text


def _fault_of(expression: str) -> str | None:
    from croniter import CroniterError, croniter  # noqa: PLC0415 (takes longer than all models together)

    count = len(expression.split())
    if count != _CRON_FIELDS:
        return f"it has {count} field{'s' if count != 1 else ''}"
    if _CHANCE.search(expression):
        return "R and H stand for a random time"
    try:
        croniter(expression, _ANY_DAY).get_next(datetime)
    except (CroniterError, ValueError, KeyError, OverflowError) as error:
        return str(error)
    return None


def _checked_timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise PydanticCustomError(
            "timezone",
            "'{name}' is no known time zone. Write a name of the IANA list, such as Europe/Istanbul or UTC.",
            {"name": name[:60]},
        ) from None
    return name


def _some_flows(flows: tuple[str, ...]) -> tuple[str, ...]:
    if not flows:
        raise ValueError("is an empty list. Name at least one flow, or remove it.")
    if len(set(flows)) < len(flows):
        raise ValueError("names a flow twice.")
    return flows


def _not_too_often(every: timedelta) -> timedelta:
    if every < _SHORTEST:
        raise ValueError("every must be at least 1s.")
    return every


class Schedule(BaseModel):
    """When the flow runs by itself: exactly one of every, cron and after."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    every: Annotated[Duration, AfterValidator(_not_too_often)] | None = Field(
        default=None,
        description="Runs again and again after this length of time: 30s, 5m, 6h or 1d.",
        examples=["5m"],
    )
    cron: Annotated[str, AfterValidator(_checked_cron)] | None = Field(
        default=None,
        description="Runs at the times of this cron expression of five fields.",
        examples=["*/5 * * * *"],
    )
    after: Annotated[tuple[FlowId, ...], Field(strict=False), AfterValidator(_some_flows)] | None = Field(
        default=None,
        description="Runs when these flows' runs have ended well.",
        examples=[["other_flow"]],
    )
    timezone: Annotated[str, AfterValidator(_checked_timezone)] = Field(
        default="UTC",
        description="The time zone of the cron expression, by its IANA name.",
        examples=["Europe/Istanbul"],
    )

    _one_kind = one_of(
        ("every", "cron", "after"),
        "every (every: 5m), cron and after, or leave the whole schedule out to run by hand only.",
    )


def describe(schedule: Schedule | None) -> str:
    """Say in words when a flow runs.

    Args:
        schedule: The flow's schedule, or None where it has none.

    Returns:
        For example ``every 5 minutes`` or ``at 09:00 AM, Monday through Friday (Europe/Istanbul)``.
    """
    if schedule is None:
        return "only by hand"
    if schedule.every is not None:
        return f"every {_length_in_words(schedule.every)}"
    if schedule.after is not None:
        return f"after {', '.join(schedule.after)}"
    return f"{_cron_in_words(schedule.cron or '')} ({schedule.timezone})"


def _length_in_words(length: timedelta) -> str:
    written = write_duration(length)
    unit = {"s": "second", "m": "minute", "h": "hour", "d": "day"}[written[-1]]
    return unit if written[:-1] == "1" else f"{written[:-1]} {unit}s"


def _cron_in_words(cron: str) -> str:
    """Ask cron-descriptor, and show the expression itself where that one knows no words for it."""
    from cron_descriptor import FormatError, MissingFieldError, Options, get_description  # noqa: PLC0415

    options = Options()
    options.use_24hour_time_format = True
    try:
        words = str(get_description(PRESETS.get(cron, cron), options))
    except (FormatError, MissingFieldError, ValueError):
        return f"at the times of {cron}"
    return words[:1].lower() + words[1:]
