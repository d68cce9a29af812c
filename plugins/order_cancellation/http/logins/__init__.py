"""The login kinds, one file each; a new one is a new file here, with its ``FORM``."""

from __future__ import annotations

import importlib
import pkgutil

from order_cancellation.http.logins.kind import Credentials, LoginKind, Visit

__all__ = ["LOGIN_KINDS", "Credentials", "LoginKind", "Visit"]


def _kinds() -> dict[str, LoginKind]:
    modules = [
        importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)
    ]
    found = [value for module in modules for value in vars(module).values() if isinstance(value, LoginKind)]
    return {kind.name: kind for kind in found}


LOGIN_KINDS = _kinds()
"""By the name that stands in a connection's ``login_kind``."""
