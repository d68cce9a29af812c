"""Turns what pydantic says of a document into words for the person who wrote it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from types import UnionType
from typing import Any, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from order_cancellation.errors import Problem
from order_cancellation.flow.reading import join_path

__all__ = ["problems_of", "unknown_key"]


def problems_of(
    error: ValidationError, model: type[BaseModel], flow_id: str, prefix: str = ""
) -> list[Problem]:
    """Name every fault of a document, with its path and what to write instead.

    Args:
        error: What pydantic found.
        model: The model that the document was read as; known keys and examples are taken from it.
        flow_id: The flow's id.
        prefix: What stands before each path, for documents other than ``flow.yaml``.
    """
    found: list[Problem] = []
    for detail in error.errors(include_url=False):
        location = tuple(part for part in detail["loc"] if part != "[key]")
        message = _words(detail, location, model)
        found.append(Problem(flow_id, (prefix + join_path(location)).rstrip(" :."), message))
    return found


def unknown_key(key: object, known: Sequence[str]) -> str:
    """Say that a key is unknown, with the nearest known one.

    Args:
        key: What was written.
        known: The keys that may stand there.
    """
    near = get_close_matches(str(key), known, n=1)
    advice = f"Did you mean '{near[0]}'?" if near else f"Known keys are {', '.join(known)}."
    return f"unknown key '{_short(key)}'. {advice}"


def _words(detail: ErrorDetails, location: tuple[str | int, ...], model: type[BaseModel]) -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind == "missing":
        return _missing(location, model)
    if kind == "extra_forbidden":
        block = _model_at(location[:-1], model)
        return unknown_key(location[-1], list(block.model_fields) if block else [])
    if kind == "literal_error":
        return _not_one_of(detail["input"], re.findall(r"'([^']*)'", context["expected"]))
    if kind == "value_error":
        return str(context["error"])
    if kind in _SENTENCES:
        return _SENTENCES[kind](detail["input"], context)
    return detail["msg"].rstrip(".") + "."


def _missing(location: tuple[str | int, ...], model: type[BaseModel]) -> str:
    block = _model_at(location[:-1], model)
    field = block.model_fields.get(str(location[-1])) if block else None
    if field is None or not field.examples:
        return "is missing."
    example = yaml.safe_dump(field.examples[0], default_flow_style=True, sort_keys=False).removesuffix(
        "...\n"
    )
    hint = " (or null, to tell Omnitron nothing)" if location[-1] == "on_success" else ""
    return f"is missing. {field.description} Write for example `{location[-1]}: {example.strip()}`{hint}."


def _not_one_of(value: object, allowed: list[str]) -> str:
    text = f"{_written(value)} is not one of {', '.join(allowed)}."
    near = get_close_matches(str(value).strip().lower(), [one.lower() for one in allowed], n=1)
    meant = [one for one in allowed if near and one.lower() == near[0]]
    return f"{text} Did you mean {meant[0]}?" if meant and len(allowed) > 1 else text


def _model_at(location: tuple[str | int, ...], model: type[BaseModel]) -> type[BaseModel] | None:
    """Walk the models along a path; None where the path leaves them (a list, a header)."""
    for key in location:
        field = model.model_fields.get(str(key))
        inner = _model_in(field) if field else None
        if inner is None:
            return None
        model = inner
    return model


def _model_in(field: FieldInfo) -> type[BaseModel] | None:
    kinds = (
        get_args(field.annotation)
        if get_origin(field.annotation) in (UnionType, Union)
        else (field.annotation,)
    )
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)), None)


def _written(value: object) -> str:
    if value is None:
        return "Nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list | tuple):
        return "A block of keys" if isinstance(value, dict) else "A list"
    return f"{value:g}" if isinstance(value, float) else f"'{_short(value)}'"


def _short(value: object) -> str:
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "…"  # noqa: PLR2004 (a line's worth)


def _must_be(what: str) -> Callable[[Any, dict[str, Any]], str]:
    return lambda value, _: f"{_written(value)} is not {what}."


def _bound(words: str, key: str) -> Callable[[Any, dict[str, Any]], str]:
    return lambda value, context: f"{_written(value)} is out of range: it must be {words} {context[key]:g}."


_TEXT = "text. Put it in quotes"
_BLOCK = "a block of keys, each on a line of its own and indented"

_SENTENCES: dict[str, Callable[[Any, dict[str, Any]], str]] = {
    "string_type": _must_be(_TEXT),
    "string_unicode": lambda _value, _context: "holds a character that is no valid Unicode. Remove it.",
    "string_too_short": lambda _value, _context: "is empty.",
    "string_too_long": lambda _value, context: f"is too long: at most {context['max_length']} characters.",
    "string_pattern_mismatch": lambda value, context: (
        f"{_written(value)} does not look right: it must begin with $, for example $.found."
        if context["pattern"].startswith("^\\$")
        else f"{_written(value)} is no connection's name. Use letters, digits, _, - and dots."
    ),
    "bool_type": _must_be("true or false"),
    "int_type": _must_be("a whole number"),
    "int_from_float": _must_be("a whole number"),
    "float_type": _must_be("a number"),
    "finite_number": _must_be("a number"),
    "model_type": _must_be(_BLOCK),
    "model_attributes_type": _must_be(_BLOCK),
    "dict_type": _must_be(_BLOCK),
    "mapping_type": _must_be(_BLOCK),
    "invalid_key": lambda _value, _context: "is a key that is no text. Put it in quotes, or remove it.",
    "tuple_type": _must_be("a list. Write it as [one, two]"),
    "too_short": lambda _value, _context: "is an empty list. Write at least one, or remove it.",
    "greater_than": _bound("more than", "gt"),
    "greater_than_equal": _bound("at least", "ge"),
    "less_than": _bound("less than", "lt"),
    "less_than_equal": _bound("at most", "le"),
}
