"""Checks of whole flows: the file, the scripts, the mapping, the templates, the saved cases, the order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from order_cancellation.errors import FlowInvalid, Problem
from order_cancellation.flow.cases import read_cases
from order_cancellation.flow.model import Flow, LookUp, WriteToErp
from order_cancellation.flow.names import RESERVED
from order_cancellation.flow.store import FlowStore, LoadedFlow, open_files, open_valid_parts
from order_cancellation.service.order import order_problems, place_problems

__all__ = ["case_problems", "check", "check_all", "load_checked", "opened", "validate"]


def check(loaded: LoadedFlow) -> list[Problem]:
    """Look into what a flow's file only names: its scripts, mapping, templates and saved cases.

    Args:
        loaded: The flow with its files.

    Returns:
        All that is wrong, in the order of the file.
    """
    return [*_run_problems(loaded), *case_problems(loaded)]


def opened(flow_id: str, files: Mapping[str, bytes]) -> LoadedFlow:
    """Make a flow of its files, as ``open_files`` does; where they are none, one fault hides no other.

    Args:
        flow_id: The flow's id.
        files: Relative path to content.

    Raises:
        FlowInvalid: They make no valid flow; with what is wrong in that which the rest names, too.
    """
    try:
        return open_files(flow_id, files)
    except FlowInvalid as error:
        raise _with_the_rest(error, flow_id, files) from error


def _loaded_from(store: FlowStore, flow_id: str) -> LoadedFlow:
    """Do as ``opened`` with a folder; what in it can't be read is told as well."""
    try:
        return store.load(flow_id)
    except FlowInvalid as error:
        if not store.has(flow_id):
            raise
        raise _with_the_rest(error, flow_id, store.look(flow_id)[0]) from error


def _with_the_rest(error: FlowInvalid, flow_id: str, files: Mapping[str, bytes]) -> FlowInvalid:
    told = error.problems
    return FlowInvalid(told + [one for one in check(open_valid_parts(flow_id, files)) if one not in told])


def _run_problems(loaded: LoadedFlow) -> list[Problem]:
    found = [
        *_name(loaded.flow),
        *_scripts(loaded),
        *_mapping(loaded),
        *_templates(loaded),
        *_json_paths(loaded.flow),
    ]
    return [Problem(loaded.flow.id, path, message) for path, message in found]


def case_problems(loaded: LoadedFlow) -> list[Problem]:
    """Return what is wrong with a flow's saved cases; it stops saving and testing, and never a run."""
    return read_cases(loaded.flow.id, loaded.files)[1]


def load_checked(store: FlowStore, flow_id: str) -> LoadedFlow:
    """Load a flow with all checks that a run needs.

    Args:
        store: The flows folder.
        flow_id: The flow.

    Raises:
        FlowInvalid: Something is wrong; all of it at once.
    """
    loaded = _loaded_from(store, flow_id)
    problems = [*_run_problems(loaded), *place_problems(store, loaded.flow)]
    if problems:
        raise FlowInvalid(problems)
    return loaded


def check_all(store: FlowStore) -> dict[str, list[Problem]]:
    """Check every flow, and the order among them.

    Args:
        store: The flows folder.

    Returns:
        The problems of each flow folder, an empty list where it has none.
    """
    problems: dict[str, list[Problem]] = {}
    flows: dict[str, Flow] = {}
    for flow_id in store.ids():
        try:
            loaded = _loaded_from(store, flow_id)
        except FlowInvalid as error:
            problems[flow_id] = list(error.problems)
            if store.has(flow_id):
                flows[flow_id] = open_valid_parts(flow_id, store.look(flow_id)[0]).flow
            continue
        flows[flow_id] = loaded.flow
        problems[flow_id] = check(loaded)
    for problem in order_problems(flows, problems):
        problems[problem.flow].append(problem)
    return problems


def validate(store: FlowStore, ids: Sequence[str] | None = None) -> list[Problem]:
    """Check flows, as ``order-cancellation validate`` does.

    Args:
        store: The flows folder.
        ids: The flows to check; None or empty for all.

    Returns:
        All problems, flow by flow; a name without a folder is one too.
    """
    by_flow = check_all(store)
    problems: list[Problem] = []
    for flow_id in dict.fromkeys(ids or by_flow):
        problems += by_flow.get(flow_id, [Problem(flow_id, "", f"there is no such flow in {store.folder}.")])
    return problems


def _name(flow: Flow) -> Iterator[tuple[str, str]]:
    if flow.id in RESERVED:  # Airflow would show a broken DAG under another name
        yield "", "another DAG of this project has this name. Rename the folder."


def _scripts(loaded: LoadedFlow) -> Iterator[tuple[str, str]]:
    from order_cancellation.scripts import check_source  # noqa: PLC0415 (the compiler is not needed to list flows)

    for step in ("script", "custom_response", "post_script"):
        settings = getattr(loaded.flow, step)
        if settings is not None:
            for fault in check_source(loaded.text(settings.file), settings.file):
                yield f"{step}.file", fault


def _mapping(loaded: LoadedFlow) -> Iterator[tuple[str, str]]:
    from order_cancellation.jolt import check_spec  # noqa: PLC0415 (likewise)

    settings = loaded.flow.mapping
    if settings is not None:
        for fault in check_spec(loaded.text(settings.file)):
            if settings.strict or not fault.java_accepts:
                yield "mapping.file", f"{settings.file}: {fault}"


def _templates(loaded: LoadedFlow) -> Iterator[tuple[str, str]]:
    from order_cancellation.http.templates import check_template  # noqa: PLC0415 (jinja2 is slow to import)

    for path, text in _template_texts(loaded.flow):
        fault = check_template(text)
        if fault:
            yield path, f"{fault.rstrip('.')}."


def _template_texts(flow: Flow) -> Iterator[tuple[str, str]]:
    erp: WriteToErp | None = flow.write_to_erp  # of a flow that is not valid, any block may be missing
    if erp is not None:
        yield "write_to_erp.url", erp.url
        for name, value in erp.headers.items():
            yield f"write_to_erp.headers.{name}", value
        if erp.look_up is not None:
            yield "write_to_erp.look_up.url", erp.look_up.url
    for outcome in ("on_success", "on_failure"):
        told = getattr(flow.write_to_omnitron, outcome, None)
        if told is not None and told.request is not None:
            path = f"write_to_omnitron.{outcome}.request"
            yield f"{path}.path", told.request.path
            yield from _texts_in(told.request.body, f"{path}.body")


def _texts_in(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _texts_in(item, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _texts_in(item, f"{path}[{place}]")


def _json_paths(flow: Flow) -> Iterator[tuple[str, str]]:
    from order_cancellation.http.jsonpath import check_path  # noqa: PLC0415 (its parser takes long to make)

    look_up: LookUp | None = getattr(flow.write_to_erp, "look_up", None)
    if look_up is not None:
        fault = check_path(look_up.found)
        if fault:
            yield "write_to_erp.look_up.found", fault
