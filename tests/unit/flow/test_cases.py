from __future__ import annotations

import pytest

from order_cancellation.flow.cases import read_cases

GOOD = b"step: script\ninput: {id: 1}\nexpect: {result: {id: 1}}\n"


def read(content: bytes, name: str = "cases/one.yaml"):
    return read_cases("acme", {name: content})


def test_a_case_is_read_with_its_files_name():
    (case,), problems = read(GOOD)
    assert (case.name, case.step, case.input_text, case.attributes, problems) == (
        "one",
        "script",
        '{"id": 1}',
        {},
        [],
    )


def test_cases_come_in_the_order_of_their_names_and_other_files_are_no_cases():
    files = {
        "cases/b.yml": GOOD,
        "cases/a.yaml": GOOD,
        "cases/notes.md": b"x",
        "flow.yaml": b"x",
        "cases/sub/c.yaml": GOOD,
    }
    cases, problems = read_cases("acme", files)
    assert ([case.name for case in cases], problems) == (["a", "b", "sub/c"], [])


def test_text_is_given_to_the_step_as_it_is():
    (case,), _ = read(b"step: script\ninput: not json\nexpect: {error: x}\n")
    assert case.input_text == "not json"


def test_a_result_of_null_is_expected_too():
    (case,), _ = read(b"step: script\ninput: {}\nexpect: {result: null}\n")
    assert case.expect.model_fields_set == {"result"}


@pytest.mark.parametrize(
    ("content", "path", "words"),
    [
        (b"", "cases/one.yaml", "is empty"),
        (b"a: [\n", "cases/one.yaml line 2", "is no valid YAML"),
        (b"[]", "cases/one.yaml", "is not a block of keys"),
        (b"step: script\nexpect: {error: x}\n", "cases/one.yaml: input", "is missing."),
        (b"step: scrip\ninput: {}\nexpect: {error: x}\n", "cases/one.yaml: step", "Did you mean script?"),
        (
            b"step: write_to_erp\ninput: {}\nexpect: {error: x}\n",
            "cases/one.yaml: step",
            "is not one of script,",
        ),
        (b"step: script\ninput: {}\n", "cases/one.yaml: expect", "is missing."),
        (b"step: script\ninput: {}\nexpect: {}\n", "cases/one.yaml: expect", "expects nothing."),
        (
            b"step: script\ninput: {}\nexpect: {results: 1}\n",
            "cases/one.yaml: expect.results",
            "Did you mean 'result'?",
        ),
        (
            b"step: script\ninput: {d: 2026-01-01}\nexpect: {error: x}\n",
            "cases/one.yaml: input",
            "Put it in quotes.",
        ),
        (b"step: script\ninput: .inf\nexpect: {error: x}\n", "cases/one.yaml: input", "JSON does not know"),
        (
            b"step: script\ninput: {}\nattributes: {a: 1}\nexpect: {error: x}\n",
            "cases/one.yaml: attributes.a",
            "is not text",
        ),
        (GOOD + b"step: mapping\n", "cases/one.yaml: step", "stands here twice"),
    ],
)
def test_a_fault_of_a_case_is_named_with_its_file(content, path, words):
    cases, problems = read(content)
    assert cases == []
    assert [problem.path for problem in problems] == [path]
    assert words in problems[0].message
