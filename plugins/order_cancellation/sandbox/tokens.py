"""The tokens that one side has given out, and which of them still hold."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from order_cancellation.sandbox.exchange import encode


@dataclass
class _Grant:
    ends_at: float | None
    calls_left: int | None


class Tokens:
    """Tokens of one side.

    Args:
        now: The clock, in seconds since 1970.
        name: Makes the two sides' tokens different.
    """

    def __init__(self, now: Callable[[], float], name: str) -> None:
        self._now = now
        self._name = name
        self._count = 0
        self._grants: dict[str, _Grant] = {}

    def issue_key(self, calls: int | None) -> str:
        """Return a new token of forty hex digits, as Django REST framework makes them.

        Args:
            calls: For how many calls it is good; None for ever.
        """
        return self._grant(self._digest()[:40], None, calls)

    def issue_jwt(self, user: str, life_s: float, calls: int | None) -> str:
        """Return a new JSON Web Token.

        Args:
            user: Whom it names.
            life_s: How long it lives, in seconds.
            calls: For how many calls it is good; None for as long as it lives.
        """
        ends_at = self._now() + life_s
        head = {"alg": "HS256", "typ": "JWT"}
        claims = {"sub": user, "exp": int(ends_at), "jti": self._digest()[:16]}
        signed = f"{_base64url(encode(head))}.{_base64url(encode(claims))}"
        signature = hmac.new(self._name.encode(), signed.encode(), hashlib.sha256).digest()
        return self._grant(f"{signed}.{_base64url(signature)}", ends_at, calls)

    def accepts(self, token: str) -> bool:
        """Say whether a token still holds, and count the call."""
        grant = self._grants.get(token)
        if grant is None or (grant.ends_at is not None and self._now() >= grant.ends_at):
            return False
        if grant.calls_left is not None:
            if grant.calls_left < 1:
                return False
            grant.calls_left -= 1
        return True

    def expire_all(self) -> None:
        """End every token given out so far."""
        self._grants.clear()

    def _digest(self) -> str:
        self._count += 1
        return hashlib.sha256(f"{self._name}:{self._count}".encode()).hexdigest()

    def _grant(self, token: str, ends_at: float | None, calls: int | None) -> str:
        self._grants[token] = _Grant(ends_at, calls)
        return token


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
