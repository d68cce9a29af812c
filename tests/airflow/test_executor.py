"""The executor goes on, whichever of its workers is killed, and whenever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from contextlib import suppress

import pytest

from order_cancellation.project import read_environment

from .conftest import ROOT

pytestmark = pytest.mark.skipif(
    not hasattr(os, "memfd_create"), reason="LocalExecutor's own queues are in use"
)

BEGIN = '''
import os, signal, sys, time
from pathlib import Path
from types import SimpleNamespace

from airflow.executors.base_executor import BaseExecutor
from airflow.executors.executor_loader import ExecutorLoader


def wait(until):
    begun = time.monotonic()
    while not until():
        assert time.monotonic() - begun < 20, "waited for 20 s"
        time.sleep(0.01)


class Work:
    """A workload; one that lasts writes down who has begun it."""

    running_state, success_state, failure_state = None, "success", "failed"

    def __init__(self, key, lasts="", text=""):
        self.key = self.display_name = key
        self.lasts, self.text = lasts, text


def run_workload(work, **_):
    if work.lasts:
        Path(work.lasts).write_text(str(os.getpid()))
        signal.pause()


# a task of Airflow's would need an API server; what is tried is how it gets to a worker
BaseExecutor.run_workload = staticmethod(run_workload)
executor = ExecutorLoader.import_default_executor_cls()[0](parallelism=2)
executor.start()


def queue(*works):
    for work in works:
        executor.queued_tasks[work.key] = work
    executor._process_workloads(list(works))


def ended(*keys):
    executor.sync()
    return set(keys) <= set(executor.event_buffer)


def are_idle(pids):
    """Whether these sleep in a read or wait for who reads."""
    return all("S (sleeping)" in Path(f"/proc/{pid}/status").read_text() for pid in pids)


def kill(pids):
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    wait(lambda: not any(executor.workers[pid].is_alive() for pid in pids))


'''


def run(program: str, *words: str) -> None:
    """Let the project's executor do something in a process of its own."""
    chosen = {"AIRFLOW__CORE__EXECUTOR": read_environment(ROOT)["AIRFLOW__CORE__EXECUTOR"]}
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN + textwrap.dedent(program), *words],
        env={**os.environ, **chosen},
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            _, told = process.communicate(timeout=60)
        finally:
            with suppress(ProcessLookupError):  # workers outlive a program that fails
                os.killpg(process.pid, signal.SIGKILL)
    assert process.returncode == 0, told


def test_workers_that_are_killed_while_they_wait_take_nothing_along() -> None:
    run("""
        workers = list(executor.workers)
        wait(lambda: are_idle(workers))
        kill(workers)
        queue(Work("a"), Work("b"), Work("c"))
        wait(lambda: ended("a", "b", "c"))
        executor.end()
    """)


def test_the_others_go_on_where_one_is_killed_at_its_work(tmp_path) -> None:
    run(
        """
        queue(Work("doomed", lasts=sys.argv[1]))
        wait(lambda: Path(sys.argv[1]).exists() and Path(sys.argv[1]).read_text())
        kill([int(Path(sys.argv[1]).read_text())])
        queue(*(Work(str(number)) for number in range(20)))
        wait(lambda: ended(*map(str, range(20))))
        assert "doomed" not in executor.event_buffer
        executor.end()
        """,
        str(tmp_path / "begun"),
    )


def test_a_task_of_any_size_arrives() -> None:
    run("""
        queue(Work("large", text="x" * 5_000_000), Work("small"))
        wait(lambda: ended("large", "small"))
        executor.end()
    """)


def test_it_ends_though_a_worker_takes_the_last_message_of_another() -> None:
    run("""
        def alive():
            return sum(worker.is_alive() for worker in executor.workers.values())

        def put(message):
            before = alive()
            put_in(message)
            wait(lambda: alive() < before)

        wait(lambda: are_idle(executor.workers))
        put_in, executor.activity_queue.put = executor.activity_queue.put, put
        # who has waited longest gets the first message, and is the last to be asked whether it lives
        executor.workers = dict(reversed(executor.workers.items()))
        executor.end()
    """)


def test_a_task_that_never_began_is_forgotten_when_airflow_asks_so() -> None:
    """Airflow queues it once more then; without that its slot would be lost."""
    run("""
        executor.running.add("lost")
        assert executor.slots_available == 1
        executor.revoke_task(ti=SimpleNamespace(key="lost"))
        assert executor.slots_available == 2
        executor.end()
    """)
