"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "batches",
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("batch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "revision", sa.String(length=64), nullable=False, comment="pinned; a person's act replaces it"
        ),
        sa.Column("label", sa.String(length=200), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "run_id", "batch"),
    )
    op.create_table(
        "claims",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
            comment="the fencing number",
        ),
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("batch", sa.Integer(), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("worker", sa.String(length=200), nullable=False),
        sa.Column("claimed_at", sa.Float(), nullable=False),
        sa.Column("lease_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sqlite_autoincrement=True,
    )
    op.create_index("claims_by_lease", "claims", ["lease_until"], unique=False)
    op.create_table(
        "dry_results",
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("uuid", sa.String(length=64), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=True),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "step", sa.String(length=32), nullable=False, comment="the next step to compute; empty: computed"
        ),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "run_id", "uuid"),
    )
    op.create_table(
        "events",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("uuid", sa.String(length=64), nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("send", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False, comment="after the event"),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("duration_ms", sa.Float(), nullable=True),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("events_by_request", "events", ["flow", "uuid", "id"], unique=False)
    op.create_table(
        "payloads",
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("uuid", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column(
            "number", sa.Integer(), nullable=False, comment="the attempt, or for sent and answer the send"
        ),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "uuid", "kind", "number"),
    )
    op.create_index("payloads_by_age", "payloads", ["created_at"], unique=False)
    op.create_table(
        "requests",
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("uuid", sa.String(length=64), nullable=False),
        sa.Column("id", sa.BigInteger(), nullable=True),
        sa.Column("channel", sa.BigInteger(), nullable=True),
        sa.Column(
            "customer",
            sa.BigInteger(),
            nullable=True,
            comment="Omnitron's number of the customer, to erase by",
        ),
        sa.Column("order_number", sa.String(length=64), nullable=False),
        sa.Column("sku", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column(
            "step", sa.String(length=32), nullable=False, comment="waits or failed here; empty: at no step"
        ),
        sa.Column("run_id", sa.String(length=250), nullable=False, comment="the run that took it up last"),
        sa.Column("batch", sa.Integer(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False, comment="how often it was taken up"),
        sa.Column(
            "failures", sa.Integer(), nullable=False, comment="failures since it was new or done again"
        ),
        sa.Column("tries", sa.Integer(), nullable=False, comment="tries in the present state"),
        sa.Column("sends", sa.Integer(), nullable=False, comment="intents to send so far"),
        sa.Column("auth_fails", sa.Integer(), nullable=False, comment="in this attempt"),
        sa.Column("key_number", sa.Integer(), nullable=False, comment="part of the idempotency key"),
        sa.Column(
            "body_digest", sa.String(length=64), nullable=True, comment="of the body sent under that key"
        ),
        sa.Column(
            "doubt", sa.Boolean(), nullable=False, comment="a send under this key has an unknown outcome"
        ),
        sa.Column("last_send_at", sa.Float(), nullable=True),
        sa.Column("since", sa.Float(), nullable=False, comment="when it became new, or was to be done again"),
        sa.Column("next_at", sa.Float(), nullable=True, comment="not before"),
        sa.Column("erp_status", sa.Integer(), nullable=True),
        sa.Column("relation", sa.String(length=16), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.Column("hopeful", sa.Boolean(), nullable=False, comment="the error may pass by itself"),
        sa.Column("parked_from", sa.String(length=16), nullable=False),
        sa.Column("settled", sa.Boolean(), nullable=False, comment="failed for good until redo"),
        sa.Column("redo", sa.Boolean(), nullable=False, comment="a person wants it done again"),
        sa.Column("first_seen", sa.Float(), nullable=False),
        sa.Column("last_changed", sa.Float(), nullable=False),
        sa.Column("claim_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.PrimaryKeyConstraint("flow", "uuid"),
    )
    op.create_index("requests_by_customer", "requests", ["customer"], unique=False)
    op.create_index("requests_by_id", "requests", ["flow", "id"], unique=False)
    op.create_index("requests_by_run", "requests", ["flow", "run_id", "batch", "position"], unique=False)
    op.create_index("requests_by_state", "requests", ["state", "flow", "uuid"], unique=False)
    op.create_table(
        "revisions",
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False, comment="sha256 over the whole folder"),
        sa.Column("files", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Float(), nullable=False),
        sa.Column("author", sa.String(length=200), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("flow", "revision"),
    )
    op.create_table(
        "runs",
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("revision", sa.String(length=64), nullable=False),
        sa.Column("dry_run", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.Float(), nullable=False),
        sa.Column(
            "listed_at", sa.Float(), nullable=True, comment="when get_data was through; null: it never was"
        ),
        sa.Column("lines", sa.Text(), nullable=False, comment="JSON: what the reading found"),
        sa.Column("problems", sa.Text(), nullable=False, comment="JSON: what went wrong with the run"),
        sa.PrimaryKeyConstraint("flow", "run_id"),
    )
    op.create_table(
        "step_notes",
        sa.Column("flow", sa.String(length=64), nullable=False),
        sa.Column("run_id", sa.String(length=250), nullable=False),
        sa.Column("batch", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("step", sa.String(length=32), nullable=False),
        sa.Column(
            "red_at", sa.Float(), nullable=False, comment="a new execution over this note is a person's act"
        ),
        sa.PrimaryKeyConstraint("flow", "run_id", "batch", "step"),
    )
    op.create_table(
        "tokens",
        sa.Column("key", sa.String(length=300), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.Float(), nullable=True),
        sa.Column("renewal_owner", sa.String(length=200), nullable=False),
        sa.Column("renewal_until", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("key"),
    )
