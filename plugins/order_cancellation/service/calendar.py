"""When a flow runs, in words and by the next times."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from zoneinfo import ZoneInfo

from order_cancellation.flow.model import Flow
from order_cancellation.flow.schedule import PRESETS, Schedule, describe

__all__ = ["Calendar", "calendar_of"]

_SHOWN = 5


@dataclass(frozen=True)
class Calendar:
    """When a flow runs by itself.

    Args:
        words: In words.
        times: The next five times in the flow's time zone; none where no clock decides.
        timezone: Its time zone.
    """

    words: str
    times: list[datetime]
    timezone: str


def calendar_of(flow: Flow, now: datetime) -> Calendar:
    """Tell when a flow runs.

    With ``every`` the times count from now; in truth they count from the flow's last run.

    Args:
        flow: The flow.
        now: The present time.
    """
    schedule = flow.schedule
    words = describe(schedule)
    timezone = "UTC" if schedule is None else schedule.timezone
    if schedule is None:
        return Calendar(words, [], timezone)
    if not flow.enabled:
        return Calendar(f"not by itself, since it is disabled (else {words})", [], timezone)
    times = islice(_times(schedule, now.astimezone(ZoneInfo(timezone))), _SHOWN)
    return Calendar(words, list(times), timezone)


def _times(schedule: Schedule, now: datetime) -> Iterator[datetime]:
    try:
        if schedule.every is not None:
            zone, moment = now.tzinfo, now.astimezone(UTC)
            for number in range(1, _SHOWN + 1):
                yield (moment + number * schedule.every).replace(microsecond=0).astimezone(zone)
        elif schedule.cron is not None:
            while True:
                now = _next_time(PRESETS.get(schedule.cron, schedule.cron), now)
                yield now
    except (ValueError, KeyError, OverflowError):  # no date that a calendar knows, or none any more
        return


def _next_time(cron: str, now: datetime) -> datetime:
    """Return the next time of a cron expression as Airflow reckons it, in the time zone of ``now``.

    It goes by the clock on the wall; only what comes every hour comes in an hour that is there twice, twice.
    """
    from croniter import croniter  # noqa: PLC0415 (slow to import)

    zone, wall = now.tzinfo, now.replace(tzinfo=None)
    times = croniter(cron, wall)
    then: datetime = times.get_next(datetime)
    if times.expanded[1] == ["*"]:
        return (now.astimezone(UTC) + (then - wall)).astimezone(zone)
    second = then.replace(tzinfo=zone, fold=1)  # of the two on the day when clocks are set back
    if second.astimezone(UTC).astimezone(zone).replace(tzinfo=None, fold=0) == then:
        return second
    first = then.replace(tzinfo=zone)  # left out on the day when they are set forward: as much later
    return first.astimezone(UTC).astimezone(zone)
