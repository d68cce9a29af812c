"""Runs a flow's saved test cases, through the very code that runs the steps, and shows what differs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from order_cancellation.errors import ConfigurationError, FlowInvalid, Problem
from order_cancellation.flow.cases import CaseDocument, SavedCase, read_cases
from order_cancellation.flow.faults import problems_of
from order_cancellation.flow.store import LoadedFlow
from order_cancellation.service.diffs import as_text, diff_values
from order_cancellation.service.trial import MAPPING_ERROR, SCRIPT_ERROR, Trial
from order_cancellation.steps.judge import Relation

__all__ = ["CaseResult", "compose_case", "erp_answer", "run_cases", "run_readable_cases"]

_CASE_NAME = re.compile(r"[A-Za-z0-9_-]{1,80}")


@dataclass(frozen=True)
class CaseResult:
    """What came of one saved case.

    Args:
        flow: The flow's id.
        case: The case's name.
        step: The step that was tried.
        failures: What differs from what is expected, each with a diff; empty where the case passed.
    """

    flow: str
    case: str
    step: str
    failures: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything came as expected."""
        return not self.failures


def run_cases(
    loaded: LoadedFlow, *, packages: tuple[str, ...] = (), required: bool = False, network: bool = True
) -> list[CaseResult]:
    """Run all saved cases of a flow.

    Args:
        loaded: The flow with its files.
        packages: Packages that scripts may import.
        required: Whether scripts must not run where an essential protection is missing.
        network: Whether scripts have the network where the flow says so.

    Raises:
        FlowInvalid: A case is no valid case.
    """
    results, problems = run_readable_cases(loaded, packages=packages, required=required, network=network)
    if problems:
        raise FlowInvalid(problems)
    return results


def run_readable_cases(
    loaded: LoadedFlow, *, packages: tuple[str, ...] = (), required: bool = False, network: bool = True
) -> tuple[list[CaseResult], list[Problem]]:
    """Run those saved cases of a flow that can be read, and name what is wrong with the others.

    Args:
        loaded: The flow with its files.
        packages: Packages that scripts may import.
        required: Whether scripts must not run where an essential protection is missing.
        network: Whether scripts have the network where the flow says so.
    """
    cases, problems = read_cases(loaded.flow.id, loaded.files)
    with Trial(loaded, packages=packages, required=required, network=network) as trial:
        return [_run(loaded.flow.id, case, trial) for case in cases], problems


def compose_case(
    name: str, step: str, *, given: Any, attributes: Mapping[str, str], expect: Mapping[str, Any]
) -> tuple[str, str]:
    """Write a saved case.

    Args:
        name: What it is called.
        step: The step that is tried.
        given: What the step gets: an object, or text.
        attributes: The attributes at hand.
        expect: What must come out: any of result, attributes and error.

    Returns:
        The file's relative path and its text.

    Raises:
        FlowInvalid: That is no case.
    """
    file = f"cases/{name}.yaml"
    if not _CASE_NAME.fullmatch(name):
        message = "can't be a case's name. Use letters, digits, _ and -, at most 80 characters."
        raise FlowInvalid([Problem("", name[:80], message)])
    document: dict[str, Any] = {"step": step, "input": given}
    document |= {"attributes": dict(attributes)} if attributes else {}
    document["expect"] = dict(expect)
    try:
        CaseDocument.model_validate(document)
    except ValidationError as error:
        raise FlowInvalid(problems_of(error, CaseDocument, "", prefix=f"{file}: ")) from error
    text = yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110)
    _, problems = read_cases("", {file: text.encode()})
    if problems:
        raise FlowInvalid(problems)
    return file, text


def erp_answer(files: Mapping[str, bytes]) -> tuple[int, str] | None:
    """Return what the ERP answered in a saved case: the first that ends well, else the first of all.

    Args:
        files: The flow's files.

    Returns:
        Status and body, or None where no case of custom_response tells both.
    """
    cases = [case for case in read_cases("", files)[0] if case.step == "custom_response"]
    cases.sort(key=lambda case: case.expect.attributes.get("relation") != Relation.CONTINUE)
    return next((answer for case in cases if (answer := _answer_in(case)) is not None), None)


def _answer_in(case: SavedCase) -> tuple[int, str] | None:
    status = case.attributes.get("invokehttp.status.code", "")
    try:
        given = json.loads(case.input_text)
    except (ValueError, RecursionError):
        return None
    if (
        not re.fullmatch("[1-5][0-9]{2}", status)
        or not isinstance(given, dict)
        or "response_data" not in given
    ):
        return None
    body = given["response_data"]
    return int(status), body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)


def _run(flow_id: str, case: SavedCase, trial: Trial) -> CaseResult:
    try:
        got = trial.run(case.step, case.input_text, case.attributes)
    except ConfigurationError as error:
        return CaseResult(flow_id, case.name, case.step, (str(error),))
    return CaseResult(flow_id, case.name, case.step, tuple(_differences(case, got)))


def _differences(case: SavedCase, got: dict[str, Any]) -> Iterator[str]:
    expected, attributes = case.expect, got["attributes"]
    error = attributes.get(MAPPING_ERROR if case.step == "mapping" else SCRIPT_ERROR)
    if expected.error is None and error is not None:
        yield f"error:\n{error}"
    if expected.error is not None and expected.error not in (error or ""):
        yield f"error: expected one that contains {expected.error!r}, got {error!r}"
    if "result" in expected.model_fields_set and not _same(expected.result, got["result_data"]):
        yield f"result:\n{_diff(expected.result, got['result_data'])}"
    wanted = dict(expected.attributes)
    present = {name: attributes[name] for name in wanted if name in attributes}
    if present != wanted:
        yield f"attributes:\n{_diff(wanted, present)}"


def _same(expected: Any, got: Any) -> bool:
    """Compare as JSON does: 1, 1.0 and true are three different values; the order of keys is none."""
    return as_text(expected) == as_text(got)


def _diff(expected: Any, got: Any) -> str:
    return diff_values(expected, got, names=("expected", "got"))
