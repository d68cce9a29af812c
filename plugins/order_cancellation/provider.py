"""What Airflow's providers manager asks of this package: its connection types and its settings.

Every Airflow process imports this module at its very start, so it imports nothing of ours. Of the extra
fields, Airflow's REST API and logs mask those whose **name** contains ``token``, ``password``, ``secret``,
``proxy`` or ``authorization``: that hides ``client_secret``, ``refresh_token``, ``proxy`` and all of
``secret_headers`` (and, without need, ``token_path`` and ``password_field``). ``login_headers`` and
``extra_body`` are masked because ``airflow.env`` names them in ``[core] sensitive_var_conn_names``; without
that setting they are shown to whoever may edit connections. Our hooks mask their values in task logs.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

__all__ = ["LOGIN_KINDS", "OBJECT_FIELDS", "SECRET_FIELDS", "get_provider_info"]

_VERSION = "0.1.0"


def _text(label: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["string", "null"], **schema},
    }


_NETWORK_FIELDS = {
    "verify": {
        "label": "Verify TLS",
        "description": "Whether the server's certificate is checked. Turn it off for a test server only.",
        "schema": {"type": ["boolean", "null"], "default": True},
    },
    "ca": _text(
        "CA file", "Path of a PEM file on the workers with the certificates to trust, for a CA of your own."
    ),
    "cert": _text(
        "Client certificate", "Path of a PEM file on the workers with our certificate and key, if asked for."
    ),
    "proxy": _text("Proxy", "URL of an HTTP proxy that leads there, if one is needed.", format="password"),
}


_FORM = re.compile(r"^FORM: dict\[str, Any\] = (\{$.*?^\}|\{[^\n]*\})$", re.MULTILINE | re.DOTALL)


def _forms() -> dict[str, dict[str, Any]]:
    """Return what each login kind's file says of its form; read and not imported, for the sake of time."""
    files = sorted((Path(__file__).parent / "http" / "logins").glob("*.py"))
    found = {path.stem: _FORM.search(path.read_text(encoding="utf-8")) for path in files}
    return {kind: ast.literal_eval(form[1]) for kind, form in found.items() if form}


_FORMS = _forms()
LOGIN_KINDS = tuple(sorted(_FORMS, key=lambda kind: (kind != "none", kind)))
"""The ways to log in to an ERP, as ``login_kind`` names them (``http/logins`` has a file for each)."""


def _login_fields() -> dict[str, dict[str, Any]]:
    """Return the fields of all kinds; one that several kinds have says what it is to each."""
    fields: dict[str, dict[str, Any]] = {}
    for kind in LOGIN_KINDS:
        for name, said in _FORMS[kind]["fields"].items():
            more = {key: value for key, value in said.items() if key not in ("label", "description", "type")}
            schema = {"type": [said.get("type", "string"), "null"], **more}
            field = fields.setdefault(name, {"label": said["label"], "description": "", "schema": schema})
            field["description"] += f"{kind}: {said['description']}. "
    return {name: {**field, "description": field["description"].strip()} for name, field in fields.items()}


_LOGIN_FIELDS = _login_fields()
OBJECT_FIELDS = tuple(name for name, field in _LOGIN_FIELDS.items() if "object" in field["schema"]["type"])
"""The login's fields that are JSON objects."""
SECRET_FIELDS = (
    *OBJECT_FIELDS,
    *(name for name, field in _LOGIN_FIELDS.items() if field["schema"].get("format") == "password"),
    "proxy",
)
"""The fields whose values never stand in a log."""

_ERP_FIELDS = {
    "login_kind": {
        "label": "Login kind",
        "description": " · ".join(f"{kind}: {_FORMS[kind]['about']}" for kind in LOGIN_KINDS) + ".",
        "schema": {"type": "string", "enum": list(LOGIN_KINDS), "default": "none"},
    },
    **_LOGIN_FIELDS,
    **_NETWORK_FIELDS,
}

_OMNITRON = {
    "connection-type": "omnitron",
    "hook-name": "Omnitron",
    "hook-class-name": "order_cancellation.hooks.omnitron.OmnitronHook",
    "ui-field-behaviour": {
        "hidden-fields": ["schema"],
        "relabeling": {"host": "Base URL", "login": "User name"},
        "placeholders": {
            "host": "https://omnitron.example.com",
            "port": "such as 443; the Test button needs it here",
        },
    },
    "conn-fields": _NETWORK_FIELDS,
}

_ERP = {
    "connection-type": "erp",
    "hook-name": "ERP",
    "hook-class-name": "order_cancellation.hooks.erp.ErpHook",
    "ui-field-behaviour": {
        "hidden-fields": ["schema"],
        "relabeling": {"host": "Base URL", "login": "User name", "password": "Password or token"},
        "placeholders": {
            "host": "https://erp.example.com/api",
            "port": "such as 443; the Test button needs it here",
        },
    },
    "conn-fields": _ERP_FIELDS,
}


def _option(description: str, *, default: str | None, example: str | None, **more: Any) -> dict[str, Any]:
    return {
        "description": description,
        "version_added": _VERSION,
        "type": "string",
        "example": example,
        "default": default,
        **more,
    }


_CONFIG = {
    "order_cancellation": {
        "description": "Moving order cancellation requests from Omnitron to an ERP.",
        "options": {
            "flows_folder": _option(
                "Folder that holds one folder per flow. Relative to the project's root unless absolute.",
                default="include/flows",
                example="/srv/flows",
            ),
            "ledger_url": _option(
                "SQLAlchemy URL of the ledger. Empty: SQLite, ``ledger.db`` in AIRFLOW_HOME.",
                default="",
                example="postgresql+psycopg2://user:password@db/ledger",
                sensitive=True,
            ),
            "payload_key": _option(
                "Fernet key of stored payloads and tokens, or several, newest first, separated by commas. "
                "Empty: Airflow's ``[core] fernet_key``.",
                default="",
                example=None,
                sensitive=True,
            ),
            "script_isolation": _option(
                "``best``: users' scripts run under whatever protections this machine offers. "
                "``required``: they do not run where one is missing.",
                default="best",
                example="required",
            ),
            "script_packages": _option(
                "Installed packages that users' scripts may import, separated by commas.",
                default="",
                example="requests,lxml",
            ),
        },
    }
}


def get_provider_info() -> dict[str, Any]:
    """Return this package's entry for Airflow's providers manager.

    Returns:
        The dictionary that ``provider_info.schema.json`` of Airflow describes. ``package-name`` has to be the
        distribution's name, else Airflow refuses the entry.
    """
    return {
        "package-name": "order-cancellation",
        "name": "Order cancellation",
        "description": "Moves order cancellation requests from Omnitron to any ERP, and the outcome back.",
        "versions": [_VERSION],
        "connection-types": [_OMNITRON, _ERP],
        "config": _CONFIG,
    }
