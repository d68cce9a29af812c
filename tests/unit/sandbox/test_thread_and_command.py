"""The sandbox serves code that is not asynchronous, and people at a terminal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from order_cancellation.sandbox import SandboxThread

PLUGINS = Path(__file__).parents[3] / "plugins"
CODE = "import sys; from order_cancellation.sandbox import main; sys.exit(main(int(sys.argv[1])))"


def port_of(sandbox):
    return int(sandbox.url.rpartition(":")[2])


def book(sandbox, number):
    body = json.dumps({"id": number}).encode()
    request = urllib.request.Request(sandbox.erp_url + "/cancellations", body)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status


class TestThread:
    def test_code_that_is_not_asynchronous_can_use_it(self):
        with SandboxThread(scenario="refusal", settings={"erp_login": "none"}) as s:
            s.use("all_fine", keep=True)
            assert book(s, 3) == 201
            assert [entry["id"] for entry in s.book] == [3]
            assert (s.booked_twice, s.writes, len(s.calls), len(s.requests)) == ([], [], 1, 10)

    def test_it_can_be_reset_and_released(self):
        with SandboxThread(settings={"erp_login": "none"}) as s:
            book(s, 1)
            s.release()
            s.reset()
            assert (s.book, s.omnitron_url) == ([], s.url)

    def test_its_port_is_free_again_afterwards(self):
        with SandboxThread() as first:
            port = port_of(first)
        with SandboxThread(port) as second:
            assert second.url == first.url

    def test_a_start_that_fails_is_told(self):
        with SandboxThread() as first, pytest.raises(OSError, match="in use"):
            SandboxThread(port_of(first)).__enter__()


class TestCommand:
    def start(self, port):
        return subprocess.Popen(
            [sys.executable, "-c", CODE, str(port)],
            env={**os.environ, "PYTHONPATH": str(PLUGINS)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def test_it_tells_its_addresses_and_each_call_and_ends_well_at_a_signal(self):
        with self.start(0) as process:
            addresses = [process.stdout.readline().split() for _ in range(3)]
            with pytest.raises(urllib.error.HTTPError, match="401") as refused:
                urllib.request.urlopen(addresses[1][1] + "/cancellations/7?iban=TR1", timeout=10)
            refused.value.close()
            line = process.stdout.readline()
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        assert [each[0] for each in addresses] == ["Omnitron", "ERP", "Controls"]
        assert line.split() == ["GET", "/erp/cancellations/7", "401"]

    def test_a_taken_port_is_told_and_ends_with_1(self):
        with SandboxThread() as s, self.start(port_of(s)) as process:
            assert process.wait(20) == 1
            assert "in use" in process.stderr.read()
