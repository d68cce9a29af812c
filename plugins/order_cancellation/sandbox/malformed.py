"""Ways in which an answer's bytes can be broken, by name."""

from __future__ import annotations

from collections.abc import Callable

from order_cancellation.sandbox.exchange import Reply

PAGE = "<!DOCTYPE html><html><body><h1>Bakım çalışması</h1><p>Birazdan döneceğiz.</p></body></html>"


def _not_json(reply: Reply) -> None:
    reply.body = PAGE.encode()
    reply.headers["Content-Type"] = "text/html; charset=utf-8"


def _truncated(reply: Reply) -> None:
    reply.body = reply.body[: len(reply.body) // 2]


def _empty(reply: Reply) -> None:
    reply.body = b""


def _byte_order_mark(reply: Reply) -> None:
    reply.body = b"\xef\xbb\xbf" + reply.body


def _undeclared_latin5(reply: Reply) -> None:
    reply.body = reply.body.decode().encode("iso-8859-9", errors="replace")


def _declared_latin5(reply: Reply) -> None:
    _undeclared_latin5(reply)
    reply.headers["Content-Type"] = "application/json; charset=iso-8859-9"


def _unknown_charset(reply: Reply) -> None:
    reply.headers["Content-Type"] = "application/json; charset=turkish-77"


def _bad_gzip(reply: Reply) -> None:
    reply.body = b"\x1f\x8b" + reply.body
    reply.headers["Content-Encoding"] = "gzip"


def _deep(reply: Reply) -> None:
    reply.body = b"[" * 100_000 + b"]" * 100_000


MALFORMED: dict[str, Callable[[Reply], None]] = {
    "not_json": _not_json,
    "truncated": _truncated,
    "empty": _empty,
    "byte_order_mark": _byte_order_mark,
    "undeclared_latin5": _undeclared_latin5,
    "declared_latin5": _declared_latin5,
    "unknown_charset": _unknown_charset,
    "bad_gzip": _bad_gzip,
    "deep": _deep,
}
