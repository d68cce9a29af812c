"""What differs between texts."""

from __future__ import annotations

from order_cancellation.service.diffs import diff_texts


def test_what_differs_is_told_line_by_line():
    assert diff_texts("a\nb", "a\nc").splitlines()[-2:] == ["-b", "+c"]


def test_nothing_differs_in_the_same_text_however_long():
    assert not diff_texts("a\n" * 30_000, "a\n" * 30_000)


def test_very_long_texts_are_not_compared_line_by_line():
    assert diff_texts("a\n" * 30_000, "b\n" * 30_000).startswith("(they differ")
