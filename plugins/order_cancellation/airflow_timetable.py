"""When a cron schedule runs first: at its first time after it was set, and not for the time before that.

Named in the plugin's ``timetables``, where Airflow looks for it when it reads a stored DAG.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk.timezone import utcnow
from airflow.timetables.base import DagRunInfo, DataInterval, TimeRestriction
from airflow.timetables.interval import CronDataIntervalTimetable as AirflowsTimetable

__all__ = ["CronDataIntervalTimetable"]

GRACE = timedelta(minutes=10)
"""How long a first time counts as still to come: Airflow asks anew at each parse, and none between two
parses may be lost."""


class CronDataIntervalTimetable(AirflowsTimetable):
    """Airflow's own, except for a flow that never ran by its clock.

    Without catch-up Airflow begins with the last whole interval, so a monthly schedule that is set today
    would book last month's refunds in the same second.
    """

    def next_dagrun_info(
        self, *, last_automated_data_interval: DataInterval | None, restriction: TimeRestriction
    ) -> DagRunInfo | None:
        """Return the next run; a first one whose time is past is left out."""
        info = super().next_dagrun_info(
            last_automated_data_interval=last_automated_data_interval, restriction=restriction
        )
        is_first = last_automated_data_interval is None and not restriction.catchup
        if info is None or not is_first or info.run_after >= utcnow() - GRACE:
            return info
        start = info.run_after
        if restriction.latest is not None and start > restriction.latest:
            return None
        return DagRunInfo.interval(start=start, end=self._get_next(start))
