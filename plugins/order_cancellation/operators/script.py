"""The document's step *Script*."""

from __future__ import annotations

from order_cancellation.operators.batch import BatchOperator

__all__ = ["ScriptOperator"]


class ScriptOperator(BatchOperator):
    """Run the flow's script over each request.

    :param flow_id: The flow.
    """

    ui_color = "#e8e4f8"
    step = "script"
