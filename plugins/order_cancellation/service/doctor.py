"""Looks at an installation: what protects scripts, what services answer, what the settings say.

Of Airflow's own settings those that safety or correctness hang on: ``airflow.env`` sets them, and who sets
Airflow up otherwise has to do it himself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec

from cryptography.fernet import Fernet

from order_cancellation.errors import ConfigurationError, OrderCancellationError
from order_cancellation.flow.store import FlowStore
from order_cancellation.ledger import Need
from order_cancellation.scripts import protections
from order_cancellation.service.flows import check_all
from order_cancellation.service.requests import list_requests, open_ledger
from order_cancellation.service.settings import AirflowSettings, Settings

__all__ = ["Finding", "examine"]

OK, ABSENT, WRONG = "ok", "absent", "wrong"
_ADD_THE_KEY = "add the key that they were written with to payload_key (newest first)"
_REWRITTEN_SOON = (
    "keep it until the DAG maintenance has run, which rewrites all but those of finished requests"
)
_NOT_NEEDED = "it can go once they need not be shown any more; keep_payloads_days ends them"

MASKED = ("login_headers", "extra_body")
"""Fields of an ERP connection that may hold secrets, and whose names do not say so."""
EXECUTOR = "order_cancellation.airflow_executor.LocalExecutor"
COORDINATOR = "order_cancellation.airflow_coordinator.PromptCoordinator"
PLUGIN = "order_cancellation_plugin.py"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        area: ``settings``, ``services`` or ``scripts``.
        name: What it is.
        state: ``ok``; ``absent`` (it works, with less protection); ``wrong`` (somebody has to act).
        detail: What was found, without secrets.
    """

    area: str
    name: str
    state: str
    detail: str


def examine(settings: Settings, airflow: AirflowSettings) -> list[Finding]:
    """Look at everything that a flow needs here.

    Args:
        settings: The settings in force.
        airflow: Airflow's own in force.
    """
    return [
        *_of_settings(settings),
        *_of_airflow(settings, airflow),
        *_of_services(settings),
        *_of_scripts(settings),
    ]


def _of_settings(settings: Settings) -> Iterator[Finding]:
    yield _flows(settings)
    yield _keys(settings)
    yield Finding("settings", "script_isolation", OK, settings.script_isolation)
    missing = [name for name in settings.script_packages if not _installed(name)]
    detail = ", ".join(settings.script_packages) or "none: scripts have the standard library"
    if missing:
        detail = f"not installed: {', '.join(missing)}"
    yield Finding("settings", "script_packages", WRONG if missing else OK, detail)


def _flows(settings: Settings) -> Finding:
    folder = settings.flows_folder
    if not folder.is_dir():
        return Finding(
            "settings", "flows_folder", WRONG, f"{folder} is no folder. Create it, or correct the setting."
        )
    try:
        checked = check_all(FlowStore(folder))
    except ConfigurationError as error:
        return Finding("settings", "flows_folder", WRONG, str(error))
    broken = sorted(name for name, problems in checked.items() if problems)
    writable = "can be written" if os.access(folder, os.W_OK) else "read-only: the designer can't save"
    count = len(checked)
    detail = f"{folder}: {count} flow{'' if count == 1 else 's'}, {writable}"
    if broken:
        detail += f"; broken: {', '.join(broken)} (see order-cancellation validate)"
    return Finding("settings", "flows_folder", WRONG if broken else OK, detail)


def _keys(settings: Settings) -> Finding:
    if not settings.payload_keys:
        hint = "no key: start Airflow once (it makes one), or set [order_cancellation] payload_key"
        return Finding("settings", "payload_key", WRONG, hint)
    try:
        for key in settings.payload_keys:
            Fernet(key)
    except ValueError:
        return Finding("settings", "payload_key", WRONG, "not a Fernet key (32 bytes, written as base64)")
    count = len(settings.payload_keys)
    return Finding(
        "settings", "payload_key", OK, "1 key" if count == 1 else f"{count} keys, the newest encrypts"
    )


def _of_airflow(settings: Settings, airflow: AirflowSettings) -> Iterator[Finding]:
    for name, (state, detail) in {
        "sensitive_var_conn_names": _masking(airflow),
        "dag_run_conf_overrides_params": _parameters(airflow),
        "plugins_folder": _plugin(airflow),
        "executor": _executor(settings, airflow),
        "coordinators": _coordinator(airflow),
    }.items():
        yield Finding("settings", name, state, detail)


def _masking(airflow: AirflowSettings) -> tuple[str, str]:
    shown = [name for name in MASKED if name not in airflow.masked_fields]
    if not shown:
        return OK, f"{' and '.join(MASKED)} of ERP connections are masked"
    return WRONG, (
        f"Airflow shows {' and '.join(shown)} of ERP connections, which may hold secrets, to whoever may "
        f"edit connections. Set [core] sensitive_var_conn_names = {','.join(MASKED)}, and leave "
        "hide_sensitive_var_conn_fields on."
    )


def _parameters(airflow: AirflowSettings) -> tuple[str, str]:
    if airflow.conf_counts:
        return OK, "a run does what it was triggered with"
    return WRONG, (
        "a run does not do what it was triggered with: a dry run would send. "
        "Set [core] dag_run_conf_overrides_params = True."
    )


def _plugin(airflow: AirflowSettings) -> tuple[str, str]:
    folder = airflow.plugins_folder
    if (folder / PLUGIN).is_file():
        return OK, str(folder)
    return WRONG, (
        f"{folder} has no {PLUGIN}: there are no pages, and flows with a cron schedule can't be read. "
        "Set [core] plugins_folder to the project's plugins."
    )


def _executor(settings: Settings, airflow: AirflowSettings) -> tuple[str, str]:
    written = [one.strip().rpartition(":")[2] for one in airflow.executor.split(",")]
    on_this_machine = [one for one in written if one.rpartition(".")[2] == "LocalExecutor"]
    if on_this_machine != written and settings.ledger_url.startswith("sqlite"):
        return WRONG, (
            f"{airflow.executor} runs tasks on other machines too, and each would have a ledger of its own: "
            "requests could be sent twice. Set [order_cancellation] ledger_url to one Postgres for all."
        )
    if any(one != EXECUTOR for one in on_this_machine):
        return ABSENT, (
            f"{airflow.executor}: a worker that is killed may stop every run, without a word, until the "
            f"scheduler is started again. Set [core] executor = {EXECUTOR}."
        )
    return OK, airflow.executor


def _coordinator(airflow: AirflowSettings) -> tuple[str, str]:
    if airflow.coordinator == COORDINATOR:
        return OK, "a task's slot is free as soon as its process has ended"
    if airflow.coordinator is None:
        return WRONG, (
            "[sdk] coordinators or queue_to_coordinator can't be read, so no task starts. "
            "Write both as airflow.env has them."
        )
    return ABSENT, (
        "a task holds its slot for a second or more after its end. "
        "Set [sdk] coordinators and queue_to_coordinator as airflow.env has them."
    )


def _of_services(settings: Settings) -> Iterator[Finding]:
    kind = settings.ledger_url.partition(":")[0]
    try:
        with open_ledger(settings) as ledger:
            list_requests(ledger, limit=1)
            needs = ledger.keys.needed()
    except OrderCancellationError as error:
        yield Finding("services", "ledger", WRONG, f"{kind}: {error}")
        return
    yield Finding("services", "ledger", OK, f"{kind}, can be read")
    yield _keys_needed(needs)


def _keys_needed(needs: Sequence[Need]) -> Finding:
    """Say whether a key is missing, and what an older one is still needed for."""
    lost = [(one.lost, one) for one in needs if one.lost]
    older = [(one.older, one) for one in needs if one.older]
    said = []
    if lost:
        said.append(f"no key reads {_listed(lost)}: {_ADD_THE_KEY}")
    if older:
        said.append(f"only an older key reads {_listed(older)}: {_when_it_can_go(older)}")
    state = OK if not lost else WRONG if any(one.essential for _, one in lost) else ABSENT
    return Finding("services", "ledger_keys", state, "; ".join(said) or "the newest key reads everything")


def _listed(counts: Sequence[tuple[int, Need]]) -> str:
    return ", ".join(f"{'' if one.whole else 'at least '}{count:,} {one.kind}" for count, one in counts)


def _when_it_can_go(older: Sequence[tuple[int, Need]]) -> str:
    return _REWRITTEN_SOON if any(one.renewed for _, one in older) else _NOT_NEEDED


def _of_scripts(settings: Settings) -> Iterator[Finding]:
    try:
        layers = protections()
    except ConfigurationError as error:
        yield Finding("scripts", "start", WRONG, str(error))
        return
    for layer in layers:
        lacking = WRONG if layer.essential and settings.isolation_required else ABSENT
        yield Finding("scripts", layer.name, OK if layer.in_force else lacking, layer.detail)


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
