"""The wire between runner and child: frames of counted byte strings.

No JSON and no pickle here on purpose: what a script can forge is then a list of byte strings and nothing
else, it can't grow when it is parsed, and a script that patches ``json`` does not touch its own runner.
"""

from __future__ import annotations

import _socket
import struct
from collections.abc import Iterator, Sequence

_LENGTH = struct.Struct("!I")

ANSWER_ROOM = 16 << 20
"""What an answer may need beside the output: attributes, log lines, printed text, in bytes."""

__all__ = ["ANSWER_ROOM", "FrameError", "is_one", "pack", "read", "text", "unpack"]


class FrameError(Exception):
    """The other end sent something that is no frame, or a frame over the cap."""


def pack(fields: Sequence[bytes]) -> bytes:
    """Return one frame that holds the fields, in their order."""
    total = sum(map(len, fields)) + 4 * len(fields)
    parts = [_LENGTH.pack(total)]
    for field in fields:
        parts += (_LENGTH.pack(len(field)), field)
    return b"".join(parts)


def unpack(body: bytes | bytearray | memoryview) -> list[bytes]:
    """Return the fields of a frame's body.

    Raises:
        FrameError: The lengths do not add up.
    """
    return list(_fields(memoryview(body)))


def _fields(body: memoryview) -> Iterator[bytes]:
    position, end = 0, len(body)
    while position < end:
        if position + 4 > end:
            raise FrameError("a field's length is cut off")
        (length,) = _LENGTH.unpack_from(body, position)
        position += 4 + length
        if position > end:
            raise FrameError("a field is longer than its frame")
        yield bytes(body[position - length : position])


def is_one(frame: bytes, nonce: bytes) -> bool:
    """Whether these bytes are exactly one well-formed frame, whose first field is the nonce."""
    try:
        return len(frame) == 4 + _LENGTH.unpack_from(frame)[0] and unpack(frame[4:])[0] == nonce
    except (FrameError, struct.error, IndexError):
        return False


def text(value: str) -> bytes:
    """Return text as bytes; halves of surrogate pairs, which no encoding has, become question marks."""
    return value.encode("utf-8", "replace")


def read(channel: _socket.socket, cap: int) -> list[bytes] | None:
    """Read one frame and return its fields, or None where the other end has gone.

    Args:
        channel: A connected stream socket, blocking.
        cap: The largest body that is read, in bytes.

    Raises:
        FrameError: It is over the cap or malformed.
    """
    head = _exactly(channel, 4)
    if head is None:
        return None
    (total,) = _LENGTH.unpack(head)
    if total > cap:
        raise FrameError(f"a frame of {total} bytes is over the cap of {cap}")
    body = _exactly(channel, total)
    return None if body is None else unpack(body)


def _exactly(channel: _socket.socket, size: int) -> bytes | bytearray | None:
    first = channel.recv(size) if size else b""
    if len(first) == size:
        return first
    if not first:
        return None
    whole = bytearray(size)
    whole[: len(first)] = first
    position = len(first)
    view = memoryview(whole)
    while position < size:
        got = channel.recv_into(view[position:])
        if not got:
            return None
        position += got
    return whole
