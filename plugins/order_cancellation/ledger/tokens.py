"""Tokens of the remote systems, shared by all tasks that use one ledger."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import bindparam, or_, select, update

from order_cancellation.clock import Clock
from order_cancellation.errors import ConfigurationError
from order_cancellation.http.tokens import Token
from order_cancellation.ledger import schema
from order_cancellation.ledger.cipher import Cipher
from order_cancellation.ledger.database import Database

__all__ = ["LedgerTokens"]

_T = schema.tokens.c
# Made once: making a statement costs as much as running it.
_LOAD = select(schema.tokens).where(_T.key == bindparam("at_key"))
_CLAIM = (
    update(schema.tokens)
    .where(
        _T.key == bindparam("at_key"),
        _T.generation <= bindparam("seen"),
        or_(_T.renewal_until <= bindparam("at_now"), _T.renewal_owner == bindparam("to_owner")),
    )
    .values(renewal_owner=bindparam("to_owner"), renewal_until=bindparam("to_end"))
)
_LONG_AGO = datetime.fromtimestamp(0, UTC)


class LedgerTokens:
    """The :class:`~order_cancellation.http.tokens.TokenStore` of production, encrypted at rest.

    Args:
        database: Where.
        cipher: For the tokens.
        clock: For renewal claims.
    """

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    def load(self, key: str) -> Token | None:
        """Return the newest token, or None.

        One that can't be decrypted comes back empty and at its end, so that a login replaces it: its key may
        be gone, and a token is the one thing here that can be had anew. Its generation is what the next login
        counts on from; as None it would be 0, which claims nothing where there is a token.
        """
        with self._database.read() as connection:
            row = connection.execute(_LOAD, {"at_key": key}).one_or_none()
        if row is None or row.data is None:
            return None
        try:
            kept = self._cipher.unpack(row.data)
        except ConfigurationError:
            return Token(headers={}, generation=row.generation, expires_at=_LONG_AGO)
        ends = None if row.expires_at is None else datetime.fromtimestamp(row.expires_at, UTC)
        return Token(**kept, generation=row.generation, expires_at=ends)

    def save(self, key: str, token: Token) -> None:
        """Keep a token in place of all older ones, and end this key's renewal.

        An older one, from a login that took longer than its claim, leaves the newer one alone.
        """
        row = {
            "key": key,
            "generation": token.generation,
            "data": self._cipher.pack({"headers": token.headers, "refresh_token": token.refresh_token}),
            "expires_at": None if token.expires_at is None else token.expires_at.timestamp(),
            "renewal_owner": "",
            "renewal_until": 0.0,
        }
        with self._database.write() as connection:
            self._database.insert_missing(connection, schema.tokens, [row])
            connection.execute(
                update(schema.tokens).where(_T.key == key, _T.generation <= token.generation).values(row)
            )

    def claim_renewal(self, key: str, *, owner: str, seen_generation: int, seconds: float) -> bool:
        """Say whether the caller is the one to log in (see ``TokenStore.claim_renewal``)."""
        now = self._clock.now().timestamp()
        with self._database.write() as connection:
            self._database.insert_missing(
                connection,
                schema.tokens,
                [{"key": key, "generation": 0, "renewal_owner": "", "renewal_until": 0.0}],
            )
            result = connection.execute(
                _CLAIM,
                {"at_key": key, "seen": seen_generation, "at_now": now}
                | {"to_owner": owner, "to_end": now + seconds},
            )
        return bool(result.rowcount == 1)
