"""The demo's morning, as ``make demo`` spends it, on the Airflow that the tests share."""

from __future__ import annotations

import io
import shutil

import pytest
from rich.console import Console

from live_airflow import ROOT, connections_to
from order_cancellation.demo.__main__ import spend_morning
from order_cancellation.demo.environment import free_ports
from order_cancellation.demo.made_up import start_sandbox
from order_cancellation.demo.morning import FLOW

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def sandbox(live):
    """The demo's own sandbox; afterwards the connections lead to the tests' again."""
    shutil.copytree(ROOT / "include" / "flows" / FLOW, live.flows / FLOW)
    [port] = free_ports(1)
    sandbox = start_sandbox(live.place, port)
    with sandbox.program:
        yield sandbox
    for name, connection in connections_to(live.sandbox).items():
        live.airflow.api.set_connection(name, connection)


def test_a_morning_ends_as_the_scenario_says(live, sandbox):
    """A row for each of the ten requests, the verdict, and exit code 0."""
    told = io.StringIO()
    code = spend_morning(Console(file=told, width=120), live.airflow, sandbox)
    lines = told.getvalue().splitlines()
    rows = [line.split()[:2] for line in lines if line[:4].isdecimal()]

    assert code == 0, told.getvalue()
    assert rows == [
        [str(number), {4704: "failed", 4707: "postponed"}.get(number, "done")] for number in range(4701, 4711)
    ]
    assert any(line.startswith("As the scenario says. The ERP's own book has 8 bookings") for line in lines)
    assert sandbox.state()["booked"] == 8
