"""What a flow, its connections and the installation set reaches the steps of a run."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace

import pytest

from engine_harness import POST, RESPONSE, SCRIPT, a_flow
from order_cancellation.errors import ConfigurationError
from order_cancellation.http.limits import Limits
from order_cancellation.service import runs

DAY_S = 86_400
A_SOCKET = "import socket\nsocket.socket().close()\n"
ITS_PROCESS = """
import json, sys
request = json.loads(input_text)
frame, files = sys._getframe(), []
while frame:
    files.append(frame.f_code.co_filename)
    frame = frame.f_back
is_forked = any(name.endswith("forked.py") for name in files)
outputStream.write(json.dumps({"id": request["id"], "uuid": request["uuid"], "price": is_forked}))
"""
ALL_AT_HAND = """
import json
names = [
    "flow.id", "run.id", "request.id", "request.uuid", "request.channel", "attempt", "set.by.script",
    "invokehttp.status.code", "invokehttp.status.message", "invokehttp.request.url",
    "invokehttp.response.body", "delivery.outcome",
]
raise ValueError(json.dumps({name: get_attribute(name) for name in names}))
"""


def one_request(sandbox):
    sandbox.use({"name": "all_fine", "requests": {"count": 1}})


class TestScripts:
    @pytest.mark.parametrize(
        ("cut_off", "left"),
        [
            ("script", "failed"),
            ("custom_response", "answered"),
            ("post_script", "written_back"),
            (None, "done"),
        ],
    )
    def test_each_has_the_network_only_where_the_flow_says_so(self, engine, sandbox, cut_off, left):
        one_request(sandbox)
        blocks = {step: {"network": step != cut_off} for step in ("script", "custom_response", "post_script")}
        blocks["script"]["file"], blocks["post_script"]["file"] = "script.py", "post.py"
        engine.write(
            a_flow(**blocks), script=A_SOCKET + SCRIPT, response=A_SOCKET + RESPONSE, post=A_SOCKET + POST
        )

        assert engine.run().counts == {left: 1}

    def test_each_has_its_time(self, engine, sandbox):
        one_request(sandbox)
        engine.write(a_flow(script={"file": "script.py", "timeout": 0.2}), script="while True:\n    pass\n")

        [behind] = engine.run().behind

        assert "longer than its 0.2 s" in behind.error

    @pytest.mark.parametrize(("isolation", "is_forked"), [("shared", False), ("per_request", True)])
    def test_each_request_has_a_process_of_its_own_where_the_flow_says_so(
        self, engine, sandbox, isolation, is_forked
    ):
        one_request(sandbox)
        engine.write(a_flow(script={"file": "script.py", "isolation": isolation}), script=ITS_PROCESS)
        engine.run()

        [booked] = sandbox.book
        assert booked["body"]["amount"] is is_forked

    @pytest.mark.parametrize(("packages", "left"), [((), "failed"), (("PyYAML",), "done")])
    def test_they_import_the_packages_that_the_installation_names(self, engine, sandbox, packages, left):
        one_request(sandbox)
        engine.settings = replace(engine.settings, script_packages=packages)
        engine.write(a_flow(script={"file": "script.py"}), script="import yaml\n" + SCRIPT)

        assert engine.run().counts == {left: 1}

    def test_they_do_not_run_without_the_protections_that_the_installation_requires(
        self, engine, monkeypatch
    ):
        def nothing_holds(child, _name):
            child.end()
            raise ConfigurationError("nothing holds here")

        # where every protection is at hand, as on most machines, there is nothing to miss
        monkeypatch.setattr("order_cancellation.scripts.runner._insist", nothing_holds)
        engine.write(a_flow(script={"file": "script.py"}))
        engine.get_data("run-1")

        assert engine.step("run-1", "script", 0).green
        engine.settings = replace(engine.settings, script_isolation="required")
        engine.get_data("run-2", request_ids=(1,), redo=True)
        with pytest.raises(ConfigurationError, match="nothing holds here"):
            engine.step("run-2", "script", 0)

    def test_the_response_script_finds_every_attribute_that_is_promised(self, engine, sandbox):
        one_request(sandbox)
        [request] = sandbox.requests
        said = 'session.putAttribute("set.by.script", "yes")\n'
        engine.write(a_flow(script={"file": "script.py"}), script=SCRIPT + said, response=ALL_AT_HAND)

        [behind] = engine.run("run-1").behind

        found, _ = json.JSONDecoder().raw_decode(behind.error[behind.error.index("{") :])
        body = json.loads(found.pop("invokehttp.response.body"))
        assert found == {
            "flow.id": "acme",
            "run.id": "run-1",
            "request.id": str(request["id"]),
            "request.uuid": request["uuid"],
            "request.channel": str(request["channel"]["pk"]),
            "attempt": "1",
            "set.by.script": "yes",
            "invokehttp.status.code": "201",
            "invokehttp.status.message": "Created",
            "invokehttp.request.url": f"{sandbox.erp_url}/cancellations",
            "delivery.outcome": "answered",
        }
        assert body["status"] == "OK"


def test_the_batches_share_what_the_erp_bears(engine, sandbox, monkeypatch):
    """Together they keep to ``concurrency`` and ``rate_per_second``."""
    shares = []

    def limits(concurrency, rate, *others):
        shares.append((concurrency, rate))
        return Limits(concurrency, None, *others)

    monkeypatch.setattr(runs, "Limits", limits)
    sandbox.use({"name": "all_fine", "requests": {"count": 9}})
    engine.write(
        a_flow(
            write_to_erp={"concurrency": 5, "rate_per_second": 3},
            delivery={"parallel_batches": 2},
            custom_response=None,
        )
    )

    assert engine.run().counts == {"done": 9}
    assert [share for share in shares if share[1]] == [(3, 1.5), (2, 1.5)]


@pytest.mark.parametrize(("days", "deleted"), [(9, True), (11, False)])
def test_payloads_are_kept_as_long_as_the_flow_says(engine, days, deleted):
    engine.write(a_flow(delivery={"keep_payloads_days": days}))
    engine.run()
    with closing(sqlite3.connect(engine.folder / "ledger.db")) as ledger, ledger:
        ledger.execute(f"UPDATE payloads SET created_at = created_at - {10 * DAY_S}")

    assert (asyncio.run(runs.keep_house(engine.settings))["acme"] > 0) is deleted
