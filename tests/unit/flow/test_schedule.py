from __future__ import annotations

import pytest

from order_cancellation.flow.schedule import Schedule, describe


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ({"every": "5m"}, "every 5 minutes"),
        ({"every": "1h"}, "every hour"),
        ({"every": "90s"}, "every 90 seconds"),
        ({"every": "2d"}, "every 2 days"),
        (
            {"cron": "0 9 * * 1-5", "timezone": "Europe/Istanbul"},
            "at 09:00, Monday through Friday (Europe/Istanbul)",
        ),
        ({"cron": "*/5 * * * *"}, "every 5 minutes (UTC)"),
        ({"cron": "@daily"}, "at 00:00 (UTC)"),
        ({"after": ["a"]}, "after a"),
        ({"after": ["a", "b"]}, "after a, b"),
    ],
)
def test_a_schedule_is_told_in_words(written, words):
    assert describe(Schedule.model_validate(written)) == words


def test_no_schedule_means_by_hand():
    assert describe(None) == "only by hand"


@pytest.mark.parametrize(
    "cron",
    [
        "* * * * *",
        "0 0 29 2 *",
        "0 0 L * *",
        "0 0 * * sun",
        "0 0 * * 1#2",
        "15,45 8-18 * MAR-OCT FRI",
        "@hourly",
    ],
)
def test_what_airflow_takes_as_cron_is_taken_and_can_be_told(cron):
    assert describe(Schedule(cron=cron)).endswith("(UTC)")
