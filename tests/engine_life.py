"""The engine as a process of its own, to be killed: it polls until there is nothing left to do."""

from __future__ import annotations

import types
from multiprocessing.synchronize import Event
from pathlib import Path

import engine_harness

__all__ = ["live"]


def live(folder: Path, key: str, urls: tuple[str, str], name: str, up: Event) -> None:
    """Poll until a poll finds nothing."""
    engine_harness.KEY = key
    servers = types.SimpleNamespace(omnitron_url=urls[0], erp_url=urls[1])
    engine = engine_harness.Engine(folder, servers)
    number = 0
    up.set()
    while True:
        number += 1
        if not engine.run(f"{name}-{number}").counts:
            return
