"""Merging a whole document into the text of flow.yaml: what nobody changed stays byte for byte."""

from __future__ import annotations

import copy
import json
import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from yaml.reader import Reader

from order_cancellation.flow.edits import merge_document
from order_cancellation.flow.model import FlowDocument

ORDER = tuple(FlowDocument.model_fields)

FILE = """\
# The flow of Acme.
title: 'Acme'   # shown on pages
tags:
  - sap         # the old one
  - "acme"

# What it fetches.
get_data:
  connection:   omnitron_default
  status: approved   # by a person
  cancel_type: "all"

write_to_erp:
  connection: erp_default

  # Where to.
  url: "/cancellations"
  method: POST
  headers:
    X-One:   "1"       # kept
    X-Two: '{{ request.id }}'
  look_up: {url: "/x/{{ request.id }}",   found: "$.found"}   # asked first
write_to_omnitron:
  on_success:
    status: completed
  on_failure: null
# The end.
"""


def merged(change, text: str = FILE) -> str:
    document = yaml.safe_load(text)
    change(document)
    new = merge_document(text, document, ORDER)
    assert yaml.safe_load(new) == document
    return new


def test_nothing_changed_changes_no_byte():
    assert merged(lambda _: None) == FILE


def test_a_value_deep_within_changes_its_own_line_only():
    def change(document):
        document["write_to_erp"]["headers"]["X-Two"] = "2"

    assert merged(change) == FILE.replace("'{{ request.id }}'", "'2'")


def test_quoting_and_the_comment_behind_a_value_stay():
    def change(document):
        document["title"] = "Other"
        document["get_data"]["status"] = "rejected"

    expected = FILE.replace("'Acme'   #", "'Other'  #").replace(
        "status: approved   #", "status: rejected   #"
    )
    assert merged(change) == expected


def test_a_block_on_one_line_stays_on_one_line():
    new = merged(lambda document: document["write_to_erp"]["look_up"].update(after="5s"))
    (line,) = [line for line in new.splitlines() if "look_up" in line]
    assert line.startswith('  look_up: {url: "/x/{{ request.id }}", found: "$.found", after: 5s}')
    assert line.endswith("# asked first")


def test_a_new_key_stands_behind_its_block_and_a_new_block_where_it_belongs():
    def change(document):
        document["write_to_erp"]["timeout"] = 10
        document["script"] = {"file": "script.py"}

    new = merged(change)
    assert "# asked first\n  timeout: 10\nwrite_to_omnitron:" in new
    assert "\nscript:\n  file: script.py\nwrite_to_erp:" in new.replace("\n\n", "\n")


def test_a_removed_key_takes_only_its_own_lines():
    new = merged(lambda document: document["write_to_erp"].pop("look_up"))
    assert new == "".join(line for line in FILE.splitlines(keepends=True) if "look_up" not in line)


def test_a_removed_block_leaves_the_comments_around_it():
    new = merged(lambda document: document.pop("get_data"))
    assert "# What it fetches." in new
    assert "omnitron_default" not in new


def test_a_list_keeps_its_form_where_only_one_of_it_changes():
    def change(document):
        document["tags"][1] = "b"

    assert merged(change) == FILE.replace('- "acme"', '- "b"')


def test_windows_line_ends_and_a_byte_order_mark_stay():
    text = "\ufeff" + FILE.replace("\n", "\r\n")
    new = merge_document(text, yaml.safe_load(FILE) | {"title": "x"}, ORDER)
    assert new.startswith("\ufeff# The flow")
    assert "\n" not in new.replace("\r\n", "")


def test_a_text_that_older_readers_take_for_something_else_is_quoted():
    for value in ("yes", "no", "on", "12:30", "1e3", "", "~", "null", "0x1f", "2026-01-01", "=", "<<"):
        new = merged(lambda document, value=value: document.update(owner=value))
        assert yaml.safe_load(new)["owner"] == value


@pytest.mark.parametrize("loader", [yaml.SafeLoader, yaml.CSafeLoader])
@pytest.mark.parametrize("text", ["why?", "?", ":how", ": how", ":", "a:b", "a?b"])
def test_no_mark_in_a_text_of_a_list_is_taken_for_yaml(text, loader):
    new = merged(lambda document: document.update(get_data={"names": [text, "how"]}))
    assert yaml.load(new, loader)["get_data"]["names"] == [text, "how"]


@pytest.mark.parametrize("text", ["a\r\nb", "a\rb", "\ta\nb", "a\x85b", "a\x85\nb", "a?\nb"])
@pytest.mark.parametrize("before", ["x", "'x'", '"x"', "|\n  x\n  y", '"x\\ny"'])
def test_lines_of_any_kind_are_kept_as_they_are(text, before):
    new = merge_document(f"title: {before}\n", {"title": text, "tags": [text]})
    assert yaml.safe_load(new) == {"title": text, "tags": [text]}


def test_several_lines_are_written_as_several_lines():
    new = merged(lambda document: document.update(description="One.\nTwo.\n"))
    assert "description: |\n  One.\n  Two.\n" in new


def test_a_new_file_is_written_in_the_order_of_the_document():
    document = {"write_to_erp": {"url": "/x"}, "title": "x", "get_data": {}}
    assert list(yaml.safe_load(merge_document("", document, ORDER))) == ["title", "get_data", "write_to_erp"]


@pytest.mark.parametrize("text", ["[1]", "a: 1\na: 2\n", "{", "a: &a {b: 1}\nc: *a\n"])
def test_what_can_not_be_merged_is_refused_and_never_guessed(text):
    with pytest.raises(ValueError, match=r"file|YAML|written"):
        merge_document(text, {"a": {"b": 2}, "c": {"b": 1}})


NOT_IN_YAML = re.compile(rf"\\u00|\\[bf]|{Reader.NON_PRINTABLE.pattern}")
"""Characters that YAML does not know, also as JSON writes them."""
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**9), 10**9)
    | st.text(st.characters(codec="utf-8"), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abcXY-", min_size=1), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(
    st.dictionaries(
        st.sampled_from(["title", "tags", "get_data", "write_to_erp", "script", "x"]), VALUES, max_size=5
    )
)
def test_whatever_is_merged_is_read_again_as_it_was_meant(document):
    try:
        new = merge_document(FILE, document, ORDER)
    except ValueError:
        assert NOT_IN_YAML.search(json.dumps(document, ensure_ascii=False))
        return
    assert json.dumps(yaml.safe_load(new), sort_keys=True) == json.dumps(document, sort_keys=True)


@given(
    st.sampled_from(["title", "get_data.status", "write_to_erp.url", "write_to_erp.headers.X-One"]),
    st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"])),
)
def test_every_other_line_stays_whatever_one_value_becomes(path, value):
    document = copy.deepcopy(yaml.safe_load(FILE))
    *way, last = path.split(".")
    block = document
    for key in way:
        block = block[key]
    block[last] = value
    new = merge_document(FILE, document, ORDER).splitlines()
    changed = [line for line in FILE.splitlines() if line not in new]
    assert len(changed) <= 1
