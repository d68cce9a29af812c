"""Which texts have been seen: a set that takes little of the memory for very many of them."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import blake2b

__all__ = ["Seen"]

_SIZE = 16
"""Bytes of a digest: so many that no two texts of a list will ever share one."""

_NOTHING = bytes(_SIZE)
_FEW = 1024


class Seen:
    """A set of texts that keeps a digest of each, in one table of bytes.

    A text takes 24 to 48 bytes; in a Python set the uuids of a list take some 150 each.

    Args:
        texts: What is in it from the beginning.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self._places = _FEW
        self._table = bytearray(_FEW * _SIZE)
        self._count = 0
        self.update(texts)

    def __len__(self) -> int:
        return self._count

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and self._find(_digest(text))[1]

    def update(self, texts: Iterable[str]) -> None:
        """Add texts."""
        for text in texts:
            self.add(text)

    def add(self, text: str) -> bool:
        """Add a text, and say whether it is new."""
        digest = _digest(text)
        at, is_there = self._find(digest)
        if is_there:
            return False
        self._table[at : at + _SIZE] = digest
        self._count += 1
        if 3 * self._count > 2 * self._places:  # fuller, and the search for a place takes long
            self._grow()
        return True

    def _find(self, digest: bytes) -> tuple[int, bool]:
        """Return where a digest stands or would stand, and whether it does."""
        place = int.from_bytes(digest[:8]) % self._places
        while (there := self._table[place * _SIZE : (place + 1) * _SIZE]) != _NOTHING:
            if there == digest:
                return place * _SIZE, True
            place = (place + 1) % self._places
        return place * _SIZE, False

    def _grow(self) -> None:
        former = self._table
        self._places *= 2
        self._table = bytearray(self._places * _SIZE)
        for start in range(0, len(former), _SIZE):
            digest = bytes(former[start : start + _SIZE])
            if digest != _NOTHING:
                at, _ = self._find(digest)
                self._table[at : at + _SIZE] = digest


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_SIZE).digest()
