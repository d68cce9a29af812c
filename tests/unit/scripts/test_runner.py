"""The runner's own promises: what it takes, what it gives, and what it says of its protections."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts import ScriptRunner, protections
from order_cancellation.scripts import process as process_module


class TestOutcome:
    def test_attributes_are_all_there_are_after_the_run(self):
        with ScriptRunner("session.putAttribute('b', '2'); session.removeAttribute('c')") as runner:
            outcome = runner.run("{}", {"a": "1", "c": "3"})
        assert outcome.attributes == {"a": "1", "b": "2"}

    def test_attributes_are_optional(self):
        with ScriptRunner("outputStream.write(get_attribute('x', 'none'))") as runner:
            assert runner.run("{}").result_data == "none"

    def test_a_source_that_does_not_compile_is_an_error_of_each_run(self):
        with ScriptRunner("x = 1\nprint x", name="old.py") as runner:
            first, second = runner.run("{}", {"a": "1"}), runner.run("{}")
        assert "line 2" in first.error
        assert "Python 2" in first.error
        assert first.attributes == {"a": "1", "log.script.error": first.error}
        assert second.error == first.error

    @pytest.mark.parametrize(
        "source",
        ["x = '\0'", "(" * 5000, "x = " + "-" * 200_000 + "1", "if 1:\n" * 200, "x" * 2_000_000 + "="],
    )
    def test_a_source_that_breaks_the_compiler_is_an_error(self, source):
        with ScriptRunner(source) as runner:
            assert runner.run("{}").error

    def test_lone_surrogates_in_the_input_do_not_stop_it(self):
        with ScriptRunner("outputStream.write(input_text)") as runner:
            assert runner.run("a\ud800b", {"k": "\ud800"}).result_data == "a?b"

    def test_a_large_request_goes_through(self):
        with ScriptRunner("outputStream.write(input_text)") as runner:
            assert runner.run("x" * (20 << 20)).result_data == "x" * (20 << 20)

    def test_large_attributes_pass_by_untouched(self):
        body = "x" * (8 << 20)
        with ScriptRunner("session.putAttribute('n', str(len(get_attribute('body'))))") as runner:
            assert runner.run("", {"body": body}).attributes == {"body": body, "n": str(8 << 20)}

    def test_its_process_starts_with_no_more_modules_than_it_needs(self):
        with ScriptRunner("import sys\noutputStream.write(' '.join(sys.modules))") as runner:
            loaded = set(runner.run("").result_data.split())
        assert not loaded & {"typing", "socket", "selectors", "dataclasses", "inspect", "pathlib", "logging"}

    def test_what_it_says_carries_no_path_of_the_installation(self):
        with ScriptRunner("import json\njson.loads('{')") as runner:
            assert "site-packages" not in runner.run("").error
            assert "/" not in runner.run("").error


class TestProtections:
    def test_each_essential_layer_is_reported(self):
        names = {one.name for one in protections() if one.essential}
        assert names == {
            "files", "network", "other processes", "new processes and threads", "system calls", "memory",
            "wall time and output",
        }  # fmt: skip

    def test_a_missing_layer_is_reported_with_its_reason(self, in_force):
        with ScriptRunner("", left_out=("seccomp",)) as runner:
            calls = next(one for one in runner.protections if one.name == "system calls")
        assert not calls.in_force
        assert "left out" in calls.detail
        assert "ABSENT" in str(calls)

    def test_required_refuses_to_start_without_a_layer(self):
        with pytest.raises(ConfigurationError, match=r"'pay\.py' would run without: .*system calls"):
            ScriptRunner("", name="pay.py", required=True, left_out=("seccomp",)).start()

    def test_required_starts_where_all_layers_are_in_force(self):
        if not all(one.in_force for one in protections() if one.essential):
            pytest.skip("this machine lacks an essential layer")
        with ScriptRunner("outputStream.write('x')", required=True) as runner:
            assert runner.run("").result_data == "x"

    def test_an_open_network_is_said_and_not_counted_as_missing(self):
        with ScriptRunner("", network=True) as runner:
            network = next(one for one in runner.protections if one.name == "network")
        assert (network.in_force, network.essential) == (False, False)

    def test_without_any_layer_it_runs_with_limits_and_says_so(self):
        everything = ("namespaces", "landlock", "seccomp", "rights")
        with ScriptRunner("outputStream.write('x')", left_out=everything) as runner:
            assert runner.run("").result_data == "x"
            absent = {one.name for one in runner.protections if not one.in_force}
        assert absent >= {"files", "network", "system calls"}


class TestStart:
    def test_an_unknown_package_is_refused_by_name(self):
        with pytest.raises(ConfigurationError, match="'no-such-package', which is not installed"):
            ScriptRunner("", packages=("no-such-package",))

    def test_an_unknown_isolation_is_refused(self):
        with pytest.raises(ConfigurationError, match="shared or per_request"):
            ScriptRunner("", isolation="some")

    def test_an_interpreter_that_does_not_start_is_a_configuration_error(self, monkeypatch):
        monkeypatch.setattr(sys, "executable", "/nonexistent/python")
        with pytest.raises(ConfigurationError, match="could be started"):
            ScriptRunner("").start()

    def test_a_child_that_does_not_get_ready_is_a_configuration_error(self, monkeypatch, tmp_path):
        broken = tmp_path / "start.py"
        broken.write_text("raise SystemExit(7)")
        monkeypatch.setattr(process_module, "_START", broken)
        with pytest.raises(ConfigurationError, match=r"exit status 7"):
            ScriptRunner("").start()

    def test_a_child_that_speaks_first_is_a_configuration_error(self, monkeypatch, tmp_path):
        chatty = tmp_path / "start.py"
        chatty.write_text(
            "import sys, socket\nsocket.socket(fileno=int(sys.argv[1])).sendall(b'\\0\\0\\0\\5\\0\\0\\0\\1x')"
        )
        monkeypatch.setattr(process_module, "_START", chatty)
        with pytest.raises(ConfigurationError, match="did not get ready"):
            ScriptRunner("").start()

    def test_nothing_stays_open_or_alive_after_it_is_closed(self):
        descriptors = Path("/proc/self/fd")
        before = len(list(descriptors.glob("*")))
        with ScriptRunner("import os") as runner:
            runner.run("")
            child = runner._child
        assert child._process.returncode is not None
        assert len(list(descriptors.glob("*"))) == before

    def test_it_can_be_closed_before_it_was_started_and_twice(self):
        runner = ScriptRunner("")
        runner.close()
        runner.close()
        assert runner.protections == ()

    def test_it_works_from_a_process_with_many_threads_and_open_files(self):
        program = (
            "import os, threading\n"
            "from order_cancellation.scripts import ScriptRunner\n"
            "done = threading.Event()\n"
            "threads = [threading.Thread(target=done.wait) for _ in range(20)]\n"
            "[thread.start() for thread in threads]\n"
            "kept = [os.dup(0) for _ in range(200)]\n"
            "[os.set_inheritable(one, True) for one in kept]\n"
            "pid = os.fork()\n"  # as Airflow's supervisor forks its task processes
            "if pid:\n"
            "    done.set(); code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]); os._exit(code)\n"
            "with ScriptRunner('outputStream.write(input_text)') as runner:\n"
            "    os._exit(0 if runner.run('fine').result_data == 'fine' else 1)\n"
        )
        environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
        finished = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", program], env=environment, timeout=60, check=False
        )
        assert finished.returncode == 0
