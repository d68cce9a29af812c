"""The engine alone: no Airflow, no network; Omnitron and an ERP that answer at once, in memory."""

from __future__ import annotations

import asyncio
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Self
from unittest.mock import patch
from urllib.parse import parse_qs, urlsplit

from cryptography.fernet import Fernet
from figure import Figure

from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.messages import Answer, Call
from order_cancellation.sandbox.data import make_request
from order_cancellation.service import runs
from order_cancellation.service.runs import Run
from order_cancellation.service.settings import Settings

FLOW = """
get_data: {connection: omnitron, cancel_type: all, status: approved, max_requests: 1000000}
script: {file: script.py}
mapping: {file: mapping.json}
write_to_erp: {connection: erp, url: /cancellations, method: POST}
custom_response: {file: response.py}
write_to_omnitron: {on_success: {status: completed}}
post_script: {file: post.py}
delivery: {parallel_batches: 1}
"""
BARE = "\n".join(line for line in FLOW.splitlines() if "file:" not in line) + "\n"
"""The flow without scripts and mapping: a run holds the same in memory, and takes a third of the time."""
LEAST_PER_S = {"write_to_erp": 500}
MOST_GROWTH = 1.3
"""Of all requests, get_data alone holds something: a digest of each uuid, twice, while it reads the list."""
FILES = {
    "script.py": "import json\nrequest = json.loads(input_text)\noutputStream.write(json.dumps(request))\n",
    "mapping.json": '[{"operation": "shift", "spec": {"id": "request_id", "uuid": "reference",'
    ' "order_item": {"price": "amount", "product": {"sku": "sku"}}}}]',
    "response.py": 'ok = get_attribute("invokehttp.status.code") == "201"\n'
    'session.putAttribute("relation", "continue" if ok else "failure")\n',
    "post.py": "import json\njson.loads(input_text)\n",
}


class Systems:
    """Omnitron and the ERP in memory, in place of the transport."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.booked = 0
        # one object for all: what is measured is the engine, not the making of data
        self._template = make_request(1)

    def for_endpoint(self, _endpoint: Endpoint, **_: Any) -> Systems:
        return self

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def send(self, call: Call, *, before_write: Any = None) -> Answer:
        if before_write is not None:
            before_write()
        await asyncio.sleep(0)
        status, data = self._answer(call)
        return Answer(status=status, reason="OK", body=json.dumps(data).encode(), url=call.url)

    def _answer(self, call: Call) -> tuple[int, Any]:
        path = urlsplit(call.url).path
        if path.endswith("/login/"):
            return 200, {"key": "token-of-the-bench"}
        if path.endswith("/detailed/"):
            return 200, self._page(call.url)
        if path.endswith("/cancellations"):
            self.booked += 1
            return 201, {"status": "OK"}
        return 200, {}

    def _page(self, url: str) -> Any:
        query = parse_qs(urlsplit(url).query)
        page, limit = int(query["page"][0]), int(query["limit"][0])
        first, last = (page - 1) * limit + 1, min(page * limit, self.count)
        results = [
            {**self._template, "id": number, "uuid": f"u{number:08}", "status": "approved"}
            for number in range(first, last + 1)
        ]
        return {
            "count": self.count,
            "next": "more" if last < self.count else None,
            "previous": None,
            "results": results,
        }


def measure(count: int = 1000, many: int = 100_000) -> list[Figure]:
    """Run one flow over ``count`` requests in one batch.

    Args:
        count: How many requests the whole flow is measured over.
        many: Over how many each step's memory is compared with that over 1,000.
    """
    with tempfile.TemporaryDirectory() as folder:
        _lay_out(Path(folder), FLOW)
        seconds = asyncio.run(_run(Path(folder), count))
    name = "engine, {step}: requests per second ({count} requests)"
    return [
        *(
            Figure(name.format(step=step, count=count), count / took, "1/s", least=LEAST_PER_S.get(step))
            for step, took in seconds.items()
        ),
        *_memory(many),
    ]


def _memory(many: int) -> list[Figure]:
    """Compare the peaks of each step of two runs without scripts, each in a process of its own."""
    few, peaks = _peaks_of(1_000), _peaks_of(many)
    return [figure for step, peak in peaks.items() for figure in _growth(step, many, few[step], peak)]


def _growth(step: str, many: int, few: float, peak: float) -> list[Figure]:
    name = f"engine, {step}: peak memory over {many} requests"
    return [
        Figure(name, peak, "MB"),
        Figure(f"{name}, over that of 1000", peak / few, "times", most=MOST_GROWTH),
    ]


def _peaks_of(count: int) -> dict[str, float]:
    """Return the most memory of each step's process, in MB, in the order of the run."""
    with tempfile.TemporaryDirectory() as home:
        _lay_out(Path(home), BARE)
        return {step: _peak_of(home, count, step) for step in ("get_data", *_steps(BARE), "report")}


def _peak_of(home: str, count: int, step: str) -> float:
    order = [sys.executable, __file__, str(count), "--peak", home, step]
    return float(subprocess.run(order, stdout=subprocess.PIPE, text=True, check=True).stdout)


def _own_peak() -> float:
    """Return the most memory of this process, in MB.

    Where the system tells that: what ``getrusage`` calls so begins with the peak of whoever started us.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # in bytes, on macOS
    [peak] = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return int(peak) / 2**10


async def _run(folder: Path, count: int) -> dict[str, float]:
    """Do a whole run in this process; returns the seconds of each step."""
    systems, seconds = Systems(count), {}
    for step in ("get_data", *_steps(FLOW)):
        begun = time.perf_counter()
        await _do(folder, systems, step)
        seconds[step] = time.perf_counter() - begun
    assert systems.booked == count
    return seconds | {"all steps": sum(seconds.values())}


def _steps(flow: str) -> list[str]:
    return [one for one in runs.STEPS if f"\n{one}:" in flow]


def _lay_out(folder: Path, flow: str) -> None:
    home = folder / "flows" / "bench"
    home.mkdir(parents=True)
    for name, text in {**FILES, "flow.yaml": flow}.items():
        (home / name).write_text(text, encoding="utf-8")
    (folder / "key").write_bytes(Fernet.generate_key())


async def _do(folder: Path, systems: Systems, step: str) -> None:
    """Do one step of the run, as a task does it."""
    key = (folder / "key").read_text()
    settings = Settings(folder / "flows", f"sqlite:///{folder / 'ledger.db'}", (key,))
    connections = {
        "omnitron": Endpoint("omnitron", "http://127.0.0.1", "omnitron", "user", "a-password"),
        "erp": Endpoint("erp", "http://127.0.0.1"),
    }
    run = Run("bench", "run 1")
    with patch.object(runs, "AiohttpTransport", systems):  # the one seam: everything below is real
        if step == "get_data":
            assert await runs.get_data(settings, connections.__getitem__, run) == [0]
        elif step == "report":
            assert runs.report(settings, run).counts == {"done": systems.count}
        else:
            report = await runs.run_step(settings, connections.__getitem__, run, step, 0)
            assert report.green, report.behind[0]
            assert report.passed == systems.count


if __name__ == "__main__":
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    if "--peak" not in sys.argv:
        for one in measure(number):
            print(f"{one.name:<70} {one.shown:>8} {one.unit:<5} {one.aim}")
    elif len(sys.argv) > 3:
        asyncio.run(_do(Path(sys.argv[3]), Systems(number), sys.argv[4]))
        print(_own_peak())
    else:
        print("\n".join(f"{step:<20} {peak:.1f} MB" for step, peak in _peaks_of(number).items()))
