"""The names that scripts for NiFi import from Java, and what to write instead of all others."""

from __future__ import annotations

import builtins
import importlib.machinery
import sys
import time
from types import ModuleType

from . import streams

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, Self

__all__ = ["CALLBACKS", "JavaFinder", "hint", "install"]


class Charset(str):
    """A charset's name, usable wherever Python wants an encoding."""

    __slots__ = ()

    @staticmethod
    def forName(name: str) -> Charset:  # noqa: N802
        """Return the charset of this name."""
        "".encode(name)
        return Charset(name)

    @staticmethod
    def defaultCharset() -> Charset:  # noqa: N802
        """Return UTF-8, which is the only default here."""
        return Charset("UTF-8")

    def name(self) -> str:
        """Return the name."""
        return str(self)

    displayName = toString = name  # noqa: N815


class StandardCharsets:
    """java.nio.charset.StandardCharsets."""

    UTF_8 = Charset("UTF-8")
    UTF_16 = Charset("UTF-16")
    UTF_16BE = Charset("UTF-16BE")
    UTF_16LE = Charset("UTF-16LE")
    ISO_8859_1 = Charset("ISO-8859-1")
    US_ASCII = Charset("US-ASCII")


def _read_all(source: Any) -> bytes:
    if source is None:
        raise NullPointerException("IOUtils was given None instead of a stream")
    if isinstance(source, streams.InputStream):
        return source.readAllBytes()
    if hasattr(source, "read"):
        return streams.as_bytes(source.read())
    return streams.as_bytes(source)


class IOUtils:
    """org.apache.commons.io.IOUtils, as far as one request in memory needs it."""

    @staticmethod
    def toString(source: Any, charset: Any = "UTF-8") -> str:  # noqa: N802
        """Return all of a stream (or bytes) as text."""
        return _read_all(source).decode(str(charset or "UTF-8"))

    @staticmethod
    def toByteArray(source: Any, charset: Any = "UTF-8") -> bytes:  # noqa: N802
        """Return all of a stream as bytes."""
        return source.encode(str(charset)) if isinstance(source, str) else _read_all(source)

    @staticmethod
    def toInputStream(text: Any, charset: Any = "UTF-8") -> streams.InputStream:  # noqa: N802
        """Return text as a stream."""
        return streams.InputStream(streams.as_bytes(text, charset))

    @staticmethod
    def write(data: Any, output: Any, charset: Any = "UTF-8") -> None:
        """Write text or bytes to a stream."""
        output.write(streams.as_bytes(data, charset or "UTF-8"))

    @staticmethod
    def copy(source: Any, output: Any, _charset: Any = None) -> int:
        """Write all of one stream to another and return how many bytes there were."""
        data = _read_all(source)
        output.write(data)
        return len(data)

    copyLarge = copy  # noqa: N815

    @staticmethod
    def readLines(source: Any, charset: Any = "UTF-8") -> list[str]:  # noqa: N802
        """Return a stream's lines without their ends."""
        return IOUtils.toString(source, charset).splitlines()

    @staticmethod
    def writeLines(lines: Any, ending: Any, output: Any, charset: Any = "UTF-8") -> None:  # noqa: N802
        """Write lines, each with the ending."""
        for line in lines:
            IOUtils.write(f"{line}{ending or chr(10)}", output, charset)

    @staticmethod
    def closeQuietly(*_streams: Any) -> None:  # noqa: N802
        """Do nothing: there is nothing to give back."""


class StringUtil:
    """org.python.core.util.StringUtil."""

    @staticmethod
    def toBytes(text: Any) -> bytes:  # noqa: N802
        """Return text as UTF-8 bytes; Jython's text was bytes already."""
        return streams.as_bytes(text)

    @staticmethod
    def fromBytes(data: Any) -> str:  # noqa: N802
        """Return UTF-8 bytes as text."""
        return streams.as_bytes(data).decode("utf-8")


class StreamCallback:
    """Has ``process(self, inputStream, outputStream)``."""


class InputStreamCallback:
    """Has ``process(self, inputStream)``."""


class OutputStreamCallback:
    """Has ``process(self, outputStream)``."""


CALLBACKS = (StreamCallback, InputStreamCallback, OutputStreamCallback)


class Throwable(builtins.Exception):
    """java.lang.Throwable: what scripts raise and catch under Java's names; no Python error is one."""

    def getMessage(self) -> str | None:  # noqa: N802
        """Return the text that it was raised with."""
        return str(self.args[0]) if self.args else None

    getLocalizedMessage = getMessage  # noqa: N815

    def getCause(self) -> BaseException | None:  # noqa: N802
        """Return the error that caused this one."""
        return self.__cause__ or (self.args[1] if len(self.args) > 1 else None)

    def toString(self) -> str:  # noqa: N802
        """Return class and text."""
        return f"java.lang.{type(self).__name__}: {self.getMessage()}"

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


JavaException = type("Exception", (Throwable,), {"__doc__": "java.lang.Exception."})
RuntimeException = type("RuntimeException", (JavaException,), {"__doc__": "java.lang.RuntimeException."})
NullPointerException = type("NullPointerException", (RuntimeException,), {"__doc__": "A None too many."})
IllegalArgumentException = type(
    "IllegalArgumentException", (RuntimeException,), {"__doc__": "A value that can't be."}
)
IllegalStateException = type("IllegalStateException", (RuntimeException,), {"__doc__": "Too early or late."})
NumberFormatException = type("NumberFormatException", (IllegalArgumentException,), {"__doc__": "No number."})


class String(str):
    """java.lang.String: Python text that also knows Java's methods."""

    __slots__ = ()

    def __new__(cls, value: Any = "", charset: Any = "UTF-8") -> Self:
        """Take text, or bytes with their charset."""
        if isinstance(value, bytes | bytearray | memoryview | list | tuple):
            return super().__new__(cls, streams.as_bytes(value).decode(str(charset)))
        return super().__new__(cls, value)

    @staticmethod
    def valueOf(value: Any) -> String:  # noqa: N802
        """Return any value as text, as Java spells it."""
        return String(
            {True: "true", False: "false", None: "null"}.get(value, value) if _small(value) else value
        )

    @staticmethod
    def format(pattern: str, *values: Any) -> String:  # type: ignore[override]
        """Fill a printf pattern."""
        return String(pattern % values)

    @staticmethod
    def join(separator: str, *parts: Any) -> str:  # type: ignore[override]
        """Join the parts, given one by one or as a list."""
        several = parts[0] if len(parts) == 1 and not isinstance(parts[0], str) else parts
        return str.join(separator, several)

    def getBytes(self, charset: Any = "UTF-8") -> bytes:  # noqa: N802
        """Return the text's bytes."""
        return str.encode(self, str(charset))

    def length(self) -> int:
        """Return how many characters there are."""
        return len(self)

    def isEmpty(self) -> bool:  # noqa: N802
        """Whether there are none."""
        return not self

    def equals(self, other: Any) -> bool:
        """Whether both are the same text."""
        return bool(str(self) == other)

    def equalsIgnoreCase(self, other: Any) -> bool:  # noqa: N802
        """Whether both are the same text but for upper and lower case."""
        return str(self).casefold() == str(other).casefold()

    def contains(self, part: str) -> bool:
        """Whether the part occurs."""
        return part in self

    def indexOf(self, part: str, start: int = 0) -> int:  # noqa: N802
        """Return where the part begins, or -1."""
        return self.find(part, start)

    def charAt(self, index: int) -> str:  # noqa: N802
        """Return one character."""
        return self[index]

    def substring(self, start: int, end: int | None = None) -> String:
        """Return a part."""
        return String(self[start:end])

    def trim(self) -> String:
        """Return the text without white space around it."""
        return String(self.strip())

    def toUpperCase(self) -> String:  # noqa: N802
        """Return the text in upper case."""
        return String(self.upper())

    def toLowerCase(self) -> String:  # noqa: N802
        """Return the text in lower case."""
        return String(self.lower())

    def toString(self) -> str:  # noqa: N802
        """Return plain Python text."""
        return str(self)


def _small(value: Any) -> bool:
    return value is None or isinstance(value, bool)


class StringBuilder:
    """java.lang.StringBuilder."""

    def __init__(self, value: Any = "") -> None:
        self._parts = [str(value)]

    def append(self, value: Any) -> StringBuilder:
        """Add any value's text."""
        self._parts.append(String.valueOf(value))
        return self

    def length(self) -> int:
        """Return how many characters there are."""
        return len(str(self))

    def toString(self) -> str:  # noqa: N802
        """Return all that was added."""
        return str(self)

    def __str__(self) -> str:
        return "".join(self._parts)


class System:
    """java.lang.System: the clock, and nothing of the machine."""

    @staticmethod
    def currentTimeMillis() -> int:  # noqa: N802
        """Return milliseconds since 1970."""
        return time.time_ns() // 1_000_000

    @staticmethod
    def nanoTime() -> int:  # noqa: N802
        """Return nanoseconds since some moment."""
        return time.monotonic_ns()

    @staticmethod
    def lineSeparator() -> str:  # noqa: N802
        """Return a line's end."""
        return "\n"

    @staticmethod
    def _refuse(*_name: Any) -> NoReturn:
        raise RuntimeException(
            "System.getenv and getProperty give nothing here: scripts have no environment. "
            "Use get_attribute(name), or write the value into the script"
        )

    getenv = getProperty = _refuse  # noqa: N815


class Thread:
    """java.lang.Thread: only its sleep."""

    @staticmethod
    def sleep(milliseconds: float) -> None:
        """Wait; the time counts towards the script's limit."""
        time.sleep(milliseconds / 1000)


def _parse(kind: type, value: Any, base: int | None = None) -> Any:
    try:
        return kind(str(value).strip()) if base is None else int(str(value), base)
    except ValueError:
        raise NumberFormatException(f'For input string: "{value}"') from None


class Integer:
    """java.lang.Integer, with the calls that scripts make."""

    MAX_VALUE, MIN_VALUE = 2**31 - 1, -(2**31)

    @staticmethod
    def parseInt(value: Any, base: int | None = None) -> int:  # noqa: N802
        """Return the number that a text spells."""
        return int(_parse(int, value, base))

    valueOf = parseLong = parseInt  # noqa: N815

    @staticmethod
    def toString(value: Any) -> str:  # noqa: N802
        """Return a number's text."""
        return str(int(value))


class Long(Integer):
    """java.lang.Long."""

    MAX_VALUE, MIN_VALUE = 2**63 - 1, -(2**63)


class Double:
    """java.lang.Double (and Float)."""

    @staticmethod
    def parseDouble(value: Any) -> float:  # noqa: N802
        """Return the number that a text spells."""
        return float(_parse(float, value))

    valueOf = parseFloat = parseDouble  # noqa: N815

    @staticmethod
    def toString(value: Any) -> str:  # noqa: N802
        """Return a number's text."""
        return str(float(value))


class Boolean:
    """java.lang.Boolean."""

    TRUE, FALSE = True, False

    @staticmethod
    def parseBoolean(value: Any) -> bool:  # noqa: N802
        """Return whether a text says true."""
        return str(value).lower() == "true"

    valueOf = parseBoolean  # noqa: N815


_LANG: dict[str, Any] = {
    "String": String,
    "StringBuilder": StringBuilder,
    "StringBuffer": StringBuilder,
    "System": System,
    "Thread": Thread,
    "Integer": Integer,
    "Long": Long,
    "Double": Double,
    "Float": Double,
    "Boolean": Boolean,
    "Object": object,
    "Throwable": Throwable,
    "Exception": JavaException,
    "RuntimeException": RuntimeException,
    "NullPointerException": NullPointerException,
    "IllegalArgumentException": IllegalArgumentException,
    "IllegalStateException": IllegalStateException,
    "NumberFormatException": NumberFormatException,
}

NAMES: dict[str, dict[str, Any]] = {
    "java": {},
    "java.lang": _LANG,
    "java.io": {"InputStream": streams.InputStream, "OutputStream": streams.OutputStream},
    "java.nio": {},
    "java.nio.charset": {"StandardCharsets": StandardCharsets, "Charset": Charset},
    "org": {},
    "org.apache": {},
    "org.apache.commons": {},
    "org.apache.commons.io": {"IOUtils": IOUtils},
    "org.apache.nifi": {},
    "org.apache.nifi.processor": {},
    "org.apache.nifi.processor.io": {kind.__name__: kind for kind in CALLBACKS},
    "org.python": {},
    "org.python.core": {},
    "org.python.core.util": {"StringUtil": StringUtil},
}

INSTEAD = {
    "java.util.ArrayList": "a list, []",
    "java.util.LinkedList": "a list, []",
    "java.util.List": "a list, []",
    "java.util.Arrays": "a list, []",
    "java.util.Collections": "sorted(…), reversed(…), min and max",
    "java.util.HashMap": "a dict, {}",
    "java.util.LinkedHashMap": "a dict, {} (it keeps its order)",
    "java.util.TreeMap": "dict(sorted(…))",
    "java.util.Map": "a dict, {}",
    "java.util.HashSet": "a set, set()",
    "java.util.Set": "a set, set()",
    "java.util.UUID": "import uuid; str(uuid.uuid4())",
    "java.util.Date": "from datetime import datetime; datetime.now()",
    "java.util.Calendar": "from datetime import datetime, timedelta",
    "java.util.TimeZone": "from zoneinfo import ZoneInfo",
    "java.util.Locale": "Python's own formatting, f'{amount:.2f}'",
    "java.util.Base64": "import base64; base64.b64encode(…)",
    "java.util.regex": "import re",
    "java.util.Random": "import random",
    "java.util.zip": "import zlib, gzip or zipfile",
    "java.text.SimpleDateFormat": "from datetime import datetime; datetime.strptime(…) and strftime(…)",
    "java.text": "Python's own formatting, f'{amount:.2f}', and datetime.strftime(…)",
    "java.time": "from datetime import datetime, timedelta, and zoneinfo for time zones",
    "java.math.BigDecimal": "from decimal import Decimal",
    "java.math.BigInteger": "int, which has no largest value",
    "java.lang.Math": "import math, or round, abs, min and max",
    "java.lang.ProcessBuilder": "nothing: scripts can't start programs",
    "java.lang.Runtime": "nothing: scripts can't start programs",
    "java.io.ByteArrayOutputStream": "import io; io.BytesIO()",
    "java.io.ByteArrayInputStream": "import io; io.BytesIO(…)",
    "java.io.BufferedReader": "IOUtils.toString(inputStream, StandardCharsets.UTF_8), or input_text",
    "java.io.InputStreamReader": "IOUtils.toString(inputStream, StandardCharsets.UTF_8), or input_text",
    "java.io.OutputStreamWriter": "outputStream.write(text)",
    "java.io.File": "nothing: scripts have no files",
    "java.io.StringWriter": "import io; io.StringIO()",
    "java.io": "the io module for streams in memory; scripts have no files",
    "java.nio.file": "nothing: scripts have no files",
    "java.net": "requests (or urllib.request), in a step with network: true",
    "java.security": "import hashlib or hmac",
    "javax.crypto": "import hashlib and hmac",
    "java.sql": "the ERP's HTTP interface: scripts have no database drivers",
    "org.json": "import json",
    "org.apache.http": "requests, in a step with network: true",
    "org.apache.commons.codec": "import base64 or hashlib",
    "org.apache.commons.lang3": "Python's own text methods",
    "org.apache.commons.io.FileUtils": "nothing: scripts have no files",
    "org.apache.nifi": "session, flowFile, log, REL_SUCCESS and REL_FAILURE, at hand without an import",
    "org.apache.nifi.processor.exception": "raise RuntimeError(text), or a transfer to REL_FAILURE",
    "org.python.core": "Python's own types",
    "com.fasterxml": "import json",
    "com.google.gson": "import json",
    "groovy": "import json",
    "jarray": "bytearray(size) or a list",
}

_METHODS = {
    "entrySet": "items()",
    "keySet": "keys()",
    "containsKey": "key in dictionary",
    "put": "dictionary[key] = value",
    "putAll": "update(…)",
    "isEmpty": "not …",
    "size": "len(…)",
    "add": "append(…)",
}
"""Methods of Java's maps and lists, which Jython lent to what it got from Java."""

_ROOTS = frozenset({"java", "javax", "org", "com", "groovy", "jarray"})


def refusal(name: str) -> str:
    """Return the message for a Java name that is not here: what to write instead of it."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        instead = INSTEAD.get(".".join(parts[:end]))
        if instead:
            return f"{name} is Java, and there is no Java here. Use instead: {instead}"
    return f"{name} is Java, and there is no Java here. Write it in Python, with the standard library"


def hint(error: BaseException) -> str | None:
    """Return what to write where an error comes from a name or method of Java's.

    Args:
        error: What the script raised.
    """
    if isinstance(error, NameError):
        return _of_missing_import(error.name or "")
    if isinstance(error, AttributeError) and isinstance(error.obj, dict | list) and error.name in _METHODS:
        return f".{error.name} is Java; in Python: {_METHODS[error.name]}"
    return None


def _of_missing_import(name: str) -> str | None:
    for package, members in NAMES.items():
        if name in members:
            return f"Add the line: from {package} import {name}"
    return next((refusal(known) for known in INSTEAD if known.rpartition(".")[2] == name), None)


class _JavaModule(ModuleType):
    """A Java package: the names that are here, and a helpful error for all others."""

    def __getattr__(self, name: str) -> Any:
        """Refuse a name that is not here.

        Raises:
            ImportError: With what to use instead.
        """
        if name.startswith("__"):
            raise AttributeError(name)
        raise ImportError(refusal(f"{self.__name__}.{name}"), name=self.__name__)


def _is_package(name: str) -> bool:
    return name.rpartition(".")[2][:1].islower() and name.split(".", 1)[0] in {"java", "javax", "org", "com"}


class JavaFinder:
    """Answers imports of Java packages: empty ones for those unknown, so that the class can be named."""

    @staticmethod
    def find_spec(name: str, _path: Any = None, _target: Any = None) -> importlib.machinery.ModuleSpec | None:
        """Return a spec for a Java package, None for what is not Java.

        Raises:
            ImportError: It is a class that is not here, with what to use instead.
        """
        if name.split(".", 1)[0] not in _ROOTS:
            return None
        if not _is_package(name):
            raise ImportError(refusal(name), name=name)
        return importlib.machinery.ModuleSpec(name, JavaFinder, is_package=True)  # type: ignore[arg-type]

    @staticmethod
    def create_module(spec: importlib.machinery.ModuleSpec) -> ModuleType:
        """Return a package that holds nothing."""
        return _JavaModule(spec.name)

    @staticmethod
    def exec_module(_module: ModuleType) -> None:
        """Do nothing."""


def install() -> None:
    """Put the Java packages where imports find them."""
    for name, members in NAMES.items():
        module = _JavaModule(name)
        module.__dict__["__path__"] = []
        module.__dict__.update(members)
        module.__dict__["__all__"] = list(members)
        sys.modules[name] = module
        sys.modules.update({f"{name}.{member}": value for member, value in members.items()})
        parent, _, leaf = name.rpartition(".")
        if parent:
            setattr(sys.modules[parent], leaf, module)
    sys.meta_path.insert(0, JavaFinder)
