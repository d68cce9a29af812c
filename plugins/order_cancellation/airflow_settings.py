"""Reads the project's settings from Airflow's own configuration, section ``[order_cancellation]``.

The defaults are the contract's. A relative ``flows_folder`` is taken from the project's root (where this
package is run from a checkout) or else from the current directory.
"""

from __future__ import annotations

import os
from pathlib import Path

from airflow.configuration import AIRFLOW_HOME, conf

from order_cancellation.errors import ConfigurationError
from order_cancellation.project import project_root
from order_cancellation.service.settings import Settings

__all__ = ["Settings", "read_settings"]

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


def _option(name: str) -> str:
    return str(conf.get(_SECTION, name, fallback="") or "").strip()


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.replace("\n", ",").split(",") if part.strip())


def _flows_folder(written: str) -> Path:
    return (project_root() or Path.cwd()) / Path(os.path.expandvars(written)).expanduser()
