"""What batches know together of the lines to remote systems."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "traffic",
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("connection", sa.String(length=250), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False, comment="in a row, of all batches"),
        sa.Column("closed_until", sa.Float(), nullable=False, comment="nothing leaves before"),
        sa.Column("probe_owner", sa.String(length=200), nullable=False),
        sa.Column("probe_until", sa.Float(), nullable=False),
        sa.Column("wait_until", sa.Float(), nullable=False, comment="the other side asked for it"),
        sa.Column("pace", sa.Float(), nullable=False, comment="share of concurrency and rate"),
        sa.Column("paced_at", sa.Float(), nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "connection"),
    )
