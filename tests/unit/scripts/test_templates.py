"""The templates do, in both forms, what their first lines say."""

from __future__ import annotations

# ruff: noqa: E501 - scripts of a line or two read best unbroken
import json

import pytest

from order_cancellation.scripts import TEMPLATES, ScriptRunner

FORMS = pytest.mark.parametrize("form", ["", "_nifi"])
REQUEST = {"id": 7, "cancellation_type": "refund"}
ANSWER = {"request_data": REQUEST, "response_data": {"ok": True}}


def _run(name, document, attributes=None):
    with ScriptRunner(TEMPLATES[name]) as runner:
        outcome = runner.run(json.dumps(document), attributes)
    assert outcome.error is None
    return outcome


def test_there_is_one_for_each_script_in_both_forms():
    assert set(TEMPLATES) == {
        "script", "custom_response", "post_script", "script_nifi", "custom_response_nifi", "post_script_nifi",
    }  # fmt: skip
    assert len(TEMPLATES) == 6
    with pytest.raises(KeyError):
        TEMPLATES["other"]


@FORMS
def test_the_script_changes_the_request(form):
    outcome = _run(f"script{form}", REQUEST)
    assert json.loads(outcome.result_data) == {**REQUEST, "reference": "refund-7"}


@FORMS
@pytest.mark.parametrize(
    ("status", "relation"),
    [
        ("200", "continue"), ("201", "continue"), ("204", "continue"), ("401", "auth_fail"), ("429", "do_nothing"),
        ("503", "do_nothing"), ("400", "failure"), ("404", "failure"), ("500", "failure"), (None, "failure"),
    ],
)  # fmt: skip
def test_the_response_script_reads_the_status_and_sets_the_relation(form, status, relation):
    attributes = {"invokehttp.status.code": status} if status else {}
    outcome = _run(f"custom_response{form}", ANSWER, attributes)
    assert outcome.attributes["relation"] == relation
    assert outcome.result_data is None


@FORMS
def test_the_post_script_logs_the_answer(form):
    outcome = _run(f"post_script{form}", ANSWER, {"invokehttp.status.code": "201", "request.id": "7"})
    assert "201" in outcome.log_lines[0][1]


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_short(name):
    assert len(TEMPLATES[name].splitlines()) <= 35
