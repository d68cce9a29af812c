"""What validation says of a script without running it, and the conversion of old ones."""

from __future__ import annotations

import ast
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts import TEMPLATES, ScriptRunner, check_source, upgrade_source

OLD = """import json, sys, urllib2
reload(sys)
sys.setdefaultencoding('utf-8')
from org.apache.commons.io import IOUtils
from org.apache.nifi.processor.io import StreamCallback

class TransformCallback(StreamCallback):
\tdef process(self, inputStream, outputStream):
\t\tdata = json.loads(IOUtils.toString(inputStream, 'UTF-8'))
\t\ttry:
\t\t\tprint "got %s" % data['id'], 1
\t\t\tif data.has_key('price') and data['id'] <> 2:
\t\t\t\tdata['text'] = unicode(data['price']) + `0777`
\t\t\tfor k, v in sorted(data.iteritems()):
\t\t\t\tprint >>sys.stderr, k
\t\texcept ValueError, e:
\t\t\traise Exception, "bad"
\t\toutputStream.write(bytearray(json.dumps(data).encode('utf-8')))

flowFile = session.get()
if flowFile != None:
\tflowFile = session.write(flowFile, TransformCallback())
\tsession.transfer(flowFile, REL_SUCCESS)
"""


class TestCheck:
    @pytest.mark.parametrize(
        ("source", "line", "old", "today"),
        [
            ("x = 1\nprint x", 2, "print without brackets", "print(x)"),
            ("if 1:\n    print 'a %s' % b  # say it", 2, "print without brackets", "print('a %s' % b)"),
            ("print", 1, "print without brackets", "print()"),
            ("print >>f, x", 1, "print >>", "file=f"),
            ("try:\n    pass\nexcept E, e:\n    pass", 3, "except E, e", "except E as e:"),
            ("try:\n    pass\nexcept (A, B), e:\n    pass", 3, "except E, e", "except (A, B) as e:"),
            ("x = unicode('a')", 1, "unicode", "str"),
            ("y = isinstance(x, basestring)", 1, "basestring", "str"),
            ("d.has_key('x')", 1, ".has_key()", "key in dictionary"),
            ("for k, v in d.iteritems():\n    pass", 1, ".iteritems()", "items()"),
            ("import urllib2", 1, "import of urllib2", "requests"),
            (
                "from urllib import urlencode",
                1,
                "import of urllib.urlencode",
                "from urllib.parse import urlencode",
            ),
            ("x = `y`", 1, "backticks", "repr(y)"),
            ("if a <> b: pass", 1, "<>", "!="),
            ("mode = 0777", 1, "the octal literal 0777", "0o777"),
            ("n = 10L", 1, "the long literal 10L", "10"),
            ("raise E, 'x'", 1, "raise E, text", "raise E('x')"),
            ("import string\nstring.letters", 2, "string.letters", "string.ascii_letters"),
            ("import sys\nreload(sys)", 2, "reload", "nothing"),
            ("exec 'x = 1'", 1, "exec without brackets", "exec('x = 1')"),
            ("def f((a, b)): pass", 1, "a tuple among the parameters", "one name"),
            ("u = ur'x'", 1, "the prefix ur", "r'…'"),
            ("if x:\n\ty = 1\n        z = 2", 3, "mixing tabs and spaces", "spaces only"),
        ],
    )
    def test_old_spelling_is_named_with_line_and_todays(self, source, line, old, today):
        (problem,) = check_source(source, "a.py")[:1]
        assert problem.startswith(f"a.py, line {line}: {old} is Python 2; today: ")
        assert today in problem

    @pytest.mark.parametrize(
        "source",
        [
            "print('x')",
            "x = 0o777; y = 0; z = 0.5; w = 10",
            "text = 'print x, `a` <> 0777'",
            "try:\n    unicode\nexcept NameError:\n    unicode = str\nunicode(1)",
            "try:\n    import urllib2\nexcept ImportError:\n    import urllib.request as urllib2",
            "import sys\nif sys.version_info[0] < 3:\n    text = unicode",
            "class Box:\n    def has_key(self, k): return True\nBox().has_key(1)",
            "from functools import reduce\nreduce(max, [1])",
            "import java.lang.System\nfrom java.lang import String, Exception",
            "import re\nre.match('\\d', '1')",
            "",
        ],
    )
    def test_todays_scripts_have_no_problem(self, source):
        assert check_source(source) == []

    def test_other_syntax_errors_are_not_called_python_2(self):
        assert check_source("x = (1,\n", "a.py") == [
            "a.py, line 1: SyntaxError: '(' was never closed (x = (1,)"
        ]

    def test_all_problems_are_told_at_once_in_the_order_of_lines(self):
        problems = check_source("import urllib2\nx = unicode('a')\nfrom java.util import HashMap")
        assert [problem.split(":")[0] for problem in problems] == [f"script.py, line {n}" for n in (1, 2, 3)]

    def test_a_java_class_that_is_not_here_is_a_problem_with_what_to_use(self):
        (problem,) = check_source("x = 1\nimport java.text.SimpleDateFormat")
        assert problem.startswith("script.py, line 2: java.text.SimpleDateFormat is Java")
        assert "strptime" in problem

    @given(st.text(max_size=200))
    def test_no_text_makes_it_raise(self, source):
        assert all(isinstance(problem, str) for problem in check_source(source))

    def test_a_huge_script_is_refused_unread(self):
        assert "longer than" in check_source("x" * 2_000_000)[0]

    @pytest.mark.parametrize("name", TEMPLATES)
    def test_templates_have_no_problem(self, name):
        assert check_source(TEMPLATES[name]) == []


class TestUpgrade:
    def test_an_old_script_runs_after_its_upgrade(self):
        today, diff = upgrade_source(OLD, "old.py")
        assert check_source(today) == []
        with ScriptRunner(today) as runner:
            outcome = runner.run('{"id": 1, "price": 5}')
        assert outcome.error is None
        assert outcome.result_data == '{"id": 1, "price": 5, "text": "5511"}'
        assert outcome.printed.splitlines() == ["got 1 1", "id", "price", "text"]
        assert diff.startswith("--- old.py (before)")

    def test_the_diff_holds_old_and_new_lines(self):
        _, diff = upgrade_source("print x\n")
        assert "-print x\n+print(x)\n" in diff

    @pytest.mark.parametrize("name", TEMPLATES)
    def test_todays_script_stays_as_it_is(self, name):
        assert upgrade_source(TEMPLATES[name]) == (TEMPLATES[name], "")

    def test_what_parses_but_is_old_is_converted(self):
        today, _ = upgrade_source("d = {}\nprint(d.has_key('x'), file=f)\n")
        assert today == "d = {}\nprint('x' in d, file=f)\n"

    def test_a_print_statement_that_parses_as_a_shift_is_converted(self):
        today, _ = upgrade_source('import sys\nprint >>sys.stderr, "x"\n')
        assert today == 'import sys\nprint("x", file=sys.stderr)\n'

    def test_what_is_neither_is_said_with_its_line(self):
        with pytest.raises(
            ConfigurationError, match=r"a\.py is neither Python 2 nor Python 3: a\.py, line 2"
        ):
            upgrade_source("x = 1\ndef (:\n", "a.py")

    def test_the_converted_script_parses(self):
        ast.parse(upgrade_source(OLD)[0])

    def test_nothing_is_loaded_for_a_script_of_today(self):
        sys.modules.pop("fissix.refactor", None)
        upgrade_source("x = 1")
        assert "fissix.refactor" not in sys.modules
