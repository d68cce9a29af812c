"""Where tokens are kept, so that many tasks share one login."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class Token:
    """A login's result.

    Args:
        headers: The headers that carry it. Never shown.
        generation: Counts up by one with each login to this connection, from 1.
        expires_at: When it ends, or None where nobody said.
    """

    headers: dict[str, str] = field(repr=False)
    generation: int = 1
    expires_at: datetime | None = None


class TokenStore(Protocol):
    """Tokens by key; shared by all processes that use one ledger.

    A key is the connection's id with a digest of all that the login depends on, so that
    changed credentials never meet an old token.
    """

    def load(self, key: str) -> Token | None:
        """Return the newest token, or None."""
        ...

    def save(self, key: str, token: Token) -> None:
        """Keep a token in place of all older ones, and end this key's renewal."""
        ...

    def claim_renewal(self, key: str, *, owner: str, seen_generation: int, seconds: float) -> bool:
        """Say whether the caller is the one to log in.

        Args:
            key: Whose token.
            owner: A name unique to the caller.
            seen_generation: The generation that was found wanting (0: none was there).
            seconds: How long the claim holds if its owner dies.

        Returns:
            False where a newer token is there already, or another owner's claim still holds.
        """
        ...
