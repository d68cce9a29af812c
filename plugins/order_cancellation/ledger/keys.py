"""Which key rows are under: what needs an older one is rewritten under the newest."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Column, Update, bindparam, select, tuple_, update

from order_cancellation.ledger import schema
from order_cancellation.ledger.cipher import Cipher, Under
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.states import OPEN

__all__ = ["Keys"]

_AT_ONCE = 100
"""How many rows (requests, where it is their payloads) are read and rewritten together."""

_R = schema.requests.c
_P = schema.payloads.c
_V = schema.revisions.c
_ENCRYPTED = (_V.files, schema.tokens.c.data, schema.dry_results.c.data)
"""What is rewritten whole, whatever its age; payloads are more, and most of them finished requests'."""

_OPEN_ONES = select(_R.uuid).where(_R.flow == bindparam("at_flow"), _R.state.in_(OPEN)).order_by(_R.uuid)
_PAYLOADS_OF = select(*schema.payloads.primary_key, _P.data).where(
    _P.flow == bindparam("at_flow"), _P.uuid.in_(bindparam("at_uuids", expanding=True))
)


class Keys:
    """Lets an older key become needless.

    Args:
        database: Where.
        cipher: With the keys that are set.
    """

    def __init__(self, database: Database, cipher: Cipher) -> None:
        self._database = database
        self._cipher = cipher

    def renew(self) -> int:
        """Rewrite under the newest key what only an older one reads.

        All but the payloads of finished requests: these are by far the most, nothing goes on from them, and
        their time ends. What no key reads stays as it is. With one key there is nothing to look for.

        Returns:
            How many rows were rewritten.
        """
        if not self._cipher.has_older:
            return 0
        rewritten = sum(self._renew_all(column) for column in _ENCRYPTED)
        with self._database.read() as connection:
            flows = connection.execute(select(_R.flow).distinct()).scalars().all()
        return rewritten + sum(self._renew_payloads(flow) for flow in flows)

    def _renew_all(self, column: Column[Any]) -> int:
        """Rewrite a column's values, some at a time along the primary key."""
        keys = list(column.table.primary_key)
        query = select(*keys, column).where(column.is_not(None)).order_by(*keys).limit(_AT_ONCE)
        rewritten, some = 0, query
        while True:
            with self._database.read() as connection:
                rows = connection.execute(some).all()
            if not rows:
                return rewritten
            rewritten += self._rewrite(column, rows)
            some = query.where(tuple_(*keys) > tuple_(*rows[-1][:-1]))

    def _renew_payloads(self, flow: str) -> int:
        """Rewrite the payloads of a flow's unfinished requests."""
        with self._database.read() as connection:
            uuids = connection.execute(_OPEN_ONES, {"at_flow": flow}).scalars().all()
        rewritten = 0
        for start in range(0, len(uuids), _AT_ONCE):
            some = {"at_flow": flow, "at_uuids": uuids[start : start + _AT_ONCE]}
            with self._database.read() as connection:
                rows = connection.execute(_PAYLOADS_OF, some).all()
            rewritten += self._rewrite(_P.data, rows, flow)
        return rewritten

    def _rewrite(self, column: Column[Any], rows: Sequence[Any], flow: str | None = None) -> int:
        """Rewrite what is still as it was read: a step, a login or an erasing may have been there meanwhile.

        Steps write many payloads in an order of their own, so none of a flow may be on the way: on Postgres
        each could wait for the other.
        """
        names = [one.name for one in column.table.primary_key]
        changed = [
            {f"at_{name}": value for name, value in zip(names, key, strict=True)}
            | {"as_read": data, "renewed": self._cipher.renewed(data)}
            for *key, data in rows
            if self._cipher.under(data) == Under.OLDER
        ]
        if changed:
            with self._database.write() as connection:
                if flow is not None:
                    self._database.lock_flow(connection, flow)
                connection.execute(_renewing(column), changed)
        return len(changed)


@cache
def _renewing(column: Column[Any]) -> Update:
    """Return the statement that rewrites one value of a column, if it is still as it was read."""
    here = (one == bindparam(f"at_{one.name}") for one in column.table.primary_key)
    return (
        update(column.table)
        .where(*here, column == bindparam("as_read"))
        .values({column.name: bindparam("renewed")})
    )
