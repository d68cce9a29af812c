"""What searching needs: indices by change, by text and by outcome; and which batch an event belongs to."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add indices and a column; nothing that is there changes."""
    op.create_index(
        "requests_by_change",
        "requests",
        ["last_changed", "flow", "uuid", "state", "order_number", "sku", "id"],
    )
    for name, column in (("uuid", "uuid"), ("order", "order_number"), ("sku", "sku")):
        op.create_index(
            f"requests_by_{name}",
            "requests",
            ["flow", column],
            postgresql_ops={column: "varchar_pattern_ops"},  # for LIKE, whatever the database's collation
        )
    op.create_index("events_by_outcome", "events", ["state", "at", "flow", "step"])
    op.add_column(
        "events",
        sa.Column(
            "batch",
            sa.Integer(),
            nullable=True,
            comment="which of the run's; null: the step has none, or it was not noted",
        ),
    )
