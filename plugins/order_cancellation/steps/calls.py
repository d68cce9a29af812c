"""The call to the ERP: what it is made of, whether it may be repeated, and how it is found again. Pure."""

from __future__ import annotations

import hashlib
from typing import Any

from order_cancellation.erp import build_call, uses_request
from order_cancellation.errors import ConfigurationError
from order_cancellation.flow.model import Flow
from order_cancellation.http.messages import Call
from order_cancellation.ledger import Record
from order_cancellation.steps.attributes import attributes_of
from order_cancellation.steps.context import Context
from order_cancellation.steps.mapping import script_output

__all__ = [
    "body_of",
    "built",
    "call_of",
    "decides_unknown",
    "digest_of",
    "has_exit",
    "key_is_missing",
    "may_repeat",
    "stored_call",
]


def body_of(flow: Flow, record: Record) -> Any:
    """Return what goes to the ERP: the mapped object, else what the script left, else the request.

    Raises:
        ConfigurationError: The flow was given a mapping after the request had been prepared.
    """
    if flow.mapping is None:
        return script_output(record)
    if "mapping" not in record.payloads:
        raise ConfigurationError(
            "the request was prepared before the flow had a mapping, so there is nothing mapped to send; "
            "the next poll prepares it anew"
        )
    return record.payloads["mapping"]


def call_of(context: Context, record: Record) -> Call:
    """Build the call for a prepared request. Pure.

    Raises:
        ConfigurationError: A template names what is not there, or a value does not fit where it stands.
    """
    return built(context, record, context.the_erp().base_url)


def built(context: Context, record: Record, base_url: str) -> Call:
    """Build the call against an address of which only its text is known: a dry run has no ERP. Pure."""
    settings = context.flow.write_to_erp
    body = body_of(context.flow, record)
    if isinstance(body, str):
        raise ConfigurationError(
            "the script's output is no JSON; write json.dumps(…) of what the ERP takes, then redo the "
            "request or wait for a later run: a cleared task would use the old output again"
        )
    return build_call(
        settings,
        base_url,
        body=body,
        request=record.payloads["request"] if uses_request(settings) else None,
        attributes=attributes_of(context, record),
        key=record.key if settings.idempotency_header else None,
    )


def decides_unknown(flow: Flow) -> bool:
    """Say whether the flow's response script decides what nobody knows, by its owner's declaration."""
    return flow.custom_response is not None and flow.custom_response.decides_unknown


def has_exit(flow: Flow, record: Record) -> bool:
    """Say whether a request in doubt can be settled without a person."""
    return decides_unknown(flow) or flow.write_to_erp.look_up is not None or may_repeat(flow, record)


def may_repeat(flow: Flow, record: Record) -> bool:
    """Say whether the stored call may go out again: how it was sent counts, not how the flow sends by now."""
    settings, sent = flow.write_to_erp, record.payloads["sent"]
    is_put = settings.method == sent["method"] == "PUT"
    header = settings.idempotency_header
    has_key = header is not None and sent["headers"].get(header) == record.key
    return is_put or has_key or settings.duplicates_accepted


def key_is_missing(record: Record, call: Call) -> bool:
    """Say whether an earlier send carried the request's key and this one would not."""
    sent = record.payloads.get("sent", {"headers": {}})["headers"]
    carried = {(name.lower(), value) for name, value in sent.items() if value == record.key}
    return not carried <= {(name.lower(), value) for name, value in call.headers.items()}


def stored_call(record: Record) -> Call:
    """Return the call that was sent last, byte for byte."""
    sent = record.payloads["sent"]
    body = sent["body"]
    return Call(
        method=sent["method"],
        url=sent["url"],
        headers=sent["headers"],
        body=None if body is None else body.encode(),
        timeout_s=sent["timeout_s"],
    )


def digest_of(call: Call) -> str:
    """Return what tells a call from another one under the same key."""
    parts = (call.method.encode(), call.url.encode(), call.body or b"")
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
