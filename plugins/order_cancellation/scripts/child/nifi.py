"""What NiFi binds for a script, over one request: session, flowFile, log, context, the two relationships."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from types import FrameType

from . import java, streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = [
    "ATTRIBUTES_LIMIT",
    "REL_FAILURE",
    "REL_SUCCESS",
    "Context",
    "FlowFile",
    "Log",
    "Relationship",
    "Session",
    "attribute_text",
]

ATTRIBUTES_LIMIT = 4 << 20
"""The most that a script may put into attributes, keys and values together, in bytes."""
LOG_LINES_LIMIT = 1_000
LOG_LINE_LIMIT = 8_192


class Relationship:
    """Where a flow file goes.

    Args:
        name: NiFi's name of it.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def getName(self) -> str:  # noqa: N802
        """Return NiFi's name."""
        return self._name

    def __repr__(self) -> str:
        return f"REL_{self._name.upper()}"


REL_SUCCESS, REL_FAILURE = Relationship("success"), Relationship("failure")


def attribute_text(name: str, value: Any) -> str:
    """Return an attribute's value as text, as Jython's ``str`` would spell it.

    Raises:
        TypeError: It has no one spelling (None, lists, objects), with what to write.
    """
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8")
    if isinstance(value, int | float):
        return str(value)
    if value is None:
        raise TypeError(f"attribute '{name}' can't be None: use session.removeAttribute, or an empty text")
    if type(value).__module__ in {"decimal", "datetime", "uuid"}:
        return str(value)
    kind = type(value).__name__
    raise TypeError(f"attribute '{name}' must be text, not {kind}: use json.dumps(…) or str(…)")


class FlowFile:
    """The request as NiFi shows it: its attributes and its size.

    Args:
        attributes: Names and values; changed by the session only.
        size: The input's size in bytes.
    """

    def __init__(self, attributes: dict[str, str], size: int) -> None:
        self._attributes = attributes
        self._size = size

    def getAttribute(self, name: str, default: str | None = None) -> str | None:  # noqa: N802
        """Return an attribute's value, or None."""
        return self._attributes.get(str(name), default)

    def getAttributes(self) -> dict[str, str]:  # noqa: N802
        """Return all attributes, as a copy."""
        return dict(self._attributes)

    def getSize(self) -> int:  # noqa: N802
        """Return the input's size in bytes."""
        return self._size

    def getId(self) -> str | None:  # noqa: N802
        """Return the request's number."""
        return self._attributes.get("request.id")

    def getEntryDate(self) -> int:  # noqa: N802
        """Return now, in milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    getLineageStartDate = getEntryDate  # noqa: N815

    def __repr__(self) -> str:
        return f"<flowFile of request {self.getId()}>"


class Log:
    """NiFi's ``log``: its lines go to the task log."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def _add(self, level: str, message: Any, values: tuple[Any, ...]) -> None:
        if len(self.lines) == LOG_LINES_LIMIT:
            self.lines.append(
                ("warning", f"the script logs more than {LOG_LINES_LIMIT} lines: no more of them")
            )
        if len(self.lines) < LOG_LINES_LIMIT:
            self.lines.append((level, _filled(str(message), values)[:LOG_LINE_LIMIT]))

    def trace(self, message: Any, *values: Any) -> None:
        """Log at the lowest level."""
        self._add("debug", message, values)

    def debug(self, message: Any, *values: Any) -> None:
        """Log what helps to find an error."""
        self._add("debug", message, values)

    def info(self, message: Any, *values: Any) -> None:
        """Log what happened."""
        self._add("info", message, values)

    def warn(self, message: Any, *values: Any) -> None:
        """Log what should be looked at."""
        self._add("warning", message, values)

    def error(self, message: Any, *values: Any) -> None:
        """Log what went wrong."""
        self._add("error", message, values)

    warning, critical, exception, fatal = warn, error, error, error

    def isInfoEnabled(self) -> bool:  # noqa: N802
        """Say that every level is on."""
        return True

    isDebugEnabled = isTraceEnabled = isWarnEnabled = isErrorEnabled = isInfoEnabled  # noqa: N815


def _filled(message: str, values: tuple[Any, ...]) -> str:
    """Return the message with its ``{}`` or ``%s`` filled, and what is left of the values behind it."""
    if len(values) == 1 and isinstance(values[0], list | tuple):
        values = tuple(values[0])
    if values and "{}" not in message and "%" in message:
        try:
            return message % values
        except (TypeError, ValueError):
            pass
    rest = list(values)
    filled = re.sub(r"\{\}", lambda place: str(rest.pop(0)) if rest else place.group(), message)
    return " ".join([filled, *map(str, rest)])


class Context:
    """NiFi's ``context``: a script here has no processor properties, and is told what to use."""

    @staticmethod
    def getProperty(name: Any = "…") -> NoReturn:  # noqa: N802
        """Refuse.

        Raises:
            RuntimeException: Always, with what to use instead.
        """
        raise java.RuntimeException(
            f"context.getProperty({str(name)!r}): there are no processor properties here. "
            "Use get_attribute(name) for values of the request, or write the value into the script"
        )

    getProperties = getAllProperties = getProperty  # noqa: N815

    @staticmethod
    def getName() -> str:  # noqa: N802
        """Return NiFi's name of such a processor."""
        return "ExecuteScript"


class Session:
    """NiFi's ``session`` over one request in memory.

    Args:
        flow_file: The request's flow file.
        attributes: The dictionary that the flow file shows.
        content: The input.
        output_limit: The most that may be written, in bytes.
        script_file: The script's file name as its code objects carry it, to name the line of a transfer.
    """

    def __init__(
        self,
        flow_file: FlowFile,
        attributes: dict[str, str],
        content: bytes,
        output_limit: int,
        script_file: str,
    ) -> None:
        self._flow_file = flow_file
        self._attributes = attributes
        self._content = content
        self._limit = output_limit
        self._script_file = script_file
        self._taken = False
        self._size = 0
        self._committed = (dict(attributes), None)
        self.written: bytes | None = None
        self.problem: str | None = None
        self.used = False

    def get(self, count: int | None = None) -> Any:
        """Return the flow file the first time, then None; with a number, a list of it or an empty one."""
        first = not self._taken
        self._taken = True
        if first and self.problem and self.problem.startswith("session.rollback"):
            self.problem = None
        if count is not None:
            return [self._flow_file] if first else []
        return self._flow_file if first else None

    def read(self, _flow_file: Any = None, callback: Any = None) -> Any:
        """Return the content as a stream, or hand it to a callback's ``process``."""
        self.used = True
        stream = streams.InputStream(self._now())
        if callback is None:
            return stream
        _call(callback, stream)
        return None

    def write(self, flow_file: Any, callback: Any = None) -> Any:
        """Hand content and output to a callback's ``process``; without one, return the output stream."""
        self.used = True
        output = streams.OutputStream(self._limit)
        if callback is None:
            return _Writing(self, self._limit)
        if isinstance(callback, java.OutputStreamCallback):
            _call(callback, output)
        elif isinstance(callback, java.StreamCallback):
            _call(callback, streams.InputStream(self._now()), output)
        else:
            _call_by_arity(callback, streams.InputStream(self._now()), output)
        if output.written is not None:
            self.written = output.written
        return flow_file

    def append(self, flow_file: Any, callback: Any) -> Any:
        """Add what a callback writes behind the content."""
        self.used = True
        output = streams.OutputStream(self._limit - len(self._now()))
        _call(callback, output)
        self.written = self._now() + (output.written or b"")
        return flow_file

    def _now(self) -> bytes:
        return self._content if self.written is None else self.written

    def putAttribute(self, *words: Any) -> Any:  # noqa: N802
        """Set an attribute: ``(flowFile, name, value)`` or ``(name, value)``."""
        if len(words) not in (2, 3):
            raise TypeError("putAttribute takes (flowFile, name, value) or (name, value)")
        self._put(*words[-2:])
        return self._flow_file

    def putAllAttributes(self, *words: Any) -> Any:  # noqa: N802
        """Set several attributes from a dict: ``(flowFile, dict)`` or ``(dict)``."""
        if not words or not isinstance(words[-1], Mapping):
            raise TypeError("putAllAttributes takes (flowFile, dict)")
        for name, value in list(words[-1].items()):
            self._put(name, value)
        return self._flow_file

    def _put(self, name: Any, value: Any) -> None:
        if not isinstance(name, str) or not name:
            raise TypeError(f"an attribute's name must be text that is not empty, not {name!r}")
        words = attribute_text(name, value)
        self._size += len(name) + len(words)
        if self._size > ATTRIBUTES_LIMIT:
            raise ValueError(
                f"the attributes are larger than {ATTRIBUTES_LIMIT >> 20} MB together: "
                "write data to outputStream"
            )
        self._attributes[str.__str__(name)] = words

    def removeAttribute(self, *words: Any) -> Any:  # noqa: N802
        """Remove an attribute: ``(flowFile, name)`` or ``(name)``."""
        if not words:
            raise TypeError("removeAttribute takes (flowFile, name)")
        self._attributes.pop(str(words[-1]), None)
        return self._flow_file

    def removeAllAttributes(self, *words: Any) -> Any:  # noqa: N802
        """Remove several attributes, by a list of names or by a compiled pattern for the whole name."""
        if not words or words[-1] is self._flow_file:
            raise TypeError("removeAllAttributes takes (flowFile, names) or (flowFile, pattern)")
        for name in self._named(words[-1]):
            self._attributes.pop(name, None)
        return self._flow_file

    def _named(self, names: Any) -> list[str]:
        if isinstance(names, re.Pattern):
            return [name for name in self._attributes if names.fullmatch(name)]
        if isinstance(names, str) or not isinstance(names, Iterable):
            raise TypeError("removeAllAttributes takes a list of names or a compiled pattern")
        return [str(name) for name in names]

    def transfer(self, _flow_file: Any = None, relationship: Any = None) -> None:
        """Pass the request on; ``REL_FAILURE`` makes it a script error."""
        self.used = True
        if relationship is REL_SUCCESS:
            return
        line = self._line()
        if relationship is REL_FAILURE:
            self.problem = f"The script transferred the request to REL_FAILURE ({line})"
        elif relationship is None:
            self.problem = (
                f"session.transfer without a relationship would keep the request: add REL_SUCCESS ({line})"
            )
        else:
            raise java.IllegalArgumentException("session.transfer takes REL_SUCCESS or REL_FAILURE")

    def commit(self, *_callback: Any) -> None:
        """Keep all that was done so far, whatever ``rollback`` follows."""
        self._committed = (dict(self._attributes), self.written)  # type: ignore[assignment]

    commitAsync = commit  # noqa: N815

    def rollback(self, _penalize: Any = None) -> None:
        """Take back what was done since the start or the last commit; the request then goes no further."""
        attributes, self.written = self._committed
        self._attributes.clear()
        self._attributes.update(attributes)
        self._taken = False
        self.problem = f"session.rollback: the script gave the request back ({self._line()})"

    def penalize(self, flow_file: Any = None) -> Any:
        """Do nothing: when a failed request is tried again is for the flow's ``retry_pause``."""
        return flow_file or self._flow_file

    def remove(self, flow_file: Any = None) -> None:
        """Refuse to lose the request.

        Raises:
            IllegalStateException: With what to write instead.
        """
        if flow_file is self._flow_file:
            raise java.IllegalStateException(
                "session.remove would lose the cancellation request. Transfer it to REL_FAILURE, "
                "or set the attribute relation to do_nothing in the response script"
            )

    def create(self, *_parent: Any) -> NoReturn:
        """Refuse a second flow file.

        Raises:
            IllegalStateException: With what to write instead.
        """
        raise java.IllegalStateException(
            "a script here has exactly one flow file: write what is to be passed on to outputStream"
        )

    clone = create

    def adjustCounter(self, *_words: Any) -> None:  # noqa: N802
        """Do nothing: there are no counters here."""

    def getProvenanceReporter(self) -> NoReturn:  # noqa: N802
        """Refuse provenance events.

        Raises:
            IllegalStateException: With what to write instead.
        """
        raise java.IllegalStateException("there is no provenance here: use log.info(…)")

    def _line(self) -> str:
        frame: FrameType | None = sys._getframe(1)  # noqa: SLF001
        while frame is not None and frame.f_code.co_filename != self._script_file:
            frame = frame.f_back
        return f"{self._script_file}, line {frame.f_lineno}" if frame else self._script_file


class _Writing(streams.OutputStream):
    """The stream that ``session.write(flowFile)`` returns: each write replaces the content from its start."""

    def __init__(self, session: Session, limit: int) -> None:
        super().__init__(limit)
        self._session = session

    def write(self, data: Any, offset: int = 0, length: int | None = None) -> None:
        super().write(data, offset, length)
        self._session.written = self.written


def _process(callback: Any) -> Callable[..., Any]:
    process = getattr(callback, "process", callback)
    if not callable(process):
        raise TypeError("a callback is an object with process(self, …), or a function")
    return process  # type: ignore[no-any-return]


def _call(callback: Any, *given: Any) -> None:
    _process(callback)(*given)


def _call_by_arity(callback: Any, source: streams.InputStream, output: streams.OutputStream) -> None:
    """Call something that names no callback class: two parameters get both streams, one gets the output."""
    process = _process(callback)
    code = getattr(process, "__code__", None)
    wanted = code.co_argcount - hasattr(process, "__self__") if code else 2
    if wanted == 1:
        process(output)
    else:
        process(source, output)
