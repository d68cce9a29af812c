"""The set of texts that takes little memory."""

import tracemalloc

from order_cancellation.http.seen import Seen


def test_a_text_is_new_once():
    seen = Seen()
    assert [seen.add(text) for text in ("a", "b", "a")] == [True, True, False]


def test_what_was_added_is_in_it_and_nothing_else():
    seen = Seen(["a", ""])
    assert "a" in seen
    assert "" in seen
    assert "b" not in seen
    assert None not in seen


def test_each_text_counts_once():
    seen = Seen(["a", "b", "a"])
    seen.update(["b", "c"])
    assert len(seen) == 3


def test_half_a_surrogate_pair_is_a_text_like_others():
    assert "\ud83d" in Seen(["\ud83d"])


def test_it_knows_very_many_and_takes_less_than_fifty_bytes_for_each():
    tracemalloc.start()
    seen = Seen(f"u{number}" for number in range(20_000))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(seen) == 20_000
    assert all(f"u{number}" in seen for number in range(20_000))
    assert not any(f"v{number}" in seen for number in range(20_000))
    assert taken < 20_000 * 50
