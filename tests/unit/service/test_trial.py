"""Trying single steps, as the document's test panels do."""

from __future__ import annotations

import json

import pytest

from order_cancellation.errors import ConfigurationError
from order_cancellation.flow.store import LoadedFlow, open_files
from order_cancellation.service.cases import erp_answer, run_cases
from order_cancellation.service.trial import try_step
from unit.flow.flow_files import files_of


def a_flow(files: dict[str, bytes] | None = None, **changes) -> LoadedFlow:
    return open_files("acme", {**files_of(**changes), **(files or {})})


def scripted(source: str, step: str = "script", **settings) -> LoadedFlow:
    return a_flow({"x.py": source.encode()}, **{step: {"file": "x.py", **settings}})


class TestScripts:
    def test_the_result_is_parsed_and_attributes_are_all_there_are(self):
        flow = scripted(
            "import json\nd = json.loads(input_text)\nd['k'] = get_attribute('k')\n"
            "outputStream.write(json.dumps(d))\nsession.putAttribute('new', 'x')\n"
        )
        assert try_step(flow, "script", '{"id": 1}', {"k": "v"}) == {
            "result_data": {"id": 1, "k": "v"},
            "attributes": {"k": "v", "new": "x"},
        }

    def test_output_that_is_no_json_stays_text(self):
        assert try_step(scripted("outputStream.write('<x/>')"), "script", "{}")["result_data"] == "<x/>"

    def test_without_output_the_input_goes_on(self):
        assert try_step(scripted("pass"), "script", '{"id": 1}')["result_data"] == {"id": 1}

    def test_a_script_that_raises_is_a_result_with_its_error(self):
        result = try_step(scripted("a = 1\nraise ValueError('no stock')"), "script", "{}", {"k": "v"})
        assert result["result_data"] is None
        assert "no stock" in result["attributes"]["log.script.error"]
        assert result["attributes"]["k"] == "v"

    def test_a_python_2_script_is_told_so(self):
        error = try_step(scripted("print 'x'"), "script", "{}")["attributes"]["log.script.error"]
        assert "Python 2" in error
        assert "line 1" in error

    @pytest.mark.parametrize("step", ["custom_response", "post_script"])
    def test_the_other_scripts_can_be_tried_too(self, step):
        flow = scripted("session.putAttribute('relation', 'continue')", step)
        assert try_step(flow, step, "{}")["attributes"] == {"relation": "continue"}

    @pytest.mark.parametrize("source", ["pass", "session.putAttribute('relation', 'maybe')"])
    def test_a_response_script_without_a_known_relation_is_in_error(self, source):
        result = try_step(scripted(source, "custom_response"), "custom_response", "{}")
        assert "relation" in result["attributes"]["log.script.error"]

    def test_explain_shows_what_was_printed(self):
        result = try_step(scripted("print('hello')"), "script", "{}", explain=True)
        assert result["explain"]["printed"] == "hello\n"


MAPPED = {"mapping": {"file": "mapping.json"}}


class TestMapping:
    def test_the_document_is_mapped_and_attributes_stay(self):
        result = try_step(a_flow(**MAPPED), "mapping", '{"id": 7}', {"k": "v"})
        assert result == {"result_data": {"number": 7}, "attributes": {"k": "v"}}

    def test_a_mapping_that_matches_nothing_is_in_error(self):
        result = try_step(a_flow(**MAPPED), "mapping", '{"x": 7}')
        assert result["result_data"] is None
        assert "null" in result["attributes"]["log.mapping.error"]

    def test_an_input_that_is_no_json_is_in_error(self):
        assert "no JSON" in try_step(a_flow(**MAPPED), "mapping", "<x/>")["attributes"]["log.mapping.error"]

    def test_explain_shows_what_each_operation_left(self):
        chain = [{"operation": "shift", "spec": {"id": "a"}}, {"operation": "default", "spec": {"b": 1}}]
        flow = a_flow({"mapping.json": json.dumps(chain).encode()}, **MAPPED)
        told = try_step(flow, "mapping", '{"id": 7}', explain=True)["explain"]
        assert [(step["name"], step["result"]) for step in told["operations"]] == [
            ("shift", {"a": 7}),
            ("default", {"a": 7, "b": 1}),
        ]

    def test_a_mapping_without_an_end_is_told_also_where_it_is_explained(self, monkeypatch):
        # ten seconds for each of three ways through the mapping would be long
        monkeypatch.setattr("order_cancellation.cpu_limit.MOST_S", 0.05)
        rule = {"b": "=split('(a+)+$', @(1,a))"}
        spec = json.dumps([{"operation": "modify-overwrite-beta", "spec": rule}])
        flow = a_flow({"m.json": spec.encode()}, mapping={"file": "m.json"})
        told = try_step(flow, "mapping", json.dumps({"a": "a" * 60 + "b"}), explain=True)
        assert "regular expression that has no end" in told["attributes"]["log.mapping.error"]

    def test_explain_names_the_rules_that_met_nothing(self):
        told = try_step(a_flow(**MAPPED), "mapping", '{"x": 7}', explain=True)["explain"]
        assert [rule["rule"] for rule in told["unmatched"]] == ["spec.id"]

    def test_a_chain_that_can_not_be_run_is_the_owners_to_repair(self):
        flow = a_flow({"mapping.json": b'[{"operation": "shfit"}]'}, **MAPPED)
        with pytest.raises(ConfigurationError, match="shfit"):
            try_step(flow, "mapping", "{}")


@pytest.mark.parametrize(
    ("step", "words"), [("write_to_erp", "can't be tried"), ("script", "has no step script")]
)
def test_a_step_that_is_not_there_is_named(step, words):
    with pytest.raises(ConfigurationError, match=words):
        try_step(a_flow(), step, "{}")


class TestSavedCases:
    SOURCE = (
        "import json\nd = json.loads(input_text)\n"
        "if d.get('bad'):\n    raise ValueError('bad request')\n"
        "outputStream.write(json.dumps({'n': d['id']}))\n"
        "session.putAttribute('who', get_attribute('user', 'nobody'))\n"
    )

    def failures(self, case: str) -> tuple[str, ...]:
        files = {"x.py": self.SOURCE.encode(), "cases/one.yaml": case.encode()}
        (result,) = run_cases(a_flow(files, script={"file": "x.py"}, mapping={"file": "mapping.json"}))
        assert result.passed == (not result.failures)
        return result.failures

    @pytest.mark.parametrize(
        "case",
        [
            "step: script\ninput: {id: 1}\nexpect: {result: {n: 1}}",
            "step: script\ninput: '{\"id\": 1}'\nexpect: {result: {n: 1}}",
            "step: script\ninput: {id: 1}\nattributes: {user: me}\nexpect: {attributes: {who: me}}",
            "step: script\ninput: {bad: true}\nexpect: {error: bad request}",
            "step: mapping\ninput: {id: 1}\nexpect: {result: {number: 1}}",
            "step: mapping\ninput: {x: 1}\nexpect: {error: 'null'}",
        ],
    )
    def test_a_case_that_comes_as_expected_passes(self, case):
        assert self.failures(case) == ()

    @pytest.mark.parametrize(
        ("case", "words"),
        [
            ("step: script\ninput: {id: 1}\nexpect: {result: {n: 2}}", '-  "n": 2\n+  "n": 1'),
            ("step: script\ninput: {id: 1}\nexpect: {result: {n: 1.0}}", '-  "n": 1.0\n+  "n": 1'),
            ("step: script\ninput: {id: 1}\nexpect: {result: {n: true}}", '-  "n": true\n+  "n": 1'),
            (
                "step: script\ninput: {id: 1}\nexpect: {attributes: {who: me}}",
                '-  "who": "me"\n+  "who": "nobody"',
            ),
            ("step: script\ninput: {id: 1}\nexpect: {attributes: {x: ''}}", '-  "x": ""'),
            (
                "step: script\ninput: {id: 1}\nexpect: {error: bad}",
                "expected one that contains 'bad', got None",
            ),
            (
                "step: script\ninput: {bad: true}\nexpect: {error: worse}",
                "expected one that contains 'worse', got",
            ),
            ("step: script\ninput: {bad: true}\nexpect: {attributes: {}}", "bad request"),
            ("step: post_script\ninput: {}\nexpect: {error: x}", "has no step post_script"),
        ],
    )
    def test_a_case_that_comes_otherwise_fails_with_a_diff(self, case, words):
        assert words in "\n".join(self.failures(case))


def _answered(status: str, said: str, relation: str = "continue") -> bytes:
    """A saved case of custom_response."""
    return (
        f"step: custom_response\nattributes: {{{status}}}\ninput: {said}\n"
        f"expect: {{attributes: {{relation: {relation}}}}}"
    ).encode()


class TestErpAnswer:
    NO = _answered('invokehttp.status.code: "422"', "{response_data: {code: E1}}", "failure")
    YES = _answered('invokehttp.status.code: "201"', "{response_data: {ok: true}}")

    def test_is_that_of_a_case_that_ends_well_where_there_is_one(self):
        assert erp_answer({"cases/a.yaml": self.NO, "cases/b.yaml": self.YES}) == (201, '{"ok": true}')
        assert erp_answer({"cases/a.yaml": self.NO}) == (422, '{"code": "E1"}')

    @pytest.mark.parametrize(
        "case",
        [
            b"step: script\ninput: {response_data: 1}\nexpect: {result: 1}",
            b"no case",
            _answered("", "{response_data: 1}"),
            _answered("invokehttp.status.code: none", "{response_data: 1}"),
            _answered('invokehttp.status.code: "200"', "just text"),
            _answered('invokehttp.status.code: "200"', "{request_data: 1}"),
        ],
    )
    def test_is_none_where_no_case_tells_status_and_body(self, case):
        assert erp_answer({"cases/a.yaml": case}) is None
