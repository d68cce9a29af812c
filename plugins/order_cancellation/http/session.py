"""A connection in use: calls go out with its token, and one login serves all who notice that it ended."""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from http import HTTPStatus
from random import Random

from order_cancellation.clock import Clock
from order_cancellation.errors import ConfigurationError, LedgerUnavailable, LoginFailed
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.login import kind_of, log_in, token_key
from order_cancellation.http.logins import Visit
from order_cancellation.http.masking import endpoint_secrets
from order_cancellation.http.messages import Answer, Call
from order_cancellation.http.pauses import repeating
from order_cancellation.http.tokens import Token, TokenStore
from order_cancellation.http.transport import Transport

__all__ = ["Session"]

CLAIM_S = 15.0
"""How long the others wait for a login whose process died; one that lives renews its claim meanwhile."""
FIRST_POLL_S = 0.1
LONGEST_POLL_S = 2.0
_numbers = itertools.count(1)

Gate = Callable[[Callable[[], Awaitable[Answer]]], Awaitable[Answer]]
"""Lets a send out, or raises ``NotSent``."""


class Session:
    """Sends a connection's calls, and logs in when that is needed.

    Args:
        endpoint: The connection.
        transport: The way out.
        tokens: Where tokens are kept; it may do SQL, so it is called in threads.
        clock: For expiry and for the pauses between two looks.
        random: For the jitter of those pauses.
    """

    def __init__(
        self, endpoint: Endpoint, transport: Transport, tokens: TokenStore, clock: Clock, random: Random
    ) -> None:
        self.endpoint = endpoint
        self.kind = kind_of(endpoint)
        self._secrets = endpoint_secrets(endpoint)
        self._transport = transport
        self._tokens = tokens
        self.clock = clock
        self.random = random
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{next(_numbers)}:{random.getrandbits(32):08x}"
        self._key: str | None = None
        self._token: Token | None = None
        self._starting = asyncio.Lock()
        self._renewing = asyncio.Lock()
        self._rounds = 0
        self._failure: LoginFailed | ConfigurationError | None = None

    @property
    def secrets(self) -> list[str]:
        """What must not be shown of an answer that repeats it: what the connection holds, and its token."""
        token = self._token.headers.values() if self._token else ()
        return [*self._secrets, *(value.rpartition(" ")[2] for value in token)]

    async def send(self, call: Call, *, before_write: Callable[[], None] | None = None) -> Answer:
        """Send a call with the connection's credentials, once.

        What the answer says is the caller's business; after a 401 that is ``renew(answer.token_generation)``.

        Args:
            call: The call without credentials. A header of the same name as the token's gives way to it.
            before_write: Called right before the first byte is written (see ``Transport``).

        Raises:
            LoginFailed: No token could be had; nothing was sent.
            NotSent: Surely nothing left.
            InDoubt: The call may have arrived, and no whole answer came back.
        """
        token = await self._current()
        carried = {name.lower() for name in token.headers}
        kept = {name: value for name, value in call.headers.items() if name.lower() not in carried}
        answer = await self._transport.send(
            replace(call, headers={**kept, **token.headers}), before_write=before_write
        )
        return replace(answer, token_generation=token.generation)

    async def ask(self, call: Call, *, through: Gate | None = None) -> Answer:
        """Send a call that does no harm twice: repeated after failures, and once more after a new login.

        Never for a write to an ERP.

        Args:
            call: A reading call, or an idempotent write to Omnitron.
            through: What each send has to pass (a breaker), or None.

        Returns:
            The last answer, whatever its status.

        Raises:
            NotSent: It could not be sent, the repeats included.
            InDoubt: No whole answer came back, the repeats included.
        """

        async def send() -> Answer:
            return await (self.send(call) if through is None else through(lambda: self.send(call)))

        answer = await repeating(send, clock=self.clock, random=self.random)
        if answer.status != HTTPStatus.UNAUTHORIZED or self.kind.lasting:
            return answer
        await self.renew(answer.token_generation)
        return await repeating(send, clock=self.clock, random=self.random)

    async def log_in(self) -> None:
        """Make sure that there is a token, by a login if there is none.

        Raises:
            LoginFailed: No token could be had.
            ConfigurationError: A field of the connection is missing or wrong.
        """
        await self._current()

    async def renew(self, seen_generation: int) -> None:
        """Replace a token that the other side does not accept any more.

        However many coroutines and processes call this for one generation, one of them logs in; the others
        wait for its token. Where the credentials stand in the connection itself, there is nothing to renew.

        Args:
            seen_generation: ``Answer.token_generation`` of the answer that said so.

        Raises:
            LoginFailed: No token could be had.
        """
        if self.kind.lasting or self._is_newer(self._token, seen_generation):
            return
        round_seen = self._rounds
        async with self._renewing:
            if self._is_newer(self._token, seen_generation):
                return
            if self._rounds > round_seen and self._failure is not None:
                raise self._failure  # whoever was first has just failed for all of us
            await self._renew_once(seen_generation)

    async def _renew_once(self, seen_generation: int) -> None:
        self._failure = None
        try:
            self._token = await self._replaced(seen_generation)
        except (LoginFailed, ConfigurationError) as error:
            self._failure = error
            raise
        finally:
            self._rounds += 1

    async def _current(self) -> Token:
        if self._token is None:
            async with self._starting:
                self._token = self._token or await self._first()
        if self._is_due(self._token):
            await self.renew(self._token.generation)
        assert self._token is not None
        return self._token

    async def _first(self) -> Token:
        if self.kind.lasting:
            return Token(dict((await log_in(self._visit(None))).headers), generation=0)
        stored = await asyncio.to_thread(self._tokens.load, await self._named())
        if stored is not None:
            return stored
        await self.renew(0)
        assert self._token is not None
        return self._token

    async def _replaced(self, seen_generation: int) -> Token:
        """Log in, or wait for the one who does."""
        pause, key = FIRST_POLL_S, await self._named()
        while True:
            stored = await asyncio.to_thread(self._tokens.load, key)
            if stored is not None and self._is_newer(stored, seen_generation):
                return stored
            if stored is not None:
                seen_generation = max(seen_generation, stored.generation)  # newer, but at its end already
            if await self._claim(key, seen_generation, CLAIM_S):
                return await self._fresh(key, stored, seen_generation)
            await self.clock.sleep(pause * self.random.uniform(0.5, 1.5))
            pause = min(pause * 1.5, LONGEST_POLL_S)

    async def _fresh(self, key: str, stored: Token | None, seen_generation: int) -> Token:
        try:
            with self._held(key, seen_generation):
                given = await log_in(self._visit(stored))
        except (LoginFailed, ConfigurationError):
            await self._claim(key, seen_generation, 0)  # gives the claim back: another may try at once
            raise
        token = Token(given.headers, seen_generation + 1, given.renew_at, given.refresh_token)
        await asyncio.to_thread(self._tokens.save, key, token)
        return token

    @contextmanager
    def _held(self, key: str, seen_generation: int) -> Iterator[None]:
        """Renew the claim for as long as the login takes."""
        renewing = asyncio.create_task(self._renew_claim(key, seen_generation))
        try:
            yield
        finally:
            renewing.cancel()

    async def _renew_claim(self, key: str, seen_generation: int) -> None:
        held = True
        while held:
            await self.clock.sleep(CLAIM_S / 3)
            with suppress(LedgerUnavailable):  # tried again before the claim ends
                held = await self._claim(key, seen_generation, CLAIM_S)

    async def _claim(self, key: str, seen_generation: int, seconds: float) -> bool:
        return await asyncio.to_thread(
            self._tokens.claim_renewal,
            key,
            owner=self._owner,
            seen_generation=seen_generation,
            seconds=seconds,
        )

    async def _named(self) -> str:
        if self._key is None:
            self._key = await asyncio.to_thread(token_key, self.endpoint)
        return self._key

    def _visit(self, stored: Token | None) -> Visit:
        left = [token.refresh_token for token in (stored, self._token) if token and token.refresh_token]
        return Visit(self.endpoint, self._transport, self.clock, self.random, left[0] if left else None)

    def _is_due(self, token: Token) -> bool:
        return token.expires_at is not None and token.expires_at <= self.clock.now()

    def _is_newer(self, token: Token | None, seen_generation: int) -> bool:
        """Say whether a token can stand in for one that was found wanting."""
        return token is not None and token.generation > seen_generation and not self._is_due(token)
