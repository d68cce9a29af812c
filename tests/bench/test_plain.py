"""The benchmark's yardstick does the same calls as a flow, so that the comparison is fair."""

from __future__ import annotations

import asyncio
import importlib.util
from pathlib import Path

import pytest

from order_cancellation.sandbox.thread import SandboxThread

FILE = Path(__file__).resolve().parents[2] / "bench" / "plain.py"


@pytest.fixture(scope="module")
def plain():
    spec = importlib.util.spec_from_file_location("bench_plain", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_plain_script_books_and_completes_every_request_once(plain):
    scenario = {"name": "bench", "requests": {"count": 205}, "settings": {"idempotency": True}}
    with SandboxThread(scenario=scenario) as sandbox:
        _, found = asyncio.run(plain.run(sandbox.url, in_flight=16))
        assert found == 205
        assert len(sandbox.book) == 205
        assert sandbox.booked_twice == []
        assert {request["status"] for request in sandbox.requests} == {"completed"}


def test_the_plain_script_keeps_to_its_requests_in_flight(plain):
    scenario = {"name": "bench", "requests": {"count": 40}, "settings": {"erp_latency": 0.02}}
    with SandboxThread(scenario=scenario) as sandbox:
        asyncio.run(plain.run(sandbox.url, in_flight=4))
        assert sandbox.sandbox.most_in_flight["erp"] == 4
