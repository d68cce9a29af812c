"""Tries one step of a flow on one input, as the document's test panels do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self, cast

from order_cancellation.clock import Clock, SystemClock
from order_cancellation.errors import ConfigurationError, MappingFailed, ScriptFailed
from order_cancellation.flow.cases import TRIED_STEPS
from order_cancellation.flow.store import LoadedFlow
from order_cancellation.scripts import Outcome, ScriptRunner
from order_cancellation.steps.context import Outcome as StepOutcome
from order_cancellation.steps.judge import relation_of

__all__ = ["MAPPING_ERROR", "SCRIPT_ERROR", "Attempt", "Trial", "attempt", "try_step"]

SCRIPT_ERROR = "log.script.error"
MAPPING_ERROR = "log.mapping.error"

Result = dict[str, Any]


def try_step(
    loaded: LoadedFlow,
    step: str,
    input_text: str,
    attributes: Mapping[str, str] | None = None,
    *,
    explain: bool = False,
    packages: tuple[str, ...] = (),
    required: bool = False,
) -> Result:
    """Try one step on one input, through the code that runs it in a real run.

    Args:
        loaded: The flow.
        step: ``script``, ``mapping``, ``custom_response`` or ``post_script``.
        input_text: What the step gets.
        attributes: The attributes at hand.
        explain: Whether to tell how the result came about (what was printed, what each operation left).
        packages: Packages that scripts may import.
        required: Whether scripts must not run where an essential protection is missing.

    Returns:
        ``result_data`` (parsed where it is JSON; the input where a script wrote nothing; None after an
        error), ``attributes`` (with ``log.script.error`` or ``log.mapping.error`` after one), and
        ``explain`` if asked for.

    Raises:
        ConfigurationError: The flow has no such step, or the step can't be prepared.
    """
    with Trial(loaded, packages=packages, required=required) as trial:
        return trial.run(step, input_text, attributes or {}, explain=explain)


def attempt(
    loaded: LoadedFlow,
    step: str,
    input_text: str,
    attributes: Mapping[str, str],
    *,
    explain: bool = False,
    packages: tuple[str, ...] = (),
    required: bool = False,
    network: bool = True,
) -> Attempt:
    """Try one step on one input, as :meth:`Trial.attempt` does, for who tries nothing else."""
    with Trial(loaded, packages=packages, required=required, network=network) as trial:
        return trial.attempt(step, input_text, attributes, explain=explain)


@dataclass(frozen=True)
class Attempt:
    """What a step left.

    Args:
        result_data: Parsed where it is JSON; the input where a script wrote nothing; None after an error.
        attributes: All that there are, with ``log.script.error`` or ``log.mapping.error`` after an error.
        printed: What a script printed.
        log: What a script said to ``log``: level and text.
        error: Why it failed, or None.
        took_ms: How long it took, without the preparation.
        explain: What each operation of a mapping left, and which rule wrote what, if asked for.
    """

    result_data: Any
    attributes: dict[str, str]
    printed: str = ""
    log: list[list[str]] = field(default_factory=list)
    error: str | None = None
    took_ms: float = 0.0
    explain: Result | None = None


class Trial:
    """Tries steps of one flow on input after input; each script and mapping is prepared once.

    Args:
        loaded: The flow.
        packages: Packages that scripts may import.
        required: Whether scripts must not run where an essential protection is missing.
        network: Whether scripts have the network where the flow says so.
        clock: Tells how long a step takes.
    """

    def __init__(
        self,
        loaded: LoadedFlow,
        *,
        packages: tuple[str, ...] = (),
        required: bool = False,
        network: bool = True,
        clock: Clock | None = None,
    ) -> None:
        self._loaded = loaded
        self._network = network
        self._clock = clock or SystemClock()
        self._packages = packages
        self._required = required
        self._runners: dict[str, ScriptRunner] = {}
        self._mapping: Callable[[Any], Any] | None = None
        self._open = ExitStack()

    def __enter__(self) -> Self:
        """Prepare nothing yet: each step is prepared when it is first tried."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the scripts' processes."""
        self._open.close()

    def run(
        self, step: str, input_text: str, attributes: Mapping[str, str], *, explain: bool = False
    ) -> Result:
        """Try a step on one input, and return what the command line shows (see :func:`try_step`).

        Args:
            step: The step's name.
            input_text: What the step gets.
            attributes: The attributes at hand.
            explain: Whether to tell how the result came about.

        Raises:
            ConfigurationError: The flow has no such step, or the step can't be prepared.
        """
        got = self.attempt(step, input_text, attributes, explain=explain)
        result: Result = {"result_data": got.result_data, "attributes": got.attributes}
        if explain:
            said = {"printed": got.printed, "log": got.log, "error": got.error}
            result["explain"] = got.explain if step == "mapping" else said
        return result

    def attempt(
        self, step: str, input_text: str, attributes: Mapping[str, str], *, explain: bool = False
    ) -> Attempt:
        """Try a step on one input.

        Args:
            step: The step's name.
            input_text: What the step gets.
            attributes: The attributes at hand.
            explain: Whether to tell how a mapping's result came about.

        Raises:
            ConfigurationError: The flow has no such step, or the step can't be prepared.
        """
        if step not in TRIED_STEPS:
            raise ConfigurationError(f"Step '{step}' can't be tried. Take one of {', '.join(TRIED_STEPS)}.")
        if getattr(self._loaded.flow, step) is None:
            raise ConfigurationError(f"Flow '{self._loaded.flow.id}' has no step {step}.")
        tried = self._map if step == "mapping" else self._run_script
        self._prepare(step)
        begun = self._clock.monotonic()
        got = tried(step, input_text, attributes)
        took_ms = (self._clock.monotonic() - begun) * 1000
        explained = self._explained(_parsed(input_text)) if explain and step == "mapping" else None
        return replace(got, took_ms=took_ms, explain=explained)

    def _prepare(self, step: str) -> None:
        if step == "mapping":
            self._transform()
        else:
            self._runner(step)

    def _run_script(self, step: str, input_text: str, attributes: Mapping[str, str]) -> Attempt:
        outcome = self._runner(step).run(input_text, dict(attributes))
        left = dict(outcome.attributes)
        error = outcome.error or (_relation_fault(outcome) if step == "custom_response" else None)
        if error is not None:
            left[SCRIPT_ERROR] = error
        written = outcome.result_data if outcome.result_data is not None or error else input_text
        lines = [list(line) for line in outcome.log_lines]
        return Attempt(_parsed(written), left, outcome.printed, lines, error)

    def _runner(self, step: str) -> ScriptRunner:
        if step not in self._runners:
            settings = getattr(self._loaded.flow, step)
            runner = ScriptRunner(
                self._loaded.text(settings.file),
                step=step,
                timeout=settings.timeout,
                network=settings.network and self._network,
                name=settings.file,
                isolation=settings.isolation,
                packages=self._packages,
                required=self._required,
            )
            self._runners[step] = self._open.enter_context(runner)
        return self._runners[step]

    def _map(self, _step: str, input_text: str, attributes: Mapping[str, str]) -> Attempt:
        from order_cancellation.steps.mapping import map_document  # noqa: PLC0415 (scripts need no mapping engine)

        try:
            return Attempt(map_document(self._transform(), _parsed(input_text)), dict(attributes))
        except MappingFailed as error:
            return Attempt(None, {**attributes, MAPPING_ERROR: str(error)}, error=str(error))

    def _transform(self) -> Callable[[Any], Any]:
        from order_cancellation.jolt import compile_spec  # noqa: PLC0415 (likewise)

        if self._mapping is None:
            self._mapping = compile_spec(self._chain(), strict=self._is_strict)
        return self._mapping

    def _chain(self) -> Any:
        from order_cancellation.jolt import parse_spec  # noqa: PLC0415 (likewise)

        settings = self._loaded.flow.mapping
        assert settings is not None, "run() has looked"
        return parse_spec(self._loaded.text(settings.file))

    @property
    def _is_strict(self) -> bool:
        settings = self._loaded.flow.mapping
        return settings is not None and settings.strict

    def _explained(self, document: Any) -> Result:
        """Tell what each operation left, which rule wrote each field, and which rules met nothing."""
        from order_cancellation.jolt import explain  # noqa: PLC0415 (likewise)
        from order_cancellation.steps.mapping import with_an_end  # noqa: PLC0415 (likewise)

        chain = self._chain()
        told: Result = {"operations": []}
        with suppress(MappingFailed), with_an_end():
            told["operations"] = list(self._operations(chain, document))
        with suppress(MappingFailed), with_an_end():
            explanation = explain(chain, document).as_json()
            told |= {"fields": explanation["fields"], "unmatched": explanation["unmatched"]}
        return told

    def _operations(self, chain: Any, document: Any) -> Iterator[Result]:
        from order_cancellation.jolt import compile_spec  # noqa: PLC0415 (likewise)

        for number, operation in enumerate(chain if isinstance(chain, list) else [chain]):
            step: Result = {"operation": number, "name": operation["operation"]}
            try:
                document = step["result"] = compile_spec([operation], strict=self._is_strict)(document)
            except MappingFailed as error:
                yield {**step, "error": str(error)}
                return
            yield step


def _relation_fault(outcome: Outcome) -> str | None:
    try:
        relation_of(cast("StepOutcome", outcome))
    except ScriptFailed as error:
        return str(error)
    return None


def _parsed(text: str | None) -> Any:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):
        return text
