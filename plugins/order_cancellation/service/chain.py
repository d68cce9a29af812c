"""The whole way of one request through a flow, without sending anything.

Each step is the one that runs do: scripts and mapping through ``Trial``, the call and what Omnitron is told
by the very functions of the steps. Scripts have no network here, whatever the flow says.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random
from typing import Any, cast

from order_cancellation.clock import Clock, SystemClock
from order_cancellation.errors import ConfigurationError, OrderCancellationError
from order_cancellation.flow.store import LoadedFlow
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.listing import problem_of
from order_cancellation.http.masking import redact
from order_cancellation.http.messages import Answer, Call
from order_cancellation.http.session import Session
from order_cancellation.ledger import Ledger, Record
from order_cancellation.ledger.entries import record_of
from order_cancellation.omnitron import Omnitron
from order_cancellation.service.trial import Attempt, Trial
from order_cancellation.steps.attributes import attributes_of
from order_cancellation.steps.calls import built, decides_unknown
from order_cancellation.steps.context import Context
from order_cancellation.steps.custom_response import exchange_text
from order_cancellation.steps.judge import Relation, StoredAnswer, default_relation, wait_asked
from order_cancellation.steps.mapping import script_output
from order_cancellation.steps.write_to_omnitron import tell

__all__ = ["Chain", "ChainStep", "WrittenBack", "walk"]

_NOWHERE = "https://connection.invalid"


@dataclass(frozen=True)
class ChainStep:
    """One step of the way.

    Args:
        step: Its name.
        input: What it got.
        got: What it left, or None where it was not run.
        skipped: Why it was not run, or None.
    """

    step: str
    input: str
    got: Attempt | None
    skipped: str | None = None


@dataclass(frozen=True)
class WrittenBack:
    """What Omnitron would be told.

    Args:
        outcome: A relation, or ``wait``, ``in_doubt``, ``unjudged``.
        calls: The calls to Omnitron: method, path and body.
    """

    outcome: str
    calls: list[dict[str, Any]]


@dataclass(frozen=True)
class Chain:
    """The whole way.

    Args:
        steps: Each script and mapping of the flow.
        call: What would be sent to the ERP, secrets in headers masked; None where it did not come so far.
        write_back: What Omnitron would be told; None where it did not come so far.
        error: Why the call can't be built, or why Omnitron can't be told.
    """

    steps: list[ChainStep]
    call: dict[str, Any] | None = None
    write_back: WrittenBack | None = None
    error: str | None = None


def walk(
    loaded: LoadedFlow,
    input_text: str,
    attributes: Mapping[str, str],
    answer: tuple[int, str],
    *,
    erp_url: str | None = None,
    packages: tuple[str, ...] = (),
    required: bool = False,
) -> Chain:
    """Walk a request through a flow.

    Args:
        loaded: The flow.
        input_text: A cancellation request as Omnitron lists it.
        attributes: Attributes that it has already.
        answer: What the ERP is made to answer: status and body.
        erp_url: The ERP connection's address; None where it is not known.
        packages: Packages that scripts may import.
        required: Whether scripts must not run where an essential protection is missing.

    Raises:
        ConfigurationError: The input is no cancellation request, or a step can't be prepared.
    """
    request = _request_in(input_text)
    with Trial(loaded, packages=packages, required=required, network=False) as trial:
        return _Walk(loaded, trial, request, attributes, erp_url or _NOWHERE).walk(answer)


def _request_in(text: str) -> dict[str, Any]:
    try:
        request = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigurationError(
            "The input is no JSON. Paste a cancellation request as Omnitron lists it."
        ) from error
    problem = problem_of(request)
    if problem is not None:
        raise ConfigurationError(f"The input {problem}. Paste a cancellation request as Omnitron lists it.")
    return cast("dict[str, Any]", request)


@dataclass
class _Unsent:
    """Stands where a session with Omnitron stands, and keeps the calls."""

    endpoint: Endpoint
    calls: list[dict[str, Any]] = field(default_factory=list)
    secrets: list[str] = field(default_factory=list)

    async def ask(self, call: Call) -> Answer:
        """Keep a call, and say yes to it."""
        body = None if call.body is None else json.loads(call.body)
        path = call.url.removeprefix(self.endpoint.base_url)
        self.calls.append({"method": call.method, "path": path, "body": body})
        return Answer(HTTPStatus.OK, body=b"{}", url=call.url)


class _Walk:
    """One walk: what is known of the request so far, and the next step."""

    def __init__(
        self,
        loaded: LoadedFlow,
        trial: Trial,
        request: dict[str, Any],
        attributes: Mapping[str, str],
        erp_url: str,
    ) -> None:
        clock: Clock = SystemClock()
        self._flow, self._trial, self._erp_url = loaded.flow, trial, erp_url
        self._unsent = _Unsent(Endpoint(loaded.flow.get_data.connection, _NOWHERE))
        random = Random(0)  # noqa: S311 (nothing is ever repeated here)
        # what builds calls and texts looks at the flow and the request only; there is no ledger in a trial
        self._context = Context(
            loaded=loaded,
            run_id="trial",
            ledger=cast("Ledger", None),
            clock=clock,
            random=random,
            worker="trial",
            omnitron=Omnitron(cast("Session", self._unsent), clock, random),
            log=logging.getLogger(__name__),
        )
        self._record: Record = record_of(loaded.flow.id, "trial", request, now=clock.now().timestamp())
        self._record.payloads.update({"request": request, "attributes": dict(attributes)})
        self._steps: list[ChainStep] = []

    def walk(self, answer: tuple[int, str]) -> Chain:
        """Go as far as the flow goes with this request and this answer."""
        if not self._prepared():
            return self._end("the step before failed")
        try:
            call = built(self._context, self._record, self._erp_url)
        except ConfigurationError as error:
            return self._end(f"nothing can be sent: {error}", error=str(error))
        shown = self._sent(call)
        stored = _stored(call, answer)
        outcome = self._judged(stored)
        try:
            self._tell(outcome)
        except OrderCancellationError as error:
            return self._end(f"Omnitron can't be told: {error}", call=shown, error=str(error))
        if outcome == Relation.CONTINUE:
            self._run("post_script", exchange_text(self._record, stored), stored.attributes)
        why = f"it runs after continue, and this ended as {outcome}"
        return self._end(why, call=shown, write_back=WrittenBack(str(outcome), self._unsent.calls))

    def _prepared(self) -> bool:
        request = json.dumps(self._record.payloads["request"], ensure_ascii=False)
        script = self._run("script", request)
        if script is not None and script.error is None:
            self._record.payloads["script"] = _as_text(script.result_data)
        if script is not None and script.error is not None:
            return False
        mapping = self._run("mapping", _as_text(script_output(self._record)))
        if mapping is not None:
            self._record.payloads["mapping"] = mapping.result_data
        return mapping is None or mapping.error is None

    def _run(self, step: str, text: str, more: Mapping[str, str] | None = None) -> Attempt | None:
        if getattr(self._flow, step) is None:
            return None
        given = attributes_of(self._context, self._record, dict(more or {}))
        if step == "custom_response":
            given.pop("relation", None)
        got = self._trial.attempt(step, text, given)
        self._steps.append(ChainStep(step, text, got))
        if step != "mapping" and got.error is None:
            self._record.payloads["attributes"] = dict(got.attributes)
        return got

    def _sent(self, call: Call) -> dict[str, Any]:
        body = None if call.body is None else call.body.decode()
        self._record.payloads["sent"] = {"method": call.method, "url": call.url, "body": body}
        url = call.url.removeprefix(_NOWHERE)
        return {"method": call.method, "url": url, "headers": redact(dict(call.headers)), "body": body}

    def _judged(self, stored: StoredAnswer) -> str:
        if wait_asked(stored, self._context.clock.now()) is not None:
            return "wait"
        got = self._run("custom_response", exchange_text(self._record, stored), stored.attributes)
        if got is not None and got.error is not None:
            return "unjudged"
        said = default_relation(stored) if got is None else Relation(got.attributes["relation"])
        if said != Relation.CONTINUE and stored.proves_nothing and not decides_unknown(self._flow):
            return "in_doubt"
        return said

    def _tell(self, outcome: str) -> None:
        outcomes = self._flow.write_to_omnitron
        told = {Relation.CONTINUE: outcomes.on_success, Relation.FAILURE: outcomes.on_failure}
        write_back = told.get(cast("Relation", outcome))
        if write_back is not None:
            asyncio.run(tell(self._context, self._record, write_back))

    def _end(self, why: str, **more: Any) -> Chain:
        tried = {step.step for step in self._steps}
        rest = ("script", "mapping", "custom_response", "post_script")
        skipped = [
            ChainStep(step, "", None, why)
            for step in rest
            if step not in tried and getattr(self._flow, step) is not None
        ]
        return Chain([*self._steps, *skipped], **more)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _stored(call: Call, answer: tuple[int, str]) -> StoredAnswer:
    status, text = answer
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        data = text
    return StoredAnswer(status=status, reason="", url=call.url, text=text, data=data)
