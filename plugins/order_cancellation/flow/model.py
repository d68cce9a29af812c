"""What a flow is: the keys of ``flow.yaml``, their defaults and their limits.

The contract's section "A flow folder" is the source of every key; the JSON schema and the designer's forms
are made from these models. They are frozen, refuse unknown keys and convert nothing: ``"yes"`` is no boolean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Annotated, Any, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    StringConstraints,
)

from order_cancellation.flow.choice import Told, beside, one_of
from order_cancellation.flow.durations import Duration, Seconds, parse_duration, write_duration
from order_cancellation.flow.names import FLOW_FILE, STEPS, FileName, FlowId, is_flow_id
from order_cancellation.flow.schedule import Schedule, describe

__all__ = [
    "CANCEL_TYPES",
    "FLOW_FILE",
    "STATUSES",
    "STEPS",
    "CancelType",
    "Delivery",
    "Flow",
    "FlowDocument",
    "GetData",
    "LookUp",
    "MappingSettings",
    "OmnitronRequest",
    "ResponseSettings",
    "Schedule",
    "ScriptSettings",
    "Status",
    "WriteBack",
    "WriteToErp",
    "WriteToOmnitron",
    "describe",
    "is_flow_id",
    "parse_duration",
    "write_duration",
]

CancelType = Literal["cancel", "refund", "all"]
Status = Literal[
    "open",
    "waiting",
    "confirmation_waiting",
    "confirmed",
    "waiting_approval",
    "approved",
    "rejected",
    "waiting_for_payment",
    "manuel_refund_need",
    "completed",
]
"""Omnitron's statuses of a cancellation request, as they travel on the wire."""
STATUSES, CANCEL_TYPES = get_args(Status), get_args(CancelType)

Method = Literal["POST", "GET", "PUT", "PATCH"]
METHODS = get_args(Method)
ConnectionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_#!()\-.:/\\]+$", max_length=200)]

_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CLIENTS_OWN = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
)


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise ValueError(
            f"'{name[:80]}' can't be a header's name. Use letters, digits and -, without spaces or colon."
        )
    if name.lower() in _CLIENTS_OWN:
        raise ValueError(f"the header {name} is set by the HTTP client itself. Remove it.")
    return name


def _header_value(value: str) -> str:
    if any(character in value for character in "\r\n\0"):
        raise ValueError("has a line break in its value. Write it on one line.")
    return value


def _url(url: str) -> str:
    scheme = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):", url)
    if scheme and scheme[1].lower() not in {"http", "https"}:
        raise ValueError(
            f"'{scheme[1]}:' is not supported. Write https://… or a path such as /cancellations."
        )
    if re.match(r"https?://[^/{}]*@", url, re.IGNORECASE):
        raise ValueError("holds a user name or password. Put these into the connection.")
    if any(ord(character) < 0x20 for character in url):  # noqa: PLR2004 (the control characters)
        raise ValueError("holds a line break or control character.")
    return url


def _omnitron_path(path: str) -> str:
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("must be a path of Omnitron that begins with one /, for example /api/v1/….")
    return path


HeaderName = Annotated[str, AfterValidator(_header_name)]
Headers = Annotated[
    Mapping[HeaderName, Annotated[str, AfterValidator(_header_value)]],
    AfterValidator(lambda headers: MappingProxyType(dict(headers))),
    PlainSerializer(dict, return_type=dict[str, str]),
]
Url = Annotated[str, StringConstraints(min_length=1, max_length=4000), AfterValidator(_url)]


def _fit_together(erp: Mapping[Any, Any], *, sound: bool) -> Iterator[Told]:  # noqa: ARG001 (a rule's form)
    """Name what does not fit together in ``write_to_erp``, whatever is written in it."""
    method = erp.get("method")
    if erp.get("nested") == "json" and method in METHODS and method != "GET":
        yield ("nested",), f"nested is for method GET only, and method is {method}. Remove nested."
    headers, own = erp.get("headers"), erp.get("idempotency_header")
    seen: set[str] = set()
    for name in headers if isinstance(headers, Mapping) else ():
        folded = str(name).lower()
        if folded in seen:
            yield ("headers", str(name)), "stands here twice (upper and lower case are the same)."
        if isinstance(own, str) and folded == own.lower():
            text = "stands in headers as well as in idempotency_header. Remove it from headers."
            yield ("headers", str(name)), text
        seen.add(folded)


def _lasting_lease(lease: timedelta) -> timedelta:
    if lease < timedelta(seconds=1):
        raise ValueError("lease must be at least 1s.")
    return lease


class _Block(BaseModel):
    """A block of ``flow.yaml``: immutable, and nothing in it is unknown or converted."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class GetData(_Block):
    """Which cancellation requests are fetched from Omnitron."""

    connection: ConnectionId = Field(
        description="The Airflow connection to Omnitron.", examples=["omnitron_default"]
    )
    cancel_type: CancelType = Field(
        description="Fetch cancellations (cancel), refunds (refund) or both (all).", examples=["all"]
    )
    status: Status = Field(
        description="The status that a cancellation request must have to be fetched.", examples=["approved"]
    )
    channel_id: int | None = Field(
        default=None, ge=1, description="Only requests of this sales channel; absent: of all.", examples=[2]
    )
    page_size: int = Field(default=100, ge=1, le=1000, description="How many requests one page asks for.")
    max_requests: int = Field(
        default=10_000,
        ge=1,
        le=1_000_000,
        description="The most requests that one run takes up; the rest waits for the next run.",
    )


class ScriptSettings(_Block):
    """A Python script, and what it may do."""

    file: FileName = Field(description="The script's file in the flow's folder.", examples=["script.py"])
    network: bool = Field(
        default=False, description="Whether the script may use the network; this includes loopback."
    )
    timeout: Seconds = Field(
        default=30.0, gt=0, le=300, description="How many seconds one request may take, at most 300."
    )
    isolation: Literal["shared", "per_request"] = Field(
        default="shared",
        description="shared: one process runs many requests; per_request: a fresh process for each.",
    )


class ResponseSettings(ScriptSettings):
    """The custom response script, which judges the ERP's answers."""

    file: FileName = Field(description="The script's file in the flow's folder.", examples=["response.py"])
    decides_unknown: bool = Field(
        default=False,
        description="Whether the script also decides when there was no answer, a 5xx, or a redirect to a "
        "page. Its word then counts as the owner's decision; otherwise such requests stay in doubt.",
    )


class MappingSettings(_Block):
    """The Jolt mapping."""

    file: FileName = Field(
        description="The file in the flow's folder that holds the Jolt chain.", examples=["mapping.json"]
    )
    strict: bool = Field(
        default=True, description="Whether unknown keys and operations in the chain are errors."
    )


class LookUp(_Block):
    """How to ask the ERP whether it has booked a request whose answer got lost."""

    url: Url = Field(
        description="The address to GET, absolute or relative to the connection; a Jinja template. "
        "404 means that the request is not booked.",
        examples=["/cancellations/{{ request.id }}"],
    )
    found: Annotated[str, StringConstraints(pattern=r"^\$", max_length=1000)] = Field(
        description="The JSONPath of the value in the answer that is true when the request is booked.",
        examples=["$.found"],
    )
    after: Duration = Field(
        default=timedelta(seconds=10),
        description="Not found is believed only this long after the last possible send.",
    )


class WriteToErp(_Block):
    """How a request is sent to the ERP."""

    connection: ConnectionId = Field(
        description="The Airflow connection to the ERP.", examples=["erp_default"]
    )
    url: Url = Field(
        description="The address, absolute or relative to the connection; a Jinja template over request, "
        "attributes and body.",
        examples=["/cancellations"],
    )
    method: Method = Field(
        description="The HTTP method; GET sends the mapped object as query parameters.", examples=["POST"]
    )
    headers: Headers = Field(
        default_factory=lambda: MappingProxyType({}),
        description="Further headers; the values are Jinja templates.",
    )
    timeout: Seconds = Field(
        default=30.0, gt=0, le=600, description="How many seconds sending and answer may take together."
    )
    concurrency: int = Field(
        default=16,
        ge=1,
        le=1000,
        description="How many requests are in flight to this ERP, over the whole run.",
    )
    rate_per_second: float | None = Field(
        default=None, gt=0, le=100_000, description="How many requests may start per second.", examples=[50]
    )
    idempotency_header: HeaderName | None = Field(
        default=None,
        description="Declares that the ERP honours this header: a repeat with its key books nothing twice.",
        examples=["Idempotency-Key"],
    )
    look_up: LookUp | None = Field(
        default=None, description="How to ask the ERP whether a request is booked whose answer got lost."
    )
    duplicates_accepted: bool = Field(
        default=False,
        description="A written acceptance: requests in doubt are sent again, and may be booked twice.",
    )
    check_status: bool = Field(
        default=False, description="Whether the request's status is read again just before it is sent."
    )
    nested: Literal["refuse", "json"] = Field(
        default="refuse",
        description="GET only: refuse nested values, or send them as JSON text.",
    )

    _fits = beside(_fit_together)


class OmnitronRequest(_Block):
    """A call of one's own to Omnitron."""

    method: Literal["POST", "PUT", "PATCH"] = Field(description="The HTTP method.", examples=["PATCH"])
    path: Annotated[Url, AfterValidator(_omnitron_path)] = Field(
        description="The path on Omnitron, beginning with /; a Jinja template.",
        examples=["/api/v1/cancellation_requests/{{ request.id }}/add_tag/"],
    )
    body: Any = Field(
        default=None,
        description="What is sent as JSON; every text in it is a Jinja template.",
        examples=[{"key": "done"}],
    )


class WriteBack(_Block):
    """What Omnitron is told: exactly one of status, action, tag and request."""

    status: Status | None = Field(
        default=None, description="The status that the request gets.", examples=["completed"]
    )
    action: Literal["reject"] | None = Field(
        default=None, description="The action that is called on the request."
    )
    tag: Annotated[str, StringConstraints(min_length=1, max_length=255)] | None = Field(
        default=None, description="The tag that the request gets.", examples=["sent_to_erp"]
    )
    request: OmnitronRequest | None = Field(default=None, description="A call of your own to Omnitron.")

    _one_kind = one_of(
        ("status", "action", "tag", "request"),
        "status, action, tag and request, or null to tell Omnitron nothing.",
    )


class WriteToOmnitron(_Block):
    """What Omnitron is told of the outcome."""

    on_success: WriteBack | None = Field(
        description="What Omnitron is told when the ERP said yes; null: nothing.",
        examples=[{"status": "completed"}],
    )
    on_failure: WriteBack | None = Field(
        default=None, description="What Omnitron is told when the ERP said no; null: nothing."
    )


class Delivery(_Block):
    """How often and how long the flow tries."""

    max_attempts: int = Field(
        default=5, ge=1, le=1000, description="How often a failing request is tried before it is parked."
    )
    max_age: Duration = Field(
        default=timedelta(days=7), description="How long a request is postponed before it is parked."
    )
    retry_pause: Duration = Field(
        default=timedelta(minutes=5), description="The pause before the second attempt; it doubles each time."
    )
    task_retries: int = Field(
        default=2, ge=0, le=100, description="How often Airflow runs a failed step again."
    )
    task_retry_delay: Duration = Field(
        default=timedelta(seconds=10), description="How long Airflow waits before it does."
    )
    parallel_batches: int = Field(
        default=4, ge=1, le=100, description="Over how many batches the requests of a run are spread."
    )
    lease: Annotated[Duration, AfterValidator(_lasting_lease)] = Field(
        default=timedelta(seconds=60), description="How long a worker that went silent keeps its requests."
    )
    keep_payloads_days: int = Field(
        default=30,
        ge=1,
        le=36_500,
        description="For how many days what was sent and answered is kept, encrypted.",
    )


class FlowDocument(_Block):
    """A flow: cancellation requests from Omnitron to an ERP, and the outcome back."""

    # built on import, before Airflow forks its tasks; all other models are part of this validator
    model_config = ConfigDict(defer_build=False)

    title: str | None = Field(
        default=None,
        max_length=200,
        description="What the flow is called on pages.",
        examples=["Acme to SAP"],
    )
    description: str | None = Field(
        default=None, max_length=20_000, description="What the flow is for; Markdown."
    )
    owner: str | None = Field(default=None, max_length=200, description="Who answers for the flow.")
    tags: Annotated[
        tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...], Field(strict=False)
    ] = Field(default=(), description="Tags for the list of flows.", examples=[["sap"]])
    enabled: bool = Field(
        default=True, description="false: the DAG stays, without schedule, tagged disabled."
    )
    schedule: Schedule | None = Field(
        default=None,
        description="When the flow runs by itself; absent: only by hand.",
        examples=[{"every": "5m"}],
    )
    get_data: GetData = Field(
        description="Which cancellation requests are fetched from Omnitron.",
        examples=[{"connection": "omnitron_default", "cancel_type": "all", "status": "approved"}],
    )
    script: ScriptSettings | None = Field(
        default=None, description="A script that changes each request before the mapping."
    )
    mapping: MappingSettings | None = Field(
        default=None, description="A Jolt mapping of each request into what the ERP takes."
    )
    write_to_erp: WriteToErp = Field(
        description="How a request is sent to the ERP.",
        examples=[{"connection": "erp_default", "url": "/cancellations", "method": "POST"}],
    )
    custom_response: ResponseSettings | None = Field(
        default=None,
        description="A script that judges the ERP's answers; absent: 2xx is a yes, 401 asks for a new login, "
        "429 and 503 with Retry-After wait, other 5xx and redirects to a page are in doubt (PUT: sent "
        "again), all else is a no.",
    )
    write_to_omnitron: WriteToOmnitron = Field(
        description="What Omnitron is told of the outcome.",
        examples=[{"on_success": {"status": "completed"}}],
    )
    post_script: ScriptSettings | None = Field(
        default=None, description="A script that runs after Omnitron was told; its output is not used."
    )
    delivery: Delivery = Field(default_factory=Delivery, description="How often and how long the flow tries.")


class Flow(FlowDocument):
    """A flow with its id, which is its folder's name."""

    model_config = ConfigDict(defer_build=True)

    id: FlowId = Field(description="The folder's name, and the DAG's id.")

    @property
    def name(self) -> str:
        """The title, or the id where there is none."""
        return self.title or self.id

    @property
    def steps(self) -> tuple[str, ...]:
        """The names of the steps that this flow has, in the document's order."""
        return tuple(step for step in STEPS if getattr(self, step) is not None)

    @property
    def files(self) -> dict[str, str]:
        """The files that the flow names, by the step that uses them."""
        blocks = {
            step: getattr(self, step) for step in ("script", "mapping", "custom_response", "post_script")
        }
        return {step: block.file for step, block in blocks.items() if block is not None}
