from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.flow.durations import parse_duration, write_duration


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("30s", timedelta(seconds=30)),
        ("5m", timedelta(minutes=5)),
        ("6h", timedelta(hours=6)),
        ("7d", timedelta(days=7)),
        ("1.5h", timedelta(minutes=90)),
        (" 5 m ", timedelta(minutes=5)),
        ("0s", timedelta(0)),
        (90, timedelta(seconds=90)),
        (0.5, timedelta(milliseconds=500)),
        (timedelta(minutes=1), timedelta(minutes=1)),
    ],
)
def test_lengths_of_time_are_read_as_people_write_them(written, meant):
    assert parse_duration(written) == meant


@pytest.mark.parametrize(
    "written",
    [
        "",
        "5",
        "m",
        "5x",
        "5 minutes",
        "-5m",
        "5m5s",
        "\u0665m",
        True,
        None,
        [5],
        -1,
        float("nan"),
        float("inf"),
        10**30,
    ],
)
def test_what_is_no_length_of_time_is_refused_with_advice(written):
    with pytest.raises(ValueError, match=r"Write a number with|is not between"):
        parse_duration(written)


def test_a_length_beyond_ten_years_is_refused():
    with pytest.raises(ValueError, match="not between 0s and 3650d"):
        parse_duration("99999d")


@pytest.mark.parametrize(
    ("length", "written"),
    [
        (timedelta(0), "0s"),
        (timedelta(seconds=90), "90s"),
        (timedelta(minutes=5), "5m"),
        (timedelta(hours=48), "2d"),
        (timedelta(milliseconds=500), "0.5s"),
    ],
)
def test_a_length_is_written_with_its_largest_whole_unit(length, written):
    assert write_duration(length) == written


@given(st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=3650)))
def test_every_length_survives_being_written_and_read(length):
    assert parse_duration(write_duration(length)) == length
