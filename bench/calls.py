"""The step that calls the ERP, over real HTTP against the sandbox: cost, scaling, and storms of logins.

Run by itself (``.venv/bin/python bench/calls.py``) or as the part ``calls`` of ``make bench``. The sandbox is
a process of its own, so that only the engine's processor time is counted.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from random import Random
from typing import Any
from urllib.request import Request, urlopen

from cryptography.fernet import Fernet
from figure import Figure

from order_cancellation.clock import SystemClock
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.messages import Call
from order_cancellation.http.session import Session
from order_cancellation.http.transport import AiohttpTransport
from order_cancellation.ledger import Ledger
from order_cancellation.sandbox.settings import Settings as MadeUp
from order_cancellation.service import runs
from order_cancellation.service.runs import Run
from order_cancellation.service.settings import Settings

FLOW = """
get_data: {{connection: omnitron, cancel_type: all, status: approved}}
write_to_erp: {{connection: erp, url: /cancellations, method: POST, concurrency: {concurrency}}}
write_to_omnitron: {{on_success: null}}
delivery: {{parallel_batches: 1}}
"""
LATENCY_S = 0.05
PROCESSES, SESSIONS = 4, 16
AIM_PER_S = 500
SERVE = """
import asyncio, sys
from order_cancellation.sandbox import Sandbox
async def serve():
    async with Sandbox() as sandbox:
        print(sandbox.url, flush=True)
        await asyncio.to_thread(sys.stdin.read)
asyncio.run(serve())
"""


def measure() -> list[Figure]:
    """Measure a send's cost, how it scales, and what an ended token brings about."""
    with sandbox() as url:
        return [_cost(url), *(_scaling(url, concurrency) for concurrency in (1, 4, 16, 64)), _storm(url)]


def _cost(url: str) -> Figure:
    """Take the best of three: what else runs on the machine only ever makes it dearer."""
    per_s = max(1000 / _step(url, 1000, concurrency=16, latency_s=0.0)[1] for _ in range(3))
    name = "write_to_erp over HTTP, ERP without latency: requests per second of processor time"
    return Figure(name, per_s, "1/s", least=AIM_PER_S)


def _scaling(url: str, concurrency: int) -> Figure:
    count = min(1000, 100 * concurrency)
    took, _ = _step(url, count, concurrency=concurrency, latency_s=LATENCY_S)
    ideal = concurrency / LATENCY_S
    name = f"write_to_erp, ERP answering in 50 ms, concurrency {concurrency} (at most {ideal:.0f})"
    return Figure(name, count / took, "1/s")


def _step(url: str, count: int, *, concurrency: int, latency_s: float) -> tuple[float, float]:
    """Send so many requests; return seconds by the clock and of processor time."""
    scenario = {"name": "bench", "requests": count, "settings": {"erp_latency": latency_s}}
    told(url, "/sandbox/scenario", scenario)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "flows" / "bench"
        home.mkdir(parents=True)
        (home / "flow.yaml").write_text(FLOW.format(concurrency=concurrency), encoding="utf-8")
        settings = Settings(home.parent, f"sqlite:///{folder}/ledger.db", (Fernet.generate_key().decode(),))
        run = Run("bench", "run")
        asyncio.run(runs.get_data(settings, lambda name: endpoint(url, name), run))
        begun, used = time.perf_counter(), time.process_time()
        done = asyncio.run(runs.run_step(settings, lambda name: endpoint(url, name), run, "write_to_erp", 0))
        took = time.perf_counter() - begun, time.process_time() - used
        assert done.green, done.behind[0]
    assert told(url, "/sandbox/state")["booked"] == count
    return took


def _storm(url: str) -> Figure:
    """Let 64 sessions in four processes notice at once that their token has ended."""
    told(url, "/sandbox/scenario", {"name": "all_fine"})
    key = Fernet.generate_key().decode()
    with tempfile.TemporaryDirectory() as folder:
        ledger = f"sqlite:///{folder}/ledger.db"
        assert asyncio.run(_noticed(url, ledger, key, 1)) == [404]  # logs in for the first time
        told(url, "/sandbox/reset", {})
        command = [sys.executable, __file__, "--notice", url, ledger, key]
        crew = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(PROCESSES)]
        seen = [status for one in crew for status in json.loads(one.communicate(timeout=300)[0])]
    assert seen == [404] * PROCESSES * SESSIONS, seen
    logins = sum(call["path"] == "/erp/login" for call in told(url, "/sandbox/calls"))
    name = f"logins when {PROCESSES * SESSIONS} sessions in {PROCESSES} processes meet an ended token"
    return Figure(name, logins, least=1, most=1)


async def _noticed(url: str, ledger_url: str, key: str, sessions: int) -> list[int]:
    """Look something up with the stored token, log in anew where it has ended, and look up again."""
    clock = SystemClock()
    call = Call("GET", f"{url}/erp/cancellations/none")
    erp = endpoint(url, "erp")
    with closing(Ledger(ledger_url, (key,), clock)) as ledger:
        async with AiohttpTransport(clock=clock, connections=sessions) as transport:
            each = [Session(erp, transport, ledger.tokens, clock, Random()) for _ in range(sessions)]
            return [answer.status for answer in await asyncio.gather(*(one.ask(call) for one in each))]


def endpoint(url: str, name: str) -> Endpoint:
    made_up = MadeUp()
    if name == "omnitron":
        return Endpoint(name, url, "omnitron", made_up.omnitron_user, made_up.omnitron_password)
    options = {"login_url": "/login"}
    return Endpoint(name, f"{url}/erp", "jwt", made_up.erp_user, made_up.erp_password, options)


@contextmanager
def sandbox() -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SERVE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.stdin.close()
        process.wait(30)


def told(url: str, path: str, data: Any = None) -> Any:
    body = None if data is None else json.dumps(data).encode()
    with urlopen(Request(url + path, body, {"Content-Type": "application/json"}), timeout=60) as answer:
        return json.load(answer)


if __name__ == "__main__":
    if "--notice" in sys.argv:
        print(json.dumps(asyncio.run(_noticed(*sys.argv[2:5], SESSIONS))))
    else:
        for row in measure():
            print(f"{row['name']:<85} {row['value']:>8} {row['unit']:<5} {row['aim']}")
