"""Templates in URLs, headers and bodies: sandboxed Jinja over ``request``, ``attributes`` and ``body``.

Whatever a value holds, it stays where the template put it: in a URL it is percent-encoded (so it can't add a
path segment, a query parameter or a host), in a header it can't begin a new line. A name that is not there is
an error that says which, and never an empty text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property, lru_cache, partial
from typing import Any
from urllib.parse import quote, urlencode

from jinja2 import StrictUndefined, TemplateSyntaxError, meta, nodes, pass_context
from jinja2 import Template as Compiled
from jinja2.exceptions import SecurityError, TemplateError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from order_cancellation.cpu_limit import MOST_S, cpu_limit
from order_cancellation.errors import ConfigurationError

__all__ = ["Template", "check_template", "render_tree", "template"]

NAMES = frozenset({"request", "attributes", "body"})
EMPTY = "\0"
"""Stands for an empty value in a URL until it is known whether it landed in the path or in the query."""
CONTROL_END, DELETE = " ", "\x7f"
FAILURES = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError, RuntimeError)


class _Encoded(str):
    """A text that a template's own ``urlencode`` filter has encoded already."""

    __slots__ = ()


class _NotThere(UndefinedError):
    """Something was asked for what it does not have.

    Args:
        message: Jinja's words, in which a name has no way to it.
        owner: What was asked.
        name: For what.
    """

    def __init__(self, message: str, owner: Any, name: Any) -> None:
        super().__init__(message)
        self.owner, self.name = owner, name


class _Undefined(StrictUndefined):
    """What is not there, and fails with what was asked for it."""

    __slots__ = ()

    def __init__(
        self, hint: str | None = None, obj: Any = missing, name: Any = None, exc: Any = UndefinedError
    ) -> None:
        if obj is not missing and exc is UndefinedError:
            exc = partial(_NotThere, owner=obj, name=name)
        super().__init__(hint, obj, name, exc)


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja without access to Python, in which ``body.items`` is the key ``items`` and not a method."""

    def __init__(self, finalize: Callable[[Any], str]) -> None:
        # nothing is worked out before it is filled in: a constant may be a text of gigabytes
        @pass_context
        def finalized(_context: Any, value: Any) -> str:
            return finalize(value)

        super().__init__(
            undefined=_Undefined, finalize=finalized, keep_trailing_newline=True, optimized=False
        )
        self.globals = {name: self.globals[name] for name in ("range", "dict", "namespace")}
        self.filters["urlencode"] = _urlencode

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Mapping) and attribute in obj:
            return obj[attribute]
        return super().getattr(obj, attribute)


def _urlencode(value: Any) -> _Encoded:
    return _Encoded(urlencode(value) if isinstance(value, Mapping) else quote(_text(value), safe=""))


def _text(value: Any) -> str:
    """Write a value as JSON writes it, texts without quotation marks and null as nothing."""
    if value is None:
        return ""
    if isinstance(value, bool | Mapping | list | tuple):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _url_value(value: Any) -> str:
    if isinstance(value, _Encoded):
        return str(value) or EMPTY
    if value is None:
        raise SecurityError("a value is null")
    return quote(_text(value), safe="") or EMPTY


def _header_value(value: Any) -> str:
    if value is None:
        raise SecurityError("a value is null")
    return _text(value)


PLAIN, URL, HEADER = _Environment(_text), _Environment(_url_value), _Environment(_header_value)


class Template:
    """A template's text, compiled once for each place that it is used in.

    Args:
        text: The template.
        name: Which setting it is, for messages (``write_to_erp.url``).
    """

    def __init__(self, text: str, name: str = "template") -> None:
        self.text = text
        self._name = name

    def render(
        self, *, request: Any = None, attributes: Mapping[str, str] | None = None, body: Any = None
    ) -> str:
        """Fill the template in as plain text; null becomes an empty text, objects become JSON.

        Args:
            request: The cancellation request from Omnitron.
            attributes: The request's attributes.
            body: What is sent to the ERP.

        Raises:
            ConfigurationError: It can't be compiled or filled in; the message says which name is missing.
        """
        return self._filled(self._plain, request, attributes, body)

    def render_url(
        self, *, request: Any = None, attributes: Mapping[str, str] | None = None, body: Any = None
    ) -> str:
        """Fill the template in as an address; each value is percent-encoded.

        Args:
            request: The cancellation request from Omnitron.
            attributes: The request's attributes.
            body: What is sent to the ERP.

        Raises:
            ConfigurationError: As ``render``; also for null anywhere, and an empty value in the path, where
                it would address something else.
        """
        path, mark, query = self._filled(self._url, request, attributes, body).partition("?")
        if EMPTY in path:
            raise ConfigurationError(
                f"{self._name}: a value in its path is empty; it would name another address"
            )
        return f"{path}{mark}{query.replace(EMPTY, '')}"

    def render_header(
        self, *, request: Any = None, attributes: Mapping[str, str] | None = None, body: Any = None
    ) -> str:
        """Fill the template in as a header's value.

        Args:
            request: The cancellation request from Omnitron.
            attributes: The request's attributes.
            body: What is sent to the ERP.

        Raises:
            ConfigurationError: As ``render``; also for null, and for a line break or control character.
        """
        value = self._filled(self._header, request, attributes, body).strip(" \t")
        if any(mark < CONTROL_END or mark == DELETE for mark in value):
            raise ConfigurationError(
                f"{self._name}: a line break or control character can't stand in a header"
            )
        return value

    def uses(self, name: str) -> bool:
        """Say whether a value (``request``, ``attributes``, ``body``) is named in the template."""
        return name in self.text

    @cached_property
    def _plain(self) -> Compiled:
        return self._compiled(PLAIN)

    @cached_property
    def _url(self) -> Compiled:
        return self._compiled(URL)

    @cached_property
    def _header(self) -> Compiled:
        return self._compiled(HEADER)

    def _compiled(self, environment: _Environment) -> Compiled:
        try:
            return environment.from_string(self.text)
        except (TemplateSyntaxError, RecursionError) as error:
            raise ConfigurationError(f"{self._name}: {_syntax(error)}") from error

    def _filled(self, compiled: Compiled, request: Any, attributes: Any, body: Any) -> str:
        values = {"request": request, "attributes": attributes or {}, "body": body}
        endless = f"it took more than {MOST_S:g} s of processor time. Look for a loop that has no end"
        try:
            with cpu_limit(ConfigurationError(f"{self._name} can't be filled in: {endless}")):
                return compiled.render(**values)
        except FAILURES as error:
            why = _why(error, {name: value for name, value in values.items() if self.uses(name)})
        raise ConfigurationError(f"{self._name} can't be filled in: {why}")  # unchained: it may hold a value


def _why(error: Exception, values: Mapping[str, Any]) -> str:
    """Say why a template can't be filled in: without a value of the request, and without Python's words."""
    if isinstance(error, _NotThere):
        way = _way_to(error.owner, values, "")
        if way:
            below = f"[{error.name}]" if isinstance(error.name, int) else f".{error.name}"
            return f"{way}{below} is not set"
        return f"{'null' if error.owner is None else 'a text or number'} has no '{error.name}'"
    if isinstance(error, UndefinedError | SecurityError):
        return str(error.message)
    return type(error).__name__


def _way_to(wanted: Any, value: Any, way: str) -> str | None:
    """Return how a template writes the way to a block or list among the values, or None where it is none."""
    if not isinstance(wanted, Mapping | list):
        return None
    if value is wanted:
        return way
    below: Iterable[tuple[str, Any]] = ()
    if isinstance(value, Mapping):
        below = ((f"{way}.{key}" if way else str(key), item) for key, item in value.items())
    elif isinstance(value, list):
        below = ((f"{way}[{place}]", item) for place, item in enumerate(value))
    return next((found for name, item in below if (found := _way_to(wanted, item, name))), None)


@lru_cache(maxsize=1024)
def template(text: str, name: str = "template") -> Template:
    """Return the compiled template of a text, from memory where it was used before."""
    return Template(text, name)


def render_tree(
    tree: Any, *, request: Any = None, attributes: Mapping[str, str] | None = None, body: Any = None
) -> Any:
    """Fill in every text of a JSON value as a template; keys, numbers and the rest stay as they are.

    Args:
        tree: A JSON value, such as the ``body`` of a flow's own call to Omnitron.
        request: The cancellation request from Omnitron.
        attributes: The request's attributes.
        body: What was sent to the ERP.

    Raises:
        ConfigurationError: A text can't be filled in.
    """
    if isinstance(tree, str):
        return template(tree, "body").render(request=request, attributes=attributes, body=body)
    if isinstance(tree, Mapping):
        return {
            key: render_tree(item, request=request, attributes=attributes, body=body)
            for key, item in tree.items()
        }
    if isinstance(tree, list | tuple):
        return [render_tree(item, request=request, attributes=attributes, body=body) for item in tree]
    return tree


def check_template(text: str) -> str | None:
    """Return what is wrong with a template's text, or None.

    Args:
        text: The template, checked without values: its syntax, its filters and its first names.
    """
    try:
        tree = PLAIN.parse(text)
        PLAIN.compile(tree)
        unknown = sorted(_names_in(tree) - NAMES - set(PLAIN.globals))
    except (TemplateError, RecursionError) as error:
        return _syntax(error)
    if unknown:
        return f"{', '.join(unknown)} is not known here; there are request, attributes and body"
    return None


def _names_in(tree: nodes.Template) -> set[str]:
    """Return the names that a template takes from outside; ``meta``'s own way works out constants first."""
    finder = meta.TrackingCodeGenerator(PLAIN)
    finder.optimizer = None
    finder.visit(tree)
    return finder.undeclared_identifiers


def _syntax(error: Exception) -> str:
    if isinstance(error, TemplateSyntaxError):
        return f"line {error.lineno} of the template can't be understood: {error.message}"
    return f"the template can't be understood ({type(error).__name__})"
