"""Joining what a flow or a connection names as an address to the connection's own."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

from yarl import URL

from order_cancellation.errors import ConfigurationError

__all__ = ["has_written_host", "is_same_call_elsewhere", "join_url", "same_origin"]

ABSOLUTE = re.compile(r"https?://", re.IGNORECASE)
WRITTEN_HOST = re.compile(r"https?://[^/?#{%\s]+([/?#]|$)", re.IGNORECASE)
AS_WRITTEN = "%/:?[]@!$&'()*+,;=~"


def join_url(base_url: str, url: str) -> str:
    """Make an absolute URL that can be sent as it is.

    Args:
        base_url: The connection's address; its path prefix is kept.
        url: An absolute ``http(s)://`` URL, or anything relative to the connection.

    Returns:
        The URL with every character that may not stand there percent-encoded, and without a fragment.

    Raises:
        ConfigurationError: It holds credentials, has no host, or climbs with ``..``.
    """
    whole = url if ABSOLUTE.match(url) else _below(base_url, url)
    if not ABSOLUTE.match(whole):
        raise ConfigurationError(f"The connection's host '{_shown(whole)}' has to begin with https://")
    whole = whole.partition("#")[0]
    try:
        parts = urlsplit(whole)
        origin = URL(f"{parts.scheme}://{parts.netloc}")
        _refuse(
            bool(origin.user or origin.password), whole, "holds credentials; they belong in the connection"
        )
        _refuse(not origin.host, whole, "has no host")
    except ValueError as error:
        raise ConfigurationError(
            f"The address '{_shown(whole)}' can't be read; check host and port"
        ) from error
    climbs = any(unquote(segment) in {".", ".."} for segment in parts.path.split("/"))
    _refuse(climbs, whole, "has a path segment '.' or '..'; write the path out")
    query = f"?{quote(parts.query, safe=AS_WRITTEN)}" if parts.query else ""
    return f"{str(origin.origin()).rstrip('/')}{quote(parts.path or '/', safe=AS_WRITTEN)}{query}"


def _below(base_url: str, url: str) -> str:
    base = base_url.rstrip("/")
    return base + url if not url or url.startswith("?") else f"{base}/{url.lstrip('/')}"


def _refuse(wrong: bool, url: str, why: str) -> None:  # noqa: FBT001 - reads as "refuse if"
    if wrong:
        raise ConfigurationError(f"The address '{_shown(url)}' {why}")


def _shown(url: str) -> str:
    """Return an address without query and credentials, for messages."""
    return re.sub(r"//[^/]*@", "//", url.partition("?")[0])


def has_written_host(text: str) -> bool:
    """Say whether the text of a URL template writes its host out, so that no value can choose it."""
    return WRITTEN_HOST.match(text) is not None


def same_origin(one: str, other: str) -> bool:
    """Say whether two absolute URLs share scheme, host and port."""
    try:
        first, second = URL(one), URL(other)
        return (first.scheme, _host(first), first.port) == (second.scheme, _host(second), second.port)
    except ValueError:
        return False


def is_same_call_elsewhere(url: str, location: str) -> bool:
    """Say whether a redirect leads to the call's own path and query at another scheme or host.

    A slash more or less at the path's end counts as another address, too. A call that is led back to its own
    one is not sent elsewhere; nor is one led from https to http, which only programs do that don't know that
    they stand behind TLS, when they show the outcome.

    Args:
        url: The call's own address.
        location: The redirect's ``Location``; may be relative.
    """
    try:
        here = URL(url)
        there = here.join(URL(location))
    except ValueError:
        return False
    if not location or _thing(here) != _thing(there) or (here.scheme, there.scheme) == ("https", "http"):
        return False
    is_elsewhere = (here.scheme, _host(here)) != (there.scheme, _host(there))
    return is_elsewhere or here.raw_path != there.raw_path


def _thing(url: URL) -> tuple[str, str, str]:
    """Return what of an address is no place: path without the slash at its end, query, fragment."""
    return url.raw_path.removesuffix("/"), url.raw_query_string, url.raw_fragment


def _host(url: URL) -> str:
    return (url.host or "").lower()
