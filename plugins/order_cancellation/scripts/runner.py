"""Runs one script over many requests, in a process of its own that it may do its worst to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Self

from order_cancellation.clock import Clock, SystemClock
from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts.outcome import MAX_TIMEOUT_S, Limits, Outcome, Protection
from order_cancellation.scripts.process import ChildGone, ChildLate, ChildProcess, Setup
from order_cancellation.scripts.reach import Reach, reach_of
from order_cancellation.scripts.source import explain_syntax_error

__all__ = ["ScriptRunner"]

GRACE_S = 0.5
"""How long after a run's limit the whole child is ended: the child's own timer comes first."""
WORN_AFTER = 20
"""A child is replaced when its runs took this many time limits; its processor limit is a little more."""


class ScriptRunner:
    """Prepares a script once and runs it over request after request.

    Not for several threads at the same time (calls wait for each other); ``ScriptPool`` is.

    Args:
        source: The script, in NiFi's form or plain.
        step: The step that runs it, for messages: ``script``, ``custom_response`` or ``post_script``.
        timeout: Wall time of one run, in seconds; 300 at most.
        network: Whether the script may use the network.
        name: The script's file name, for messages.
        isolation: ``shared`` (one process for all requests) or ``per_request`` (a fork for each).
        packages: Names of installed packages that the script may import.
        required: Whether to refuse to run where an essential protection is missing.
        memory: Address space of the child, in bytes.
        output: The most that one run may write, in bytes.
        clock: Where the time comes from.
        left_out: Layers of protection not to use (``landlock``, ``seccomp``, ``namespaces``, ``rights``), so
            that tests can try the others by themselves.

    Raises:
        ConfigurationError: A value is out of its range or a package is not installed; and, at the start,
            no child gets ready or a required protection is missing.
    """

    def __init__(
        self,
        source: str,
        step: str = "script",
        timeout: float = Limits.timeout_s,
        network: bool = False,  # noqa: FBT001, FBT002 - the contract's signature
        *,
        name: str | None = None,
        isolation: str = "shared",
        packages: tuple[str, ...] = (),
        required: bool = False,
        memory: int = Limits.memory_bytes,
        output: int = Limits.output_bytes,
        clock: Clock | None = None,
        left_out: tuple[str, ...] = (),
    ) -> None:
        _check(step, timeout, isolation)
        self._reach: Reach = reach_of(tuple(packages))
        self._setup = Setup(
            name=name or f"{step}.py",
            source=source,
            timeout=timeout,
            memory=memory,
            output=output,
            open_files=Limits.open_files,
            network=network,
            isolation=isolation,
            packages=self._reach.packages,
            readable=self._reach.readable,
            cpu=(WORN_AFTER + 1) * timeout,
            left_out=left_out,
        )
        self._required = required
        self._clock = clock or SystemClock()
        self._lock = threading.Lock()
        self._child: ChildProcess | None = None
        self._used_s = 0.0
        self._source_error: str | None = None
        self.protections: tuple[Protection, ...] = ()

    def __enter__(self) -> Self:
        """Start the child and prepare the script."""
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the child."""
        self.close()

    def start(self) -> None:
        """Start the child, unless there is one or the source does not compile.

        Raises:
            ConfigurationError: No child gets ready, or a required protection is missing.
        """
        if self._child is not None or self._source_error is not None:
            return
        child = ChildProcess(self._setup, self._clock)
        self.protections = child.ready.protections
        if self._required:
            _insist(child, self._setup.name)
        if child.ready.error is not None:
            self._source_error = explain_syntax_error(self._setup.source, self._setup.name, child.ready.error)
            child.end()
            return
        self._child, self._used_s = child, 0.0

    def close(self) -> None:
        """End the child; a run that is under way then fails."""
        child, self._child = self._child, None
        if child is not None:
            child.end(patience_s=0.2)

    def run(self, input_text: str, attributes: Mapping[str, str] | None = None) -> Outcome:
        """Run the script over one request.

        Args:
            input_text: The input, JSON text.
            attributes: The attributes at hand.

        Returns:
            The outcome; its ``error`` says what the script did wrong. A run that takes too long, dies or
            writes nonsense is an outcome with an error as well, and the next run gets a new process.

        Raises:
            ConfigurationError: No child can be started on this machine.
        """
        given = dict(attributes or {})
        with self._lock:
            self.start()
            if self._source_error is not None or self._child is None:
                return _failed(self._source_error or "", given)
            return self._asked(self._child, input_text, given)

    async def run_async(self, input_text: str, attributes: Mapping[str, str] | None = None) -> Outcome:
        """Do as :meth:`run` does, while the event loop goes on; one call at a time."""
        given = dict(attributes or {})
        if self._child is None:
            await asyncio.to_thread(self.start)
        child = self._child
        if self._source_error is not None or child is None:
            return _failed(self._source_error or "", given)
        began = self._clock.monotonic()
        try:
            answer = await child.ask_async(_request(input_text, given), self._setup.timeout + GRACE_S)
            return self._answered(child, answer, given, began)
        except ChildGone as gone:
            return self._lost(child, gone, given)

    def hang_up(self) -> None:
        """Let a run that is under way fail soon."""
        if self._child is not None:
            self._child.hang_up()

    def _asked(self, child: ChildProcess, input_text: str, given: dict[str, str]) -> Outcome:
        began = self._clock.monotonic()
        try:
            answer = child.ask(_request(input_text, given), self._setup.timeout + GRACE_S)
            return self._answered(child, answer, given, began)
        except ChildGone as gone:
            return self._lost(child, gone, given)

    def _answered(
        self, child: ChildProcess, answer: list[bytes], given: dict[str, str], began: float
    ) -> Outcome:
        outcome, worn_out = _understood(answer, given)
        self._used_s += self._clock.monotonic() - began
        shared = self._setup.isolation == "shared"
        if shared and (worn_out or self._used_s > WORN_AFTER * self._setup.timeout):
            self._drop(child)
        return outcome

    def _lost(self, child: ChildProcess, gone: ChildGone, given: dict[str, str]) -> Outcome:
        self._drop(child)
        late = f"The script ran longer than its {self._setup.timeout:g} s and was stopped"
        return _failed(f"{late if isinstance(gone, ChildLate) else gone} ({self._setup.name})", given)

    def _drop(self, child: ChildProcess) -> None:
        child.end()
        if self._child is child:
            self._child = None


def _check(step: str, timeout: float, isolation: str) -> None:
    if not 0 < timeout <= MAX_TIMEOUT_S:
        raise ConfigurationError(f"{step}: timeout is {timeout:g} s. Choose one up to {MAX_TIMEOUT_S:g} s")
    if isolation not in {"shared", "per_request"}:
        raise ConfigurationError(f"{step}: isolation is '{isolation}'. Choose shared or per_request")


def _insist(child: ChildProcess, name: str) -> None:
    missing = [one for one in child.ready.protections if one.essential and not one.in_force]
    if missing:
        child.end()
        raise ConfigurationError(
            f"script_isolation is required, and '{name}' would run without: "
            + "; ".join(f"{one.name} ({one.detail})" for one in missing)
            + ". Run 'order-cancellation doctor' on this machine, or set script_isolation = best"
        )


def _request(input_text: str, given: Mapping[str, str]) -> list[bytes]:
    words = (word for pair in given.items() for word in pair)
    return [word.encode("utf-8", "replace") for word in (input_text, *words)]


def _failed(error: str, given: dict[str, str]) -> Outcome:
    return Outcome(attributes={**given, "log.script.error": error}, error=error)


def _understood(answer: list[bytes], given: dict[str, str]) -> tuple[Outcome, bool]:
    """Return what an answer says, and whether the child is to be replaced."""
    try:
        flags, result, error, printed, *rest = answer
        attributes, rest = _attributes(rest, given)
        words = [_text(word) for word in rest]
        outcome = Outcome(
            result_data=result.decode("utf-8") if flags[0:1] == b"w" else None,
            attributes=attributes,
            printed=_text(printed),
            error=_text(error) if flags[1:2] == b"e" else None,
            log_lines=tuple(zip(words[::2], words[1::2], strict=True)),
        )
    except (ValueError, IndexError) as error:
        raise ChildGone("The script wrote to the runner's own channel") from error
    return outcome, flags[2:3] == b"o"


def _attributes(rest: list[bytes], given: dict[str, str]) -> tuple[dict[str, str], list[bytes]]:
    count = int(rest[0])
    words, rest = [_text(word) for word in rest[1 : 1 + 2 * count]], rest[1 + 2 * count :]
    attributes = {**given, **dict(zip(words[::2], words[1::2], strict=True))}
    gone = int(rest[0])
    for word in rest[1 : 1 + gone]:
        attributes.pop(_text(word), None)
    return attributes, rest[1 + gone :]


def _text(word: bytes) -> str:
    return word.decode("utf-8", "replace")
