"""The document's step *Custom Response Script*."""

from __future__ import annotations

from order_cancellation.operators.batch import BatchOperator

__all__ = ["CustomResponseOperator"]


class CustomResponseOperator(BatchOperator):
    """Judge the ERP's answers by the flow's script, and repeat where it asks for a new login.

    :param flow_id: The flow.
    """

    ui_color = "#fbf3c4"
    step = "custom_response"
