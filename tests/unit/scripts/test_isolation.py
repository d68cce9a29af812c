"""What one request's run may leave for the next, and what a script can do to the runner's own channel."""

from __future__ import annotations

# ruff: noqa: E501 - scripts of a line or two read best unbroken
import json

import pytest

from order_cancellation.scripts import ScriptRunner

BOTH = pytest.mark.parametrize("isolation", ["shared", "per_request"])

SPOIL = """
import {module}
if input_text == "spoil":
{spoil}
outputStream.write({check})
"""


def _spoil(module, spoil, check):
    body = "\n".join(f"    {line}" for line in spoil.splitlines())
    return SPOIL.format(module=module, spoil=body, check=check)


class TestNextRequest:
    @BOTH
    @pytest.mark.parametrize(
        ("module", "spoil", "check"),
        [
            ("json", "json.dumps = lambda *a: 'spoiled'", "json.dumps(1)"),
            ("json", "json.JSONEncoder.default = 5", "str(callable(json.JSONEncoder.default))"),
            ("json", "json.encoder.ESCAPE = None", "str(json.encoder.ESCAPE is not None)"),
            ("builtins", "builtins.len = lambda x: 'spoiled'", "str(len('a'))"),
            ("builtins", "builtins.left = 'behind'", "str(hasattr(builtins, 'left'))"),
            ("builtins", "del builtins.sorted", "str(sorted([1]))"),
            ("sys", "sys.path.append('/spoiled')", "str('/spoiled' in sys.path)"),
            ("sys", "sys.meta_path.clear()", "str(bool(sys.meta_path))"),
            ("sys", "sys.modules['left'] = json = object()", "str('left' in sys.modules)"),
            ("sys, json", "sys.modules['json'] = None", "__import__('json').dumps(1)"),
            ("sys", "sys.settrace(lambda *a: None)", "str(sys.gettrace())"),
            ("sys", "sys.setrecursionlimit(60)", "str(sys.getrecursionlimit() > 500)"),
            (
                "signal",
                "signal.signal(signal.SIGUSR1, print)",
                "str(signal.getsignal(signal.SIGUSR1) is print)",
            ),
            ("os", "os.environ['LEFT'] = 'behind'", "str(dict(os.environ))"),
            ("sys", "left = 'behind'", "str('left' in globals())"),
            ("gc", "gc.callbacks.append(print); gc.disable()", "str([gc.callbacks, gc.isenabled()])"),
        ],
    )
    def test_what_a_request_changes_is_not_seen_by_the_next(self, isolation, module, spoil, check):
        with ScriptRunner(_spoil(module, spoil, check), isolation=isolation) as runner:
            clean = runner.run("clean").result_data
            runner.run("spoil")
            assert clean is not None
            assert runner.run("clean").result_data == clean

    @BOTH
    def test_an_import_hook_does_not_survive(self, isolation):
        script = """
import sys
class Hook:
    @staticmethod
    def find_spec(name, path=None, target=None):
        raise RuntimeError("hooked")
if input_text == "spoil":
    sys.meta_path.insert(0, Hook)
else:
    import colorsys
    outputStream.write("imported")
"""
        with ScriptRunner(script, isolation=isolation) as runner:
            runner.run("spoil")
            assert runner.run("").result_data == "imported"

    def test_the_same_process_serves_many_requests(self):
        with ScriptRunner("import os; outputStream.write(str(os.getpid()) + str(id(os)))") as runner:
            assert len({runner.run("").result_data for _ in range(5)}) == 1

    def test_per_request_each_has_a_process_of_its_own(self):
        script = "import os\ncount = getattr(os, 'count', 0) + 1\nos.count = count\noutputStream.write(f'{count} {os.getpid()}')"
        with ScriptRunner(script, isolation="per_request") as runner:
            seen = [runner.run("").result_data.split() for _ in range(3)]
        assert {count for count, _ in seen} == {"1"}
        assert len({pid for _, pid in seen}) == 3

    def test_per_request_even_what_is_hidden_deep_does_not_survive(self):
        script = """
import json, sys
frame = sys._getframe()
while frame.f_back: frame = frame.f_back
if input_text == "spoil":
    for kind in type(session), type(outputStream): kind.write = lambda *a: None
    json.loads.__code__ = (lambda *a, **k: "spoiled").__code__
outputStream.write(json.dumps(json.loads("1")))
"""
        with ScriptRunner(script, isolation="per_request") as runner:
            runner.run("spoil")
            assert runner.run("clean").result_data == "1"


FORGE = """
import os, sys, struct
def fields(*words):
    body = b"".join(struct.pack("!I", len(word)) + word for word in words)
    return struct.pack("!I", len(body)) + body
def nonce():
    frame = sys._getframe()
    while frame:
        if "nonce" in frame.f_locals and isinstance(frame.f_locals["nonce"], bytes): return frame.f_locals["nonce"]
        frame = frame.f_back
    return b"12345678"
def everywhere(data):
    for number in range(3, 64):
        try: os.write(number, data)
        except OSError: pass
"""


class TestForgedAnswers:
    @BOTH
    @pytest.mark.parametrize(
        "forged",
        [
            "b'garbage'",
            "b''.join(struct.pack('!I', 5))",
            "struct.pack('!I', 0)",
            "struct.pack('!I', 0xFFFFFFFF)",
            "fields(b'12345678', b'w--', b'forged', b'', b'', b'0', b'0')",
            "fields(nonce(), b'w--', b'forged', b'', b'', b'0', b'0') * 2",
            "fields(nonce(), b'w--')",
            "fields(nonce(), b'w--', b'\\xff', b'', b'', b'0', b'0')",
            "fields(nonce(), b'w--', b'forged', b'', b'', b'-5', b'999999')",
            "fields(nonce(), b'w--', b'forged', b'', b'', b'x', b'')",
        ],
    )
    def test_no_answer_that_is_written_to_the_channel_reaches_another_request(self, isolation, forged):
        script = f"{FORGE}\nif input_text == 'forge': everywhere({forged})\noutputStream.write('true')"
        with ScriptRunner(script, isolation=isolation, timeout=2) as runner:
            runner.run("forge")
            assert runner.run("honest").result_data != "forged"
            assert runner.run("honest").result_data == "true"

    @BOTH
    def test_a_pickle_on_the_channel_is_never_loaded(self, isolation, tmp_path):
        target = tmp_path / "loaded"
        script = f"""{FORGE}
import pickle
class Bomb:
    def __reduce__(self): return (open, ({str(target)!r}, "w"))
data = pickle.dumps(Bomb())
everywhere(data)
everywhere(fields(nonce(), data))
everywhere(fields(data, b"w--", data, data, data, b"1", data, data, b"0"))
"""
        with ScriptRunner(script, isolation=isolation, timeout=2) as runner:
            runner.run("")
            runner.run("")
        assert not target.exists()

    def test_closing_the_channel_is_an_error_and_the_next_request_is_served(self):
        script = "import os\nif input_text == 'close': os.closerange(0, 64)\noutputStream.write('true')"
        with ScriptRunner(script, timeout=2) as runner:
            assert "ended" in runner.run("close").error
            assert runner.run("").result_data == "true"


class TestPackages:
    def test_a_listed_package_and_its_requirements_can_be_imported(self):
        script = "import requests, urllib3, certifi\noutputStream.write(requests.__name__)"
        with ScriptRunner(script, packages=("requests",)) as runner:
            assert runner.run("").result_data == "requests"

    def test_an_unlisted_package_cannot(self):
        with ScriptRunner("import requests") as runner:
            assert "No module named 'requests'" in runner.run("").error

    def test_requests_reaches_a_server_where_the_step_has_the_network(self, answering_server):
        script = "import requests\noutputStream.write(requests.get(input_text, timeout=5).text)"
        with ScriptRunner(script, packages=("requests",), network=True) as runner:
            assert json.loads(runner.run(answering_server).result_data) == {"ok": True}

    def test_requests_without_the_network_names_the_setting(self, answering_server):
        script = "import requests\nrequests.get(input_text, timeout=5)"
        with ScriptRunner(script, packages=("requests",)) as runner:
            assert "network: true" in runner.run(answering_server).error
