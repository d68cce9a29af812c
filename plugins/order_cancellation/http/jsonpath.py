"""JSONPath, for the token in a login's answer and for a look-up's ``found``."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from jsonpath_ng.exceptions import JSONPathError
from jsonpath_ng.ext.parser import parse

from order_cancellation.errors import ConfigurationError

__all__ = ["check_path", "first_match"]


def first_match(path: str, data: Any, default: Any = None) -> Any:
    """Return the first value that a JSONPath finds.

    Args:
        path: The expression, such as ``$.data.token``.
        data: Parsed JSON.
        default: What to return where nothing is found.

    Raises:
        ConfigurationError: The expression is no JSONPath.
    """
    matches = _compiled(path).find(data)
    return matches[0].value if matches else default


def check_path(path: str) -> str | None:
    """Return what is wrong with a JSONPath, or None."""
    try:
        _compiled(path)
    except ConfigurationError as error:
        return str(error)
    return None


@lru_cache(maxsize=256)
def _compiled(path: str) -> Any:
    try:
        return parse(path)
    except (JSONPathError, ValueError, TypeError, AttributeError) as error:
        raise ConfigurationError(
            f"'{path}' is no JSONPath ({error}); write one such as $.data.token"
        ) from error
