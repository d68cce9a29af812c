"""A corpus of scripts as users bring them, with what each must come to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from order_cancellation.scripts import ScriptRunner

CORPUS = Path(__file__).parent / "corpus"
REQUEST = {"id": 1, "cancellation_type": "refund", "order_item": {"price": "23.66"}}


def _cases():
    for file in sorted(CORPUS.glob("*.yaml")):
        for case in YAML(typ="safe").load(file.read_text(encoding="utf-8")):
            yield pytest.param(file.stem, case, id=f"{file.stem}: {case['name']}")


def _read(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


@pytest.fixture(scope="module", params=["shared", "per_request"])
def isolation(request):
    return request.param


@pytest.mark.parametrize(("form", "case"), list(_cases()))
def test_script_comes_to_what_its_author_expects(form, case, isolation):
    given = case.get("input", REQUEST)
    text = given if isinstance(given, str) else json.dumps(given)
    expect = case["expect"]

    with ScriptRunner(case["script"], name=f"{form}.py", isolation=isolation, timeout=10) as runner:
        outcome = runner.run(text, case.get("attributes", {}))

    if "error" in expect:
        assert expect["error"] in (outcome.error or "")
        assert outcome.attributes["log.script.error"]
        assert outcome.result_data is None
    else:
        assert outcome.error is None
    if "result" in expect:
        assert _read(outcome.result_data) == expect["result"]
    if "unchanged" in expect:
        assert outcome.result_data is None
    assert outcome.attributes.items() >= expect.get("attributes", {}).items()
    assert not outcome.attributes.keys() & set(expect.get("absent", []))
    if "logged" in expect:
        assert [list(line) for line in outcome.log_lines] == expect["logged"]
    assert expect.get("printed", "") in outcome.printed


def test_the_corpus_has_both_forms_and_is_large_enough():
    forms = [case.values[0] for case in _cases()]
    assert forms.count("nifi") >= 30
    assert forms.count("plain") >= 20
