"""What becomes of a lost answer, and when a flow runs, in words."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from order_cancellation.flow.store import open_files
from order_cancellation.service.calendar import calendar_of
from order_cancellation.service.doubt import lost_answer
from unit.flow.flow_files import files_of

LOOK_UP = {"url": "/x", "found": "$.found"}
NOW = datetime(2026, 3, 28, 12, 0, tzinfo=UTC)


def a_flow(**changes):
    return open_files("acme", files_of(**changes)).flow


@pytest.mark.parametrize(
    ("changes", "words", "safe"),
    [
        ({}, "send nothing again: it is parked until a person decides.", True),
        ({"write_to_erp__method": "PUT"}, "send it again, since PUT books once", True),
        ({"write_to_erp__idempotency_header": "X-Key"}, "send it again under the same X-Key", True),
        ({"write_to_erp__duplicates_accepted": True}, "it may then be booked twice", False),
        ({"write_to_erp__look_up": LOOK_UP}, "ask the ERP first", True),
        (
            {"write_to_erp__look_up": LOOK_UP, "write_to_erp__duplicates_accepted": True},
            "ask the ERP first",
            True,
        ),
        ({"custom_response": {"file": "response.py"}}, "until a person decides", True),
        (
            {"custom_response": {"file": "response.py", "decides_unknown": True}},
            "the response script decide",
            False,
        ),
        (
            {
                "custom_response": {"file": "response.py", "decides_unknown": True},
                "write_to_erp__look_up": LOOK_UP,
            },
            "ask the ERP first",
            True,
        ),
        (
            {
                "custom_response": {"file": "response.py", "decides_unknown": True},
                "write_to_erp__method": "PUT",
            },
            "the response script decide",
            False,
        ),
    ],
)
def test_the_flow_s_own_declarations_decide_in_the_order_in_which_a_run_tries_them(changes, words, safe):
    told = lost_answer(a_flow(**changes))
    assert words in told.sentence
    assert told.safe is safe


def times(schedule):
    return [time.isoformat() for time in calendar_of(a_flow(schedule=schedule), NOW).times]


def test_the_next_times_are_in_the_flow_s_time_zone_over_a_change_of_the_clock():
    told = times({"cron": "0 9 * * *", "timezone": "Europe/Berlin"})
    assert told[:3] == ["2026-03-29T09:00:00+02:00", "2026-03-30T09:00:00+02:00", "2026-03-31T09:00:00+02:00"]


def test_a_length_of_time_counts_from_now():
    assert times({"every": "6h"})[:2] == ["2026-03-28T18:00:00+00:00", "2026-03-29T00:00:00+00:00"]


def test_no_clock_decides_for_a_flow_that_runs_by_hand_or_after_others_or_not_at_all():
    assert calendar_of(a_flow(), NOW).times == []
    assert calendar_of(a_flow(schedule={"after": ["b"]}), NOW).times == []
    disabled = calendar_of(a_flow(schedule={"every": "5m"}, enabled=False), NOW)
    assert disabled.times == []
    assert disabled.words == "not by itself, since it is disabled (else every 5 minutes)"


def test_a_disabled_flow_without_a_schedule_does_not_seem_to_have_lost_one():
    assert calendar_of(a_flow(enabled=False), NOW).words == calendar_of(a_flow(), NOW).words == "only by hand"
