"""The right-hand sides of ``modify``: constants, look-ups, function calls, and lists of alternatives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from order_cancellation.jolt.errors import JoltTransformError
from order_cancellation.jolt.functions import FUNCTIONS, Function
from order_cancellation.jolt.java import parse_number
from order_cancellation.jolt.keys import KeySyntaxError, Transpose
from order_cancellation.jolt.paths import Path, parse_path
from order_cancellation.jolt.report import Reporter, nearest
from order_cancellation.jolt.tree import copy_document
from order_cancellation.jolt.walk import NOTHING, Walk, compile_lookup, compile_read

__all__ = ["Call", "Constant", "Context", "Expression", "compile_choice", "lookups_of", "parse_choice"]


@dataclass(frozen=True)
class Constant:
    """A value of the specification itself."""

    value: Any


@dataclass(frozen=True)
class Context:
    """``^path``: a value of the context, of which this product has none, as NiFi has none."""

    path: Path


@dataclass(frozen=True)
class Call:
    """``=name(arguments)``, or ``=name`` for the value of the key itself.

    Args:
        name: The function's name; an unknown one gives its first argument, as in Java.
        arguments: What it is called with, or None for the value of the key itself.
    """

    name: str
    arguments: tuple[Constant | Transpose | Context, ...] | None


Expression = Constant | Transpose | Context | Call
Evaluate = Callable[[Walk, Any], Any]

_ERRORS_THAT_MEAN_NO_VALUE = (
    JoltTransformError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


def parse_choice(rule: str, written: Any, reporter: Reporter) -> tuple[Expression, ...]:
    """Parse a right-hand side.

    Args:
        rule: Where it stands.
        written: The value: a list is a choice whose first available entry counts, unless it is empty.
        reporter: Takes the problems.
    """
    choice = written if isinstance(written, list) and written else [written]
    return tuple(
        expression for item in choice if (expression := _parse_expression(rule, item, reporter)) is not None
    )


def _parse_expression(rule: str, written: Any, reporter: Reporter) -> Expression | None:
    if not isinstance(written, str):
        return Constant(written)
    if "${" in written:
        reporter.silent(
            rule, "NiFi's ${…} is not evaluated here. Set the value in the script step, or write it out."
        )
    if written.startswith("="):
        return _parse_call(rule, written[1:], reporter)
    if written.startswith(("@", "^")):
        return reporter.attempt(rule, _parse_reference, written)
    return Constant(written)


def _parse_reference(text: str) -> Transpose | Context:
    if text.startswith("^"):
        return Context(parse_path(text[1:]))
    last = parse_path(text).elements[-1]
    if not isinstance(last, Transpose):
        raise KeySyntaxError(
            f"'{text}' goes on after the look-up. Write the whole path inside of it: @(1,name.below)."
        )
    return last


def _parse_call(rule: str, text: str, reporter: Reporter) -> Call | None:
    name, opening, _ = text.partition("(")
    if not opening:
        _check_name(rule, name, reporter)
        return Call(name, None)
    if text.endswith("(") and text.count("(") == 1:
        reporter.error(rule, f"'={text}' opens a parenthesis and does not close it. Write ={name}(…).")
        return None
    if not text.endswith(")"):
        reporter.silent(
            rule, f"'={text}' does not end with its parenthesis; Java drops the last character instead."
        )
    _check_name(rule, name, reporter)
    words = _split_arguments(text[len(name) + 1 : -1])
    arguments = [reporter.attempt(rule, _parse_argument, word) for word in words]
    return Call(name, tuple(argument for argument in arguments if argument is not None))


_DIFFERENT_EACH_TIME = frozenset({"now", "nowEpochMillis", "uuid"})


def _check_name(rule: str, name: str, reporter: Reporter) -> None:
    if name in _DIFFERENT_EACH_TIME:
        reporter.silent(
            rule,
            f"'{name}' is not offered: a request must map to the same body however often it is tried. "
            f"Set such a value in the script step.",
        )
    elif name not in FUNCTIONS:
        hint = nearest(name, list(FUNCTIONS))
        reporter.silent(
            rule, f"There is no function '{name}'; Java silently takes the first argument. {hint}"
        )


def _split_arguments(text: str) -> list[str]:
    """Split at commas outside of quotes and of (one level of) parentheses."""
    words, word = [], ""
    quoted = enclosed = False
    for char in text:
        if char == "," and not quoted and not enclosed:
            words.append(word.strip(_BLANKS))
            word = ""
            continue
        word += char
        if char == "'":
            quoted = not quoted
        elif char in "()" and not quoted:
            enclosed = char == "("
    return [*words, word.strip(_BLANKS)]


_BLANKS = "".join(map(chr, range(33)))


def _parse_argument(word: str) -> Constant | Transpose | Context:
    if word.startswith(("@", "^")):
        return _parse_reference(word)
    if len(word) > 1 and word.startswith("'") and word.endswith("'"):
        return Constant(word[1:-1])
    number = parse_number(word)
    if number is not None:
        return Constant(number)
    return Constant(word.lower() == "true" if word.lower() in ("true", "false") else word)


def compile_choice(choice: tuple[Expression, ...], level: int) -> Evaluate:
    """Compile a right-hand side.

    Args:
        choice: The alternatives.
        level: The level of the key that it belongs to.

    Returns:
        A function of the walk and the key's own value (NOTHING where the key is missing) that gives the
        first available value, else NOTHING. Whatever goes wrong in an alternative makes it unavailable.
    """
    alternatives = tuple(_compile_expression(expression, level) for expression in choice)
    if len(alternatives) == 1:
        return _guarded(alternatives[0])
    guarded = tuple(map(_guarded, alternatives))

    def choose(walk: Walk, value: Any) -> Any:
        for evaluate in guarded:
            found = evaluate(walk, value)
            if found is not NOTHING:
                return found
        return NOTHING

    return choose


def _guarded(evaluate: Evaluate) -> Evaluate:
    def guarded(walk: Walk, value: Any) -> Any:
        try:
            return evaluate(walk, value)
        except _ERRORS_THAT_MEAN_NO_VALUE:
            return NOTHING

    return guarded


def _compile_expression(expression: Expression, level: int) -> Evaluate:
    if not isinstance(expression, Call):
        argument = _compile_argument(expression, level)
        return lambda walk, _value: argument(walk)
    function = FUNCTIONS.get(expression.name)
    if expression.arguments is None:
        return _own_value(function)
    arguments = tuple(_compile_argument(argument, level) for argument in expression.arguments)
    if function is None:
        return lambda walk, _value: arguments[0](walk)
    if len(arguments) == 1:
        return _one_argument(function, arguments[0])
    return _many_arguments(function, arguments)


def _own_value(function: Function | None) -> Evaluate:
    if function is None:
        return lambda _walk, _value: NOTHING
    return lambda _walk, value: NOTHING if value is NOTHING else function([value])


def _one_argument(function: Function, argument: Callable[[Walk], Any]) -> Evaluate:
    def call(walk: Walk, _value: Any) -> Any:
        given = argument(walk)
        return NOTHING if given is NOTHING else function([given])

    return call


def _many_arguments(function: Function, arguments: tuple[Callable[[Walk], Any], ...]) -> Evaluate:
    def call(walk: Walk, _value: Any) -> Any:
        given = [argument(walk) for argument in arguments]
        return function([None if item is NOTHING else item for item in given])

    return call


def _compile_argument(argument: Constant | Transpose | Context, level: int) -> Callable[[Walk], Any]:
    match argument:
        case Constant(value) if isinstance(value, dict | list):
            return lambda _walk: copy_document(value)
        case Constant(value):
            return lambda _walk: value
        case Transpose():
            return compile_lookup(argument, level)
        case Context(path):
            if not path.elements:
                return lambda walk: walk.context
            read = compile_read(path, level)
            return lambda walk: read(walk, walk.context)


def lookups_of(choice: tuple[Expression, ...]) -> tuple[Transpose, ...]:
    """Return the look-ups that a right-hand side reads, for ``explain``."""
    found: list[Transpose] = []
    for expression in choice:
        arguments = (expression.arguments or ()) if isinstance(expression, Call) else (expression,)
        found.extend(argument for argument in arguments if isinstance(argument, Transpose))
    return tuple(found)
