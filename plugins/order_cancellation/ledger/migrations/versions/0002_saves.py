"""A row for each save of a flow: who, when, why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the table of saves."""
    op.create_table(
        "saves",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False, comment="the folder after the save"),
        sa.Column(
            "at", sa.Float(), nullable=False, comment="of a change from outside: when it was first seen"
        ),
        sa.Column("author", sa.String(length=200), nullable=False, comment="empty: changed from outside"),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("saves_by_flow", "saves", ["flow", "id"], unique=False)
