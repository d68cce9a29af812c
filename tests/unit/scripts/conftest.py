"""What the tests of scripts share: what this machine offers, and victims of their own to aim at.

Every attempt here must stay harmless where the protection that it tests fails: it aims at processes, files
and sockets that its own test made, and never at "all" of anything.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from order_cancellation.scripts import ScriptRunner

LAYERS = {
    "all layers": (),
    "no namespaces": ("namespaces",),
    "no Landlock": ("landlock",),
    "no system-call filter": ("seccomp",),
}


@pytest.fixture(scope="session")
def in_force():
    """Return the details of the protections that this machine offers, as one text."""
    with ScriptRunner("") as runner:
        return "; ".join(f"{one.name}: {one.detail}" for one in runner.protections if one.in_force)


@pytest.fixture(params=LAYERS.values(), ids=LAYERS.keys())
def left_out(request, in_force):
    """Give each set of layers that must be enough by itself, where this machine has the others."""
    needed = {"system-call filter", "Landlock", "a root folder of its own"}
    words = {
        "namespaces": "a root folder of its own",
        "landlock": "Landlock",
        "seccomp": "system-call filter",
    }
    missing = [word for word in needed - {words[layer] for layer in request.param} if word not in in_force]
    if missing:
        pytest.skip(f"this machine has no {', '.join(missing)}")
    return request.param


@pytest.fixture
def attempt(left_out):
    """Run a script that tries something, under each set of layers."""

    def run(script, *, text="{}", attributes=None, **options):
        with ScriptRunner(script, timeout=options.pop("timeout", 5), left_out=left_out, **options) as runner:
            return runner.run(text, attributes)

    return run


@pytest.fixture
def public_folder():
    """Return a folder that every user of the machine may read, with a canary in it."""
    folder = Path(tempfile.mkdtemp(dir="/var/tmp"))
    folder.chmod(0o755)
    (folder / "canary").write_text("canary-4711")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def victim():
    """Return a process of this test's own, with a canary in its environment."""
    process = subprocess.Popen(
        [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"CANARY": "canary-4711"},
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


@pytest.fixture
def listener():
    """Return a listening TCP socket on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        yield server


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b'{"ok": true}')

    def log_message(self, *_words):
        pass


@pytest.fixture
def answering_server():
    """Return the address of an HTTP server on loopback."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()
