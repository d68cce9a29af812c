"""The document's step *Mapping*."""

from __future__ import annotations

from order_cancellation.operators.batch import BatchOperator

__all__ = ["MappingOperator"]


class MappingOperator(BatchOperator):
    """Apply the flow's Jolt mapping to each request.

    :param flow_id: The flow.
    """

    ui_color = "#dfe7fb"
    step = "mapping"
