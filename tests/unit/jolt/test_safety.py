"""Documents from outside: they can't exhaust the machine, are never changed, and may be mapped in threads."""

from __future__ import annotations

import copy
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import order_cancellation.jolt as package
from order_cancellation.jolt import JoltTransformError, compile_spec

CASES = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
SPECS = [case["spec"] for case in CASES if "expected" in case]

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
)
KEYS = st.sampled_from(["a", "b", "id", "order_item", "items", "x-1", "photo-1-id", "~k", "é"]) | st.text(
    max_size=4
)
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


def shift(spec):
    return compile_spec({"operation": "shift", "spec": spec})


def outcome(mapping, document):
    try:
        return json.dumps(mapping(document))
    except JoltTransformError:
        return "error"


@pytest.mark.parametrize("target", ["out[&1]", "out[@(1,id)]"])
def test_an_index_from_the_document_does_not_allocate_gigabytes(target):
    mapping = shift({"*": {"v": target}})
    with pytest.raises(JoltTransformError, match="empty list entries"):
        mapping({"2000000000": {"v": 1, "id": 2_000_000_000}})


def test_many_lists_share_one_allowance():
    mapping = shift({"*": {"v": "&1[@(1,id)]"}})
    with pytest.raises(JoltTransformError, match="empty list entries"):
        mapping({f"k{number}": {"v": 1, "id": 100_000} for number in range(20)})


def test_a_padding_from_the_document_has_an_end():
    spec = {"operation": "modify-overwrite-beta", "spec": {"x": "=leftPad('a',@(1,n),'0')"}}
    assert "x" not in compile_spec(spec)({"n": 2_000_000_000})


@pytest.mark.parametrize("spec", [{"a": "b"}, {"*": "&"}, {"@": "x"}])
def test_nesting_without_end_is_an_error(spec):
    document = leaf = {}
    for _ in range(5_000):
        leaf["a"] = {}
        leaf = leaf["a"]
    with pytest.raises(JoltTransformError):
        shift(spec)(document)


def test_a_document_that_contains_itself_is_an_error():
    document = {}
    document["a"] = document
    with pytest.raises(JoltTransformError):
        shift({"a": "b"})(document)


@pytest.mark.parametrize(
    "spec",
    [
        {"operation": "modify-overwrite-beta", "spec": {"x": "@1"}},
        {"operation": "shift", "spec": {"l": {"@": "x"}, "n": {"@(1)": "x"}}},
    ],
)
def test_a_result_that_contains_itself_is_an_error(spec):
    with pytest.raises(JoltTransformError):
        compile_spec(spec)({"l": [1], "n": {}})


def test_a_rule_that_feeds_the_list_it_walks_is_an_error():
    with pytest.raises(JoltTransformError, match="never end"):
        shift({"l": {"@": "x", "*": "x"}})({"l": [1, 2]})


def test_what_json_has_not_is_an_error():
    with pytest.raises(JoltTransformError, match="SimpleNamespace"):
        shift({"a": "b"})({"a": {"c": SimpleNamespace()}})


def test_subclasses_of_json_types_become_the_plain_types():
    class Ordered(dict):
        pass

    result = shift({"*": {"b": "&1"}, "c": "c"})(Ordered(a=Ordered(b=1), c=Ordered(d=2)))
    assert result == {"a": 1, "c": {"d": 2}}
    assert type(result["c"]) is dict


def test_messages_hold_no_values_of_the_document():
    spec = {"operation": "modify-overwrite-beta", "spec": {"s": {"*": "x"}}}
    with pytest.raises(JoltTransformError) as caught:
        compile_spec(spec)({"s": "jane.roe@example.com"})
    assert "jane" not in str(caught.value)


def test_a_result_shares_nothing_with_the_document():
    document = {"a": {"b": [1]}}
    result = shift({"a": "x"})(document)
    result["x"]["b"].append(2)
    assert document == {"a": {"b": [1]}}


def test_constants_are_fresh_for_each_document():
    mapping = compile_spec({"operation": "default", "spec": {"l": [1]}})
    mapping({})["l"].append(2)
    assert mapping({}) == {"l": [1]}


@given(document=st.dictionaries(KEYS, DOCUMENTS, min_size=1, max_size=5))
@settings(max_examples=100)
def test_the_identity_shift_gives_the_document(document):
    assert shift({"@": ""})(document) == document
    assert (
        list(shift({"*": "\\&.&"})(document)["&"].items()) == list(document.items())
        or None in document.values()
    )


@given(document=DOCUMENTS, spec=st.sampled_from(SPECS))
@settings(max_examples=300)
def test_any_document_is_left_alone_and_gives_the_same_twice(document, spec):
    before = copy.deepcopy(document)
    mapping = compile_spec(spec)
    first = outcome(mapping, document)
    assert document == before
    assert outcome(mapping, document) == first


@given(
    text=st.text(alphabet="ab.*&@$#[](),|\\'=0129 ", max_size=12),
    operation=st.sampled_from(["shift", "modify-overwrite-beta", "remove", "default", "cardinality"]),
)
@settings(max_examples=400)
def test_any_key_and_value_of_a_specification_give_a_result_or_one_of_our_errors(text, operation):
    for spec in ({text: "a"}, {"a": text}, {text: {"*": text}}):
        try:
            mapping = compile_spec({"operation": operation, "spec": spec})
        except package.JoltSpecError:
            continue
        outcome(mapping, {"a": {"b": [1, "a"]}, "b": "ab"})


def test_threads_may_share_a_mapping():
    cases = [case for case in CASES if case["family"] == "mapping" and "expected" in case][:8]
    mappings = [(compile_spec(case["spec"]), case["input"]) for case in cases]
    alone = [outcome(mapping, document) for mapping, document in mappings]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda pair: outcome(*pair), mappings * 20))
    assert together == alone * 20


def test_the_package_exports_what_it_means_to():
    assert sorted(package.__all__) == package.__all__
    assert all(hasattr(package, name) for name in package.__all__)
