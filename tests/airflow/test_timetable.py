"""When a cron schedule runs first, asked as Airflow's scheduler asks, of the DAG that it has stored."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from order_cancellation.dag import build_dag
from order_cancellation.service.calendar import calendar_of

from .conftest import PLAIN_FLOW, make_loaded

MONTHLY = '{cron: "0 0 5 * *"}'
THE_FIRST = datetime(2026, 12, 1, 5, 36, tzinfo=UTC)


def a_dag(schedule: str) -> Any:
    return build_dag(make_loaded(f"{PLAIN_FLOW}schedule: {schedule}\n"))


def stored(schedule: str) -> Any:
    """The DAG as Airflow's scheduler has it, out of Airflow's database."""
    from airflow.serialization.serialized_objects import DagSerialization

    return DagSerialization.from_dict(DagSerialization.to_dict(a_dag(schedule)))


@pytest.fixture
def at(monkeypatch):
    """Set the clock that the timetables look at."""
    import pendulum

    def at(moment: datetime) -> None:
        for module in ("airflow.timetables.interval", "order_cancellation.airflow_timetable"):
            monkeypatch.setattr(f"{module}.utcnow", lambda: pendulum.instance(moment))

    return at


def next_run(schedule: str, *, after: tuple[datetime, datetime] | None = None) -> list[str]:
    """The next run's interval; ``after`` is that of the last run by the clock."""
    import pendulum
    from airflow.timetables.base import DagRunInfo

    last = after and DagRunInfo.interval(*map(pendulum.instance, after))
    info = stored(schedule).next_dagrun_info(last_automated_run_info=last)
    assert info.run_after == info.data_interval.end
    return [f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" for moment in info.data_interval]


class TestTheFirstRun:
    def test_comes_at_the_first_time_after_the_schedule_was_set(self, at) -> None:
        at(THE_FIRST)
        assert next_run(MONTHLY) == ["2026-11-05 00:00", "2026-12-05 00:00"]

    def test_is_the_same_at_each_parse_until_its_time(self, at) -> None:
        for moment in (THE_FIRST, THE_FIRST + timedelta(days=3), datetime(2026, 12, 5, tzinfo=UTC)):
            at(moment)
            assert next_run(MONTHLY)[1] == "2026-12-05 00:00"

    @pytest.mark.parametrize("late", [timedelta(seconds=1), timedelta(minutes=10)])
    def test_is_not_lost_where_a_parse_comes_after_its_time(self, at, late) -> None:
        at(datetime(2026, 12, 5, tzinfo=UTC) + late)
        assert next_run(MONTHLY)[1] == "2026-12-05 00:00"

    def test_is_the_next_one_where_its_time_is_longer_past(self, at) -> None:
        at(datetime(2026, 12, 5, 0, 10, 1, tzinfo=UTC))
        assert next_run(MONTHLY) == ["2026-12-05 00:00", "2027-01-05 00:00"]

    def test_of_a_frequent_schedule_does_not_wait(self, at) -> None:
        at(THE_FIRST)
        assert next_run('{cron: "*/5 * * * *"}') == ["2026-12-01 05:30", "2026-12-01 05:35"]

    @pytest.mark.parametrize(
        ("now", "interval"),
        [
            # the night of 28 March has no 02:30 in Berlin, so Airflow takes the moment an hour later
            (datetime(2027, 3, 27, 12, tzinfo=UTC), ["2027-03-27 01:30", "2027-03-28 01:30"]),
            (datetime(2027, 3, 28, 12, tzinfo=UTC), ["2027-03-28 01:30", "2027-03-29 00:30"]),
            # that of 31 October has two, of which it takes the second
            (datetime(2027, 10, 30, 12, tzinfo=UTC), ["2027-10-30 00:30", "2027-10-31 01:30"]),
            (datetime(2027, 10, 31, 12, tzinfo=UTC), ["2027-10-31 01:30", "2027-11-01 01:30"]),
        ],
        ids=["before spring", "in spring", "before autumn", "in autumn"],
    )
    def test_keeps_to_the_local_time_when_the_clocks_change(self, at, now, interval) -> None:
        at(now)
        assert next_run('{cron: "30 2 * * *", timezone: Europe/Berlin}') == interval

    def test_of_every_stays_as_airflow_has_it(self, at) -> None:
        at(THE_FIRST)
        assert next_run("{every: 1d}") == ["2026-11-30 00:00", "2026-12-01 00:00"]


class TestTheFirstRunAfterAChange:
    """The flow ran by another schedule: the last run's interval ends at none of the new one's times."""

    AN_HOUR = (datetime(2026, 12, 1, 4, tzinfo=UTC), datetime(2026, 12, 1, 5, tzinfo=UTC))
    A_DAY = (datetime(2026, 11, 30, 6, tzinfo=UTC), datetime(2026, 12, 1, 6, tzinfo=UTC))
    A_MONTH = (datetime(2026, 10, 31, 7, tzinfo=UTC), datetime(2026, 11, 30, 7, tzinfo=UTC))
    NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)

    @pytest.mark.parametrize("last", [AN_HOUR, A_DAY, A_MONTH], ids=["every 1h", "every 1d", "cron"])
    def test_comes_at_the_first_time_still_to_come(self, at, last) -> None:
        at(self.NOON)
        assert next_run(MONTHLY, after=last) == [f"{last[1]:%Y-%m-%d %H:%M}", "2026-12-05 00:00"]

    @pytest.mark.parametrize("last", [AN_HOUR, A_MONTH], ids=["every 1h", "cron"])
    def test_does_not_come_in_the_second_of_the_change(self, at, last) -> None:
        at(self.NOON)
        assert next_run('{cron: "0 9 * * *"}', after=last)[1] == "2026-12-02 09:00"

    @pytest.mark.parametrize(
        "cron", ["0 0 5 * *", "0 9 * * 1-5", "*/7 * * * *", "0 0 1 1 *", "30 2 * * *", "0 0 5,20 * *"]
    )
    def test_is_the_next_time_that_the_designer_shows(self, at, cron) -> None:
        now = self.NOON + timedelta(seconds=40)
        at(now)
        schedule = f"{{cron: {cron!r}, timezone: Europe/Istanbul}}"
        shown = calendar_of(make_loaded(f"{PLAIN_FLOW}schedule: {schedule}\n").flow, now).times
        assert next_run(schedule, after=(now - timedelta(hours=1), now - timedelta(seconds=30)))[1] == (
            f"{shown[0].astimezone(UTC):%Y-%m-%d %H:%M}"
        )

    def test_is_the_same_at_each_parse_until_its_time_and_shortly_after(self, at) -> None:
        due = datetime(2026, 12, 5, tzinfo=UTC)
        for moment in (self.NOON, self.NOON + timedelta(days=2), due, due + timedelta(minutes=10)):
            at(moment)
            assert next_run(MONTHLY, after=self.A_DAY)[1] == "2026-12-05 00:00"

    def test_is_the_next_one_where_its_time_is_longer_past(self, at) -> None:
        at(datetime(2026, 12, 5, 0, 10, 1, tzinfo=UTC))
        assert next_run(MONTHLY, after=self.A_DAY)[1] == "2027-01-05 00:00"

    def test_comes_after_the_last_one_where_a_time_lies_just_before_that(self, at) -> None:
        at(datetime(2026, 12, 1, 6, 2, tzinfo=UTC))
        last = (datetime(2026, 12, 1, 5, 1, tzinfo=UTC), datetime(2026, 12, 1, 6, 1, tzinfo=UTC))
        assert next_run('{cron: "0 * * * *"}', after=last) == ["2026-12-01 06:01", "2026-12-01 07:00"]

    def test_is_followed_by_a_regular_one(self, at) -> None:
        at(datetime(2026, 12, 5, 0, 0, 1, tzinfo=UTC))
        first = (self.A_DAY[1], datetime(2026, 12, 5, tzinfo=UTC))
        assert next_run(MONTHLY, after=first) == ["2026-12-05 00:00", "2027-01-05 00:00"]


class TestALaterRun:
    def test_follows_the_last_one(self, at) -> None:
        at(THE_FIRST)
        last = (datetime(2026, 10, 5, tzinfo=UTC), datetime(2026, 11, 5, tzinfo=UTC))
        assert next_run(MONTHLY, after=last) == ["2026-11-05 00:00", "2026-12-05 00:00"]

    def test_that_was_missed_is_made_up_for_as_airflow_does(self, at) -> None:
        at(THE_FIRST)
        last = (datetime(2026, 3, 5, tzinfo=UTC), datetime(2026, 4, 5, tzinfo=UTC))
        assert next_run(MONTHLY, after=last) == ["2026-10-05 00:00", "2026-11-05 00:00"]

    @pytest.mark.parametrize("late", [timedelta(seconds=2), timedelta(hours=3), timedelta(days=40)])
    @pytest.mark.parametrize("cron", ["0 0 5 * *", "*/5 * * * *", "30 2 * * *", "0 9 * * 1-5"])
    @pytest.mark.parametrize("begin", [datetime(2027, 3, 27, tzinfo=UTC), datetime(2027, 10, 30, tzinfo=UTC)])
    def test_is_what_airflows_own_timetable_says(self, at, cron, late, begin) -> None:
        import pendulum
        from airflow.timetables.base import DataInterval, TimeRestriction
        from airflow.timetables.interval import CronDataIntervalTimetable

        own = CronDataIntervalTimetable(cron, "Europe/Berlin")
        start = own._get_next(pendulum.instance(begin))
        last = DataInterval(start, own._get_next(start))
        at(last.end + late)
        said = own.next_dagrun_info(
            last_automated_data_interval=last,
            restriction=TimeRestriction(pendulum.datetime(2020, 1, 1), None, catchup=False),
        )
        assert next_run(f"{{cron: {cron!r}, timezone: Europe/Berlin}}", after=last) == [
            f"{moment.astimezone(UTC):%Y-%m-%d %H:%M}" for moment in said.data_interval
        ]


def test_a_backfill_has_every_interval(at) -> None:
    at(THE_FIRST)
    runs = stored(MONTHLY).iter_dagrun_infos_between(
        datetime(2026, 8, 1, tzinfo=UTC), datetime(2026, 10, 31, tzinfo=UTC)
    )
    assert [f"{run.logical_date:%m-%d}" for run in runs] == ["08-05", "09-05", "10-05"]


class TestWhatAirflowShows:
    def test_is_what_its_own_timetable_would_say(self) -> None:
        from airflow.timetables.interval import CronDataIntervalTimetable

        ours, own = stored(MONTHLY).timetable, CronDataIntervalTimetable("0 0 5 * *", "UTC")
        shown = ("summary", "description", "periodic", "can_be_scheduled")
        assert [getattr(ours, name) for name in shown] == [getattr(own, name) for name in shown]
        assert type(ours) is not type(own)

    def test_survives_airflows_serialiser(self) -> None:
        from airflow.serialization.serialized_objects import DagSerialization

        schedule = '{cron: "@daily", timezone: Europe/Istanbul}'
        again = stored(schedule)
        assert again.timetable == a_dag(schedule).schedule
        assert DagSerialization.to_dict(a_dag(schedule))["dag"]["timetable"] == {
            "__type": "order_cancellation.airflow_timetable.CronDataIntervalTimetable",
            "__var": {"expression": "0 0 * * *", "timezone": "Europe/Istanbul"},
        }


def test_a_task_has_no_use_for_it(monkeypatch) -> None:
    """Its process asks for no next run, and Airflow's own timetables take 20 ms to import."""
    from airflow.sdk.definitions.context import AirflowParsingContext

    monkeypatch.setattr(
        "order_cancellation.dag.get_parsing_context", lambda: AirflowParsingContext("acme", "login")
    )
    assert type(a_dag(MONTHLY).schedule).__module__.startswith("airflow.sdk.")
