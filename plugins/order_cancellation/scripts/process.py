"""The script's process seen from outside: started, asked, and ended; every byte from it is hostile."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from order_cancellation.clock import Clock
from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts.child import frames
from order_cancellation.scripts.outcome import Protection

__all__ = ["ChildGone", "ChildLate", "ChildProcess", "Ready", "Setup"]

START_S = 20.0
"""How long a child may take until it is ready, on a machine that is busy with other things, in seconds."""
READY_CAP = 1 << 20
_AT_ONCE = 1 << 20
_START = Path(__file__).parent / "child" / "start.py"


_Talk = Generator[bytes | int, bytes, list[bytes]]
"""A conversation: it asks for bytes to be sent or for a number of them, and returns an answer's fields."""


class ChildGone(Exception):
    """The child ended, was ended, or said something that makes no sense; it can't be used again."""


class ChildLate(ChildGone):
    """The child did not answer within its time."""


@dataclass(frozen=True)
class Setup:
    """All that a child is told before its first request.

    Args:
        name: The script's file name in messages.
        source: The script.
        timeout: Wall time of one run, in seconds.
        memory: Address space, in bytes.
        output: The most output, in bytes.
        open_files: Descriptors at the same time.
        network: Whether it may use the network.
        isolation: ``shared`` or ``per_request``.
        packages: Importable packages beside the standard library: name to its folder or file.
        readable: Files and folders that it may read beside the standard library.
        cpu: Processor time of the whole process, in seconds.
        left_out: Layers of protection not to use: for tests of the others.
    """

    name: str
    source: str
    timeout: float
    memory: int
    output: int
    open_files: int
    network: bool
    isolation: str
    packages: Mapping[str, str]
    readable: tuple[str, ...]
    cpu: float
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ready:
    """What a child says when it is ready.

    Args:
        protections: The layers that are in force in it.
        error: Line and message of a source that does not compile, or None.
    """

    protections: tuple[Protection, ...]
    error: Mapping[str, Any] | None


class ChildProcess:
    """One child, from its start to its end.

    Started with ``subprocess`` (never by a fork of this process, which may have threads and locks), without
    environment and with two descriptors: its channel, and a pipe that tells it when we have gone.

    Args:
        setup: What it is told.
        clock: For the limits of time.

    Raises:
        ConfigurationError: It can't be started, or does not get ready.
    """

    def __init__(self, setup: Setup, clock: Clock) -> None:
        self._clock = clock
        self._cap = setup.output + frames.ANSWER_ROOM
        self._channel, theirs = socket.socketpair()
        try:
            with theirs:
                self._process = _started(theirs.fileno())
        except BaseException:
            self._channel.close()
            raise
        try:
            self.ready = self._set_up(setup)
        except (ChildGone, ValueError, LookupError, TypeError) as error:
            self.end()
            status = self._process.returncode
            raise ConfigurationError(
                f"The process for '{setup.name}' did not get ready (exit status {status}): {error}. "
                "Run 'order-cancellation doctor' on this machine"
            ) from error
        except BaseException:
            self.end()
            raise

    def _set_up(self, setup: Setup) -> Ready:
        end = self._clock.monotonic() + START_S
        word, answer = self._carry_out(_introduction(setup), end)
        if word != b"ready":
            raise ChildGone("it spoke before it was asked")
        told = json.loads(answer)
        return Ready(tuple(Protection(*row) for row in told["protections"]), told["error"])

    def ask(self, fields: list[bytes], seconds: float) -> list[bytes]:
        """Send one request and return the answer's fields.

        Args:
            fields: The request, without its nonce.
            seconds: How long until the answer must be here.

        Raises:
            ChildGone: It answered too late, nonsense or nothing; it is ended then.
        """
        end = self._clock.monotonic() + seconds
        try:
            return self._carry_out(self._exchange(fields), end)
        except BaseException:
            self.end()
            raise

    async def ask_async(self, fields: list[bytes], seconds: float) -> list[bytes]:
        """Do as :meth:`ask` does while the event loop goes on: a thread would cost twice as much."""
        try:
            async with asyncio.timeout(seconds):
                return await self._carry_out_async(self._exchange(fields))
        except TimeoutError:
            await asyncio.to_thread(self.end)
            raise ChildLate("it took too long") from None
        except BaseException:
            await asyncio.shield(asyncio.to_thread(self.end))
            raise

    def _exchange(self, fields: list[bytes]) -> _Talk:
        """Say what to send (bytes) and how much to receive (a number of bytes) for one request."""
        nonce = secrets.token_bytes(8)
        self._refuse_surplus()
        yield frames.pack([nonce, *fields])
        first, *answer = yield from _frame(self._cap)
        if not secrets.compare_digest(first, nonce):
            raise ChildGone("The script wrote to the runner's own channel")
        return answer

    def _carry_out(self, talk: _Talk, end: float) -> list[bytes]:
        try:
            wish = next(talk)
            while True:
                wish = talk.send(self._exactly(wish, end) if isinstance(wish, int) else self._send(wish, end))
        except StopIteration as done:
            return list(done.value)

    async def _carry_out_async(self, talk: _Talk) -> list[bytes]:
        try:
            wish = next(talk)
            while True:
                wish = talk.send(
                    await (self._exactly_async(wish) if isinstance(wish, int) else self._send_async(wish))
                )
        except StopIteration as done:
            return list(done.value)

    def _refuse_surplus(self) -> None:
        """Make sure that nothing lies in the channel that nobody asked for."""
        try:
            self._channel.settimeout(
                0
            )  # not select: this process may have more descriptors than it can count
            surplus = self._channel.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return
        except OSError:
            surplus = b""
        raise ChildGone("The script wrote to the runner's own channel" if surplus else self._how_it_ended())

    def _send(self, frame: bytes, end: float) -> bytes:
        view = memoryview(frame)
        try:
            while view:
                self._channel.settimeout(max(0.001, end - self._clock.monotonic()))
                view = view[self._channel.send(view) :]
        except TimeoutError:
            raise ChildLate("it took too long") from None
        except OSError:
            raise ChildGone(self._how_it_ended()) from None
        return b""

    async def _send_async(self, frame: bytes) -> bytes:
        self._channel.settimeout(0)
        try:
            await asyncio.get_running_loop().sock_sendall(self._channel, frame)
        except OSError:
            raise ChildGone(await asyncio.to_thread(self._how_it_ended)) from None
        return b""

    def _exactly(self, size: int, end: float) -> bytes:
        got = bytearray()
        while len(got) < size:
            try:
                self._channel.settimeout(max(0.001, end - self._clock.monotonic()))
                some = self._channel.recv(min(size - len(got), _AT_ONCE))
            except TimeoutError:
                raise ChildLate("it took too long") from None
            except OSError:
                some = b""
            if not some:
                raise ChildGone(self._how_it_ended())
            got += some
        return bytes(got)

    async def _exactly_async(self, size: int) -> bytes:
        loop, got = asyncio.get_running_loop(), bytearray()
        while len(got) < size:
            try:
                some = await loop.sock_recv(self._channel, min(size - len(got), _AT_ONCE))
            except OSError:
                some = b""
            if not some:
                raise ChildGone(await asyncio.to_thread(self._how_it_ended))
            got += some
        return bytes(got)

    def _how_it_ended(self) -> str:
        self.end(patience_s=0.5)
        status = self._process.returncode
        number = -status if status < 0 else status - 128
        try:
            how = (
                f"was ended by {signal.Signals(number).name}" if number > 0 else f"ended with status {status}"
            )
        except ValueError:
            how = f"ended with status {status}"
        return f"The script's process {how} before it answered"

    def hang_up(self) -> None:
        """Let whoever waits for an answer find that none will come; safe to call again."""
        with suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def end(self, patience_s: float = 0.0) -> None:
        """End the child and all that it may have started; safe to call again.

        Args:
            patience_s: How long it may take to end by itself, in seconds.
        """
        self.hang_up()
        self._channel.close()
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()
        if patience_s and self._process.returncode is None:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience_s)
        if self._process.returncode is None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def pid(self) -> int:
        """The process id of the child's outer process."""
        return self._process.pid


def _introduction(setup: Setup) -> _Talk:
    yield frames.pack([json.dumps(asdict(setup)).encode()])
    return (yield from _frame(READY_CAP))


def _frame(cap: int) -> _Talk:
    """Receive one frame of at most so many bytes."""
    total = int.from_bytes((yield 4), "big")
    if total > cap:
        raise ChildGone("The script answered more than it may")
    try:
        fields = frames.unpack((yield total))
    except frames.FrameError as error:
        raise ChildGone(f"The script wrote to the runner's own channel ({error})") from error
    if not fields:
        raise ChildGone("The script wrote to the runner's own channel")
    return fields


def _started(channel: int) -> subprocess.Popen[bytes]:
    loader = {
        name: os.environ[name] for name in ("LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH") if name in os.environ
    }
    try:
        return subprocess.Popen(  # noqa: S603 - the command is ours
            [sys.executable, "-I", "-S", "-X", "utf8", str(_START), str(channel)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env=loader,
            cwd="/",
            close_fds=True,
            pass_fds=(channel,),
            start_new_session=True,
        )
    except OSError as error:
        raise ConfigurationError(f"No process for the script could be started: {error}") from error
