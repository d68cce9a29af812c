"""The document's step *Get Data From Omnitron*."""

from __future__ import annotations

import asyncio

import structlog
from airflow.sdk import Context

from order_cancellation.airflow_settings import Settings
from order_cancellation.operators.base import FlowOperator

__all__ = ["GetDataOperator"]

log = structlog.get_logger(__name__)


class GetDataOperator(FlowOperator):
    """Read the eligible requests into the ledger, and hand the mapped group the numbers of their batches.

    The requests themselves never travel by XCom: each mapped task instance would load them all.

    :param flow_id: The flow.
    """

    ui_color = "#bfe0ef"

    def work(self, context: Context, settings: Settings) -> list[int]:
        """Read, and return the batches' numbers.

        :param context: Airflow's context of the task instance.
        :param settings: The project's settings.
        """
        from order_cancellation.service import runs

        run = self.run_of(context)
        batches = asyncio.run(runs.get_data(settings, self.connections, run))
        log.info("Handed on in %d rows", len(batches))
        return batches
