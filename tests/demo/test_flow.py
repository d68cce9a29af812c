"""The demo's flow is a good example: nothing is wrong with it, and its own saved cases hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from order_cancellation.demo.morning import FLOW
from order_cancellation.flow.store import FlowStore
from order_cancellation.service.cases import run_cases
from order_cancellation.service.flows import check

FLOWS = Path(__file__).resolve().parents[2] / "include" / "flows"


@pytest.fixture(scope="module")
def loaded():
    return FlowStore(FLOWS).load(FLOW)


def test_nothing_is_wrong_with_it(loaded):
    assert check(loaded) == []


def test_it_has_every_step(loaded):
    assert loaded.flow.steps == (
        "script",
        "mapping",
        "write_to_erp",
        "custom_response",
        "write_to_omnitron",
        "post_script",
    )


def test_every_step_that_can_be_tried_has_a_case_that_holds(loaded):
    ran = run_cases(loaded)
    assert [case for case in ran if not case.passed] == []
    assert {case.step for case in ran} == {"script", "mapping", "custom_response", "post_script"}
