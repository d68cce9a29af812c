"""The project that this package is run from, and the environment that its commands give to Airflow."""

from __future__ import annotations

import re
from collections.abc import MutableMapping
from contextlib import suppress
from pathlib import Path

from order_cancellation.errors import ConfigurationError

__all__ = ["prepare_environment", "project_root", "read_environment"]

_ENVIRONMENT_FILE = "airflow.env"


def project_root() -> Path | None:
    """Return the root of the checkout that this package lies in, or None where there is none."""
    root = Path(__file__).resolve().parents[2]
    return root if (root / "pyproject.toml").is_file() else None


def prepare_environment(root: Path | None, environment: MutableMapping[str, str]) -> None:
    """Give Airflow the project's own settings, as ``make`` does; what is set already wins.

    Must be called before Airflow is imported, since that reads ``AIRFLOW_HOME`` once. Outside a checkout it
    does nothing: there the environment is the installer's.

    Args:
        root: From :func:`project_root`.
        environment: The process's variables.

    Raises:
        ConfigurationError: If a line of ``airflow.env`` can't be read.
    """
    if root is None:
        return
    environment.setdefault("AIRFLOW_HOME", str(root / ".airflow"))
    with suppress(OSError):
        for name, value in read_environment(root).items():
            environment.setdefault(name, value)


def read_environment(root: Path) -> dict[str, str]:
    """Return the variables of a project's ``airflow.env``, which a shell can source as well.

    Its lines are KEY=VALUE; empty ones and those that begin with ``#`` say nothing. ``$PWD`` stands for the
    project's root; a value in single quotes is taken as it stands.

    Args:
        root: The project's root.

    Raises:
        ConfigurationError: If a line is none of these.
        OSError: If the file can't be read.
    """
    settings = {}
    for number, line in enumerate(
        (root / _ENVIRONMENT_FILE).read_text(encoding="utf-8").splitlines(), start=1
    ):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals or not name.isidentifier():
            raise ConfigurationError(f"airflow.env, line {number}: write KEY=VALUE, or # before a remark.")
        settings[name] = _meant(value.strip(), root)
    return settings


def _meant(value: str, root: Path) -> str:
    quoted = re.fullmatch("'([^']*)'", value)
    return quoted[1] if quoted else value.replace("${PWD}", str(root)).replace("$PWD", str(root))
