"""docs/flow.md shows every key of flow.yaml, with its default."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from order_cancellation.flow.model import (
    Delivery,
    FlowDocument,
    GetData,
    LookUp,
    MappingSettings,
    ResponseSettings,
    Schedule,
    ScriptSettings,
    WriteToErp,
    WriteToOmnitron,
)

PAGE = (Path(__file__).parents[3] / "docs" / "flow.md").read_text(encoding="utf-8")
TEXT = next(block for block in PAGE.split("```yaml\n")[1:] if "get_data" in block).split("```")[0]
SHOWN = yaml.safe_load(TEXT)
BLOCKS: list[tuple[type[BaseModel], dict]] = [
    (FlowDocument, SHOWN),
    (GetData, SHOWN["get_data"]),
    (ScriptSettings, SHOWN["script"]),
    (ScriptSettings, SHOWN["post_script"]),
    (ResponseSettings, SHOWN["custom_response"]),
    (MappingSettings, SHOWN["mapping"]),
    (WriteToErp, SHOWN["write_to_erp"]),
    (LookUp, SHOWN["write_to_erp"]["look_up"]),
    (WriteToOmnitron, SHOWN["write_to_omnitron"]),
    (Delivery, SHOWN["delivery"]),
]


def test_what_is_shown_is_a_flow():
    FlowDocument.model_validate(SHOWN)


@pytest.mark.parametrize(("kind", "shown"), BLOCKS)
def test_every_key_is_shown(kind, shown):
    assert set(shown) == set(kind.model_fields)


@pytest.mark.parametrize("key", Schedule.model_fields)
def test_every_kind_of_schedule_is_shown(key):
    assert f"{key}: " in TEXT


@pytest.mark.parametrize(("kind", "shown"), BLOCKS[1:])
def test_defaults_are_shown_as_they_are(kind, shown):
    read = kind.model_validate(shown)
    defaults = {
        name: field.get_default(call_default_factory=True) for name, field in kind.model_fields.items()
    }
    required = {name for name, field in kind.model_fields.items() if field.is_required()}
    told = {name: value for name, value in defaults.items() if value and name not in required}
    assert {name: getattr(read, name) for name in told} == told
