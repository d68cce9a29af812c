"""The person at the command line, for the history of a request."""

from __future__ import annotations

import getpass
import os

__all__ = ["who_runs_this"]


def who_runs_this() -> str:
    """Return the user's name on this machine, or the user's number where it has no name (in a container)."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError, ImportError):
        name = f"user {os.getuid()}"
    return f"{name} (command line)"
