"""The child's life: read the set-up, lock itself in, prepare the script, answer request after request."""

from __future__ import annotations

import _socket
import functools
import gc
import importlib
import json
import os
import re
import sys

from . import containment, execution, forked, frames, java, packages, tidy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

__all__ = ["main"]

REQUEST_CAP = 1 << 30
_CONFUSED = 70
"""The exit status when the runner's own frames make no sense (sysexits' EX_SOFTWARE)."""


def main() -> NoReturn:
    """Serve the channel whose descriptor is the first argument, until the other end goes."""
    channel = _socket.socket(fileno=int(sys.argv[1]))
    first = frames.read(channel, REQUEST_CAP)
    if first is None:
        os._exit(0)
    setup: dict[str, Any] = json.loads(first[0])
    channel, in_force = containment.enter(channel, setup)
    os.environ.clear()
    sys.argv = [setup["name"]]
    java.install()
    packages.install(setup["packages"])
    script, error = _compiled(setup)
    answer = {"protections": in_force, "error": error}
    if script is None:
        channel.sendall(frames.pack([b"ready", json.dumps(answer).encode()]))
        os._exit(0)
    serve = _serve_forked if setup["isolation"] == "per_request" else _serve_shared
    names = _import_what_it_names(setup["source"])
    gc.freeze()
    gc.enable()
    channel.sendall(frames.pack([b"ready", json.dumps(answer).encode()]))
    serve(channel, script, names)
    os._exit(0)


def _compiled(setup: dict[str, Any]) -> tuple[execution.Script | None, dict[str, Any] | None]:
    source, name = setup["source"], setup["name"]
    try:
        code = compile(source, name, "exec", dont_inherit=True)
    except SyntaxError as error:
        return None, {"line": error.lineno or 1, "message": f"{type(error).__name__}: {error.msg}"}
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        return None, {"line": 1, "message": f"{type(error).__name__}: {error}"}
    script = execution.Script(
        code,
        name,
        source.splitlines(),
        timeout_s=setup["timeout"],
        output_limit=setup["output"],
        network=setup["network"],
    )
    return script, None


_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+import\b|import[ \t]+([\w., \t]+))", re.MULTILINE)


def _import_what_it_names(source: str) -> set[str]:
    """Import the modules that the script's import lines name, so that no request waits for them."""
    names = {name for name, _ in _IMPORT.findall(source) if name and not name.startswith(".")}
    for _, several in _IMPORT.findall(source):
        names |= {words[0] for part in several.split(",") if (words := part.split())}
    for name in names:
        try:
            importlib.import_module(name)
        except BaseException:  # noqa: BLE001, S112 - the script's own import will say it, at its own line
            continue
    return {name.split(".", 1)[0] for name in names}


def _answered(script: execution.Script, request: list[bytes]) -> bytes:
    """Run one request and return the frame that answers it."""
    nonce, content, *words = request
    texts = [word.decode("utf-8") for word in words]
    answer = execution.execute(script, content, dict(zip(texts[::2], texts[1::2], strict=True)))
    return _frame(nonce, answer)


def _frame(nonce: bytes, answer: execution.Answer) -> bytes:
    text = frames.text
    flags = ("w" if answer.result is not None else "-") + ("e" if answer.error is not None else "-")
    flags += "o" if answer.worn_out else "-"
    fields = [nonce, flags.encode(), answer.result or b"", text(answer.error or ""), text(answer.printed)]
    fields.append(b"%d" % len(answer.changed))
    for name, value in answer.changed.items():
        fields += (text(name), text(value))
    fields.append(b"%d" % len(answer.removed))
    fields += map(text, answer.removed)
    for level, line in answer.log_lines:
        fields += (text(level), text(line))
    return frames.pack(fields)


def _serve_shared(channel: _socket.socket, script: execution.Script, names: set[str]) -> None:
    """Run each request in this process, one after another, tidying up between two."""
    picture = tidy.Tidy(names)
    read, answered, restore, send = frames.read, _answered, picture.restore, channel.sendall
    while (request := read(channel, REQUEST_CAP)) is not None:
        frame = answered(script, request)
        restore()
        send(frame)


def _serve_forked(channel: _socket.socket, script: execution.Script, _names: set[str]) -> None:
    """Run each request in a fork of this process, which itself runs no line of the script."""
    while (request := frames.read(channel, REQUEST_CAP)) is not None:
        cap = script.output_limit + frames.ANSWER_ROOM
        answer = forked.run(functools.partial(_answered, script, request), channel, script.timeout_s, cap)
        if isinstance(answer, bytes) and not frames.is_one(answer, request[0]):
            answer = "The script wrote to the runner's own channel"
        if isinstance(answer, str):
            answer = _frame(request[0], execution.Answer(answer, {"log.script.error": answer}))
        channel.sendall(answer)
