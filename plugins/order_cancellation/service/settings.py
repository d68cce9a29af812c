"""The project's settings as plain values; where they come from is not the engine's business."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["AirflowSettings", "Settings"]


@dataclass(frozen=True)
class Settings:
    """What the contract's section "Settings" names.

    Args:
        flows_folder: The folder that holds a folder per flow, absolute.
        ledger_url: The ledger's SQLAlchemy URL; may hold a password, so it is never shown.
        payload_keys: Fernet keys of stored payloads, newest first. Never shown.
        script_isolation: ``best``, or ``required``: scripts run only where all essential protections are.
        script_packages: Installed packages that scripts may import.
    """

    flows_folder: Path
    ledger_url: str = field(repr=False)
    payload_keys: tuple[str, ...] = field(default=(), repr=False)
    script_isolation: str = "best"
    script_packages: tuple[str, ...] = ()

    @property
    def isolation_required(self) -> bool:
        """Whether scripts must not run where an essential protection is missing."""
        return self.script_isolation == "required"


@dataclass(frozen=True)
class AirflowSettings:
    """What of Airflow's own settings safety and correctness hang on.

    Args:
        executor: As it is written, a list where there are several.
        masked_fields: Names of a connection's fields that Airflow masks besides its own.
        coordinator: The class that starts a task and waits for its end; empty for Airflow's own, None where
            the setting can't be read.
        plugins_folder: Where Airflow looks for plugins.
        conf_counts: Whether what a run was triggered with changes its parameters.
    """

    executor: str
    masked_fields: frozenset[str]
    coordinator: str | None
    plugins_folder: Path
    conf_counts: bool = True
