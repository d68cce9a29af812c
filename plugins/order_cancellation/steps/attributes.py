"""Attributes of a request: texts that travel with it from step to step (the document's Script card)."""

from __future__ import annotations

from order_cancellation.errors import ConfigurationError
from order_cancellation.http.masking import beginning, mask, masker, personal_values, redact_text
from order_cancellation.ledger import Record
from order_cancellation.steps.context import Context, Outcome

__all__ = ["attributes_of", "private_texts", "safe_text", "told"]

_SHOWN_CHARS = 4000
_OF_AN_ANSWER = ("invokehttp.", "delivery.outcome")
"""How the names begin of what is told of an answer; the next answer replaces all of them."""


def attributes_of(context: Context, record: Record, more: dict[str, str] | None = None) -> dict[str, str]:
    """Return what a script finds: what earlier scripts set, and what the run and the request are called.

    Args:
        context: The step's ports.
        record: The request, with its payload ``attributes`` where there is one.
        more: What an answer of the ERP adds. What an earlier answer added is taken away: a send of which no
            answer came has no status, whatever the one before had.
    """
    kept = record.payloads.get("attributes", {})
    if more:
        kept = {name: value for name, value in kept.items() if not name.startswith(_OF_AN_ANSWER)}
    return {
        **kept,
        "flow.id": record.flow,
        "run.id": context.run_id,
        "request.id": str(record.id),
        "request.uuid": record.uuid,
        "request.channel": "" if record.channel is None else str(record.channel),
        "attempt": str(record.attempts),
        **(more or {}),
    }


def private_texts(record: Record) -> list[str]:
    """Return the personal data of a request, to be taken out of every text about it."""
    return personal_values(record.payloads.get("request"))


def safe_text(text: str, record: Record) -> str:
    """Return a text that a user's script or a remote system made, without the request's personal data.

    Its beginning, if it is very long: looking for them in megabytes would hold up all that goes on beside.
    Where the request can't be decrypted, nobody knows what to take out, and that is said in the text's place:
    it is no reason to leave unwritten what became of a send.
    """
    try:
        private = private_texts(record)
    except ConfigurationError as error:
        return str(error)
    return mask(redact_text(beginning(text)), private)


def told(step: str, record: Record, outcome: Outcome, before: dict[str, str]) -> list[tuple[str, str]]:
    """Return what a script printed, logged and set as ``log.*``, for the task log: level and line."""
    lines = [(level, f": {text}") for level, text in outcome.log_lines]
    if outcome.printed:
        lines.append(("info", f" printed: {outcome.printed[:_SHOWN_CHARS].rstrip()}"))
    for key, value in sorted(outcome.attributes.items()):
        if key.startswith("log.") and before.get(key) != value and key != "log.script.error":
            lines.append(("info", f": {key} = {value[:_SHOWN_CHARS]}"))
    if not lines:
        return []
    try:
        masked = masker(private_texts(record))
    except ConfigurationError as error:
        return [("warn", f"Request {record.id}, {step}: what its script said is not shown: {error}")]
    return [(level, f"Request {record.id}, {step}{masked(redact_text(text))}") for level, text in lines]
