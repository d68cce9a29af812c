"""Blocks of ``flow.yaml`` in which exactly one of several keys is written."""

from __future__ import annotations

from typing import Any, get_args

from pydantic import ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError
from pydantic_core.core_schema import ErrorType

__all__ = ["one_of"]

_KNOWN = frozenset(get_args(ErrorType))


def one_of(names: tuple[str, ...], otherwise: str) -> Any:
    """Return a model's validator that refuses none and several of these keys.

    Several are told beside what is wrong with the keys themselves. A rule about a whole model usually comes
    after those, and one fault of theirs would hide it.

    Args:
        names: The keys.
        otherwise: What else may be written, in words that follow "Write exactly one of …".
    """
    listed = f"{', '.join(names[:-1])} and {names[-1]}"

    def only_one(cls: type[Any], data: Any, handler: ModelWrapValidatorHandler[Any]) -> Any:
        if not isinstance(data, dict):
            return handler(data)
        faults: list[InitErrorDetails] = []
        valid = None
        try:
            valid = handler(data)
        except ValidationError as error:
            faults += map(_again, error.errors(include_url=False))
        written = [name for name in names if data.get(name) is not None]
        if len(written) > 1 or not (written or faults):  # a key with a typo is told already
            text = f"has {' and '.join(written) or f'none of {listed}'}. Write exactly one of {otherwise}"
            faults.append(InitErrorDetails(type=PydanticCustomError("one_of", text), input=data))
        if faults:
            raise ValidationError.from_exception_data(cls.__name__, faults)
        return valid

    method: Any = classmethod(only_one)
    return model_validator(mode="wrap")(method)


def _again(fault: ErrorDetails) -> InitErrorDetails:
    """Return a fault as it has to be for raising it again; our own kinds with their words as they are."""
    known = fault["type"] in _KNOWN
    kind: Any = fault["type"] if known else PydanticCustomError(fault["type"], fault["msg"])
    return InitErrorDetails(
        type=kind, loc=fault["loc"], input=fault["input"], ctx=fault.get("ctx", {}) if known else {}
    )
