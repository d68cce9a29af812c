"""The ledger's tables. Times are seconds since 1970, UTC; payloads are compressed and encrypted."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
)

__all__ = [
    "batches",
    "claims",
    "dry_results",
    "events",
    "metadata",
    "payloads",
    "requests",
    "revisions",
    "runs",
    "saves",
    "step_notes",
    "storable",
    "tokens",
    "traffic",
]

metadata = MetaData()

_Key = BigInteger().with_variant(Integer, "sqlite")


def storable(text: str) -> str:
    """Return a text as both databases take it: Postgres takes no NUL, and none takes half a surrogate pair.

    Such texts come from outside, as an ERP's answer quoted in an error; one odd character in it must not keep
    the whole group of changes from being written.
    """
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode("utf-8")


class _Name(TypeDecorator[str]):
    """A text of limited length."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else storable(value)


class _Words(TypeDecorator[str]):
    """A text of any length."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: Any) -> str | None:
        return None if value is None else storable(value)


revisions = Table(
    "revisions",
    metadata,
    Column("flow", _Name(64), primary_key=True),
    Column("revision", _Name(64), primary_key=True, comment="sha256 over the whole folder"),
    Column("files", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("author", _Name(200), nullable=False, default=""),
    Column("note", _Words(), nullable=False, default=""),
)

saves = Table(
    "saves",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("flow", _Name(64), nullable=False),
    Column("revision", _Name(64), nullable=False, comment="the folder after the save"),
    Column("at", Float, nullable=False, comment="of a change from outside: when it was first seen"),
    Column("author", _Name(200), nullable=False, comment="empty: changed from outside"),
    Column("note", _Words(), nullable=False),
    Index("saves_by_flow", "flow", "id"),
    sqlite_autoincrement=True,
)

runs = Table(
    "runs",
    metadata,
    Column("flow", _Name(64), primary_key=True),
    Column("run_id", _Name(250), primary_key=True),
    Column("revision", _Name(64), nullable=False),
    Column("dry_run", Boolean, nullable=False, default=False),
    Column("started_at", Float, nullable=False),
    Column("listed_at", Float, comment="when get_data was through; null: it never was"),
    Column("lines", _Words(), nullable=False, default="[]", comment="JSON: what the reading found"),
    Column("problems", _Words(), nullable=False, default="[]", comment="JSON: what went wrong with the run"),
)

batches = Table(
    "batches",
    metadata,
    Column("flow", _Name(64), primary_key=True),
    Column("run_id", _Name(250), primary_key=True),
    Column("batch", Integer, primary_key=True, autoincrement=False),
    Column("revision", _Name(64), nullable=False, comment="pinned; a person's act replaces it"),
    Column("label", _Name(200), nullable=False),
    Column("size", Integer, nullable=False),
)

step_notes = Table(
    "step_notes",
    metadata,
    Column("flow", _Name(64), primary_key=True),
    Column("run_id", _Name(250), primary_key=True),
    Column("batch", Integer, primary_key=True, autoincrement=False),
    Column("step", _Name(32), primary_key=True),
    Column("red_at", Float, nullable=False, comment="a new execution over this note is a person's act"),
)

claims = Table(
    "claims",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True, comment="the fencing number"),
    Column("flow", _Name(64), nullable=False),
    Column("run_id", _Name(250), nullable=False),
    Column("batch", Integer, nullable=False),
    Column("step", _Name(32), nullable=False),
    Column("worker", _Name(200), nullable=False),
    Column("claimed_at", Float, nullable=False),
    Column("lease_until", Float, nullable=False),
    Index("claims_by_lease", "lease_until"),
    sqlite_autoincrement=True,
)

requests = Table(
    "requests",
    metadata,
    Column("flow", _Name(64), primary_key=True),
    Column("uuid", _Name(64), primary_key=True),
    Column("id", BigInteger),
    Column("channel", BigInteger),
    Column("customer", BigInteger, comment="Omnitron's number of the customer, to erase by"),
    Column("order_number", _Name(64), nullable=False, default=""),
    Column("sku", _Name(128), nullable=False, default=""),
    Column("state", _Name(16), nullable=False),
    Column("step", _Name(32), nullable=False, comment="waits or failed here; empty: at no step"),
    Column("run_id", _Name(250), nullable=False, comment="the run that took it up last"),
    Column("batch", Integer),
    Column("position", Integer, nullable=False),
    Column("attempts", Integer, nullable=False, comment="how often it was taken up"),
    Column("failures", Integer, nullable=False, comment="failures since it was new or done again"),
    Column("tries", Integer, nullable=False, comment="tries in the present state"),
    Column("sends", Integer, nullable=False, comment="intents to send so far"),
    Column("auth_fails", Integer, nullable=False, comment="in this attempt"),
    Column("key_number", Integer, nullable=False, comment="part of the idempotency key"),
    Column("body_digest", _Name(64), comment="of the body sent under that key"),
    Column("doubt", Boolean, nullable=False, comment="a send under this key has an unknown outcome"),
    Column(
        "pending",
        Boolean,
        nullable=False,
        default=False,
        comment="the ERP may keep a send under this key for later",
    ),
    Column("last_send_at", Float),
    Column("since", Float, nullable=False, comment="when it became new, or was to be done again"),
    Column("next_at", Float, comment="not before"),
    Column("erp_status", Integer),
    Column("relation", _Name(16), nullable=False, default=""),
    Column("error", _Words(), nullable=False, default=""),
    Column("hopeful", Boolean, nullable=False, default=False, comment="the error may pass by itself"),
    Column("parked_from", _Name(16), nullable=False, default=""),
    Column("settled", Boolean, nullable=False, default=False, comment="failed for good until redo"),
    Column("redo", Boolean, nullable=False, default=False, comment="a person wants it done again"),
    Column(
        "asked",
        Boolean,
        nullable=False,
        default=False,
        comment="a person named it, and it has no outcome yet",
    ),
    Column("first_seen", Float, nullable=False),
    Column("last_changed", Float, nullable=False),
    Column("claim_id", _Key),
    Index("requests_by_run", "flow", "run_id", "batch", "position"),
    Index("requests_by_state", "state", "flow", "uuid"),
    Index("requests_by_id", "flow", "id"),
    Index("requests_by_customer", "customer"),
    Index("requests_by_change", "last_changed", "flow", "uuid", "state", "order_number", "sku", "id"),
    Index("requests_by_uuid", "flow", "uuid", postgresql_ops={"uuid": "varchar_pattern_ops"}),
    Index(
        "requests_by_order", "flow", "order_number", postgresql_ops={"order_number": "varchar_pattern_ops"}
    ),
    Index("requests_by_sku", "flow", "sku", postgresql_ops={"sku": "varchar_pattern_ops"}),
)

payloads = Table(
    "payloads",
    metadata,
    Column("flow", _Name(64), primary_key=True),
    Column("uuid", _Name(64), primary_key=True),
    Column("kind", _Name(16), primary_key=True),
    Column("number", Integer, primary_key=True, comment="the attempt, or for sent and answer the send"),
    Column("data", LargeBinary, nullable=False),
    Column("created_at", Float, nullable=False),
    Index("payloads_by_age", "created_at"),
)

events = Table(
    "events",
    metadata,
    Column("id", _Key, primary_key=True, autoincrement=True),
    Column("flow", _Name(64), nullable=False),
    Column("uuid", _Name(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("run_id", _Name(250), nullable=False),
    Column("batch", Integer, comment="which of the run's; null: the step has none, or it was not noted"),
    Column("step", _Name(32), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("send", Integer, nullable=False),
    Column("state", _Name(16), nullable=False, comment="after the event"),
    Column("revision", _Name(64), nullable=False, default=""),
    Column("duration_ms", Float),
    Column("note", _Words(), nullable=False, default=""),
    Index("events_by_request", "flow", "uuid", "id"),
    Index("events_by_outcome", "state", "at", "flow", "step"),
)

dry_results = Table(
    "dry_results",
    metadata,
    Column("flow", _Name(64), primary_key=True),
    Column("run_id", _Name(250), primary_key=True),
    Column("uuid", _Name(64), primary_key=True),
    Column("id", BigInteger),
    Column("batch", Integer),
    Column("position", Integer, nullable=False),
    Column("step", _Name(32), nullable=False, comment="the next step to compute; empty: computed"),
    Column("error", _Words(), nullable=False, default=""),
    Column("data", LargeBinary, nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("key", _Name(300), primary_key=True),
    Column("generation", Integer, nullable=False, default=0),
    Column("data", LargeBinary),
    Column("expires_at", Float),
    Column("renewal_owner", _Name(200), nullable=False, default=""),
    Column("renewal_until", Float, nullable=False, default=0.0),
)

traffic = Table(
    "traffic",
    metadata,
    Column("flow", _Name(64), primary_key=True),
    Column("connection", _Name(250), primary_key=True),
    Column("failures", Integer, nullable=False, default=0, comment="in a row, of all batches"),
    Column("closed_until", Float, nullable=False, default=0.0, comment="nothing leaves before"),
    Column("probe_owner", _Name(200), nullable=False, default=""),
    Column("probe_until", Float, nullable=False, default=0.0),
    Column("wait_until", Float, nullable=False, default=0.0, comment="the other side asked for it"),
    Column("pace", Float, nullable=False, default=1.0, comment="share of concurrency and rate"),
    Column("paced_at", Float, nullable=False, default=0.0),
    Column("changed_at", Float, nullable=False, default=0.0),
)
