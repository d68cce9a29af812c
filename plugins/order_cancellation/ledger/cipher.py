"""Payloads as they lie on the disk: JSON, compressed, encrypted."""

from __future__ import annotations

import json
import zlib
from enum import StrEnum
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from order_cancellation.errors import ConfigurationError

__all__ = ["Cipher", "Under"]

_FASTEST, _WINDOW_BITS, _MEMORY_LEVEL = 1, 13, 6
_UNREADABLE = (
    "A payload of the ledger can't be decrypted: add the key that it was written with "
    "to [order_cancellation] payload_key (newest first)."
)


class Under(StrEnum):
    """Under which key something was written."""

    NEWEST = "newest"
    OLDER = "older"
    NONE = "none"
    """None of those that are set."""


class Cipher:
    """Packs and unpacks payloads under the keys of the setting ``payload_key``.

    Args:
        keys: Fernet keys, newest first: the first one encrypts, all of them decrypt.

    Raises:
        ConfigurationError: There is no key, or one is not a Fernet key.
    """

    def __init__(self, keys: tuple[str, ...]) -> None:
        if not keys:
            raise ConfigurationError(
                "Setting [order_cancellation] payload_key is empty and so is [core] fernet_key: "
                "set one of them to a Fernet key."
            )
        try:
            self._newest, *older = (Fernet(key) for key in keys)
        except ValueError as error:
            raise ConfigurationError(
                "Setting [order_cancellation] payload_key holds something that is no Fernet key "
                "(32 bytes in URL-safe base64)."
            ) from error
        self._fernet = MultiFernet([self._newest, *older])
        self.has_older = bool(older)

    def pack(self, value: Any) -> bytes:
        """Return a JSON value compressed and encrypted."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return self._fernet.encrypt(_compressed(text.encode("utf-8", "surrogatepass")))

    def unpack(self, data: bytes) -> Any:
        """Return what :meth:`pack` was given.

        Raises:
            ConfigurationError: None of the keys fits.
        """
        try:
            text = zlib.decompress(self._fernet.decrypt(bytes(data)))
        except InvalidToken as error:
            raise ConfigurationError(_UNREADABLE) from error
        return json.loads(text.decode("utf-8", "surrogatepass"))

    def under(self, data: bytes) -> Under:
        """Say under which key something was packed: it can only be tried, nothing in it tells."""
        for fernet, place in ((self._newest, Under.NEWEST), (self._fernet, Under.OLDER)):
            try:
                fernet.decrypt(bytes(data))
            except InvalidToken:
                continue
            return place
        return Under.NONE

    def renewed(self, data: bytes) -> bytes:
        """Return what was packed under any of the keys as packed under the newest one.

        Raises:
            ConfigurationError: None of the keys fits.
        """
        try:
            return self._fernet.rotate(bytes(data))
        except InvalidToken as error:
            raise ConfigurationError(_UNREADABLE) from error


def _compressed(data: bytes) -> bytes:
    """Return what ``zlib.decompress`` reads, made in a few kB of memory.

    With its usual 256 kB, zlib takes longer to begin than to compress a payload: 50 µs instead of 4 for an
    answer, 75 instead of 26 for a request, and the results are as short.
    """
    packer = zlib.compressobj(_FASTEST, zlib.DEFLATED, _WINDOW_BITS, _MEMORY_LEVEL)
    return packer.compress(data) + packer.flush()
