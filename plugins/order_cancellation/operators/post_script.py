"""The document's step *Post Script*."""

from __future__ import annotations

from order_cancellation.operators.batch import BatchOperator

__all__ = ["PostScriptOperator"]


class PostScriptOperator(BatchOperator):
    """Run the flow's last script for each request that Omnitron knows to be done.

    :param flow_id: The flow.
    """

    ui_color = "#e9e9ec"
    step = "post_script"
