"""Alembic's way into the ledger: the connection is handed over by ``ledger.opening``."""

from __future__ import annotations

from alembic import context

from order_cancellation.ledger.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table="ledger_version",
    render_as_batch=True,
)
context.run_migrations()
