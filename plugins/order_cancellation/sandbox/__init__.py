"""A fake Omnitron and a fake ERP as real HTTP servers, for trying flows, tests and the demo."""

from __future__ import annotations

from order_cancellation.sandbox.command import main
from order_cancellation.sandbox.data import STATUSES, TYPES, make_request
from order_cancellation.sandbox.scenarios import READY_MADE, Holding, Scenario, scenario_from
from order_cancellation.sandbox.server import DEFAULT_PORT, Sandbox
from order_cancellation.sandbox.settings import SandboxError, Settings
from order_cancellation.sandbox.thread import SandboxThread
from order_cancellation.sandbox.world import World

__all__ = [
    "DEFAULT_PORT",
    "READY_MADE",
    "STATUSES",
    "TYPES",
    "Holding",
    "Sandbox",
    "SandboxError",
    "SandboxThread",
    "Scenario",
    "Settings",
    "World",
    "main",
    "make_request",
    "scenario_from",
]
