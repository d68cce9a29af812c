"""Deep checks: what a flow's file only names, and the order of flows among each other."""

from __future__ import annotations

import pytest

from order_cancellation.errors import FlowInvalid, Problem
from order_cancellation.flow.store import FlowStore, open_files
from order_cancellation.service.flows import check, check_all, load_checked, validate
from unit.flow.flow_files import files_of, put


def checked(files: dict[str, bytes] | None = None, **changes) -> list[Problem]:
    return check(open_files("acme", {**files_of(**changes), **(files or {})}))


def test_a_good_flow_has_no_problems():
    flow = {
        "script": {"file": "script.py"},
        "mapping": {"file": "mapping.json"},
        "custom_response": {"file": "response.py"},
        "post_script": {"file": "post.py"},
        "write_to_erp__headers": {"X-Id": "{{ request.id }}"},
        "write_to_erp__look_up": {"url": "/c/{{ request.uuid }}", "found": "$.found"},
    }
    assert checked(**flow) == []


@pytest.mark.parametrize("step", ["script", "custom_response", "post_script"])
def test_a_script_that_does_not_compile_is_named_with_its_line(step):
    (problem,) = checked({"x.py": b"a = 1\nprint 'old'\n"}, **{step: {"file": "x.py"}})
    assert problem.path == f"{step}.file"
    assert "line 2" in problem.message
    assert "Python 2" in problem.message


def test_a_mapping_that_is_no_json_is_named_with_its_place():
    (problem,) = checked({"mapping.json": b"[{]"}, mapping={"file": "mapping.json"})
    assert problem.path == "mapping.file"
    assert "line 1" in problem.message


UNKNOWN_OPERATION = b'[{"operation": "shfit", "spec": {}}]'


def test_an_unknown_operation_is_named():
    (problem,) = checked({"mapping.json": UNKNOWN_OPERATION}, mapping={"file": "mapping.json"})
    assert "shfit" in problem.message


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"write_to_erp__url": "/c/{{ request.id"}, "write_to_erp.url"),
        ({"write_to_erp__url": "/c/{{ requst.id }}"}, "write_to_erp.url"),
        ({"write_to_erp__headers": {"X": "{% if %}"}}, "write_to_erp.headers.X"),
        ({"write_to_erp__look_up": {"url": "{{", "found": "$.f"}}, "write_to_erp.look_up.url"),
        ({"write_to_erp__look_up": {"url": "/x", "found": "$.[["}}, "write_to_erp.look_up.found"),
        (
            {"write_to_omnitron__on_failure": {"request": {"method": "POST", "path": "/{{", "body": None}}},
            "write_to_omnitron.on_failure.request.path",
        ),
        (
            {
                "write_to_omnitron__on_success": {
                    "request": {"method": "POST", "path": "/x", "body": {"a": ["{{"]}}
                }
            },
            "write_to_omnitron.on_success.request.body.a[0]",
        ),
    ],
)
def test_a_template_or_path_that_can_not_be_understood_is_named(change, path):
    (problem,) = checked(**change)
    assert problem.path == path
    assert problem.message


def test_a_broken_case_is_named():
    (problem,) = checked({"cases/x.yaml": b"step: script\n"}, script={"file": "script.py"})[:1]
    assert problem.path.startswith("cases/x.yaml")


@pytest.mark.parametrize("name", ["maintenance", "change_schedule"])
def test_the_name_of_another_dag_of_the_project_is_a_problem_beside_others(tmp_path, name):
    put(tmp_path, name, {**files_of(script={"file": "s.py"}), "s.py": b"def"})
    problems = validate(FlowStore(tmp_path))
    assert [problem.path for problem in problems] == ["", "script.file"]
    assert str(problems[0]) == (
        f"Flow '{name}': another DAG of this project has this name. Rename the folder."
    )


@pytest.mark.parametrize("flow", [b"nonsense: true\n", b"[", b""])
def test_such_a_name_is_told_also_where_the_flow_is_not_valid(tmp_path, flow):
    put(tmp_path, "maintenance", {"flow.yaml": flow})
    assert any("Rename the folder" in problem.message for problem in validate(FlowStore(tmp_path)))


def test_load_checked_raises_with_every_problem(tmp_path):
    put(tmp_path, "acme", {**files_of(script={"file": "s.py"}, write_to_erp__url="{{"), "s.py": b"def"})
    with pytest.raises(FlowInvalid) as caught:
        load_checked(FlowStore(tmp_path), "acme")
    assert [problem.path for problem in caught.value.problems] == ["script.file", "write_to_erp.url"]


def test_load_checked_returns_a_good_flow(tmp_path):
    put(tmp_path, "acme")
    assert load_checked(FlowStore(tmp_path), "acme").flow.id == "acme"


def test_a_broken_case_stops_no_run(tmp_path):
    put(tmp_path, "acme", {**files_of(), "cases/x.yaml": b"step: ["})
    assert load_checked(FlowStore(tmp_path), "acme").flow.id == "acme"
    assert [problem.path for problem in validate(FlowStore(tmp_path))] == ["cases/x.yaml line 2"]


def test_load_checked_looks_at_the_flows_that_it_runs_after(tmp_path):
    for name, after in {"a": ["c"], "b": ["a"], "c": ["b"], "d": ["gone"], "e": ["a"]}.items():
        put(tmp_path, name, schedule={"after": after})
    store = FlowStore(tmp_path)
    with pytest.raises(FlowInvalid, match="a → c → b → a"):
        load_checked(store, "a")
    with pytest.raises(FlowInvalid, match="there is no flow 'gone'"):
        load_checked(store, "d")
    assert load_checked(store, "e").flow.id == "e"


class TestOrder:
    def problems(self, folder, **after: list[str]) -> dict[str, list[str]]:
        for name, earlier in after.items():
            put(folder, name, **({"schedule": {"after": earlier}} if earlier else {}))
        found = check_all(FlowStore(folder))
        return {
            name: [problem.message for problem in problems] for name, problems in found.items() if problems
        }

    def test_a_chain_of_flows_is_fine(self, tmp_path):
        assert self.problems(tmp_path, a=[], b=["a"], c=["a", "b"]) == {}

    def test_a_flow_that_runs_after_itself_is_named(self, tmp_path):
        assert "a → a" in self.problems(tmp_path, a=["a"])["a"][0]

    def test_every_flow_of_a_circle_is_named_and_no_other(self, tmp_path):
        found = self.problems(tmp_path, a=["c"], b=["a"], c=["b"], d=["a"])
        assert sorted(found) == ["a", "b", "c"]
        assert "a → c → b → a" in found["a"][0]

    def test_an_unknown_flow_is_named(self, tmp_path):
        assert "there is no flow 'gone'" in self.problems(tmp_path, a=["gone"])["a"][0]

    def test_a_broken_flow_is_not_unknown(self, tmp_path):
        put(tmp_path, "broken", {"flow.yaml": b"x"})
        assert list(self.problems(tmp_path, a=["broken"])) == ["broken"]


ALL_WRONG = {
    "script": {"file": "script.py"},
    "mapping": {"file": "mapping.json"},
    "write_to_erp__url": "/{{ requst.id }}",
    "write_to_erp__look_up": {"url": "/x", "found": "$.[["},
}
ITS_FILES = {"script.py": b"print 'old'\n", "mapping.json": UNKNOWN_OPERATION, "cases/one.yaml": b"[]"}
ITS_FAULTS = [
    "script.file",
    "mapping.file",
    "write_to_erp.url",
    "write_to_erp.look_up.found",
    "cases/one.yaml",
]


class TestOneFaultHidesNoOther:
    @pytest.mark.parametrize(
        ("wrong", "path"),
        [
            ({"titel": "x"}, "titel"),
            ({"get_data__status": "x"}, "get_data.status"),
            ({"script": {"file": "script.py", "titel": "x"}}, "script.titel"),
            ({"post_script": {"file": "gone.py"}}, "post_script.file"),
            ({"write_to_erp__timeout": "long"}, "write_to_erp.timeout"),
            ({"write_to_erp__nested": "json"}, "write_to_erp.nested"),
            (
                {"write_to_erp__look_up": {"url": "/x", "found": "$.[[", "after": "x"}},
                "write_to_erp.look_up.after",
            ),
            ({"write_to_erp__headers": {"Host": "x"}}, "write_to_erp.headers.Host"),
            ({"write_to_omnitron__on_success": 5}, "write_to_omnitron.on_success"),
        ],
    )
    def test_what_the_rest_names_is_looked_into(self, tmp_path, wrong, path):
        put(tmp_path, "acme", {**files_of(**{**ALL_WRONG, **wrong}), **ITS_FILES})
        paths = [problem.path for problem in validate(FlowStore(tmp_path))]
        assert paths == [path, *ITS_FAULTS]

    def test_a_bad_header_hides_no_other_headers_template(self, tmp_path):
        put(tmp_path, "acme", write_to_erp__headers={"Host": "x", "X-A": "{{ requst }}"})
        paths = [problem.path for problem in validate(FlowStore(tmp_path))]
        assert paths == ["write_to_erp.headers.Host", "write_to_erp.headers.X-A"]

    def test_a_schedule_of_two_kinds_hides_no_unknown_flow(self, tmp_path):
        put(tmp_path, "acme", schedule={"every": "0s", "after": ["gone"]})
        paths = [problem.path for problem in validate(FlowStore(tmp_path))]
        assert paths == ["schedule.every", "schedule", "schedule.after"]

    def test_a_broken_flow_in_a_circle_is_named_with_the_others(self, tmp_path):
        put(tmp_path, "a", schedule={"after": ["b"]}, titel="x")
        put(tmp_path, "b", schedule={"after": ["a"]})
        found = [(problem.flow, problem.path) for problem in validate(FlowStore(tmp_path))]
        assert found == [("a", "titel"), ("a", "schedule.after"), ("b", "schedule.after")]

    def test_a_file_that_is_missing_is_told_once(self, tmp_path):
        put(tmp_path, "acme", script={"file": "gone.py"}, titel="x")
        paths = [problem.path for problem in validate(FlowStore(tmp_path))]
        assert paths == ["titel", "script.file"]

    def test_a_block_without_what_it_needs_is_told_and_left_alone(self, tmp_path):
        files = files_of(script={}, mapping={"file": "mapping.json"})
        put(tmp_path, "acme", {**files, "mapping.json": UNKNOWN_OPERATION})
        paths = [problem.path for problem in validate(FlowStore(tmp_path))]
        assert paths == ["script.file", "mapping.file"]

    def test_so_does_the_dag_that_stands_for_it(self, tmp_path):
        put(tmp_path, "acme", {**files_of(**ALL_WRONG, titel="x"), **ITS_FILES})
        with pytest.raises(FlowInvalid) as caught:
            load_checked(FlowStore(tmp_path), "acme")
        assert [problem.path for problem in caught.value.problems] == ["titel", *ITS_FAULTS]


class TestValidate:
    def test_one_broken_flow_hides_no_other(self, tmp_path):
        put(tmp_path, "a", titel="x")
        put(tmp_path, "b", get_data__status="x")
        put(tmp_path, "c")
        found = validate(FlowStore(tmp_path))
        assert [(problem.flow, problem.path) for problem in found] == [
            ("a", "titel"),
            ("b", "get_data.status"),
        ]

    def test_only_the_named_flows_are_reported(self, tmp_path):
        put(tmp_path, "a", titel="x")
        put(tmp_path, "b", titel="x")
        assert [problem.flow for problem in validate(FlowStore(tmp_path), ["b"])] == ["b"]

    def test_a_name_without_a_folder_is_a_problem(self, tmp_path):
        assert "there is no such flow" in validate(FlowStore(tmp_path), ["gone"])[0].message
