"""Rules about several keys of a block of ``flow.yaml``, such as that exactly one of them is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, get_args

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType

__all__ = ["Told", "beside", "one_of"]

Told = tuple[tuple[str, ...], str]
"""Where in a model a fault is, and what is wrong there."""

_KNOWN = frozenset(get_args(ErrorType))


def one_of(names: tuple[str, ...], otherwise: str) -> Any:
    """Return a model's validator that refuses none and several of these keys.

    Args:
        names: The keys.
        otherwise: What else may be written, in words that follow "Write exactly one of …".
    """
    listed = f"{', '.join(names[:-1])} and {names[-1]}"

    def only_one(data: Mapping[Any, Any], *, sound: bool) -> Iterator[Told]:
        written = [name for name in names if data.get(name) is not None]
        if len(written) > 1 or (sound and not written):  # a key with a typo is told already
            text = f"has {' and '.join(written) or f'none of {listed}'}. Write exactly one of {otherwise}"
            yield (), text

    return beside(only_one)


def beside(rule: Callable[..., Iterable[Told]]) -> Any:
    """Return a model's validator whose faults are told beside what is wrong with the keys themselves.

    A rule about a whole model usually comes after those, and one fault of theirs would hide it.

    Args:
        rule: Gets what is written, whatever that is, and ``sound``: whether the keys by themselves are. It
            gives the path within the model, and the words, of each fault.
    """

    def judged(cls: type[Any], data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if not isinstance(data, dict):
            return handler(data)
        faults: list[InitErrorDetails] = []
        valid = None
        try:
            valid = handler(data)
        except ValidationError as error:
            faults += map(_again, error.errors(include_url=False))
        faults += [
            InitErrorDetails(type=PydanticCustomError("rule", text), loc=path, input=data)
            for path, text in rule(data, sound=not faults)
        ]
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return valid

    method: Any = classmethod(judged)
    return model_validator(mode="wrap")(method)


def _again(fault: ErrorDetails) -> InitErrorDetails:
    """Return a fault as it has to be for raising it again; our own kinds with their words as they are."""
    known = fault["type"] in _KNOWN
    kind: Any = fault["type"] if known else PydanticCustomError(fault["type"], fault["msg"])
    return InitErrorDetails(
        type=kind, loc=fault["loc"], input=fault["input"], ctx=fault.get("ctx", {}) if known else {}
    )
