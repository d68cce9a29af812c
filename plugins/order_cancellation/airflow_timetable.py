"""When a cron schedule runs first: at its first time after it was set or changed, not for the time before.

Named in the plugin's ``timetables``, where Airflow looks for it when it reads a stored DAG.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from airflow.sdk.timezone import utcnow
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable as AirflowsTimetable

if TYPE_CHECKING:
    from pendulum import DateTime

__all__ = ["CronDataIntervalTimetable"]

GRACE = timedelta(minutes=10)
"""How long a first time counts as still to come: Airflow asks anew at each parse, and none between two
parses may be lost."""


class CronDataIntervalTimetable(AirflowsTimetable):
    """Airflow's own, except for a schedule by which the flow never ran.

    Without catch-up Airflow begins with the last whole interval, so a monthly schedule that is set today
    would book last month's refunds in the same second. For a flow that ran by another schedule it begins with
    the interval at whose end the next time is past: the first month would have no run.
    """

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Return the next run; a schedule's first one whose time is past is left out."""
        last = last_automated_data_interval
        if restriction.catchup or (last is not None and self._has_time(last.end)):
            return super().next_dagrun_info(last_automated_data_interval=last, restriction=restriction)
        info = super().next_dagrun_info(last_automated_data_interval=None, restriction=restriction)
        if info is None or info.data_interval is None:
            return None
        start, end = info.data_interval
        if end < utcnow() - GRACE or (last is not None and end <= last.end):
            start, end = end, self._get_next(end)
        if restriction.latest is not None and start > restriction.latest:
            return None
        return DagRunInfo.interval(start=start if last is None else last.end, end=end)

    def _has_time(self, moment: DateTime) -> bool:
        """Tell whether a moment is one of the schedule's; where not, the last run was by another schedule."""
        return self._align_to_prev(moment) == moment
