"""New flows: every template is a flow that works, and the demo's is the demo's."""

from __future__ import annotations

from pathlib import Path

import pytest

from order_cancellation.errors import ConfigurationError, FlowInvalid
from order_cancellation.flow.store import FlowStore, open_files
from order_cancellation.service.cases import run_cases
from order_cancellation.service.making import copy, import_archive, make_from_template
from order_cancellation.service.saving import Workshop
from order_cancellation.service.templates import TEMPLATES, template_files
from unit.flow.flow_files import put

DEMO = Path(__file__).parents[3] / "include" / "flows"


@pytest.fixture
def shop(tmp_path, ledger):
    (tmp_path / "flows").mkdir()
    return Workshop(FlowStore(tmp_path / "flows"), ledger)


@pytest.mark.parametrize("template", [template.name for template in TEMPLATES])
def test_each_template_is_a_valid_flow_whose_cases_pass(shop, template):
    saved = make_from_template(shop, "new", template, author="ada", title="Mine")
    assert saved.flow.title == "Mine"
    assert all(case.passed for case in run_cases(shop.store.load("new")))


def test_the_erp_template_is_the_demo_s_flow_but_for_its_head():
    demo = FlowStore(DEMO).read("returns_to_erp")
    made = template_files("returns_to_erp")
    assert made.keys() == demo.keys()
    assert [name for name in demo if made[name] != demo[name]] == ["flow.yaml"]
    assert open_files("x", made).flow == open_files("x", demo).flow


def test_a_template_keeps_its_comments_under_another_title(shop):
    make_from_template(shop, "new", "returns_to_erp", author="ada", title="Mine")
    text = (shop.store.folder / "new" / "flow.yaml").read_text()
    assert "title: Mine\n" in text
    original = template_files("returns_to_erp")["flow.yaml"].decode()
    assert [line for line in original.splitlines() if line not in text] == [
        "title: Returns and cancellations → ERP"
    ]


def test_what_is_not_there_or_not_valid_makes_nothing(shop):
    put(shop.store.folder, "broken", titel="x")
    for make in (
        lambda: make_from_template(shop, "new", "gone", author="ada"),
        lambda: copy(shop, "new", "gone", author="ada"),
        lambda: copy(shop, "new", "broken", author="ada"),
        lambda: import_archive(shop, "new", b"PK", author="ada"),
    ):
        with pytest.raises((ConfigurationError, FlowInvalid)):
            make()
    assert shop.store.ids() == ["broken"]
