"""How errors are answered: always JSON, with words for what the engine raises on purpose, else without."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from order_cancellation.api.shapes import Text
from order_cancellation.errors import (
    ChangedMeanwhile,
    ConfigurationError,
    FlowInvalid,
    InDoubt,
    LedgerUnavailable,
    NotSent,
    OrderCancellationError,
    Problem,
    Refused,
    SaveRefused,
    UnreadableAnswer,
    Wait,
)
from order_cancellation.service.drafts import place_of
from order_cancellation.service.sayable import sayable

__all__ = ["ProblemOut", "answer_failures", "problem_out"]

_STATUSES: dict[type[OrderCancellationError], int] = {
    ConfigurationError: 422,
    SaveRefused: 409,
    ChangedMeanwhile: 409,
    NotSent: 424,
    InDoubt: 424,
    Refused: 424,
    Wait: 424,
    UnreadableAnswer: 424,
    LedgerUnavailable: 503,
    OrderCancellationError: 409,
}
"""The status of each error, by its nearest class; 424: another system's doing."""


class ProblemOut(BaseModel):
    """One thing wrong with a flow."""

    path: Text
    message: Text
    file: Text | None = None
    line: int | None = None


def problem_out(problem: Problem, files: Mapping[str, bytes] | None = None) -> ProblemOut:
    """Return a problem as the pages show it.

    Args:
        problem: The problem.
        files: The flow's files, to find its line in.
    """
    place = place_of(problem, files or {})
    return ProblemOut(path=problem.path, message=problem.message, file=place.file, line=place.line)


def answer_failures(app: FastAPI) -> None:
    """Let an application answer every error with JSON."""
    app.add_exception_handler(OrderCancellationError, _known)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Exception, _unforeseen)


def _known(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, OrderCancellationError), "registered for it"
    status = next(_STATUSES[cls] for cls in type(error).__mro__ if cls in _STATUSES)
    return _answer(status, _detail(error))


def _detail(error: OrderCancellationError) -> Any:
    if isinstance(error, FlowInvalid):
        problems = [problem_out(problem).model_dump() for problem in error.problems]
        return {"code": "invalid", "message": sayable(str(error)), "problems": problems}
    if isinstance(error, SaveRefused):
        return sayable(jsonable_encoder({"code": error.code, "message": str(error), **error.facts}))
    return sayable(str(error))


def _unreadable(_request: Request, error: Exception) -> JSONResponse:
    """Say what is wrong with a request, without quoting it: it may hold what nobody should see twice."""
    assert isinstance(error, RequestValidationError), "registered for it"
    problems = [
        {"path": ".".join(map(str, one["loc"])), "message": one["msg"], "file": None, "line": None}
        for one in error.errors()
    ]
    words = "; ".join(f"{one['path']}: {one['message']}" for one in problems[:5])
    return _answer(422, {"code": "request", "message": words, "problems": problems})


def _unforeseen(_request: Request, _error: Exception) -> JSONResponse:
    """Tell nothing of the error; the server raises and logs it again after this answer."""
    return _answer(500, "This failed for a reason that nobody foresaw. The API server's log has the details.")


def _answer(status: int, detail: Any) -> JSONResponse:
    return JSONResponse({"detail": detail}, status, {"Cache-Control": "no-store"})
