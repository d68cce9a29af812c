"""Edits of one block: comments survive, and no byte outside the block changes."""

from __future__ import annotations

import stat

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.flow.edits import replace_block
from order_cancellation.flow.writing import write_atomically

BEHIND = ("title", "description", "owner", "tags", "enabled")

FILE = """\
# The flow of Acme.
title:   "Acme"   # shown on pages

# When it runs.
schedule:
  every: 5m          # s, m, h, d
  # cron: "*/5 * * * *"
  timezone: 'Europe/Istanbul'   # ours

# What it fetches.
get_data: { connection: a,   b: "c" }
list:
- 1
-   2
"""


def edited(text: str, block: dict | None) -> str:
    return replace_block(text, "schedule", block, behind=BEHIND)


def test_a_new_value_keeps_every_comment_and_all_other_bytes():
    new = edited(FILE, {"every": "10m", "timezone": "Europe/Istanbul"})
    assert new == FILE.replace("every: 5m          #", "every: 10m         #")


def test_another_kind_takes_the_place_and_the_comment_of_the_old_one():
    new = edited(FILE, {"cron": "0 9 * * 1-5", "timezone": "Europe/Istanbul"})
    assert new == FILE.replace("every: 5m          #", "cron: 0 9 * * 1-5  #")


def test_a_list_is_written_on_one_line():
    new = edited(FILE, {"after": ["a", "b"], "timezone": "Europe/Istanbul"})
    assert "  after: [a, b]      # s, m, h, d\n" in new


def test_a_removed_block_leaves_its_commented_lines():
    new = edited(FILE, None)
    assert new == FILE.replace("schedule:\n  every: 5m          # s, m, h, d\n", "").replace(
        "  timezone: 'Europe/Istanbul'   # ours\n", ""
    )


def test_what_was_removed_can_be_written_again():
    assert yaml.safe_load(edited(edited(FILE, None), {"every": "5m"})) == {
        **yaml.safe_load(FILE),
        "schedule": {"every": "5m"},
    }


def test_a_new_block_stands_behind_the_words_about_the_flow_and_before_the_next_comment():
    new = edited("title: x\ntags: [a]\n# data\nget_data: 1\n", {"every": "5m"})
    assert new == "title: x\ntags: [a]\nschedule:\n  every: 5m\n# data\nget_data: 1\n"


def test_a_new_block_stands_first_where_there_are_no_such_words():
    assert edited("get_data: 1\n", {"every": "5m"}) == "schedule:\n  every: 5m\nget_data: 1\n"


def test_a_block_on_one_line_stays_on_one_line():
    new = edited("schedule: {every: 5m}\nget_data: 1\n", {"every": "1h"})
    assert new == "schedule: {every: 1h}\nget_data: 1\n"


def test_an_emptied_block_is_filled_before_its_comments():
    new = edited("schedule:\n  # every: 1h\nget_data: 1\n", {"every": "5m"})
    assert new == "schedule:\n  every: 5m\n  # every: 1h\nget_data: 1\n"


def test_windows_line_ends_and_a_byte_order_mark_stay():
    assert edited("\ufeffa: 1\r\nschedule:\r\n  every: 5m\r\n", {"every": "1h"}) == (
        "\ufeffa: 1\r\nschedule:\r\n  every: 1h\r\n"
    )


def test_a_file_without_a_last_line_end_stays_yaml():
    assert yaml.safe_load(edited("title: x", {"every": "5m"})) == {"title": "x", "schedule": {"every": "5m"}}


def test_a_file_in_json_style_is_edited_as_a_whole():
    new = edited('{"schedule": {"every": "5m"}, "get_data": 1}', {"every": "1h"})
    assert yaml.safe_load(new) == {"schedule": {"every": "1h"}, "get_data": 1}


def test_the_files_own_indentation_is_taken():
    new = edited("schedule:\n    every: 5m\nget_data:\n    a: 1\n", {"every": "1h"})
    assert new == "schedule:\n    every: 1h\nget_data:\n    a: 1\n"


def test_a_block_that_others_refer_to_is_left_alone_with_a_word():
    with pytest.raises(ValueError, match="can't be changed without changing other parts"):
        edited("schedule: &s {every: 5m}\nother: *s\n", {"every": "1h"})


@pytest.mark.parametrize("text", ["- a\n", "a: [\n", "", "a: 1\n---\nb: 1\n"])
def test_what_is_no_document_of_keys_is_refused(text):
    with pytest.raises(ValueError, match=r"the file"):
        edited(text, {"every": "1h"})


KEYS = st.sampled_from(["title", "tags", "get_data", "delivery", "x"])
LINES = st.sampled_from(
    [
        "a: 1",
        "b: 'two'",
        "- 1",
        "|\n  literal\n\n  # no comment",
        "{ a: 1,  b: 2 }",
        '"quoted"  # why',
        "3",
        "[1,   2]",
    ]
)
BETWEEN = st.sampled_from(["", "\n", "# a comment\n", "\n\n#  another   \n", "    # indented\n"])


@st.composite
def documents(draw) -> str:
    parts = [draw(BETWEEN)]
    for key in draw(st.lists(KEYS, unique=True, min_size=1, max_size=4)):
        line = draw(LINES)
        nested = line.startswith(("a:", "b:", "- "))
        parts.append(f"{key}:\n  {line}\n" if nested else f"{key}: {line}\n")
        parts.append(draw(BETWEEN))
    block = draw(
        st.sampled_from(
            ["", "schedule:\n  every: 5m  # x\n", "schedule: {cron: '* * * * *'}\n", "schedule:\n"]
        )
    )
    place = draw(st.integers(0, (len(parts) - 1) // 2)) * 2 + 1
    return "".join([*parts[:place], block, *parts[place:]])


@given(documents(), st.sampled_from([None, {"every": "7m"}, {"after": ["a", "b"], "timezone": "UTC"}]))
def test_no_line_outside_the_block_ever_changes(text, block):
    try:
        new = edited(text, block)
    except ValueError:
        return
    outside = [
        line
        for line in text.splitlines()
        if not any(word in line for word in ("schedule", "every: 5m", "cron:"))
    ]
    assert [line for line in new.splitlines() if line in outside] == outside
    expected = {key: value for key, value in yaml.safe_load(text).items() if key != "schedule"}
    assert yaml.safe_load(new) == expected | ({"schedule": block} if block else {})


class TestWriteAtomically:
    def test_it_replaces_the_content_and_keeps_the_mode(self, tmp_path):
        path = tmp_path / "flow.yaml"
        path.write_bytes(b"old")
        path.chmod(0o640)
        write_atomically(path, b"new")
        assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o640)

    def test_it_leaves_nothing_else_behind(self, tmp_path):
        write_atomically(tmp_path / "flow.yaml", b"new")
        assert [path.name for path in tmp_path.iterdir()] == ["flow.yaml"]

    def test_a_link_stays_a_link(self, tmp_path):
        (tmp_path / "real.yaml").write_bytes(b"old")
        (tmp_path / "flow.yaml").symlink_to("real.yaml")
        write_atomically(tmp_path / "flow.yaml", b"new")
        assert (tmp_path / "flow.yaml").is_symlink()
        assert (tmp_path / "real.yaml").read_bytes() == b"new"

    def test_a_failed_write_leaves_the_old_file_and_no_other(self, tmp_path):
        path = tmp_path / "flow.yaml"
        path.mkdir()
        with pytest.raises(OSError, match="directory"):
            write_atomically(path, b"new")
        assert [entry.name for entry in tmp_path.iterdir()] == ["flow.yaml"]
