"""Where tokens are kept, so that many tasks share one login."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from threading import Lock
from typing import Protocol

from order_cancellation.clock import Clock

__all__ = ["MemoryTokenStore", "Token", "TokenStore"]


@dataclass(frozen=True)
class Token:
    """A login's result.

    Args:
        headers: The headers that carry it. Never shown.
        generation: Counts up by one with each login to this connection, from 1.
        expires_at: When it has to be renewed, a while ahead of its end, or None where nobody said.
        refresh_token: What the next login has to show (OAuth2 servers that change it each time), or None.
            Never shown.
    """

    headers: dict[str, str] = field(repr=False)
    generation: int = 1
    expires_at: datetime | None = None
    refresh_token: str | None = field(default=None, repr=False)


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
            seconds: How long the claim holds if its owner dies. An owner may claim again what it holds;
                with 0 seconds it gives the claim back (its login failed, and another may try).

        Returns:
            False where a newer token is there already, or another owner's claim still holds.
        """
        ...


class MemoryTokenStore:
    """A token store for one process: tests, and trying a connection out.

    Args:
        clock: For the claims' ends.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._tokens: dict[str, Token] = {}
        self._claims: dict[str, tuple[str, float]] = {}
        self._lock = Lock()

    def load(self, key: str) -> Token | None:
        """Return the newest token, or None."""
        with self._lock:
            return self._tokens.get(key)

    def save(self, key: str, token: Token) -> None:
        """Keep a token in place of all older ones, and end this key's renewal."""
        with self._lock:
            self._tokens[key] = token
            self._claims.pop(key, None)

    def claim_renewal(self, key: str, *, owner: str, seen_generation: int, seconds: float) -> bool:
        """Say whether the caller is the one to log in."""
        with self._lock:
            token = self._tokens.get(key)
            if token is not None and token.generation > seen_generation:
                return False
            holder, ends_at = self._claims.get(key, (owner, 0.0))
            if holder != owner and ends_at > self._clock.monotonic():
                return False
            self._claims[key] = (owner, self._clock.monotonic() + seconds)
            return True
