"""Reads the project's settings from Airflow's own configuration, section ``[order_cancellation]``.

The defaults are the contract's. A relative ``flows_folder`` is taken from the project's root (where this
package is run from a checkout) or else from the current directory.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from airflow.configuration import AIRFLOW_HOME, conf
from airflow.exceptions import AirflowConfigException

from order_cancellation.errors import ConfigurationError
from order_cancellation.project import project_root
from order_cancellation.service.settings import AirflowSettings, Settings

__all__ = ["AirflowSettings", "Settings", "read_airflow_settings", "read_settings"]

_SECTION = "order_cancellation"
_ISOLATIONS = ("best", "required")


def read_settings() -> Settings:
    """Return the settings that are in force in this process.

    Raises:
        ConfigurationError: ``script_isolation`` is neither ``best`` nor ``required``.
    """
    isolation = _option("script_isolation") or "best"
    if isolation not in _ISOLATIONS:
        raise ConfigurationError(
            f"Setting [{_SECTION}] script_isolation is '{isolation}'. Write one of {', '.join(_ISOLATIONS)}."
        )
    return Settings(
        flows_folder=_flows_folder(_option("flows_folder") or "include/flows"),
        ledger_url=_option("ledger_url") or f"sqlite:///{Path(AIRFLOW_HOME, 'ledger.db').absolute()}",
        payload_keys=_listed(_option("payload_key") or conf.get("core", "fernet_key", fallback="")),
        script_isolation=isolation,
        script_packages=_listed(_option("script_packages")),
    )


def read_airflow_settings() -> AirflowSettings:
    """Return what ``order-cancellation doctor`` judges of Airflow's own settings."""
    hides = conf.getboolean("core", "hide_sensitive_var_conn_fields")
    names = _listed(conf.get("core", "sensitive_var_conn_names", fallback=""))
    return AirflowSettings(
        executor=conf.get("core", "executor"),
        masked_fields=frozenset(names if hides else ()),
        coordinator=_coordinator(),
        plugins_folder=Path(conf.get("core", "plugins_folder")),
        conf_counts=conf.getboolean("core", "dag_run_conf_overrides_params"),
    )


def _coordinator() -> str | None:
    """Return the class of the coordinator that tasks of the usual queue get."""
    try:
        queues: Any = conf.getjson("sdk", "queue_to_coordinator", fallback=None) or {}
        known: Any = conf.getjson("sdk", "coordinators", fallback=None) or {}
        name = queues.get(conf.get("operators", "default_queue"))
        return str(known[name]["classpath"]) if name else ""
    except (AirflowConfigException, AttributeError, KeyError, TypeError):
        return None


def _option(name: str) -> str:
    return str(conf.get(_SECTION, name, fallback="") or "").strip()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", ",").split(",") if part.strip())


def _flows_folder(written: str) -> Path:
    return (project_root() or Path.cwd()) / Path(os.path.expandvars(written)).expanduser()
