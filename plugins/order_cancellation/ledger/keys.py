"""Which key rows are under: what needs an older one is rewritten under the newest, or counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Column, Select, Update, and_, bindparam, func, select, tuple_, update

from order_cancellation.ledger import schema
from order_cancellation.ledger.cipher import Cipher, Under
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.runs import LAST_AT_WORK
from order_cancellation.ledger.states import OPEN

__all__ = ["Keys", "Need"]

_AT_ONCE = 100
"""How many rows (requests, where it is their payloads) are read and rewritten together."""

_LOOKED_AT = 10_000
"""How many rows of a kind are counted at most: to try a key takes some 20 µs."""

_R = schema.requests.c
_P = schema.payloads.c
_V = schema.revisions.c
_ENCRYPTED = (_V.files, schema.tokens.c.data, schema.dry_results.c.data)
"""What is rewritten whole, whatever its age; payloads are more, and most of them finished requests'."""

_S = schema.runs.c
_NEWEST_RUNS = select(_S.flow, func.max(LAST_AT_WORK).label("at")).group_by(_S.flow).subquery()
_IN_FORCE = tuple_(_V.flow, _V.revision).in_(
    select(_S.flow, _S.revision).join(
        _NEWEST_RUNS, and_(_S.flow == _NEWEST_RUNS.c.flow, _NEWEST_RUNS.c.at == LAST_AT_WORK)
    )
)
_OF_REQUEST = and_(_R.flow == _P.flow, _R.uuid == _P.uuid)
_OF_UNFINISHED = (
    select(_P.data).join_from(schema.payloads, schema.requests, _OF_REQUEST).where(_R.state.in_(OPEN))
)
_OF_FINISHED = (
    select(_P.data)
    .where(~select(_R.uuid).where(_OF_REQUEST, _R.state.in_(OPEN)).exists())
    .order_by(_P.created_at)  # those under an older key come first
)
_OPEN_ONES = select(_R.uuid).where(_R.flow == bindparam("at_flow"), _R.state.in_(OPEN)).order_by(_R.uuid)
_PAYLOADS_OF = select(*schema.payloads.primary_key, _P.data).where(
    _P.flow == bindparam("at_flow"), _P.uuid.in_(bindparam("at_uuids", expanding=True))
)


@dataclass(frozen=True)
class Need:
    """How many rows of a kind need which key.

    Args:
        kind: What they are, in the plural.
        older: How many only an older key reads.
        lost: How many none of the keys reads.
        whole: Whether all rows of the kind were looked at.
        essential: Whether work stands still where none reads them.
        renewed: Whether :meth:`Keys.renew` rewrites them.
    """

    kind: str
    older: int
    lost: int
    whole: bool
    essential: bool
    renewed: bool


class Keys:
    """Lets an older key become needless, and says whether it is.

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

    def needed(self) -> list[Need]:
        """Count which rows need an older key, or one that is not set; of kinds with many rows, the first."""
        tokens = schema.tokens.c.data
        return [
            self._need("flows' newest revisions", select(_V.files).where(_IN_FORCE), essential=True),
            self._need("payloads of unfinished requests", _OF_UNFINISHED, essential=True),
            self._need("earlier revisions", select(_V.files).where(~_IN_FORCE)),
            self._need("login tokens", select(tokens).where(tokens.is_not(None))),
            self._need("results of dry runs", select(schema.dry_results.c.data)),
            self._need("payloads of finished requests", _OF_FINISHED, renewed=False),
        ]

    def _need(self, kind: str, query: Select[Any], *, essential: bool = False, renewed: bool = True) -> Need:
        counts: Counter[Under] = Counter()
        with self._database.read() as connection:
            found = connection.execute(
                query.limit(_LOOKED_AT), execution_options={"yield_per": _AT_ONCE}
            ).scalars()
            counts.update(self._cipher.under(data) for data in found)
        whole = counts.total() < _LOOKED_AT
        return Need(kind, counts[Under.OLDER], counts[Under.NONE], whole, essential, renewed)


@cache
def _renewing(column: Column[Any]) -> Update:
    """Return the statement that rewrites one value of a column, if it is still as it was read."""
    here = (one == bindparam(f"at_{one.name}") for one in column.table.primary_key)
    return (
        update(column.table)
        .where(*here, column == bindparam("as_read"))
        .values({column.name: bindparam("renewed")})
    )
