"""Payloads as they lie on the disk: JSON, compressed, encrypted."""

from __future__ import annotations

import json
import zlib
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from order_cancellation.errors import ConfigurationError

__all__ = ["Cipher"]


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
            self._fernet = MultiFernet([Fernet(key) for key in keys])
        except ValueError as error:
            raise ConfigurationError(
                "Setting [order_cancellation] payload_key holds something that is no Fernet key "
                "(32 bytes in URL-safe base64)."
            ) from error

    def pack(self, value: Any) -> bytes:
        """Return a JSON value compressed and encrypted."""
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return self._fernet.encrypt(zlib.compress(text.encode("utf-8", "surrogatepass"), 1))

    def unpack(self, data: bytes) -> Any:
        """Return what :meth:`pack` was given.

        Raises:
            ConfigurationError: None of the keys fits.
        """
        try:
            text = zlib.decompress(self._fernet.decrypt(bytes(data)))
        except InvalidToken as error:
            raise ConfigurationError(
                "A payload of the ledger can't be decrypted: add the key that it was written with "
                "to [order_cancellation] payload_key (newest first)."
            ) from error
        return json.loads(text.decode("utf-8", "surrogatepass"))
