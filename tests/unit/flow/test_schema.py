from __future__ import annotations

import json
from pathlib import Path

import pytest

from order_cancellation.flow.model import FlowDocument
from order_cancellation.flow.schema import flow_schema, flow_schema_text
from unit.flow.flow_files import a_document

COMMITTED = Path(__file__).parents[3] / "docs" / "flow.schema.json"


def every_block() -> list[tuple[str, dict]]:
    schema = flow_schema()
    return [("flow.yaml", schema), *schema["$defs"].items()]


def test_the_committed_schema_is_current():
    assert COMMITTED.read_text(encoding="utf-8") == flow_schema_text(), (
        "run: order-cancellation schema > docs/flow.schema.json"
    )


@pytest.mark.parametrize(("name", "block"), every_block(), ids=[name for name, _ in every_block()])
def test_every_field_is_described_and_unknown_keys_are_refused(name, block):
    assert block["additionalProperties"] is False
    assert [
        field
        for field, schema in block["properties"].items()
        if "description" not in schema and "$ref" not in schema
    ] == []


def test_lengths_of_time_are_shown_as_the_file_writes_them():
    assert flow_schema()["$defs"]["Delivery"]["properties"]["retry_pause"]["default"] == "5m"


def test_the_schema_is_one_that_validators_take_and_takes_what_the_models_take():
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(flow_schema_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    document = a_document(schedule={"every": "5m"}, delivery={"lease": 30}, tags=["x"])
    FlowDocument.model_validate(document)
    jsonschema.validate(document, schema)


@pytest.mark.parametrize(
    "change", [{"titel": "x"}, {"write_to_erp__method": "DELETE"}, {"schedule": {"every": "x"}}]
)
def test_the_schema_refuses_what_the_models_refuse(change):
    jsonschema = pytest.importorskip("jsonschema")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(a_document(**change), json.loads(flow_schema_text()))
