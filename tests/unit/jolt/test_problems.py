"""What is said about a specification before it runs."""

from __future__ import annotations

import pytest

from order_cancellation.errors import ConfigurationError, MappingFailed
from order_cancellation.jolt import JoltSpecError, JoltTransformError, check_spec, compile_spec, parse_spec


def only_problem(spec):
    (problem,) = check_spec(spec)
    return problem


def test_errors_belong_to_the_projects_tree():
    assert issubclass(JoltSpecError, ConfigurationError)
    assert issubclass(JoltTransformError, MappingFailed)


def test_an_unknown_operation_is_told_with_the_nearest_name():
    problem = only_problem([{"operation": "sort"}, {"operation": "modify-overwite", "spec": {}}])
    assert (problem.operation, problem.path) == (1, "operation")
    assert "'modify-overwrite'" in problem.message


def test_an_unknown_function_is_told_with_its_path_and_the_nearest_name():
    problem = only_problem(
        [{"operation": "modify-default-beta", "spec": {"a": {"b": "=toUpperCase(@(1,c))"}}}]
    )
    assert (problem.operation, problem.path, problem.java_accepts) == (0, "spec.a.b", True)
    assert "'toUpper'" in problem.message


def test_an_unknown_function_is_an_error_for_strict_flows_only():
    spec = {"operation": "modify-overwrite-beta", "spec": {"a": "=nosuch(1)"}}
    assert compile_spec(spec)({}) == {"a": 1}
    with pytest.raises(JoltSpecError, match="nosuch"):
        compile_spec(spec, strict=True)


def test_all_problems_are_told_at_once():
    spec = [
        {"operation": "shift", "spec": {"a": "x*", "b": {}, "c": 5, "@(1,": "y"}},
        {"operation": "cardinality", "spec": {"d": "SOME"}},
        {"operation": "shift"},
    ]
    assert [(problem.operation, problem.path) for problem in check_spec(spec)] == [
        (0, "spec.a"),
        (0, "spec.b"),
        (0, "spec.c"),
        (0, "spec['@(1,']"),
        (1, "spec.d"),
        (2, "spec"),
    ]


@pytest.mark.parametrize(
    ("operation", "spec"),
    [
        ("shift", {"a": "x[1a]"}),
        ("shift", {"a": "x[0]y"}),
        ("shift", {"*&": "x"}),
        ("shift", {"$(1,2,3)": "x"}),
        ("shift", {"a": "b.@.c"}),
        ("shift", {"a": ["x", None]}),
        ("shift", {"||a": "x"}),
        ("shift", {"a": "x.@(1,(b))"}),
        ("shift", {"@": {"a": "x"}}),
        ("shift", []),
        ("modify-overwrite-beta", {"l": {"[0]": 1, "a": 2}}),
        ("modify-overwrite-beta", {"[]": 1}),
        ("modify-overwrite-beta", {"a": "@(1,b).c"}),
        ("modify-overwrite-beta", {"a": "=toString("}),
        ("modify-overwrite-beta", {"": 1}),
        ("remove", {"a": 5}),
        ("default", {"a*": 5}),
        ("cardinality", {}),
        ("cardinality", {"*": "ONE", "p*": "MANY"}),
    ],
)
def test_what_java_refuses_is_refused(operation, spec):
    with pytest.raises(JoltSpecError):
        compile_spec([{"operation": operation, "spec": spec}])


@pytest.mark.parametrize("spec", [[], 5, "shift", None, [5], [{"operation": None, "spec": {}}]])
def test_what_is_no_chain_is_refused(spec):
    with pytest.raises(JoltSpecError):
        compile_spec(spec)


def test_expression_language_is_told():
    problem = only_problem([{"operation": "modify-overwrite-beta", "spec": {"a": "${shop.code}"}}])
    assert "NiFi" in problem.message


def test_a_list_index_in_brackets_on_the_left_of_shift_is_told():
    assert '"0"' in only_problem([{"operation": "shift", "spec": {"l": {"[0]": "x"}}}]).message


def test_a_sound_specification_has_no_problems():
    assert check_spec('[{"operation": "shift", "spec": {"a": "b"}}] // fine') == []


def test_comments_are_blanks():
    text = '[ // one\n {"operation": /* two\n lines */ "shift", "spec": {"a//b": "x/*y*/"}} ]'
    assert parse_spec(text) == [{"operation": "shift", "spec": {"a//b": "x/*y*/"}}]


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('{"a": 1,,}', "line 1, column 9"),
        ("[\n  // fine\n  oops]", "line 3, column 3"),
        ("[1] /* open", "line 1, column 5"),
    ],
)
def test_broken_text_is_told_with_line_and_column(text, path):
    with pytest.raises(JoltSpecError) as caught:
        parse_spec(text)
    assert [problem.path for problem in caught.value.problems] == [path]
    assert check_spec(text) == caught.value.problems


def test_a_specification_without_end_is_refused():
    spec = {}
    spec["a"] = spec
    with pytest.raises(JoltSpecError, match="levels deep"):
        compile_spec({"operation": "shift", "spec": spec})
    with pytest.raises(JoltSpecError, match="levels deep"):
        parse_spec("[" * 100_000 + "]" * 100_000)


def test_a_failing_document_names_the_operation():
    chain = [{"operation": "sort"}, {"operation": "shift", "spec": {"a": "&9"}}]
    with pytest.raises(JoltTransformError, match=r"Operation 1 \(shift\)"):
        compile_spec(chain)({"a": 1})


def test_a_function_that_differs_each_time_is_told():
    problem = only_problem([{"operation": "modify-overwrite-beta", "spec": {"a": "=uuid()"}}])
    assert "script step" in problem.message
