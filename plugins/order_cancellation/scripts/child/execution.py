"""One run of a compiled script over one request, in a namespace of its own."""

from __future__ import annotations

import io
import signal
import sys
from collections.abc import Mapping
from types import CodeType, FrameType, ModuleType, TracebackType

from . import java, nifi, python2, streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Answer", "Script", "TimeUp", "execute"]

PRINTED_LIMIT = 64 << 10
"""The most printed text that is kept of one run, in characters."""
TRACEBACK_FRAMES = 20


class TimeUp(BaseException):
    """The run's time is over; no ``except Exception`` of a script stops it."""


class Script:
    """A script, compiled, with the limits of its runs.

    Args:
        code: The compiled source, whose file name is ``name``.
        name: The file's name in messages.
        lines: The source's lines, to quote them.
        timeout_s: Wall time of one run, in seconds.
        output_limit: The most output of one run, in bytes.
        network: Whether the step may use the network.
    """

    def __init__(
        self,
        code: CodeType,
        name: str,
        lines: list[str],
        *,
        timeout_s: float,
        output_limit: int,
        network: bool,
    ) -> None:
        self.code, self.name, self.lines = code, name, lines
        self.timeout_s, self.output_limit, self.network = timeout_s, output_limit, network


class Answer:
    """What one run left behind: the fields of the runner's ``Outcome``, with only the changes of attributes.

    Args:
        error: What went wrong, or None.
        changed: The attributes that were set.
    """

    def __init__(self, error: str | None = None, changed: dict[str, str] | None = None) -> None:
        self.result: bytes | None = None
        self.changed = changed or {}
        self.removed: list[str] = []
        self.printed = ""
        self.error = error
        self.log_lines: list[tuple[str, str]] = []
        self.worn_out = False
        """Whether the process should not be used again: time or memory ran out in the middle of something."""


class _Printed(io.TextIOBase):
    """A script's standard output: kept up to a limit, the rest counted."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._room = PRINTED_LIMIT
        self._lost = 0

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        kept = text[: self._room]
        if kept:
            self._parts.append(kept)
            self._room -= len(kept)
        self._lost += len(text) - len(kept)
        return len(text)

    def text(self) -> str:
        cut = f"\n… {self._lost} more characters were printed" if self._lost else ""
        return "".join(self._parts) + cut


def execute(script: Script, content: bytes, attributes: Mapping[str, str]) -> Answer:
    """Run the script once; whatever it raises becomes the answer's error.

    Args:
        script: The compiled script.
        content: The input, UTF-8.
        attributes: The attributes at hand.
    """
    answer, now, printed, log = Answer(), dict(attributes), _Printed(), nifi.Log()
    try:
        with _Timer(script.timeout_s):
            written = _run(script, content, now, printed, log)
            answer.result = _as_text(written)
    except BaseException as error:  # noqa: BLE001 - a script may raise anything, and it is all its own error
        answer.error = _told(error, script)
        answer.worn_out = isinstance(error, TimeUp | MemoryError)
        del error
    if answer.error is not None:
        answer.result = None
        now.setdefault("log.script.error", answer.error)
        if not answer.error.startswith("The script transferred"):
            now["log.script.error"] = answer.error
    answer.changed = {name: value for name, value in now.items() if attributes.get(name) != value}
    answer.removed = [name for name in attributes if name not in now]
    answer.printed, answer.log_lines = printed.text(), log.lines
    return answer


class _Ended(Exception):
    """The script ended on purpose with a problem that is already put in words."""


def _run(
    script: Script, content: bytes, attributes: dict[str, str], printed: _Printed, log: nifi.Log
) -> bytes | None:
    flow_file = nifi.FlowFile(attributes, len(content))
    session = nifi.Session(flow_file, attributes, content, script.output_limit, script.name)
    output = streams.OutputStream(script.output_limit)
    main = ModuleType("__main__")
    main.__dict__.update(
        input_text=content.decode("utf-8"),
        inputStream=streams.PlainInputStream(content),
        outputStream=output,
        session=session,
        flowFile=flow_file,
        get_attribute=flow_file.getAttribute,
        log=log,
        context=nifi.Context,
        REL_SUCCESS=nifi.REL_SUCCESS,
        REL_FAILURE=nifi.REL_FAILURE,
    )
    sys.modules["__main__"] = main
    sys.stdout = sys.stderr = printed
    sys.stdin = io.StringIO()
    _until_its_end(script.code, main.__dict__)
    _call_unused_class(session, output, flow_file, main.__dict__)
    if session.problem:
        raise _Ended(session.problem + _last_error(log))
    return session.written if output.written is None else output.written


def _last_error(log: nifi.Log) -> str:
    """Return what a script logged last as an error: most catch what went wrong, log it and transfer."""
    errors = [text for level, text in log.lines if level == "error"]
    return f". It logged: {errors[-1]}" if errors else ""


def _until_its_end(code: CodeType, names: dict[str, Any]) -> None:
    try:
        exec(code, names)  # noqa: S102 - this is what the process is for
    except SystemExit as end:
        if end.code not in (None, 0):
            raise


def _call_unused_class(
    session: nifi.Session, output: streams.OutputStream, flow_file: nifi.FlowFile, names: dict[str, Any]
) -> None:
    """Call a ``TransformCallback`` that the script defines and leaves to its host, as the Integrator does."""
    kind = names.get("TransformCallback")
    if (
        session.used
        or output.written is not None
        or not isinstance(kind, type)
        or not hasattr(kind, "process")
    ):
        return
    code = getattr(type.__getattribute__(kind, "__init__"), "__code__", None)
    takes_flow_file = code is not None and code.co_argcount > 1
    session.write(flow_file, kind(flow_file) if takes_flow_file else kind())


def _as_text(written: bytes | None) -> bytes | None:
    """Return the output as it is, after making sure that it is text."""
    if written is not None:
        try:
            written.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _Ended(
                f"The output is not UTF-8 text (byte {error.start}): encode it with .encode('utf-8')"
            ) from None
    return written


class _Timer:
    """Raises ``TimeUp`` in the script when its time is over, again and again until it gives up."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __enter__(self) -> None:
        signal.signal(signal.SIGALRM, _time_up)
        signal.setitimer(signal.ITIMER_REAL, self._seconds, 0.1)

    def __exit__(self, *_error: object) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _time_up(_number: int, _frame: FrameType | None) -> None:
    raise TimeUp


def _told(error: BaseException, script: Script) -> str:
    """Return an error in the words that its owner needs: exception, file, line and the line's text."""
    if isinstance(error, _Ended):
        return str(error)
    places = _user_places(error.__traceback__, script.name)
    name, line, _ = places[-1] if places else (script.name, 0, "")
    place = f"{name}, line {line}: {_quoted(script, line)}" if line else name
    words = f"{_words(error, script)} ({place})"
    if len(places) > 1:
        words += "\nCalled from:" + "".join(
            f"\n  {script.name}, line {number}, in {function}: {_quoted(script, number)}"
            for _, number, function in places[-TRACEBACK_FRAMES:]
        )
    return words


def _user_places(trace: TracebackType | None, name: str) -> list[tuple[str, int, str]]:
    places = []
    while trace is not None:
        code = trace.tb_frame.f_code
        if code.co_filename == name:
            places.append((name, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    return places


def _quoted(script: Script, line: int) -> str:
    return script.lines[line - 1].strip()[:200] if 0 < line <= len(script.lines) else ""


def _words(error: BaseException, script: Script) -> str:
    if isinstance(error, TimeUp):
        return f"The script ran longer than its {script.timeout_s:g} s and was stopped"
    kind = type(error).__name__
    if isinstance(error, MemoryError):
        return f"{kind}: the script needs more memory than it may have"
    try:
        text = str(error)[:4_000]
    except BaseException:  # noqa: BLE001 - an exception of the script's own making can't print itself
        text = "(its text can't be had)"
    hint = (
        python2.runtime_hint(error, text)
        or java.hint(error)
        or _package_hint(error)
        or _network_hint(error, script)
    )
    return ": ".join(filter(None, [kind, text])) + (f". {hint}" if hint else "")


def _package_hint(error: BaseException) -> str | None:
    """Say which setting lets a script have more than the standard library."""
    if not isinstance(error, ModuleNotFoundError):
        return None
    return "Scripts have the standard library; the setting script_packages gives them more"


def _network_hint(error: BaseException, script: Script) -> str | None:
    """Say which setting is missing when a call to the network was refused."""
    seen: BaseException | None = error
    for _ in range(10):
        if script.network or seen is None:
            return None
        if isinstance(seen, OSError) and _is_from_sockets(seen):
            return "This step has no network: write network: true into its settings in the flow"
        seen = seen.__cause__ or seen.__context__
    return None


def _is_from_sockets(error: OSError) -> bool:
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_globals.get("__name__") in {"socket", "urllib.request", "http.client"}:
            return True
        trace = trace.tb_next
    return False
