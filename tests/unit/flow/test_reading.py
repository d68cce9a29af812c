"""Texts that are no flow file, and what is said of them."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from order_cancellation.errors import FlowInvalid
from order_cancellation.flow.reading import MOST_BYTES, Unreadable, join_path, read_yaml
from order_cancellation.flow.store import open_files
from unit.flow.flow_files import files_of

BAD_TEXTS = [
    (b"", "flow.yaml", "is empty. Write at least get_data, write_to_erp and write_to_omnitron."),
    (b" \n\n", "flow.yaml", "is empty."),
    (b"# only this\n", "flow.yaml", "holds no value, only comments."),
    (b"title: x\n  bad: y\n", "flow.yaml line 2", "is no valid YAML: mapping values are not allowed"),
    (b"title: 'x\n", "flow.yaml line 2", "is no valid YAML:"),
    (b"a: 1\n---\nb: 2\n", "flow.yaml line 2", "is no valid YAML: expected a single document"),
    (b"\ttitle: x\n", "flow.yaml line 1", "is no valid YAML:"),
    (b"title: \x00\n", "flow.yaml", "holds a character that YAML does not allow."),
    (b"a: 1\ntitle: \xff\n", "flow.yaml line 2", "is not UTF-8. Save the file as UTF-8."),
    ("title: x\n".encode("utf-16"), "flow.yaml line 1", "is not UTF-8."),
    (b"- title\n", "flow.yaml", "must hold keys such as get_data:"),
    (b"just words\n", "flow.yaml", "must hold keys such as get_data:"),
    (
        b"title: !!python/object:os.system x\n",
        "flow.yaml line 1",
        "is no valid YAML: could not determine a constructor",
    ),
    (b"title: *nowhere\n", "flow.yaml line 1", "is no valid YAML: found undefined alias"),
    (b"title: 2026-13-45\n", "flow.yaml", "holds a value that YAML can't read"),
    (b"title: !!int ''\n", "flow.yaml", "holds a value that YAML can't read"),
    (b"x: " + b"9" * 5000, "flow.yaml", "holds a value that YAML can't read"),
    (b"x: 1" + b":0" * 200, "flow.yaml", "holds a value that YAML can't read"),
    (
        b"? [a]\n: b\n",
        "flow.yaml line 1",
        "is no valid YAML: while constructing a mapping, found unhashable key",
    ),
    (b"x: " + b"[" * 61 + b"]" * 61, "flow.yaml", "is nested more than 60 levels deep."),
    (b"[" * 500_000, "flow.yaml", "is nested more than 60 levels deep."),
    (b"- " * 500_000, "flow.yaml", "is nested more than 60 levels deep."),
    (b"&a [*a]", "flow.yaml", "stands for too many values through its aliases"),
    (b"x: " + b"y" * MOST_BYTES, "flow.yaml", "is larger than 1024 KiB."),
]


@pytest.mark.parametrize(("content", "path", "words"), BAD_TEXTS, ids=[words for *_, words in BAD_TEXTS])
def test_a_text_that_is_no_flow_file_is_refused_with_its_line(content, path, words):
    with pytest.raises(FlowInvalid) as caught:
        open_files("acme", {"flow.yaml": content})
    assert [(problem.path, problem.flow) for problem in caught.value.problems] == [(path, "acme")]
    assert words in caught.value.problems[0].message


def test_a_few_aliases_that_stand_for_millions_of_values_are_refused():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 9)]
    with pytest.raises(Unreadable, match="too many values"):
        read_yaml("\n".join(lines).encode())


def test_honest_aliases_and_merge_keys_are_read():
    value, faults = read_yaml(b"base: &b {x: 1}\nother: {<<: *b, y: 2}\n")
    assert (value["other"], faults) == ({"x": 1, "y": 2}, [])


def test_a_byte_order_mark_and_windows_line_ends_are_read():
    value, _ = read_yaml("\ufefftitle: x\r\nowner: y\r\n".encode())
    assert value == {"title": "x", "owner": "y"}


@pytest.mark.parametrize(
    ("text", "path", "lines"),
    [
        (b"title: x\nowner: y\ntitle: z\n", "title", "lines 1 and 3"),
        (b"write_to_erp:\n  method: POST\n  method: PUT\n", "write_to_erp.method", "lines 2 and 3"),
        (b"tags: [{a: 1, a: 2}]\n", "tags[0].a", "lines 1 and 1"),
    ],
)
def test_a_key_that_stands_twice_is_named_with_both_lines(text, path, lines):
    _, faults = read_yaml(text)
    assert [fault.path for fault in faults] == [path]
    assert lines in faults[0].message


def test_double_keys_are_named_together_with_all_other_faults():
    content = files_of()["flow.yaml"] + b"title: a\ntitle: b\nowner: 7\n"
    with pytest.raises(FlowInvalid) as caught:
        open_files("acme", {"flow.yaml": content})
    assert [problem.path for problem in caught.value.problems] == ["title", "owner"]


def test_a_path_is_written_as_people_read_it():
    assert join_path(["write_to_erp", "headers", "X"]) == "write_to_erp.headers.X"
    assert join_path(["tags", 0, "a"]) == "tags[0].a"


def check_that_only_flow_invalid_is_raised(content: bytes) -> None:
    problems = []
    try:
        open_files("acme", {"flow.yaml": content})
    except FlowInvalid as error:
        problems = error.problems or [None]
    assert all(problem.message for problem in problems)


@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_but_flow_invalid(content):
    check_that_only_flow_invalid_is_raised(content)


@given(st.text(alphabet="abc:- \n#&*?!|>%@`'\"{}[],.0123456789<~=\t\\", max_size=120))
@example("a: !!float x")
@example("a: !!bool x")
@example("a: !!timestamp x")
@example("a: 1:99:99999999999999999999999999")
@example('title: "\\ud800"')
def test_no_text_of_yamls_own_signs_raises_anything_but_flow_invalid(text):
    check_that_only_flow_invalid_is_raised(text.encode())


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.dates()
    | st.binary(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10) | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)
BLOCKS = ["title", "schedule", "get_data", "script", "mapping", "write_to_erp", "custom_response", "delivery"]
INNER = [
    "every",
    "cron",
    "after",
    "timezone",
    "file",
    "timeout",
    "url",
    "method",
    "headers",
    "look_up",
    "lease",
    "tag",
]
NEAR_FLOWS = st.dictionaries(
    st.sampled_from(BLOCKS),
    VALUES | st.dictionaries(st.sampled_from(INNER), VALUES, max_size=6),
    max_size=8,
)


@given(VALUES | NEAR_FLOWS)
def test_no_yaml_document_whatever_raises_anything_but_flow_invalid(value):
    import yaml

    check_that_only_flow_invalid_is_raised(
        yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")
    )
