"""Each limit of a run, and that the runner serves the next request whatever the last one did."""

from __future__ import annotations

import pytest

from order_cancellation.clock import SystemClock
from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts import ScriptRunner

BOTH = pytest.mark.parametrize("isolation", ["shared", "per_request"])


def _after(script, *, isolation="shared", **options):
    """Run something bad, then something good in the same runner; return both outcomes."""
    source = (
        "if input_text == 'bad':\n"
        + "\n".join(f"    {line}" for line in script.splitlines())
        + "\nelse:\n    outputStream.write('good')"
    )
    with ScriptRunner(source, isolation=isolation, **options) as runner:
        return runner.run("bad", {"a": "1"}), runner.run("good")


class TestTime:
    @BOTH
    @pytest.mark.parametrize(
        "script",
        [
            "while True: pass",
            "import time; time.sleep(60)",
            "import re; re.match('(a+)+$', 'a' * 64 + 'b')",
            "sum(range(10 ** 12))",
            "from collections import deque; from itertools import count; deque(count(), 0)",
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
            "import signal\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
            "import signal\nsignal.setitimer(signal.ITIMER_REAL, 0)\nwhile True: pass",
            "import threading; threading.Lock().acquire() and threading.Event().wait()",
        ],
        ids=[
            "loop",
            "sleep",
            "regex",
            "C loop",
            "deque",
            "bare except",
            "signal ignored",
            "timer off",
            "waiting",
        ],
    )
    def test_a_run_over_its_time_is_stopped_and_said_so(self, isolation, script):
        bad, good = _after(script, isolation=isolation, timeout=0.3)
        assert "ran longer than its 0.3 s" in bad.error
        assert bad.attributes == {"a": "1", "log.script.error": bad.error}
        assert good.result_data == "good"

    def test_the_line_that_took_the_time_is_named(self):
        with ScriptRunner("x = 1\nwhile True:\n    x += 1", timeout=0.2, name="slow.py") as runner:
            assert "slow.py, line" in runner.run("").error

    @pytest.mark.parametrize("timeout", [0, -1, 301])
    def test_a_limit_beyond_the_documents_is_refused(self, timeout):
        with pytest.raises(ConfigurationError, match="up to 300 s"):
            ScriptRunner("", timeout=timeout)

    def test_a_child_is_replaced_before_its_processor_limit_ends_an_innocent_request(self):
        class FastClock(SystemClock):
            """A clock on which each look takes three seconds."""

            def monotonic(self):
                self.seconds = getattr(self, "seconds", 0) + 3
                return float(self.seconds)

        with ScriptRunner("outputStream.write('x')", clock=FastClock()) as runner:
            first = runner._child.pid
            assert {runner.run("").result_data for _ in range(60)} == {"x"}
            assert runner._child.pid != first


class TestMemory:
    @BOTH
    @pytest.mark.parametrize(
        "script",
        [
            "x = bytearray(1 << 40)",
            "x = list(range(10 ** 9))",
            "x = []\nwhile True: x.append('a' * 1000000 + str(len(x)))",
        ],
        ids=["at once", "a long list", "bit by bit"],
    )
    def test_more_memory_than_the_limit_is_an_error(self, isolation, script):
        bad, good = _after(script, isolation=isolation, memory=200 << 20)
        assert "MemoryError" in bad.error
        assert good.result_data == "good"


class TestOutput:
    @BOTH
    def test_more_output_than_the_limit_is_an_error(self, isolation):
        bad, good = _after(
            "while True: outputStream.write('x' * 100000)", isolation=isolation, output=1 << 20
        )
        assert "larger than the 1 MB" in bad.error
        assert good.result_data == "good"

    def test_output_up_to_the_limit_passes(self):
        with ScriptRunner("outputStream.write('x' * (1 << 20))", output=1 << 20) as runner:
            assert len(runner.run("").result_data) == 1 << 20

    def test_the_whole_default_output_passes(self):
        with ScriptRunner("part = b'x' * (1 << 20)\nfor _ in range(64): outputStream.write(part)") as runner:
            assert len(runner.run("").result_data) == 64 << 20

    def test_printed_text_is_cut(self):
        with ScriptRunner("for n in range(100000): print('x' * 100)") as runner:
            printed = runner.run("").printed
        assert len(printed) < 70_000
        assert "more characters were printed" in printed

    def test_standard_output_underneath_leads_nowhere(self):
        with ScriptRunner(
            "import os\nfor n in range(100): os.write(1, b'x' * 65536); os.write(2, b'x' * 65536)"
        ) as runner:
            assert runner.run("").error is None

    def test_log_lines_are_capped(self):
        with ScriptRunner("for n in range(5000): log.info('x' * 20000)") as runner:
            lines = runner.run("").log_lines
        assert len(lines) == 1001
        assert max(len(text) for _, text in lines) == 8192

    @BOTH
    def test_attributes_are_capped(self, isolation):
        bad, good = _after(
            "for n in range(9): session.putAttribute('k%d' % n, 'x' * 1000000)", isolation=isolation
        )
        assert "attributes are larger than 4 MB" in bad.error
        assert good.result_data == "good"


class TestDescriptors:
    @BOTH
    def test_open_files_are_limited(self, isolation):
        bad, good = _after("import os\nkept = [os.pipe() for _ in range(500)]", isolation=isolation)
        assert "Too many open files" in bad.error
        assert good.result_data == "good"


class TestDeath:
    @BOTH
    @pytest.mark.parametrize(
        "script",
        [
            "import os; os._exit(3)",
            "import ctypes; ctypes.string_at(0)",
            "import os, signal; os.kill(os.getpid(), signal.SIGKILL); os.abort()",
            "import os; os.abort()",
            "import sys\nsys.setrecursionlimit(10 ** 9)\ndef f(): f()\nf()",
        ],
        ids=["exit", "null pointer", "kill", "abort", "stack"],
    )
    def test_a_process_that_dies_is_an_error_of_that_request_only(self, isolation, script):
        bad, good = _after(script, isolation=isolation, timeout=1)
        assert bad.error
        assert bad.attributes["a"] == "1"
        assert good.result_data == "good"

    def test_the_way_it_died_is_told(self):
        with ScriptRunner("import os; os._exit(3)") as runner:
            assert "ended with status 3" in runner.run("").error
        with ScriptRunner("import ctypes; ctypes.string_at(0)") as runner:
            assert "SIGSEGV" in runner.run("").error
