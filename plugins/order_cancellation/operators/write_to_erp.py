"""The document's step *Write Data to ERP*."""

from __future__ import annotations

from order_cancellation.operators.batch import BatchOperator

__all__ = ["WriteToErpOperator"]


class WriteToErpOperator(BatchOperator):
    """Send each request to the ERP: at most once, unless the flow or a person allows more.

    :param flow_id: The flow.
    """

    ui_color = "#fde3c8"
    step = "write_to_erp"
