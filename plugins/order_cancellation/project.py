"""The project that this package is run from, and the environment that its commands give to Airflow."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["prepare_environment", "project_root"]

_ENVIRONMENT_FILE = "airflow.env"


def project_root() -> Path | None:
    """Return the root of the checkout that this package lies in, or None where there is none."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else None


def prepare_environment() -> None:
    """Give Airflow the project's own settings, as ``make`` does; what is set already wins.

    Must be called before Airflow is imported, since that reads ``AIRFLOW_HOME`` once. Outside a checkout it
    does nothing: there the environment is the installer's.
    """
    root = project_root()
    if root is None:
        return
    os.environ.setdefault("AIRFLOW_HOME", str(root / ".airflow"))
    for name, value in _written_settings(root):
        os.environ.setdefault(name, value)


def _written_settings(root: Path) -> list[tuple[str, str]]:
    try:
        text = (root / _ENVIRONMENT_FILE).read_text(encoding="utf-8")
    except OSError:
        return []
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.partition("=") for line in lines if line and not line.startswith("#"))
    return [
        (name.strip(), value.strip().replace("${PWD}", str(root)).replace("$PWD", str(root)))
        for name, _, value in pairs
    ]
