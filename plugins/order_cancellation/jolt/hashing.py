"""Java's hash codes of JSON values, and the order in which a ``HashSet`` gives an object's entries.

``cardinality`` walks an object through such a set, and puts what it makes a list of back at the end: the
order of the set becomes the order of keys in the result.
"""

from __future__ import annotations

import struct
from typing import Any

from order_cancellation.jolt.java import is_integer, is_long, to_int32

__all__ = ["hash_order"]

_SMALLEST_TABLE = 16
_LOAD = 0.75
_WORD = 2**32


def hash_order(entries: dict[str, Any]) -> list[tuple[str, Any]]:
    """Return an object's entries in the order of Java's ``new HashSet<>(map.entrySet())``.

    Args:
        entries: The object.
    """
    table = _SMALLEST_TABLE
    while table < len(entries) / _LOAD + 1:
        table *= 2
    return sorted(entries.items(), key=lambda entry: _bucket(entry, table))


def _bucket(entry: tuple[str, Any], table: int) -> int:
    code = _text_hash(entry[0]) ^ _hash(entry[1])
    return (code ^ (code >> 16)) & (table - 1)


def _hash(value: Any) -> int:
    """Return ``hashCode()`` as 32 bits without a sign."""
    if isinstance(value, str):
        return _text_hash(value)
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1231 if value else 1237
    if isinstance(value, dict):
        return sum(_text_hash(key) ^ _hash(item) for key, item in value.items()) % _WORD
    if isinstance(value, list | tuple):
        return _rolled([_hash(item) for item in value], 1)
    return _number_hash(value)


def _text_hash(text: str) -> int:
    units = text.encode("utf-16-be", "surrogatepass")
    return _rolled(struct.unpack(f">{len(units) // 2}H", units), 0)


def _rolled(codes: Any, start: int) -> int:
    for code in codes:
        start = (31 * start + code) % _WORD
    return start


def _number_hash(value: float) -> int:
    if isinstance(value, float):
        high, low = struct.unpack(">II", struct.pack(">d", value))
        return int(high ^ low)
    if is_integer(value):
        return to_int32(value) % _WORD
    if is_long(value):
        bits = value % 2**64
        return (bits ^ (bits >> 32)) % _WORD
    size = (abs(value).bit_length() + 31) // 32
    words = struct.unpack(f">{size}I", abs(value).to_bytes(4 * size, "big"))
    return (_rolled(words, 0) * (-1 if value < 0 else 1)) % _WORD
