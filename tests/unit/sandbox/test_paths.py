"""Paths read, set and drop values inside documents."""

from __future__ import annotations

import pytest

from order_cancellation.sandbox.paths import MISSING, drop, find, put


@pytest.mark.parametrize("path", ["$.results[1].uuid", "results.1.uuid", "$results[1].uuid"])
def test_a_value_is_found_in_either_spelling(path):
    assert find({"results": [{}, {"uuid": "u"}]}, path) == "u"


@pytest.mark.parametrize("path", ["a.b", "list.5", "list.x", "a.b.c"])
def test_what_is_not_there_is_missing(path):
    assert find({"a": 1, "list": [1]}, path) is MISSING


def test_a_null_is_not_missing():
    assert find({"a": None}, "a") is None


def test_values_are_set_in_objects_and_lists():
    document = {"list": [{"a": 1}, 2]}
    put(document, "list.0.a", 5)
    put(document, "list.1", 6)
    assert document == {"list": [{"a": 5}, 6]}


def test_values_are_dropped_from_objects_and_lists():
    document = {"list": [{"a": 1}, 2]}
    drop(document, "list.0.a")
    drop(document, "list.1")
    assert document == {"list": [{}]}


def test_a_path_without_a_parent_changes_nothing():
    document = {"a": 1}
    put(document, "b.c", 1)
    drop(document, "b.c")
    assert document == {"a": 1}
