"""The next times that our pages show are those at which Airflow runs a flow."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pendulum
import pytest
from airflow.timetables.base import DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable

from order_cancellation.flow.store import open_files
from order_cancellation.service.calendar import calendar_of
from unit.flow.flow_files import files_of

BEFORE_CLOCKS_CHANGE = ["2026-03-28T12:00", "2026-10-24T12:00", "2026-03-29T01:10", "2026-10-25T01:10"]


def airflows(cron: str, zone: str, now: datetime, count: int) -> list[datetime]:
    """Return when Airflow runs a flow from now on."""
    timetable = CronDataIntervalTimetable(cron, timezone=pendulum.timezone(zone))
    start = pendulum.datetime(2026, 1, 1)
    restriction = TimeRestriction(earliest=start, latest=None, catchup=True)
    last, times = DataInterval(start, pendulum.instance(now)), []
    for _ in range(count):
        found = timetable.next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        assert found is not None
        last = found.data_interval
        times.append(found.run_after)
    return times


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Europe/Istanbul"])
@pytest.mark.parametrize("now", BEFORE_CLOCKS_CHANGE)
@pytest.mark.parametrize("cron", ["30 2 * * *", "0 2,3 * * *", "*/30 * * * *", "15 */2 * * *", "0 0 5 * *"])
def test_also_where_clocks_are_set(cron, now, zone):
    moment = datetime.fromisoformat(now).replace(tzinfo=ZoneInfo(zone))
    flow = open_files("acme", files_of(schedule={"cron": cron, "timezone": zone})).flow
    shown = calendar_of(flow, moment).times
    assert [time.timestamp() for time in shown] == [
        time.timestamp() for time in airflows(cron, zone, moment, len(shown))
    ]
