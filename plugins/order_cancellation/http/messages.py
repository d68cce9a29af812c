"""What is sent to a remote system and what comes back, as plain values."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

TURKISH = "windows-1254"
"""What systems send here that do not say what they send: ISO 8859-9 with its Windows additions."""
_BEFORE_A_PAGE = re.compile(r"[\ufeff\s]+|<\?[^>]*>|<!--.*?-->", re.DOTALL)
_PAGE = re.compile(r"<(!doctype\s+html|html)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Call:
    """One HTTP request, complete but for the credentials.

    Args:
        method: ``GET``, ``POST``, ``PUT`` or ``PATCH`` (``HEAD`` and ``DELETE`` are never sent).
        url: The absolute URL, with its query.
        headers: All headers but those of the login.
        body: The bytes to send, or None for no body.
        timeout_s: How long connecting, sending and the whole answer may take together, in seconds.
        only_reads: Whether it changes nothing over there, so that a GET may follow redirects. One that books
            may not: the page that it would end at says nothing of the booking.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    timeout_s: float = 30.0
    only_reads: bool = False


@dataclass(frozen=True)
class Answer:
    """One HTTP answer, read to its end.

    Args:
        status: The status code.
        reason: The status line's words.
        headers: The headers, names in lower case.
        body: The body, decompressed.
        url: The URL that answered.
        charset: The charset that the answer declares, or None: then it is detected.
        token_generation: Which generation of the connection's token was used, 0 where there is none.
    """

    status: int
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    url: str = ""
    charset: str | None = None
    token_generation: int = 0

    @property
    def text(self) -> str:
        """The body as text; bytes that do not fit the charset are replaced, never an error."""
        try:
            return self.body.decode(self.charset or _charset_of(self.body), errors="replace")
        except (LookupError, ValueError):  # no such charset, or one that can't replace
            return self.body.decode("utf-8", errors="replace")

    @property
    def data(self) -> Any:
        """The body as parsed JSON, or its text where it is not JSON; a byte order mark does no harm."""
        try:
            return json.loads(self.text.removeprefix("\ufeff"))
        except (ValueError, RecursionError):
            return self.text

    @property
    def is_web_page(self) -> bool:
        """Whether it is a page for people (see ``is_web_page``)."""
        return is_web_page(self.data)


def is_web_page(data: Any) -> bool:
    """Say whether an answer is a page for people, be it called JSON: a sign-in, a proxy's, maintenance.

    Args:
        data: Its body as parsed JSON, or its text.
    """
    if not isinstance(data, str):
        return False
    at = 0
    while before := _BEFORE_A_PAGE.match(data, at):  # one by one: a single pattern would try all their splits
        at = before.end()
    return _PAGE.match(data, at) is not None


def _charset_of(body: bytes) -> str:
    """Say in which charset a text is that does not declare it: Unicode if it fits, else the usual one."""
    found = json.detect_encoding(body)
    try:
        body.decode(found)
    except UnicodeDecodeError:
        return TURKISH if found.startswith("utf-8") else "utf-8"
    return found
