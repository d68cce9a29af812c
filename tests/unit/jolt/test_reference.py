"""The outputs of the Java original: 295 cases written for this project, 185 of the Java projects' own."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from order_cancellation.jolt import JoltSpecError, JoltTransformError, compile_spec, explain

CASES = json.loads((Path(__file__).parent / "cases.json").read_text(encoding="utf-8"))
SHARED = Path(__file__).resolve().parents[4] / "shared"
FIXTURES_FILE = SHARED / "jolt" / "fixtures.json"
FIXTURES = json.loads(FIXTURES_FILE.read_text(encoding="utf-8")) if FIXTURES_FILE.exists() else []
ORDER_IS_CHANCE = {"default"}  # Java's identity hashes decide it there, and no two runs agree


def differences(expected, actual, path="$", *, ordered):
    """Give every place where two documents differ; 1 and 1.0 do, and so do key orders where they count."""
    if type(expected) is not type(actual):
        yield f"{path}: {expected!r} is not {actual!r}"
    elif isinstance(expected, dict):
        if set(expected) != set(actual) or (ordered and list(expected) != list(actual)):
            yield f"{path}: keys {list(expected)} are not {list(actual)}"
        for key in expected.keys() & actual.keys():
            yield from differences(expected[key], actual[key], f"{path}.{key}", ordered=ordered)
    elif isinstance(expected, list):
        if len(expected) != len(actual):
            yield f"{path}: {len(expected)} entries are not {len(actual)}"
        for index, (one, other) in enumerate(zip(expected, actual, strict=False)):
            yield from differences(one, other, f"{path}[{index}]", ordered=ordered)
    elif repr(expected) != repr(actual):
        yield f"{path}: {expected!r} is not {actual!r}"


def failing_phase(spec, document):
    """Return the phase in which a mapping fails, or its result."""
    try:
        mapping = compile_spec(spec)
    except JoltSpecError:
        return "construct", None
    try:
        return None, mapping(document)
    except JoltTransformError:
        return "transform", None


def check(spec, document, *, expected, error, ordered):
    before = copy.deepcopy(document)
    phase, result = failing_phase(spec, document)
    assert document == before
    assert phase == (error["phase"] if error else None)
    if not error:
        assert list(differences(expected, result, ordered=ordered)) == []


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_a_case_gives_what_java_gave(case):
    check(
        case["spec"],
        case["input"],
        expected=case.get("expected"),
        error=case.get("error"),
        ordered=case.get("order_stable", False),
    )


@pytest.mark.skipif(not FIXTURES, reason="the Java projects' fixtures are not on this machine")
@pytest.mark.parametrize("fixture", FIXTURES, ids=[fixture["id"] for fixture in FIXTURES])
def test_a_fixture_gives_what_java_gave(fixture):
    check(
        fixture["spec"],
        fixture["input"],
        expected=fixture.get("ce_output_ordered"),
        error=fixture.get("ce_error"),
        ordered=fixture["order_stable"] and fixture["op"] not in ORDER_IS_CHANCE,
    )


@pytest.mark.skipif(not SHARED.exists(), reason="the folder with the Java projects' fixtures is not here")
def test_the_fixtures_are_there_where_their_folder_is():
    assert len(FIXTURES) == 185


MAPPED = [case for case in CASES if "expected" in case]


@pytest.mark.parametrize("case", MAPPED[::4], ids=[case["id"] for case in MAPPED[::4]])
def test_an_explained_mapping_gives_the_same_result(case):
    explanation = explain(case["spec"], case["input"])
    mapped = compile_spec(case["spec"])(case["input"])
    assert list(differences(mapped, explanation.result, ordered=True)) == []
    json.dumps(explanation.as_json())
