"""The contract's command-line table: options, exit codes, and what stands on standard output."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import closing

import pytest
import yaml

from contract.ledgers import FLOW, PERSONAL, FakeClock, brought_to, uuid_of
from order_cancellation import commands
from order_cancellation.errors import ConfigurationError
from order_cancellation.ledger import Ledger, State
from unit.flow.flow_files import FILES, files_of, put


@pytest.fixture
def flows(installed):
    """One good flow."""
    put(installed.flows_folder, "acme", script={"file": "script.py"}, mapping={"file": "mapping.json"})
    return installed.flows_folder


class TestValidate:
    def test_good_flows_exit_0(self, flows, call):
        assert call("validate") == (0, f"1 flow in {flows}, nothing wrong.\n", "")

    def test_good_flows_are_an_empty_array(self, flows, call):
        assert call("validate", "--format", "json") == (0, "[]\n", "")

    def test_every_error_is_an_object_with_flow_path_and_message(self, flows, call):
        put(flows, "bad", titel="x", get_data__status="x")
        code, out, err = call("validate", "--format", "json")
        assert (code, err) == (1, "")
        assert [set(problem) for problem in json.loads(out)] == [{"flow", "path", "message"}] * 2
        assert [problem["path"] for problem in json.loads(out)] == ["get_data.status", "titel"]

    def test_people_get_a_table(self, flows, call):
        put(flows, "bad", titel="x")
        code, out, _ = call("validate", "bad")
        assert code == 1
        assert "unknown key 'titel'" in out

    def test_a_flows_folder_that_does_not_exist_is_not_a_sound_one(self, flows, call, tmp_path):
        flows.rename(tmp_path / "elsewhere")
        code, out, err = call("validate", "--format", "json")
        assert (code, out) == (1, "")
        assert "does not exist" in err

    def test_an_unknown_flow_is_an_error(self, flows, call):
        code, out, _ = call("validate", "gone", "--format", "json")
        assert (code, json.loads(out)[0]["flow"]) == (1, "gone")

    def test_square_brackets_are_no_markup(self, flows, call):
        put(flows, "bad", tags=["[red]", 1])
        assert "tags[1]" in call("validate", "bad")[1]


class TestTry:
    def test_standard_input_is_tried_and_the_result_is_one_object(self, flows, call):
        code, out, err = call(
            "try", "acme", "script", "--input", "-", "--attribute", "k=a=b", stdin=b'{"id": 1}'
        )
        assert (code, err) == (0, "")
        assert json.loads(out) == {"result_data": {"id": 1}, "attributes": {"k": "a=b"}}

    def test_a_file_is_tried(self, flows, call, tmp_path):
        (tmp_path / "in.json").write_text('{"id": 7}')
        code, out, _ = call("try", "acme", "mapping", "--input", str(tmp_path / "in.json"), "--explain")
        assert (code, json.loads(out)["result_data"]) == (0, {"number": 7})
        assert json.loads(out)["explain"]

    def test_a_number_that_is_none_and_half_a_character_are_json_all_the_same(self, flows, call):
        script = b"outputStream.write('[NaN, \"\\\\ud83d\"]')"
        put(flows, "acme", {**files_of(script={"file": "script.py"}), "script.py": script})
        code, out, _ = call("try", "acme", "script", "--input", "-", stdin=b"{}")
        assert code == 0
        assert json.loads(out, parse_constant=int)["result_data"] == ["nan", "?"]

    def test_a_script_that_raises_exits_0(self, flows, call):
        put(flows, "acme", {**files_of(script={"file": "script.py"}), "script.py": b"raise ValueError('no')"})
        code, out, _ = call("try", "acme", "script", "--input", "-", stdin=b"{}")
        assert code == 0
        assert "no" in json.loads(out)["attributes"]["log.script.error"]

    def test_letters_of_every_language_come_out_as_they_are(self, flows, call):
        out = call("try", "acme", "script", "--input", "-", stdin='{"name": "Çağrı"}'.encode())[1]
        assert "Çağrı" in out

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["acme", "script"], "--input"),
            (
                ["acme", "script", "--input", "/nowhere"],
                "/nowhere can't be read (No such file or directory).",
            ),
            (["acme", "script", "--input", "-", "--attribute", "k"], "'k' is not of the form NAME=VALUE"),
            (["acme", "script", "--input", "-", "--attribute", "=v"], "'=v' is not of the form NAME=VALUE"),
            (["acme", "write_to_erp", "--input", "-"], "Take one of script, mapping"),
            (["acme", "post_script", "--input", "-"], "has no step post_script"),
            (["gone", "script", "--input", "-"], "there is no such flow"),
        ],
    )
    def test_a_wrong_call_exits_1_with_a_word_and_no_traceback(self, flows, call, words, said):
        code, out, err = call("try", *words, stdin=b"{}")
        assert (code, out) == (1, "")
        assert said in " ".join(err.split())
        assert "Traceback" not in err

    def test_input_that_is_not_utf_8_exits_1(self, flows, call):
        code, _, err = call("try", "acme", "script", "--input", "-", stdin=b"\xff")
        assert (code, "not UTF-8" in err) == (1, True)


class TestTest:
    CASE = b"step: script\ninput: {id: 1}\nexpect: {result: {id: %d}}\n"

    def test_cases_that_pass_exit_0(self, flows, call):
        put(flows, "acme", {"cases/good.yaml": self.CASE % 1})
        code, out, _ = call("test")
        assert (code, "good" in out) == (0, True)

    def test_a_case_that_fails_exits_1_with_a_diff(self, flows, call):
        put(flows, "acme", {"cases/good.yaml": self.CASE % 1, "cases/bad.yaml": self.CASE % 2})
        code, out, _ = call("test", "acme")
        assert code == 1
        assert '-  "id": 2\n+  "id": 1' in out

    def test_a_broken_flow_hides_no_other_and_exits_1(self, flows, call):
        put(flows, "acme", {"cases/good.yaml": self.CASE % 1})
        put(flows, "a_bad", titel="x")
        code, out, err = call("test", "--format", "json")
        assert (code, [case["case"] for case in json.loads(out)]) == (1, ["good"])
        assert "titel" in err

    def test_a_case_that_can_not_be_read_hides_no_other_and_exits_1(self, flows, call):
        put(flows, "acme", {"cases/good.yaml": self.CASE % 1, "cases/bad.yaml": b"step: nowhere\n"})
        code, out, err = call("test", "acme")
        assert (code, "good" in out, "cases/bad.yaml" in err) == (1, True, True)

    def test_nobody_is_told_that_there_are_no_cases_where_none_can_be_read(self, flows, call):
        put(flows, "acme", {"cases/bad.yaml": b"step: nowhere\n"})
        assert call("test", "acme")[:2] == (1, "")

    def test_no_cases_exit_0(self, flows, call):
        assert call("test")[:2] == (0, "No saved cases.\n")


class TestSchedule:
    @pytest.mark.parametrize(
        ("words", "block", "said"),
        [
            (["--every", "5m"], {"every": "5m"}, "every 5 minutes"),
            (
                ["--cron", "0 9 * * *", "--timezone", "Europe/Istanbul"],
                {"cron": "0 9 * * *", "timezone": "Europe/Istanbul"},
                "at 09:00 (Europe/Istanbul)",
            ),
            (["--after", "one", "two"], {"after": ["one", "two"]}, "after one, two"),
            (["--after", "one,two"], {"after": ["one", "two"]}, "after one, two"),
            (["--none"], None, "only by hand"),
        ],
    )
    def test_each_kind_of_schedule_can_be_written(self, flows, call, words, block, said):
        put(flows, "one")
        put(flows, "two")
        assert call("schedule", "acme", *words) == (0, f"Flow 'acme' runs {said}.\n", "")
        assert yaml.safe_load((flows / "acme" / "flow.yaml").read_text()).get("schedule") == block

    @pytest.mark.parametrize(
        "words",
        [[], ["--every", "5m", "--none"], ["--every", "x"], ["--after", "gone"], ["--timezone", "UTC"]],
    )
    def test_a_wrong_schedule_exits_1_and_writes_nothing(self, flows, call, words):
        before = (flows / "acme" / "flow.yaml").read_bytes()
        code, out, err = call("schedule", "acme", *words)
        assert (code, out, bool(err)) == (1, "", True)
        assert (flows / "acme" / "flow.yaml").read_bytes() == before


class TestRequests:
    def test_an_absent_ledger_lists_as_an_empty_array(self, flows, call):
        assert call("requests", "list", "--format", "json") == (0, "[]\n", "")

    def test_people_are_told_that_there_are_none(self, flows, call):
        assert call("requests", "list")[:2] == (0, "No requests.\n")

    @pytest.mark.parametrize(
        ("words", "said"),
        [
            (["list", "--state", "lost"], "'lost' is no state"),
            (["list", "--after", "x"], "is no cursor"),
            (["list", "--limit", "0"], "'0' is no number above 0"),
            (["list", "--limit", "9" * 19], "has more than 18 digits"),
            (["list", "--format", "xml"], "invalid choice"),
            (["show", "acme", "4711"], "no request 4711"),
            (["redo", "acme", "4711"], "4711"),
            (["redo", "acme"], "required: UUID_OR_ID"),
            (["resolve", "acme", "4711", "--as", "accepted", "--why", "seen in the ERP"], "4711"),
            (["resolve", "acme", "4711", "--as", "accepted"], "--why"),
            (["resolve", "acme", "4711", "--as", "maybe", "--why", "x"], "invalid choice"),
            ([], "CALL"),
        ],
    )
    def test_what_can_not_be_done_exits_1_with_a_word(self, flows, call, words, said):
        code, out, err = call("requests", *words)
        assert (code, out) == (1, "")
        assert said in " ".join(err.split())
        assert "Traceback" not in err

    ROWS = tuple({"flow": "acme", "uuid": f"u{n}", "id": n, "state": "done"} for n in range(3))

    @pytest.fixture
    def answers(self, flows, monkeypatch):
        """What the use cases are asked, and rows for them to answer."""
        asked = []

        def note(name, answer, module="requests"):
            def ask(_ledger, *words, **named):
                asked.append((name, *words, *named.values()))
                return answer

            monkeypatch.setattr(f"order_cancellation.service.{module}.{name}", ask)

        note("list_requests", list(self.ROWS))
        note("redo", list(self.ROWS))
        note("resolve", self.ROWS[0])
        life = {
            "flow": "acme",
            "state": "done",
            "story": ["It was sent once."],
            "history": [],
            "payloads": [],
        }
        note("show_request", life, "life")
        note("found", (list(self.ROWS), "further"), "search")
        return asked

    def test_a_listing_passes_its_filters_on(self, answers, call):
        call("requests", "list", "--flow", "acme", "--state", "done", "--limit", "9", "--after", "c")
        assert answers == [("list_requests", "acme", "done", 9, "c")]

    def test_a_full_page_tells_how_to_go_on_but_not_on_standard_output(self, answers, call):
        code, out, err = call("requests", "list", "--limit", "3", "--format", "json")
        assert (code, json.loads(out)) == (0, list(self.ROWS))
        assert "--after " in err

    def test_a_text_or_a_run_is_searched_for(self, answers, call):
        _, out, err = call(
            "requests", "list", "--run", "r", "--text", "N1", "--limit", "9", "--format", "json"
        )
        assert answers == [("found", None, None, 9, None, "r", "N1")]
        assert json.loads(out) == list(self.ROWS)
        assert "--after further" in err

    def test_show_is_one_object(self, answers, call):
        code, out, _ = call("requests", "show", "acme", "4711", "--format", "json")
        assert (code, json.loads(out)["flow"]) == (0, "acme")
        assert answers == [("show_request", "acme", "4711")]

    def test_show_tells_people_the_history(self, answers, call):
        assert "sent" in call("requests", "show", "acme", "4711")[1]

    def test_redo_passes_all_requests_the_person_and_the_reason_on(self, answers, call):
        assert call("requests", "redo", "acme", "1", "2", "--why", "mended")[0] == 0
        [(name, flow, ids, who, why)] = answers
        assert (name, flow, ids, why) == ("redo", "acme", ["1", "2"], "mended")
        assert who.endswith("(command line)")

    def test_resolve_passes_decision_reason_and_person_on(self, answers, call):
        code, out, _ = call(
            "requests", "resolve", "acme", "1", "--as", "refused", "--why", "not there", "--format", "json"
        )
        assert (code, json.loads(out)) == (0, [self.ROWS[0]])
        ((_, *words),) = answers
        assert words[:4] == ["acme", "1", "refused", "not there"]
        assert words[4].endswith("(command line)")


class TestWhatFollows:
    """What the pages say beside a button, the command line says of what it did."""

    @pytest.fixture
    def ledger(self, flows):
        settings = commands._settings()
        with closing(Ledger(settings.ledger_url, settings.payload_keys, FakeClock())) as ledger:
            for number, state in ((1, State.DONE), (2, State.DONE), (3, State.IN_DOUBT)):
                brought_to(ledger, state, number)
            yield ledger

    def test_a_redo_of_what_is_done_says_that_money_moves_twice_but_not_on_standard_output(
        self, ledger, call
    ):
        code, out, err = call("requests", "redo", FLOW, "1", "2", "--format", "json")
        assert (code, len(json.loads(out))) == (0, 2)
        assert err.startswith("Request 1, 2: The ERP has booked it already.")
        assert "the money moves twice" in err

    def test_a_decision_says_what_omnitron_hears(self, ledger, call):
        _, _, err = call("requests", "resolve", FLOW, "3", "--as", "accepted", "--why", "seen there")
        assert err.startswith("Request 3: The ERP has booked it: it is never sent again. Omnitron is told")


class TestErase:
    """Rows in a real ledger: 1 and 2 are customer 9's, done and parked; 3 is another's."""

    @pytest.fixture
    def ledger(self, flows):
        settings = commands._settings()
        with closing(Ledger(settings.ledger_url, settings.payload_keys, FakeClock())) as ledger:
            for number, state, customer in ((1, State.DONE, 9), (2, State.PARKED, 9), (3, State.DONE, 10)):
                brought_to(ledger, state, number, customer={"pk": customer, "email": PERSONAL["email"]})
            yield ledger

    def kept(self, ledger):
        return {number for number in (1, 2, 3) if ledger.queries.payloads(FLOW, uuid_of(number))}

    def test_by_customer_what_is_at_its_end_is_erased_and_the_rest_is_told_with_its_reason(
        self, ledger, call
    ):
        code, out, _ = call("requests", "erase", "--customer", "9", "--format", "json")

        assert code == 1
        told = {one["id"]: (one["erased"], one["state"], one["why"]) for one in json.loads(out)}
        assert told[1] == (True, "done", None)
        assert told[2][:2] == (False, "parked")
        assert "Resolve it first" in told[2][2]
        assert self.kept(ledger) == {2, 3}

    def test_by_request_an_unknown_one_hinders_no_other(self, ledger, call):
        code, out, _ = call("requests", "erase", "acme", "77", "3")

        assert code == 1
        assert "NOT YET" in out
        assert "the ledger has no request 77" in " ".join(out.split())
        assert self.kept(ledger) == {1, 2}

    def test_all_erased_exits_0(self, ledger, call):
        assert call("requests", "erase", "acme", "1", uuid_of(3))[0] == 0
        assert self.kept(ledger) == {2}

    def test_of_one_flow_only(self, ledger, call):
        code, out, _ = call("requests", "erase", "other", "--customer", "9", "--format", "json")

        assert (code, json.loads(out)) == (0, [])
        assert self.kept(ledger) == {1, 2, 3}

    def test_nothing_personal_is_printed(self, ledger, call):
        assert PERSONAL["email"] not in "".join(map(str, call("requests", "erase", "--customer", "9")))

    @pytest.mark.parametrize("words", [(), ("acme",), ("acme", "1", "--customer", "9"), ("--customer", "x")])
    def test_neither_or_both_is_refused(self, ledger, call, words):
        code, out, err = call("requests", "erase", *words)

        assert (code, out) == (1, "")
        assert "customer" in err
        assert self.kept(ledger) == {1, 2, 3}


class TestOthers:
    def test_doctor_lists_settings_services_and_protections(self, flows, call):
        code, out, _ = call("doctor", "--format", "json")
        assert code == 0
        assert {finding["area"] for finding in json.loads(out)} == {"settings", "services", "scripts"}

    def test_schema_prints_the_schema(self, call):
        assert json.loads(call("schema")[1])["title"] == "flow.yaml"

    def test_a_python_2_script_is_rewritten_with_a_diff_and_kept(self, call, tmp_path):
        path = tmp_path / "s.py"
        path.write_text("print 'x'\n")
        code, out, _ = call("upgrade-script", str(path))
        assert code == 0
        assert "-print 'x'" in out
        assert "+print('x')" in out
        assert (path.read_text(), (tmp_path / "s.py.orig").read_text()) == ("print('x')\n", "print 'x'\n")

    def test_todays_script_is_left_alone(self, call, tmp_path):
        path = tmp_path / "s.py"
        path.write_text("print('x')\n")
        assert "nothing to change" in call("upgrade-script", str(path))[1]
        assert [entry.name for entry in tmp_path.iterdir()] == ["s.py"]

    def test_a_script_from_standard_input_goes_to_standard_output(self, call):
        code, out, err = call("upgrade-script", "-", stdin=b"print 'x'\n")
        assert (code, out) == (0, "print('x')\n")
        assert "-print 'x'" in err

    def test_the_diff_names_the_file_and_what_is_left_is_told(self, call, tmp_path):
        path = tmp_path / "old.py"
        path.write_text("from java.util import HashMap\nprint HashMap\n")
        _, out, err = call("upgrade-script", str(path))
        assert out.startswith("--- old.py (before)")
        assert "Left to do by hand: old.py, line 1: java.util.HashMap is Java" in err

    def test_a_script_that_is_not_there_exits_1(self, call):
        assert call("upgrade-script", "/nowhere.py")[0] == 1

    @pytest.mark.parametrize(
        "words", [[], ["frob"], ["sandbox", "--port", "x"], ["sandbox", "--port", "65536"]]
    )
    def test_a_call_that_is_none_exits_1_with_the_usage(self, call, words):
        code, out, err = call(*words)
        assert (code, out) == (1, "")
        assert "Usage" in err

    def test_the_sandbox_gets_its_port(self, call, monkeypatch):
        ports = []
        monkeypatch.setattr("order_cancellation.sandbox.command.main", lambda port: ports.append(port) or 0)
        assert call("sandbox", "--port", "8123")[0] == 0
        assert ports == [8123]

    def test_what_libraries_print_is_not_on_standard_output(self, flows, call, monkeypatch):
        def chatty(*_args):
            print("library noise")  # noqa: T201 (that is the point)
            return []

        monkeypatch.setattr("order_cancellation.service.flows.validate", chatty)
        assert call("validate", "--format", "json") == (0, "[]\n", "library noise\n")

    def test_an_interrupt_ends_quietly(self, call, monkeypatch):
        def interrupt():
            raise KeyboardInterrupt

        monkeypatch.setattr(commands, "_settings", interrupt)
        assert call("validate") == (130, "", "")

    def test_a_configuration_that_can_not_be_read_is_one_line(self, call, monkeypatch):
        def unreadable():
            raise ConfigurationError("Airflow's configuration can't be read: no such file")

        monkeypatch.setattr(commands, "_settings", unreadable)
        assert call("doctor") == (
            1,
            "",
            "order-cancellation: Airflow's configuration can't be read: no such file\n",
        )


class TestInstalled:
    """The real program, with Airflow's real configuration."""

    def run(self, tmp_path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AIRFLOW")}
        own = {
            "AIRFLOW_HOME": str(tmp_path / "home"),
            "AIRFLOW__ORDER_CANCELLATION__FLOWS_FOLDER": str(tmp_path / "flows"),
        }
        return subprocess.run(
            [sys.executable, "-m", "order_cancellation.cli", *words],
            env={**kept, **own, **environment},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def test_standard_output_holds_json_and_nothing_else(self, tmp_path):
        put(tmp_path / "flows", "bad", {"flow.yaml": b"x", **FILES})
        done = self.run(tmp_path, "validate", "--format", "json")
        assert (done.returncode, len(json.loads(done.stdout))) == (1, 1)

    def test_the_first_listing_ever_is_an_empty_array_and_makes_the_ledger_in_airflow_home(self, tmp_path):
        done = self.run(tmp_path, "requests", "list", "--format", "json")
        assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
        assert (tmp_path / "home" / "ledger.db").exists()

    @pytest.mark.parametrize(
        ("variable", "value", "name", "state"),
        [
            ("AIRFLOW_UNRELATED", "", "", ""),
            ("AIRFLOW__CORE__SENSITIVE_VAR_CONN_NAMES", "", "sensitive_var_conn_names", "wrong"),
            ("AIRFLOW__CORE__EXECUTOR", "LocalExecutor", "executor", "absent"),
            ("AIRFLOW__SDK__QUEUE_TO_COORDINATOR", "{}", "coordinators", "absent"),
            ("AIRFLOW__SDK__COORDINATORS", "{", "coordinators", "wrong"),
        ],
    )
    def test_doctor_sees_what_of_airflows_settings_is_not_as_airflow_env_has_it(
        self, tmp_path, variable, value, name, state
    ):
        (tmp_path / "flows").mkdir()
        done = self.run(tmp_path, "doctor", "--format", "json", **{variable: value})
        own = {"sensitive_var_conn_names", "executor", "coordinators", "plugins_folder"}
        states = {each["name"]: each["state"] for each in json.loads(done.stdout) if each["name"] in own}
        assert states == dict.fromkeys(own, "ok") | ({name: state} if name else {})

    def test_a_closed_pipe_ends_quietly(self, tmp_path):
        put(tmp_path / "flows", "bad", titel="x")
        line = f"{sys.executable} -m order_cancellation.cli schema | true"
        done = subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=False, timeout=60)
        assert "Traceback" not in done.stderr
        assert "BrokenPipe" not in done.stderr

    def test_a_wrong_setting_is_one_line(self, tmp_path):
        wrong = {"AIRFLOW__ORDER_CANCELLATION__SCRIPT_ISOLATION": "total"}
        done = self.run(tmp_path, "validate", **wrong)
        assert done.returncode == 1
        assert done.stderr.splitlines()[-1].endswith(
            "script_isolation is 'total'. Write one of best, required."
        )
