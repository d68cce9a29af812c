"""Scripts that try to break out, under all layers and with each layer left out in turn."""

from __future__ import annotations

# ruff: noqa: E501, ISC004, W291 - attempts are scripts of a line or two, and read best unbroken
import os
import select
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from order_cancellation.scripts import ScriptRunner

ESCAPED = "escaped"


def _tries(code: str) -> str:
    """Return a script that writes what it got, or what stopped it."""
    body = "\n".join(f"    {line}" for line in code.strip().splitlines())
    head = "import os, sys, ctypes, socket\ngot = None\ntry:\n"
    return (
        f"{head}{body}\nexcept Exception as e:\n    got = 'stopped: %r' % e\noutputStream.write(str(got))\n"
    )


class TestFiles:
    @pytest.mark.parametrize(
        "code",
        [
            "got = open(input_text).read()",
            "got = os.read(os.open(input_text, os.O_RDONLY), 100).decode()",
            "import pathlib; got = pathlib.Path(input_text).read_text()",
            "libc = ctypes.CDLL(None); buffer = ctypes.create_string_buffer(50)\n"
            "libc.read(libc.open(input_text.encode(), 0), buffer, 50); got = buffer.value.decode()",
            "os.chdir(os.path.dirname(input_text)); got = open('canary').read()",
            "import linecache; got = linecache.getline(input_text, 1)",
            "import mmap; f = open(input_text, 'rb'); got = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)[:]",
        ],
        ids=["open", "os.open", "pathlib", "ctypes", "chdir", "linecache", "mmap"],
    )
    def test_a_file_of_the_machine_cannot_be_read(self, attempt, public_folder, code):
        outcome = attempt(_tries(code), text=str(public_folder / "canary"))
        assert "canary-4711" not in str(outcome)

    @pytest.mark.parametrize(
        "code",
        [
            "open(input_text + '.new', 'w').write('x')",
            "open(input_text, 'w').write('x')",
            "os.unlink(input_text)",
            "os.truncate(input_text, 0)",
            "os.chmod(input_text, 0o777)",
            "os.rename(input_text, input_text + '.moved')",
            "os.symlink('/etc/passwd', input_text + '.link')",
            "os.utime(input_text, (1, 1))",
            "os.mkdir(input_text + '.dir')",
        ],
    )
    def test_nothing_outside_is_written_or_changed(self, attempt, public_folder, code):
        public_folder.chmod(0o777)
        canary = public_folder / "canary"
        canary.chmod(0o666)
        before = canary.stat()
        attempt(_tries(f"{code}\ngot = 'tried'"), text=str(canary))
        assert sorted(path.name for path in public_folder.iterdir()) == ["canary"]
        assert canary.read_text() == "canary-4711"
        assert (canary.stat().st_mode, canary.stat().st_mtime) == (before.st_mode, before.st_mtime)

    def test_accounts_and_home_cannot_be_read(self, attempt):
        for path in ("/etc/passwd", "/etc/shadow", "/root/.bashrc", "/proc/self/maps", "/proc/1/cmdline"):
            outcome = attempt(_tries("got = 'escaped' if open(input_text).read() else ''"), text=path)
            assert outcome.result_data != ESCAPED, path

    def test_other_packages_of_the_installation_cannot_be_imported(self, attempt):
        import order_cancellation

        code = "sys.path += input_text.split('|')\nimport {0}\ngot = 'escaped'"
        places = "|".join([*sys.path, str(Path(order_cancellation.__file__).parents[1])])
        for package in ("order_cancellation", "airflow", "pip", "pytest"):
            assert attempt(_tries(code.format(package)), text=places).result_data != ESCAPED, package


class TestEnvironment:
    def test_no_variable_comes_through(self, attempt, monkeypatch):
        monkeypatch.setenv("CANARY_VARIABLE", "canary-4711")
        monkeypatch.setenv("LD_LIBRARY_PATH", "/nonexistent")
        outcome = attempt("import os\nprint(dict(os.environ))\nprint(os.environb)")
        assert outcome.printed == "{}\nenviron({})\n"

    def test_the_environment_of_other_processes_cannot_be_read(self, attempt, victim):
        for pid in (victim.pid, os.getpid()):
            outcome = attempt(
                _tries("got = open('/proc/%s/environ' % input_text, 'rb').read()"), text=str(pid)
            )
            assert "canary" not in str(outcome)
            assert "PATH" not in (outcome.result_data or "")

    def test_no_descriptor_is_inherited(self, attempt, public_folder):
        descriptor = os.open(public_folder / "canary", os.O_RDONLY)
        os.set_inheritable(descriptor, True)
        code = "got = []\nfor n in range(3, 256):\n    try: got.append(os.pread(n, 50, 0))\n    except OSError: pass"
        try:
            outcome = attempt(_tries(code))
        finally:
            os.close(descriptor)
        assert outcome.result_data == "[]"


class TestNetwork:
    @pytest.mark.parametrize(
        "code",
        [
            "socket.create_connection(('127.0.0.1', int(input_text)), 1); got = 'escaped'",
            "import urllib.request; urllib.request.urlopen('http://127.0.0.1:' + input_text, timeout=1); got = 'escaped'",
            "s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262); s.settimeout(1)\n"
            "s.connect(('127.0.0.1', int(input_text))); got = 'escaped'",
            "s = socket.socket(); s.sendto(b'x', 0x20000000, ('127.0.0.1', int(input_text))); got = 'escaped'",
        ],
        ids=["tcp", "http", "mptcp", "fast open"],
    )
    def test_no_connection_is_made(self, attempt, listener, code):
        outcome = attempt(_tries(code), text=str(listener.getsockname()[1]))
        assert outcome.result_data.startswith("stopped")
        assert not select.select([listener], [], [], 0)[0]

    def test_no_datagram_leaves(self, attempt):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
            receiver.bind(("127.0.0.1", 0))
            code = "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.sendto(b'x', ('127.0.0.1', int(input_text)))"
            attempt(_tries(code), text=str(receiver.getsockname()[1]))
            assert not select.select([receiver], [], [], 0)[0]

    @pytest.mark.parametrize("abstract", [True, False], ids=["abstract", "in a folder"])
    def test_no_unix_socket_is_reached(self, attempt, public_folder, abstract):
        path = f"\0canary-{os.getpid()}" if abstract else str(public_folder / "socket")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            code = "s = socket.socket(socket.AF_UNIX); s.connect(input_text); got = 'escaped'"
            assert attempt(_tries(code), text=path).result_data != ESCAPED

    def test_a_refused_connection_names_the_setting(self):
        with ScriptRunner("import socket; socket.create_connection(('127.0.0.1', 9))") as runner:
            assert "network: true" in runner.run("").error

    def test_network_true_reaches_loopback(self, listener):
        code = _tries("socket.create_connection(('127.0.0.1', int(input_text)), 1); got = 'connected'")
        with ScriptRunner(code, network=True) as runner:
            assert runner.run(str(listener.getsockname()[1])).result_data == "connected"
        assert select.select([listener], [], [], 0)[0]

    def test_network_true_does_not_serve(self):
        with ScriptRunner(
            _tries("socket.create_server(('127.0.0.1', 0)); got = 'escaped'"), network=True
        ) as runner:
            assert runner.run("").result_data != ESCAPED


class TestOtherProcesses:
    @pytest.mark.parametrize(
        "code",
        [
            "os.kill(int(input_text), 0); got = 'escaped'",
            "os.kill(int(input_text), 15); got = 'escaped'",
            "fd = os.pidfd_open(int(input_text)); got = 'escaped'",
            "c = ctypes.CDLL(None, use_errno=True); got = 'escaped' if c.ptrace(16, int(input_text), 0, 0) == 0 else ''",
            "import resource; resource.prlimit(int(input_text), resource.RLIMIT_NOFILE); got = 'escaped'",
            "os.setpriority(os.PRIO_PROCESS, int(input_text), 19); got = 'escaped'",
            "got = 'escaped' if os.listdir('/proc/' + input_text) else ''",
            "got = 'escaped' if os.readlink('/proc/%s/cwd' % input_text) else ''",
        ],
        ids=["signal 0", "terminate", "pidfd", "ptrace", "prlimit", "nice", "proc", "cwd"],
    )
    def test_another_process_cannot_be_touched(self, attempt, victim, code):
        assert attempt(_tries(code), text=str(victim.pid)).result_data != ESCAPED
        assert victim.poll() is None

    def test_memory_of_another_process_cannot_be_read(self, attempt, victim):
        code = (
            "class V(ctypes.Structure): _fields_ = [('b', ctypes.c_void_p), ('n', ctypes.c_size_t)]\n"
            "m = ctypes.create_string_buffer(8); c = ctypes.CDLL(None, use_errno=True)\n"
            "v = V(ctypes.addressof(m), 8)\n"
            "c.process_vm_readv(int(input_text), ctypes.byref(v), 1, ctypes.byref(v), 1, 0); got = ctypes.get_errno()"
        )
        assert attempt(_tries(code), text=str(victim.pid)).result_data in {"1", "3"}

    def test_the_runner_itself_cannot_be_signalled(self, attempt):
        assert (
            attempt(_tries("os.kill(int(input_text), 0); got = 'escaped'"), text=str(os.getpid())).result_data
            != ESCAPED
        )

    @pytest.mark.parametrize(
        "code",
        [
            "os.fork() or os._exit(0)",
            "os.forkpty()[0] or os._exit(0)",
            "os.posix_spawn('/bin/true', ['true'], {})",
        ],
    )
    def test_no_process_is_started(self, attempt, code):
        assert attempt(_tries(f"{code}\ngot = 'escaped'")).result_data.startswith("stopped")

    def test_no_program_is_run(self, attempt):
        code = "import subprocess; subprocess.run(['/bin/true'], check=True); got = 'escaped'"
        assert attempt(_tries(code)).result_data.startswith("stopped")

    def test_a_fork_bomb_does_not_go_off(self, attempt):
        code = "for n in range(50):\n    if os.fork() == 0: os._exit(0)\ngot = 'escaped'"
        assert attempt(_tries(code)).result_data.startswith("stopped")

    def test_no_thread_stays_behind(self, attempt):
        code = "import threading; threading.Thread(target=print).start(); got = 'escaped'"
        assert attempt(_tries(code)).result_data.startswith("stopped")


class TestRights:
    @pytest.mark.parametrize(
        "call",
        [
            "setuid(0)", "setgid(0)", "mount(b'none', b'/', b'tmpfs', 0, 0)", "chroot(b'/')", "unshare(0x20000)",
            "unshare(0x10000000)", "sethostname(b'x', 1)", "personality(0x0040000)", 
            "memfd_create(b'x', 0)", "shmget(0, 100, 0o1600)", "setns(0, 0)", "umount2(b'/', 2)",
            "syscall(425, 1, 0)", "syscall(321, 0, 0, 0)", "syscall(298, 0, 0, 0, 0, 0)", "syscall(250, 0, 0)",
        ],
    )  # fmt: skip
    def test_the_kernel_gives_nothing_away(self, call):
        code = f"c = ctypes.CDLL(None, use_errno=True)\nif c.{call} == -1: got = ctypes.get_errno()"
        with ScriptRunner(_tries(code)) as runner:
            if not any(one.name == "system calls" and one.in_force for one in runner.protections):
                pytest.skip("this machine has no system-call filter")
            assert runner.run("").result_data == "1"

    def test_the_other_system_call_table_ends_the_process(self, in_force):
        if "system-call filter" not in in_force or os.uname().machine != "x86_64":
            pytest.skip("no system-call filter, or another machine than x86_64")
        with ScriptRunner("import ctypes\nctypes.CDLL(None).syscall(0x40000000 + 39)") as runner:
            assert "SIGSYS" in runner.run("").error

    def test_limits_cannot_be_lifted(self, attempt):
        code = "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1)); got = 'escaped'"
        assert attempt(_tries(code)).result_data.startswith("stopped")

    def test_ctypes_reaches_no_further_than_python(self, attempt):
        code = "c = ctypes.CDLL(None, use_errno=True)\ngot = [c.fork(), c.system(b'true') != 0]"
        assert attempt(_tries(code)).result_data == "[-1, True]"


class TestOrphans:
    def test_the_child_ends_with_its_runner(self, left_out):
        program = (
            "import sys, threading\n"
            "from order_cancellation.scripts import ScriptRunner\n"
            "runner = ScriptRunner('import time\\nwhile True:\\n try: time.sleep(9)\\n except BaseException: pass',"
            f" timeout=60, left_out={left_out!r})\n"
            "runner.start()\n"
            "threading.Thread(target=runner.run, args=('',), daemon=True).start()\n"
            "print(runner._child.pid, flush=True)\n"
            "sys.stdin.read()\n"
        )
        parent = subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={"PYTHONPATH": ":".join(sys.path)},
        )
        child = os.pidfd_open(int(parent.stdout.readline()))
        try:
            parent.kill()
            parent.communicate()
            assert select.select([child], [], [], 10)[0]
        finally:
            os.close(child)

    def test_the_child_outlives_the_thread_that_started_it(self):
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as executor:
            runner = executor.submit(ScriptRunner("outputStream.write('alive')").__enter__).result()
        try:
            assert runner.run("").result_data == "alive"
        finally:
            runner.close()
