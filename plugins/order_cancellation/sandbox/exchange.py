"""What one HTTP call to the sandbox asks, and what is answered, as plain values."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

JSON_TYPE = "application/json"


def encode(value: Any) -> bytes:
    """Return JSON as Omnitron writes it: compact, UTF-8, letters as themselves."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(slots=True)
class Asked:
    """One call as it came in.

    Args:
        method: The HTTP method, in capitals.
        path: The path, decoded, without the query.
        pairs: The query's names and values in their order.
        headers: The headers, names in lower case.
        body: The body's bytes.
        at: When it came, in seconds since 1970.
        base_url: The scheme, host and port that the caller used, for links in answers.
    """

    method: str
    path: str
    pairs: tuple[tuple[str, str], ...] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    at: float = 0.0
    base_url: str = "http://127.0.0.1"

    @property
    def query(self) -> dict[str, str]:
        """The query by name; of a repeated name the last value."""
        return dict(self.pairs)

    @property
    def is_json(self) -> bool:
        """Whether the caller says that the body is JSON."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower() == JSON_TYPE

    def json(self) -> Any:
        """Return the parsed body.

        Raises:
            ValueError: If it is not JSON in UTF-8.
        """
        return json.loads(self.body)


@dataclass(slots=True)
class Reply:
    """One answer, with all that shall go wrong on its way.

    Args:
        status: The status code.
        body: The body's bytes.
        headers: The headers.
        delay_s: How long the answer waits, in seconds.
        hold: Whether the answer waits until the sandbox is told to release it.
        cut: ``before`` cuts the connection instead of answering, ``midway`` within the body.
        late: What is done only after the answer, or None.
        late_s: How long after the answer, in seconds; 0 is just before the answer leaves.
        rule: The name of the rule that shaped this answer, or an empty text.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    hold: bool = False
    cut: str = ""
    late: Callable[[], None] | None = None
    late_s: float = 0.0
    rule: str = ""


def json_reply(status: int, value: Any) -> Reply:
    """Return an answer with a JSON body."""
    return Reply(status, encode(value), {"Content-Type": JSON_TYPE})


def error_reply(status: int, detail: str, code: str = "") -> Reply:
    """Return an error as Django REST framework words it: ``detail``, and ``code`` where there is one."""
    return json_reply(status, {"detail": detail, "code": code} if code else {"detail": detail})
