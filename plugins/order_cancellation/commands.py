"""What each call of the command line does: ask a use case of ``service``, and write what it says."""

from __future__ import annotations

import logging
import os
import sys
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from order_cancellation.errors import ConfigurationError, FlowInvalid, Problem
from order_cancellation.flow.store import FlowStore
from order_cancellation.output import Output
from order_cancellation.project import prepare_environment, project_root
from order_cancellation.service.settings import AirflowSettings, Settings

if TYPE_CHECKING:
    from order_cancellation.ledger import Ledger
    from order_cancellation.service.saving import Workshop

__all__ = [
    "attributes_in",
    "doctor",
    "open_workshop",
    "read_input",
    "requests_erase",
    "requests_list",
    "requests_redo",
    "requests_resolve",
    "requests_show",
    "sandbox",
    "schedule",
    "schema",
    "test",
    "try_step",
    "upgrade_script",
    "validate",
]

_LISTED = ("flow", "id", "uuid", "state", "attempts", "erp_status", "relation", "error", "last_changed")
_HISTORY = ("at", "card", "state", "attempt", "send", "duration_ms", "run_id", "revision", "note")
_ERASED = ("erased", "flow", "id", "uuid", "state", "why")
_SHORT = 12
"""So many characters of a revision tell it from all others."""
_CASE = ("flow", "case", "step", "passed")
_MOST_INPUT = 64 * 1024 * 1024


def validate(arguments: Namespace, output: Output) -> int:
    """Check flows."""
    from order_cancellation.service.flows import validate as check  # noqa: PLC0415 (each call imports its own)

    store = _store()
    problems = check(store, arguments.flows)
    if output.as_json:
        output.json([asdict(problem) for problem in problems])
    elif problems:
        output.table([asdict(problem) for problem in problems], ("flow", "path", "message"))
    else:
        count = len(arguments.flows or store.ids())
        output.text(f"{count} flow{'' if count == 1 else 's'} in {store.folder}, nothing wrong.")
    return 1 if problems else 0


def try_step(arguments: Namespace, output: Output) -> int:
    """Try one step on one input."""
    from order_cancellation.service.trial import try_step as attempt  # noqa: PLC0415

    settings = _settings()
    result = attempt(
        _store(settings).load(arguments.flow),
        arguments.step,
        read_input(arguments.input),
        attributes_in(arguments.attribute),
        explain=arguments.explain,
        packages=settings.script_packages,
        required=settings.isolation_required,
    )
    output.json(result)
    return 0


def test(arguments: Namespace, output: Output) -> int:
    """Run saved test cases."""
    from order_cancellation.service.cases import run_readable_cases  # noqa: PLC0415

    settings = _settings()
    store = _store(settings)
    results: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for flow_id in arguments.flows or store.ids():
        try:
            packages, required = settings.script_packages, settings.isolation_required
            ran, unread = run_readable_cases(store.load(flow_id), packages=packages, required=required)
            results += [{**asdict(one), "passed": one.passed} for one in ran]
            problems += unread
        except FlowInvalid as error:
            problems += error.problems
    if results or not problems or output.as_json:
        _write_cases(results, output)
    for problem in problems:
        _tell(str(problem))
    return 0 if not problems and all(result["passed"] for result in results) else 1


def schedule(arguments: Namespace, output: Output) -> int:
    """Write a flow's schedule."""
    from order_cancellation.flow.schedule import describe  # noqa: PLC0415
    from order_cancellation.service.schedule import Wish, set_schedule  # noqa: PLC0415
    from order_cancellation.service.whoami import who_runs_this  # noqa: PLC0415

    after = [name for word in arguments.after or () for name in word.split(",") if name]
    wish = Wish(
        every=arguments.every,
        cron=arguments.cron,
        after=None if arguments.after is None else after,
        none=arguments.none,
        timezone=arguments.timezone,
    )
    with open_workshop() as shop:
        saved = set_schedule(shop, arguments.flow, wish, author=who_runs_this())
    output.text(f"Flow '{arguments.flow}' runs {describe(saved.flow.schedule)}.")
    return 0


def requests_list(arguments: Namespace, output: Output) -> int:
    """List requests."""
    from order_cancellation.service.requests import cursor_after, list_requests  # noqa: PLC0415
    from order_cancellation.service.search import found  # noqa: PLC0415

    with _ledger() as ledger:
        wanted = (arguments.flow, arguments.state, arguments.limit, arguments.after)
        if arguments.run is None and arguments.text is None:
            rows = list_requests(ledger, *wanted)
            following = cursor_after(rows[-1]) if len(rows) == arguments.limit else None
        else:
            rows, following = found(ledger, *wanted, run_id=arguments.run, text=arguments.text or "")
    _write_rows(rows, output)
    if following is not None:
        _tell(f"There may be more: go on with --after {following}")
    return 0


def requests_show(arguments: Namespace, output: Output) -> int:
    """Show a request's whole life."""
    from order_cancellation.service.life import show_request  # noqa: PLC0415

    with _ledger() as ledger:
        life = show_request(ledger, arguments.flow, arguments.request)
    if output.as_json:
        output.json(life)
        return 0
    output.text("\n".join(life["story"]) + "\n")
    output.facts({name: value for name, value in life.items() if not isinstance(value, list)})
    moments = [{**one, "revision": (one["revision"] or "")[:_SHORT]} for one in life["history"]]
    output.table(moments, _HISTORY, title="History")
    for payload in life.get("payloads", []):
        output.text(f"\n{payload['kind']} {payload['number'] or ''}".rstrip())
        output.json(payload["data"])
    return 0


def requests_redo(arguments: Namespace, output: Output) -> int:
    """Have requests done again at the next run."""
    from order_cancellation.service.life import what_follows  # noqa: PLC0415
    from order_cancellation.service.requests import redo  # noqa: PLC0415
    from order_cancellation.service.whoami import who_runs_this  # noqa: PLC0415

    store = FlowStore(_settings().flows_folder)
    with _ledger() as ledger:
        told = what_follows(ledger, store, arguments.flow, arguments.requests, "redo")
        rows = redo(ledger, arguments.flow, arguments.requests, who_runs_this(), arguments.why)
    _write_rows(rows, output)
    for line in told:
        _tell(line)
    return 0


def requests_resolve(arguments: Namespace, output: Output) -> int:
    """Decide on a request that is in doubt or parked."""
    from order_cancellation.service.life import what_follows  # noqa: PLC0415
    from order_cancellation.service.requests import resolve  # noqa: PLC0415
    from order_cancellation.service.whoami import who_runs_this  # noqa: PLC0415

    store = FlowStore(_settings().flows_folder)
    with _ledger() as ledger:
        told = what_follows(ledger, store, arguments.flow, [arguments.request], arguments.as_)
        row = resolve(
            ledger, arguments.flow, arguments.request, arguments.as_, arguments.why, who_runs_this()
        )
    _write_rows([row], output)
    for line in told:
        _tell(line)
    return 0


def requests_erase(arguments: Namespace, output: Output) -> int:
    """Erase a customer's data; the rows stay, and with them the protection against sending twice."""
    from order_cancellation.service.requests import erase_customer, erase_requests  # noqa: PLC0415
    from order_cancellation.service.whoami import who_runs_this  # noqa: PLC0415

    customer, flow, named = arguments.customer, arguments.flow, arguments.requests
    if (customer is None) != bool(named):
        raise ConfigurationError(
            "Name a flow with its requests, or a customer with --customer; one of the two."
        )
    with _ledger() as ledger:
        if customer is None:
            erased, left = erase_requests(ledger, flow, named, who_runs_this())
        else:
            erased, left = erase_customer(ledger, customer, who_runs_this(), flow)
    rows = [{**row, "erased": True, "why": None} for row in erased]
    rows += [{**row, "erased": False} for row in left]
    _write_erased(rows, output)
    return 1 if left else 0


def _write_erased(rows: list[dict[str, Any]], output: Output) -> None:
    if output.as_json:
        output.json(rows)
    elif rows:
        output.table([{**row, "erased": "yes" if row["erased"] else "NOT YET"} for row in rows], _ERASED)
    else:
        output.text("Nothing is kept of this customer.")


def doctor(_arguments: Namespace, output: Output) -> int:
    """Say which protections, services and settings are in force."""
    from order_cancellation.service.doctor import examine  # noqa: PLC0415

    findings = [asdict(finding) for finding in examine(_settings(), _airflow_settings())]
    if output.as_json:
        output.json(findings)
    else:
        output.table(findings, ("area", "name", "state", "detail"))
    return 1 if any(finding["state"] == "wrong" for finding in findings) else 0


def upgrade_script(arguments: Namespace, output: Output) -> int:
    """Rewrite a Python 2 script for today's Python."""
    from order_cancellation.flow.writing import write_atomically  # noqa: PLC0415
    from order_cancellation.scripts import check_source, upgrade_source  # noqa: PLC0415

    source, path = read_input(arguments.file), Path(arguments.file)
    name = "script.py" if arguments.file == "-" else path.name
    new, diff = upgrade_source(source, name)
    for problem in check_source(new, name):
        _tell(f"Left to do by hand: {problem}")
    if arguments.file == "-":
        output.text(new)
        _tell(diff.rstrip("\n") or "Nothing to change.")
        return 0
    if new == source:
        output.text(f"{arguments.file}: nothing to change.")
        return 0
    try:
        write_atomically(path.with_name(f"{path.name}.orig"), path.read_bytes())
        write_atomically(path, new.encode())
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written ({error.strerror}).") from error
    output.text(diff)
    return 0


def schema(_arguments: Namespace, output: Output) -> int:
    """Print the JSON schema of ``flow.yaml``."""
    from order_cancellation.flow.schema import flow_schema_text  # noqa: PLC0415

    output.text(flow_schema_text())
    return 0


def sandbox(arguments: Namespace, output: Output) -> int:
    """Run the fake Omnitron and the fake ERP until it is ended."""
    from order_cancellation.sandbox.command import main  # noqa: PLC0415

    with redirect_stdout(output.stream):  # its addresses and calls are its result
        return main(arguments.port)


def _settings() -> Settings:
    with _airflows_configuration():
        from order_cancellation.airflow_settings import read_settings  # noqa: PLC0415 (it imports Airflow)

        return read_settings()


def _airflow_settings() -> AirflowSettings:
    with _airflows_configuration():
        from order_cancellation.airflow_settings import read_airflow_settings  # noqa: PLC0415 (likewise)

        return read_airflow_settings()


@contextmanager
def _airflows_configuration() -> Iterator[None]:
    """Make Airflow's configuration ready to be asked, which takes a second to import."""
    prepare_environment(project_root(), os.environ)
    from airflow.exceptions import AirflowConfigException  # noqa: PLC0415

    try:
        yield
    except (AirflowConfigException, OSError) as error:
        raise ConfigurationError(f"Airflow's configuration can't be read: {error}") from error


def _settings_of_a_first_start() -> Settings:
    """Have Airflow write its own configuration file, as each of its commands does, and with it the key."""
    from airflow.configuration import write_default_airflow_configuration_if_needed  # noqa: PLC0415

    try:
        write_default_airflow_configuration_if_needed()
    except OSError as error:
        raise ConfigurationError(f"Airflow's configuration can't be written: {error}") from error
    return _settings()


def _store(settings: Settings | None = None) -> FlowStore:
    folder = (settings or _settings()).flows_folder
    if not folder.is_dir():
        raise ConfigurationError(
            f"The flows folder {folder} does not exist. Create it, or correct the setting flows_folder."
        )
    return FlowStore(folder)


@contextmanager
def _ledger() -> Iterator[Ledger]:
    from order_cancellation.service.requests import open_ledger  # noqa: PLC0415

    settings = _settings()
    logging.getLogger("alembic").setLevel(logging.WARNING)
    with open_ledger(settings if settings.payload_keys else _settings_of_a_first_start()) as ledger:
        yield ledger


@contextmanager
def open_workshop() -> Iterator[Workshop]:
    """Open the flows folder with its history."""
    from order_cancellation.service.saving import workshop_of  # noqa: PLC0415

    settings = _settings()
    _store(settings)
    with _ledger() as ledger:
        yield workshop_of(settings, ledger)


def read_input(name: str) -> str:
    """Read a text file, or standard input where the name is ``-``."""
    try:
        if name == "-":
            content = sys.stdin.buffer.read(_MOST_INPUT + 1)
        else:
            with Path(name).open("rb") as file:
                content = file.read(_MOST_INPUT + 1)
    except OSError as error:
        raise ConfigurationError(f"{name} can't be read ({error.strerror}).") from error
    if len(content) > _MOST_INPUT:
        raise ConfigurationError(f"{name} is larger than {_MOST_INPUT // 1024**2} MiB.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{name} is not UTF-8. Save it as UTF-8.") from error


def attributes_in(written: list[str]) -> dict[str, str]:
    """Read attributes as they are written at the command line: ``NAME=VALUE``."""
    attributes: dict[str, str] = {}
    for pair in written:
        name, sign, value = pair.partition("=")
        if not name or not sign:
            raise ConfigurationError(f"--attribute '{pair}' is not of the form NAME=VALUE.")
        attributes[name] = value
    return attributes


def _write_rows(rows: list[dict[str, Any]], output: Output) -> None:
    if output.as_json:
        output.json(rows)
    elif rows:
        output.table(rows, _LISTED)
    else:
        output.text("No requests.")


def _write_cases(results: list[dict[str, Any]], output: Output) -> None:
    if output.as_json:
        output.json(results)
        return
    if not results:
        output.text("No saved cases.")
        return
    output.table([{**result, "passed": "yes" if result["passed"] else "NO"} for result in results], _CASE)
    for result in results:
        for failure in result["failures"]:
            output.text(f"\n{result['flow']}, case {result['case']}, {failure}")


def _tell(text: str) -> None:
    print(text, file=sys.stderr)  # noqa: T201 (a command line speaks)
