"""Looks at an installation: what protects scripts, what services answer, what the settings say."""

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
from order_cancellation.service.settings import Settings

__all__ = ["Finding", "examine"]

OK, ABSENT, WRONG = "ok", "absent", "wrong"
_ADD_THE_KEY = "add the key that they were written with to payload_key (newest first)"
_REWRITTEN_SOON = (
    "keep it until the DAG maintenance has run, which rewrites all but those of finished requests"
)
_NOT_NEEDED = "it can go once they need not be shown any more; keep_payloads_days ends them"


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


def examine(settings: Settings) -> list[Finding]:
    """Look at everything that a flow needs here.

    Args:
        settings: The settings in force.
    """
    return [*_of_settings(settings), *_of_services(settings), *_of_scripts(settings)]


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
