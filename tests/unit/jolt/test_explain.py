"""Which rule wrote a field, from where, and which rules did nothing."""

from __future__ import annotations

import json

import pytest

from order_cancellation.jolt import JoltSpecError, JoltTransformError, explain

CHAIN = [
    {
        "operation": "shift",
        "spec": {
            "id": "ref",
            "other": "ref",
            "missing": "nowhere",
            "order": {"no": "order.no", "lines": {"*": {"sku": "lines[&1].code", "#new": "lines[&1].kind"}}},
            "@(0,order.currency)": "currency",
        },
    },
    {
        "operation": "modify-overwrite-beta",
        "spec": {"full": "=concat(@(1,currency),'-',@(1,order.no))", "lines": {"*": {"code": "=toUpper"}}},
    },
    {"operation": "default", "spec": {"source": "omnitron", "currency": "EUR"}},
    {"operation": "cardinality", "spec": {"currency": "MANY", "ref": "ONE"}},
    {"operation": "remove", "spec": {"lines": {"0": ""}}},
    {"operation": "sort"},
]
DOCUMENT = {
    "id": 1,
    "other": 2,
    "order": {"no": "N1", "currency": "TRY", "lines": [{"sku": "a"}, {"sku": "b"}]},
}


@pytest.fixture(scope="module")
def fields():
    return {entry["path"]: entry for entry in explain(CHAIN, DOCUMENT).as_json()["fields"]}


ROWS = {
    "a constant of default": ("source", 2, "spec.source", []),
    "a function of two values": ("full", 1, "spec.full", ["order.currency", "order.no"]),
    "a plain move": ("order.no", 0, "spec.order.no", ["order.no"]),
    "a list's first entry": ("ref", 3, "spec.ref", ["id"]),
    "a value made a list": ("currency[0]", 3, "spec.currency", ["order.currency"]),
    "an entry behind a removed one": ("lines[0].code", 1, "spec.lines.*.code", ["order.lines[1].sku"]),
    "a constant of shift": ("lines[0].kind", 0, "spec.order.lines.*.#new", []),
}


@pytest.mark.parametrize(("path", "operation", "rule", "sources"), ROWS.values(), ids=ROWS)
def test_each_field_names_its_rule_and_its_sources(fields, path, operation, rule, sources):
    entry = fields[path]
    assert (entry["operation"], entry["rule"], entry["sources"]) == (operation, rule, sources)


def test_earlier_rules_of_a_field_are_kept(fields):
    assert [(step["operation"], step["rule"]) for step in fields["lines[0].code"]["before"]] == [
        (0, "spec.order.lines.*.sku")
    ]


def test_every_field_of_the_result_is_there(fields):
    assert list(fields) == [
        "currency[0]",
        "full",
        "lines[0].code",
        "lines[0].kind",
        "order.no",
        "ref",
        "source",
    ]


def test_rules_that_did_nothing_are_told():
    unmatched = explain(CHAIN, DOCUMENT).unmatched
    assert [(rule.operation, rule.rule) for rule in unmatched] == [(0, "spec.missing"), (2, "spec.currency")]


def test_what_lies_below_a_moved_object_came_along():
    (entry,) = explain({"operation": "shift", "spec": {"a": "x"}}, {"a": {"b": [5]}}).fields
    assert (entry.path, entry.sources) == ("x.b[0]", ["a.b[0]"])


def test_an_untouched_field_has_no_rule():
    (entry,) = explain({"operation": "sort"}, {"a": 1}).fields
    assert (entry.path, entry.sources, entry.steps) == ("a", ["a"], [])


def test_an_explanation_is_json():
    explanation = explain(CHAIN, DOCUMENT)
    assert json.loads(json.dumps(explanation.as_json()))["result"] == explanation.result


def test_errors_are_those_of_the_mapping():
    with pytest.raises(JoltSpecError):
        explain([], {})
    with pytest.raises(JoltTransformError):
        explain({"operation": "modify-overwrite-beta", "spec": {"x": "@1"}}, {})
