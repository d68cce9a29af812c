"""LocalExecutor, without what a killed worker takes with it (``[core] executor``).

LocalExecutor's workers take turns at one pipe: one waits for the next task and holds a lock, the others wait
for the lock. A system that is out of memory kills any of them, also the one that waits. Nobody can give back
what it held: no task starts again, in no flow, until the scheduler is started anew, and nothing says so.

Here a message is a descriptor, which the kernel hands to exactly one reader. Nobody holds anything while it
waits. And a task whose worker was killed before it could say that it has begun is given up when Airflow asks
for that (``[scheduler] task_queued_timeout``), and queued once more.
"""

from __future__ import annotations

import os
import pickle
import select
import socket
from typing import TYPE_CHECKING, Any, Self

from airflow.executors import local_executor

if TYPE_CHECKING:
    from airflow.models.taskinstance import TaskInstance

__all__ = ["LocalExecutor"]


class LocalExecutor(local_executor.LocalExecutor):
    """Runs tasks on this machine as Airflow's own does, and goes on whichever of its workers dies.

    It has the same name because Airflow knows by it that everything is on one machine.
    """

    def start(self) -> None:
        """Start the workers; where they are not forked, as on macOS, with Airflow's own queues."""
        if not (self.is_mp_using_fork and hasattr(os, "memfd_create")):
            super().start()
            return
        tasks, results = _Letterbox(), _Letterbox()
        # these do what LocalExecutor uses of its queues and its count, and are of other types
        self.activity_queue, self.result_queue = tasks, results  # type: ignore[assignment]
        self._unread_messages = _Unread(tasks)  # type: ignore[assignment]
        self.workers = {}
        self._spawn_workers_with_gc_freeze(self.parallelism)  # type: ignore[no-untyped-call]  # it has no types

    def end(self) -> None:
        """Let the workers finish what they are at, and end them.

        Airflow's own sends each worker a last message, but none to one that has ended meanwhile, with the
        message of another: that one then waits for ever, and the scheduler for it. Here there are enough.
        """
        if any(worker.is_alive() for worker in self.workers.values()):
            for _ in self.workers:
                self.activity_queue.put(None)
        super().end()

    def revoke_task(self, *, ti: TaskInstance) -> None:
        """Forget a task that has been queued for too long: its worker is dead.

        Args:
            ti: Its task instance. Should it start all the same, Airflow's API lets only one of the two run.
        """
        self.queued_tasks.pop(ti.key, None)
        self.running.discard(ti.key)


class _Letterbox:
    """A queue between a process and those that it forks; of any number of readers one gets each message."""

    def __init__(self) -> None:
        self._out, self._in = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)

    def put(self, message: Any) -> None:
        """Send a message of any size: it lies in memory, and what is sent is its descriptor."""
        with os.fdopen(os.memfd_create("message"), "w+b") as memory:
            pickle.dump(message, memory)
            memory.seek(0)
            socket.send_fds(self._in, [b"."], [memory.fileno()])

    def get(self) -> Any:
        """Wait for a message.

        Raises:
            EOFError: If there can't be any more.
        """
        _, descriptors, _, _ = socket.recv_fds(self._out, 1, 1)
        if not descriptors:
            raise EOFError
        with os.fdopen(descriptors[0], "rb") as memory:
            return pickle.load(memory)  # noqa: S301  it comes from a process of our own

    def empty(self) -> bool:
        """Whether a reader would have to wait."""
        return not select.select([self._out], [], [], 0)[0]

    def close(self) -> None:
        """Close this process's ends."""
        self._in.close()
        self._out.close()


class _Unread:
    """In place of LocalExecutor's count of messages, behind a lock, by which it sees whether workers lack."""

    def __init__(self, box: _Letterbox) -> None:
        self._box = box

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    @property
    def value(self) -> int:
        """One if there is a message."""
        return int(not self._box.empty())

    @value.setter
    def value(self, _: int) -> None:
        """Nothing is counted."""
