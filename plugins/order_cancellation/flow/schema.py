"""The JSON schema of ``flow.yaml``, made from the models, for editors and the designer."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from pydantic.json_schema import GenerateJsonSchema

from order_cancellation.flow.durations import write_duration
from order_cancellation.flow.model import FlowDocument

__all__ = ["flow_schema", "flow_schema_text"]


class _Generator(GenerateJsonSchema):
    """Pydantic's generator, with lengths of time as the file writes them, without made-up titles."""

    def encode_default(self, dft: Any) -> Any:
        if isinstance(dft, timedelta):
            return write_duration(dft)
        if isinstance(dft, float) and dft.is_integer():
            return int(dft)
        return super().encode_default(dft)

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 (pydantic's signature)
        return False


def flow_schema() -> dict[str, Any]:
    """Return the JSON schema (draft 2020-12) of ``flow.yaml``."""
    schema = FlowDocument.model_json_schema(schema_generator=_Generator)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "flow.yaml"}


def flow_schema_text() -> str:
    """Return the schema as the text of ``docs/flow.schema.json``."""
    return json.dumps(flow_schema(), indent=2, ensure_ascii=False) + "\n"
