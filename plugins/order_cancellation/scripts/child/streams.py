"""The streams that scripts read and write, with the manners of Java's and of Python's files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

__all__ = ["InputStream", "OutputLimitReached", "OutputStream", "PlainInputStream", "as_bytes"]


class OutputLimitReached(OSError):
    """The script wrote more than its step may pass on."""


def as_bytes(data: Any, charset: str = "utf-8") -> bytes:
    """Return what a script hands to ``write`` as bytes.

    Text is encoded; lists of numbers may hold Java's signed bytes (-128) as well as 0 to 255.

    Raises:
        TypeError: It is neither text nor bytes, with the words that help.
    """
    if isinstance(data, str):
        return str.encode(data, str(charset))
    if isinstance(data, bytes | bytearray | memoryview):
        return bytes(data)
    if isinstance(data, Iterable) and not isinstance(data, dict):
        numbers = list(data)
        if all(isinstance(number, int) for number in numbers):
            return bytes(number & 0xFF for number in numbers)
    kind = type(data).__name__
    raise TypeError(f"write takes text, bytes or a list of byte values, not {kind}: use json.dumps(…) first")


class InputStream:
    """Java's InputStream, over bytes that are already here: ``read()`` gives one byte as a number.

    Args:
        content: All that can be read.
    """

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._position = 0
        self._mark = 0

    def read(self, into: Any = None, offset: int = 0, length: int | None = None) -> Any:
        """Return the next byte or -1; with a bytearray, fill it and return how many bytes were read."""
        if isinstance(into, int):
            return self._take(into)
        if into is None:
            byte = self._take(1)
            return byte[0] if byte else -1
        some = self._take(len(into) - offset if length is None else length)
        into[offset : offset + len(some)] = some
        return len(some) or -1

    def _take(self, size: int | None) -> bytes:
        end = len(self._content) if size is None or size < 0 else self._position + size
        some = self._content[self._position : end]
        self._position += len(some)
        return some

    def readAllBytes(self) -> bytes:  # noqa: N802
        """Return all that is left."""
        return self._take(None)

    def readline(self, size: int = -1) -> bytes:
        """Return the next line with its end, as Python's files do."""
        end = self._content.find(b"\n", self._position) + 1 or len(self._content)
        return self._take(end - self._position if size < 0 else min(size, end - self._position))

    def __iter__(self) -> Iterator[bytes]:
        """Give the lines that are left."""
        return iter(self.readline, b"")

    def available(self) -> int:
        """Return how many bytes are left."""
        return len(self._content) - self._position

    def skip(self, count: int) -> int:
        """Leave bytes out and return how many."""
        return len(self._take(count))

    def mark(self, _limit: int = 0) -> None:
        """Note the place for ``reset``."""
        self._mark = self._position

    def reset(self) -> None:
        """Go back to the place that ``mark`` noted, or to the start."""
        self._position = self._mark

    def close(self) -> None:
        """Do nothing: there is nothing to give back."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()


class PlainInputStream(InputStream):
    """The ``inputStream`` of a script without a class: ``read()`` gives all that is left, as files do."""

    def read(self, into: Any = None, offset: int = 0, length: int | None = None) -> Any:
        """Return the rest as bytes; with a number or a bytearray as Java's stream does."""
        if into is None:
            return self._take(None)
        return super().read(into, offset, length)


class OutputStream:
    """Java's OutputStream, kept in memory up to a limit.

    Args:
        limit: The most that may be written, in bytes.
    """

    def __init__(self, limit: int) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self._limit = limit

    def write(self, data: Any, offset: int = 0, length: int | None = None) -> None:
        """Add text (as UTF-8), bytes, a list of byte values, or one byte given as a number.

        Raises:
            OutputLimitReached: All together would be over the limit.
        """
        some = bytes((data & 0xFF,)) if isinstance(data, int) else as_bytes(data)
        if offset or length is not None:
            some = some[offset : None if length is None else offset + length]
        self._size += len(some)
        if self._size > self._limit:
            self._size -= len(some)
            megabytes = self._limit / (1 << 20)
            raise OutputLimitReached(
                f"the output is larger than the {megabytes:g} MB that a script may write"
            )
        self._parts.append(some)

    def flush(self) -> None:
        """Do nothing: what is written is written."""

    def close(self) -> None:
        """Do nothing: the runner takes the output when the script has ended."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    @property
    def written(self) -> bytes | None:
        """All that was written, or None where ``write`` was never called."""
        return b"".join(self._parts) if self._parts else None
