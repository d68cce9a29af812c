"""A part of Airflow that was killed is told of, and does not stay unnoticed."""

from __future__ import annotations

from pathlib import Path

import pytest

from order_cancellation.demo.watch import END_AFTER, LOOK_EVERY, TELL_AFTER, PartGone, Watch


class Parts:
    """What is silent, what was told, and a clock that goes on between two looks."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.silent: list[str] = []
        self.told: list[str] = []
        self.watch = Watch(
            lambda: self.silent, self.told.append, Path("/home/standalone.log"), clock=lambda: self.now
        )

    def pass_by(self, seconds: float) -> None:
        end = self.now + seconds
        while self.now < end:
            self.watch.look()
            self.now += LOOK_EVERY
        self.watch.look()


@pytest.fixture
def parts() -> Parts:
    return Parts()


def test_nothing_is_told_while_all_live(parts) -> None:
    parts.pass_by(3600)
    assert parts.told == []


def test_a_silent_part_is_told_once_by_name_and_how_long(parts) -> None:
    parts.silent = ["scheduler"]
    parts.pass_by(END_AFTER - LOOK_EVERY)
    [words] = parts.told
    assert words.startswith("Airflow's scheduler has given no sign of life for more than 30 s")


def test_a_part_that_is_late_for_a_moment_is_not_told(parts) -> None:
    for _ in range(10):
        parts.silent = ["scheduler"]
        parts.pass_by(TELL_AFTER - LOOK_EVERY)
        parts.silent = []
        parts.pass_by(LOOK_EVERY)
    assert parts.told == []


def test_one_that_comes_back_is_told_and_counts_from_the_beginning(parts) -> None:
    parts.silent = ["triggerer"]
    parts.pass_by(END_AFTER - LOOK_EVERY)
    parts.silent = []
    parts.pass_by(LOOK_EVERY)
    assert parts.told[1:] == ["Airflow's triggerer gives signs of life again."]
    parts.silent = ["triggerer"]
    parts.pass_by(END_AFTER - LOOK_EVERY)
    assert len(parts.told) == 3


def test_one_that_stays_silent_ends_it_all_and_says_what_to_do(parts) -> None:
    parts.silent = ["scheduler"]
    with pytest.raises(PartGone, match=r"no sign of life for more than 120 s.*Start it anew") as gone:
        parts.pass_by(600)
    assert "/home/standalone.log" in str(gone.value)
