"""What the ERP may keep for later, and what a person named, are remembered until there is an outcome."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the columns; what waits after a 2xx is known by the digest of what was sent."""
    for name, comment in (
        ("pending", "the ERP may keep a send under this key for later"),
        ("asked", "a person named it, and it has no outcome yet"),
    ):
        op.add_column(
            "requests",
            sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false(), comment=comment),
        )
    r = sa.table(
        "requests",
        *(sa.column(name) for name in ("pending", "doubt", "body_digest", "state", "parked_from")),
    )
    waiting = ("postponed", "fetched", "prepared", "failed")
    op.execute(
        r.update()
        .where(
            r.c.body_digest.is_not(None),
            r.c.doubt.is_(sa.false()),
            sa.or_(
                r.c.state.in_(waiting),
                sa.and_(r.c.state == "parked", r.c.parked_from.in_(("postponed", "failed"))),
            ),
        )
        .values(pending=sa.true())
    )
