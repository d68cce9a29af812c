"""What Airflow's providers manager asks of this package: its connection types and its settings.

Every Airflow process imports this module at its very start, so it imports nothing itself. Of the extra
fields, Airflow's REST API and logs mask those whose **name** contains ``token``, ``password``, ``secret``,
``proxy`` or ``authorization``: that hides ``client_secret``, ``refresh_token``, ``proxy`` and all of
``secret_headers`` (and, without need, ``token_path`` and ``password_field``). ``login_headers`` and
``extra_body`` are masked because ``airflow.env`` names them in ``[core] sensitive_var_conn_names``; without
that setting they are shown to whoever may edit connections. Our hooks mask their values in task logs.
"""

from __future__ import annotations

from typing import Any

__all__ = ["LOGIN_KINDS", "get_provider_info"]

LOGIN_KINDS = ("none", "basic", "jwt", "oauth2", "permanent_token", "custom_header")
"""The ways to log in to an ERP, as ``login_kind`` names them (``http/`` has a module for each)."""

_VERSION = "0.1.0"


def _text(label: str, description: str, **schema: Any) -> dict[str, Any]:
    return {
        "label": label,
        "description": description,
        "schema": {"type": ["string", "null"], **schema},
    }


def _object(label: str, description: str) -> dict[str, Any]:
    return {"label": label, "description": description, "schema": {"type": ["object", "null"]}}


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

_ERP_FIELDS = {
    "login_kind": {
        "label": "Login kind",
        "description": (
            "none · basic: login and password with each call · jwt: a JSON login gives the token · "
            "oauth2: token from the OAuth URL · permanent_token: the password is the token · "
            "custom_header: the secret headers with each call."
        ),
        "schema": {"type": "string", "enum": list(LOGIN_KINDS), "default": "none"},
    },
    "login_url": _text(
        "Login URL", "jwt: where the token is asked for; absolute, or relative to the base URL."
    ),
    "login_headers": _object(
        "Login headers",
        "jwt: headers of the login call. Their values are not shown again.",
    ),
    "extra_body": _object(
        "Extra login body",
        "jwt: more fields of the login call's JSON. Their values are not shown again.",
    ),
    "username_field": _text(
        "Username field", "jwt: the login field's name in that JSON; 'username' if empty."
    ),
    "password_field": _text("Password field", "jwt: the password field's name; 'password' if empty."),
    "token_path": _text(
        "Token path", "jwt: JSONPath of the token in the login's answer; '$.token' if empty."
    ),
    "header": _text(
        "Header", "jwt, permanent_token: which header carries the token; 'Authorization' if empty."
    ),
    "prefix": _text(
        "Prefix",
        "What stands before the token or the credentials; 'Basic' for basic, 'Bearer' for tokens if empty.",
    ),
    "grant_type": _text(
        "Grant type",
        "oauth2: which grant is asked for.",
        enum=["client_credentials", "password", "refresh_token"],
        default="client_credentials",
    ),
    "oauth_url": _text("OAuth URL", "oauth2: the token URL; absolute, or relative to the base URL."),
    "client_id": _text("Client id", "oauth2: the client's name."),
    "client_secret": _text("Client secret", "oauth2: the client's secret.", format="password"),
    "scope": _text("Scope", "oauth2: scopes, separated by blanks."),
    "client_auth": _text(
        "Client authentication",
        "oauth2: whether id and secret travel in the Basic header or in the form.",
        enum=["basic", "body"],
        default="basic",
    ),
    "refresh_token": _text("Refresh token", "oauth2: for the grant refresh_token.", format="password"),
    "secret_headers": _object(
        "Secret headers", "custom_header: headers sent with each call. Their values are never shown again."
    ),
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
