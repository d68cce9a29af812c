"""The document's step *Write Data to Omnitron*."""

from __future__ import annotations

from order_cancellation.operators.batch import BatchOperator

__all__ = ["WriteToOmnitronOperator"]


class WriteToOmnitronOperator(BatchOperator):
    """Tell Omnitron the outcome of each request.

    :param flow_id: The flow.
    """

    ui_color = "#d3f0e4"
    step = "write_to_omnitron"
