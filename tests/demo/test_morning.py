"""The demo's morning: new requests each time, nobody's real systems, an honest verdict."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import nullcontext
from dataclasses import replace
from types import SimpleNamespace

import httpx
import pytest
from rich.console import Console

from order_cancellation.demo import __main__ as command
from order_cancellation.demo.display import Progress, in_order
from order_cancellation.demo.made_up import connect
from order_cancellation.demo.morning import Morning, first_new_id, list_requests, next_scenario
from order_cancellation.demo.rest import AirflowApi
from order_cancellation.demo.standing import first_user
from order_cancellation.demo.summary import count_states, differences, states_table
from order_cancellation.errors import ConfigurationError
from order_cancellation.sandbox.scenarios import scenario_from


def test_the_ledger_that_its_first_call_makes_is_nobody_elses_to_read(tmp_path):
    made = tmp_path / "ledger.db"
    program = tmp_path / "order-cancellation"
    program.write_text(f"#!/bin/sh\ntouch {made}\necho '[]'\n")
    program.chmod(0o700)
    place = SimpleNamespace(program=lambda _: str(program), variables={"PATH": os.environ["PATH"]})

    assert list_requests(place, "acme") == []
    assert made.stat().st_mode & 0o777 == 0o600


class TestScenario:
    def test_begins_behind_what_the_ledger_knows(self):
        assert first_new_id([{"id": 4710}, {"id": 4702}]) == 4711

    def test_the_first_morning_begins_where_the_scenario_does(self):
        assert first_new_id([]) == scenario_from("demo").requests.first_id

    def test_is_the_ready_made_one_but_for_the_numbers(self):
        scenario = scenario_from(next_scenario(5000))
        assert scenario.requests.first_id == 5000
        assert scenario.expected() == scenario_from("demo").expected()
        assert scenario.settings["idempotency"] is True


MADE_UP = {"erp_default": {"conn_type": "erp", "host": "http://127.0.0.1:8090/erp"}}


class TestConnect:
    @staticmethod
    def an_airflow_with(host, written):
        def answer(request):
            if request.method != "GET":
                written.append(request.method)
            return httpx.Response(200, json={"host": host})

        return AirflowApi("http://airflow", transport=httpx.MockTransport(answer))

    @pytest.mark.parametrize("host", ["http://127.0.0.1:9/erp", "http://localhost:8090", "", None])
    def test_an_earlier_demos_connection_is_replaced(self, host):
        written = []
        connect(self.an_airflow_with(host, written), MADE_UP)
        assert written == ["PATCH"]

    @pytest.mark.parametrize("host", ["https://erp.example.com", "http://10.0.0.7:8090/erp"])
    def test_a_real_one_is_left_alone(self, host):
        written = []
        with pytest.raises(ConfigurationError, match="erp_default"):
            connect(self.an_airflow_with(host, written), MADE_UP)
        assert written == []


class TestDifferences:
    def test_are_none_when_all_is_as_expected(self):
        assert differences({"done": 8, "failed": 1}, {"done": 8, "failed": 1}, []) == []

    def test_name_each_state_on_either_side(self):
        wrong = differences({"done": 9}, {"done": 8, "failed": 1}, [])
        assert wrong == [
            "9 requests are done, and the scenario says 8.",
            "0 requests are failed, and the scenario says 1.",
        ]

    def test_a_double_booking_is_one_even_if_all_is_done(self):
        assert differences({"done": 1}, {"done": 1}, ["4701"]) == [
            "The ERP has booked request 4701 more than once."
        ]


def told(request_id, **what):
    return {"id": request_id, **what}


AS_EXPECTED = Morning(
    run_state="failed",
    requests=[
        {"id": 4701, "state": "done"},
        {"id": 4702, "state": "failed"},
        {"id": 4703, "state": "postponed"},
    ],
    sandbox={"expected": {"done": 1, "failed": 1, "postponed": 1}, "booked": 1, "booked_twice": []},
    writes=[
        told(4701, action="update", status="completed"),
        told(4702, action="add_tag", status="approved", tag="refused_by_erp"),
    ],
)
ONE_LESS = replace(AS_EXPECTED, requests=AS_EXPECTED.requests[:2])


class TestVerdict:
    def test_is_good_when_all_is_as_the_scenario_says(self, capsys):
        assert command.tell_verdict(Console(), AS_EXPECTED) == 0
        assert "As the scenario says" in capsys.readouterr().out

    @pytest.mark.parametrize(
        ("changes", "line"),
        [
            (
                {"requests": AS_EXPECTED.requests[:2]},
                "0 requests are postponed, and the scenario says 1.",
            ),
            ({"run_state": "success"}, "The run is success, and the scenario says failed."),
            (
                {"writes": AS_EXPECTED.writes[1:]},
                "Request 4701 is done, and Omnitron was told nothing.",
            ),
            (
                {"writes": [*AS_EXPECTED.writes, told(4703, action="update", status="completed")]},
                "Request 4703 is postponed, and Omnitron was told status completed.",
            ),
            (
                {"writes": [*AS_EXPECTED.writes, AS_EXPECTED.writes[0]]},
                "Request 4701 is done, and Omnitron was told status completed, status completed.",
            ),
        ],
        ids=["a count", "the run", "Omnitron was not told", "told too much", "told twice"],
    )
    def test_names_what_is_not_so_and_is_bad(self, changes, line, capsys):
        assert command.tell_verdict(Console(width=200), replace(AS_EXPECTED, **changes)) == 1
        assert capsys.readouterr().out.splitlines() == [line]

    @pytest.mark.parametrize(("morning", "code"), [(AS_EXPECTED, 0), (ONE_LESS, 1)])
    def test_is_the_exit_code_of_the_demo(self, morning, code, monkeypatch):
        """Neither Airflow nor sandbox is started; the morning in between is the live test's."""
        monkeypatch.setattr(command, "standing", lambda place: nullcontext())
        monkeypatch.setattr(command, "refuse_taken", lambda *_: None)
        monkeypatch.setattr(command, "start_sandbox", lambda *_: SimpleNamespace(program=nullcontext()))
        monkeypatch.setattr(
            command, "spend_morning", lambda console, *_: command.tell_verdict(console, morning)
        )
        assert command.run_demo(Console(file=io.StringIO())) == code


@pytest.mark.parametrize("home", ["/proc/x", "/etc/passwd"])
def test_a_home_that_can_not_be_made_is_a_sentence_and_exit_code_1(home):
    ended = subprocess.run(
        [sys.executable, "-m", "order_cancellation.demo", "demo"],
        env={**os.environ, "AIRFLOW_HOME": home},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (1, "")
    assert f"AIRFLOW_HOME={home} can't be used" in ended.stdout


def a_request(**changed):
    request = {"id": 4701, "state": "done", "erp_status": 201, "relation": "continue", "error": None}
    return {**request, **changed}


class TestTable:
    def test_has_a_row_per_request_with_its_reason(self):
        console = Console(width=120, record=True, file=io.StringIO())
        rows = [a_request(id=4702, state="failed", erp_status=422, error="period [closed]"), a_request()]
        console.print(states_table(rows))
        first, second = console.export_text().splitlines()[1:]
        assert first.startswith("4701")
        assert "period [closed]" in second

    def test_counting_goes_by_state(self):
        assert count_states([a_request(), a_request(), a_request(state="failed")]) == {"done": 2, "failed": 1}


def a_task(task_id, state, map_index=-1, **more):
    return {"task_id": task_id, "state": state, "map_index": map_index, **more}


class TestProgress:
    ORDER = ("login", "script")

    def test_steps_stand_in_their_order_and_batches_by_number(self):
        tasks = [
            a_task("requests.script", None, 1),
            a_task("requests.script", None, 0),
            a_task("login", None),
        ]
        assert [(task["task_id"], task["map_index"]) for task in in_order(tasks, self.ORDER)] == [
            ("login", -1),
            ("requests.script", 0),
            ("requests.script", 1),
        ]

    def test_without_a_terminal_each_end_is_told_once(self, capsys):
        with Progress(Console(), self.ORDER) as progress:
            progress.show([a_task("login", "running")], 1.0)
            progress.show([a_task("login", "success")], 1.5)
            progress.show(
                [
                    a_task("login", "success"),
                    a_task("requests.script", "failed", 0, rendered_map_index="4701"),
                ],
                2.0,
            )
        assert capsys.readouterr().out.splitlines() == [
            "  1.5 s  login: success",
            "  2.0 s  script [4701]: failed",
        ]

    def test_a_state_that_is_none_yet_is_not_told(self, capsys):
        with Progress(Console(), self.ORDER) as progress:
            progress.show([a_task("login", None), a_task("login", "queued")], 0.0)
        assert capsys.readouterr().out == ""


def test_the_first_user_is_the_one_who_signs_in():
    assert first_user("admin:admin,bob:viewer") == "admin"
