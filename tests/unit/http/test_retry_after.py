"""Retry-After is understood in both of its forms, and nothing that it says can break us."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.http.retry_after import retry_after
from unit.http.fakes import START


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 1),
        ("120", 120),
        (" 7 ", 7),
        ("Thu, 01 Jan 2026 00:02:00 GMT", 120),
        ("Thu, 01 Jan 2026 03:02:00 +0300", 120),
        ("Thursday, 01-Jan-26 00:02:00 GMT", 120),
        ("Wed, 31 Dec 2025 00:00:00 GMT", 1),
        ("Thu, 01 Jan 2026 00:00:00 GMT", 1),
        ("99999999999999", 604800),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("²", None),
    ],
)
def test_each_form(text, seconds):
    assert retry_after({"retry-after": text}, START) == seconds


def test_no_header_says_nothing():
    assert retry_after({}, START) is None


@given(st.text())
def test_any_text_gives_one_second_to_a_week_or_nothing(text):
    seconds = retry_after({"retry-after": text}, START)
    assert seconds is None or 1 <= seconds <= 604800
