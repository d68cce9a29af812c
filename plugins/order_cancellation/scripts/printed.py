"""What of a run may stand in the task log: printed and logged lines, prefixed, capped, secrets masked."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import Any

from order_cancellation.scripts.outcome import Outcome

__all__ = ["mask", "task_log_lines"]

LINE_LIMIT = 2_000
LINES_LIMIT = 500
_MASK = "***"
_WINDOW = LINE_LIMIT + 500
"""How much of a line is looked at: more than is shown, so that no half of a secret is left at the end."""
_SHORTEST = 3
"""Values shorter than this are in every other word; masking them would only garble the text."""

_PERSONAL = frozenset(
    {
        "email", "first_name", "last_name", "full_name", "name", "phone_number", "phone", "iban",
        "holder_name", "remote_addr", "date_of_birth", "line", "line1", "line2", "address", "postcode",
        "identity_number", "tax_no",
    }
)  # fmt: skip
"""Keys of Omnitron's request whose values are about a person."""
_PEOPLE = frozenset({"customer", "shipping_address", "billing_address", "easy_return"})
"""Objects of the request inside of which ``name`` is a person's and not a product's or a channel's."""

_PATTERNS = [
    (re.compile(r"(?i)\b(bearer|basic|token|jwt)(\s+)[\w.~+/=-]{8,}"), rf"\1\2{_MASK}"),
    (
        re.compile(
            r"(?i)((?:password|passwd|secret|token|api[_-]?key|authorization)[\w-]{0,30}"
            r"[\"']?\s{0,5}[:=]\s{0,5}[\"']?)"
            r"(?:(?:bearer|basic)\s{1,5})?(?!\*)[^\s\"',;&}]+"
        ),
        rf"\1{_MASK}",
    ),
    (re.compile(r"\beyJ[\w-]{5,1000}\.[\w-]{5,1000}\.?[\w-]*"), _MASK),
    (re.compile(r"(?i)(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}"), _MASK),
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,4})?\b"), _MASK),
    (re.compile(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"), _MASK),
    (re.compile(r"(?<![\w.-])\+\d[\d ()-]{8,16}\d\b"), _MASK),
]
"""Tokens and passwords by the word before them, then e-mail, IBAN, IP address, international phone number."""


def mask(text: str, input_text: str = "", secrets: Collection[str] = ()) -> str:
    """Return text without secrets and without the request's personal data.

    Args:
        text: What a script printed, logged or raised.
        input_text: The run's input: the values of its personal fields are masked wherever they stand.
        secrets: Further values to mask (the connection's password, its token).
    """
    for value in sorted({*secrets, *_personal_values(input_text)}, key=len, reverse=True):
        if len(value) >= _SHORTEST:
            text = text.replace(value, _MASK)
    for pattern, masked in _PATTERNS:
        text = pattern.sub(masked, text)
    return text


def task_log_lines(
    outcome: Outcome, *, step: str, request: object = "", input_text: str = "", secrets: Collection[str] = ()
) -> list[tuple[str, str]]:
    """Return the lines that a run adds to the task log, as level and text.

    Args:
        outcome: What the run left behind.
        step: The step, for the prefix.
        request: The request's number, for the prefix.
        input_text: The run's input, whose personal values are masked.
        secrets: Further values to mask.

    Returns:
        The script's own log lines, then its printed lines (level ``info``), each with the prefix
        ``[script 4711]``; at most 500 lines of 2,000 characters.
    """
    lines = [*outcome.log_lines, *(("info", line) for line in outcome.printed.splitlines() if line.strip())]
    if not lines:
        return []
    prefix = f"[{step} {request}]" if request != "" else f"[{step}]"
    kept = [(level, f"{prefix} {_shown(text, input_text, secrets)}") for level, text in lines[:LINES_LIMIT]]
    lost = len(lines) - len(kept)
    return [*kept, ("warning", f"{prefix} {lost} more lines are left out")] if lost else kept


def _shown(text: str, input_text: str, secrets: Collection[str]) -> str:
    """Mask before cutting; the patterns are bounded, so that no line takes long."""
    shown = mask(text[:_WINDOW], input_text, secrets)
    if len(text) > _WINDOW:
        shown = shown[: LINE_LIMIT - _WINDOW]
    elif len(shown) <= LINE_LIMIT:
        return shown
    return f"{shown[:LINE_LIMIT]}…"


def _personal_values(input_text: str) -> set[str]:
    try:
        document = json.loads(input_text) if input_text else None
        return set(_below(document, person=False))
    except (ValueError, RecursionError):
        return set()


def _below(value: Any, *, person: bool) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and key in _PERSONAL and (person or key != "name"):
                yield inner
            yield from _below(inner, person=person or key in _PEOPLE)
    elif isinstance(value, list):
        for inner in value:
            yield from _below(inner, person=person)
