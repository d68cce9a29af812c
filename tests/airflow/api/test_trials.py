"""Trying drafts: steps, the whole way, saved cases, and an example from Omnitron."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from threading import BoundedSemaphore, Event, Thread
from typing import Any

import pytest
import uvicorn

from contract.ledgers import a_request, enter

from .conftest import PLAIN_FLOW, WHOLE_FLOW, write_flow

REQUEST = {"id": 7, "uuid": "u-7", "channel": {"pk": 2}, "customer": {"first_name": "Zerrin"}}


@pytest.fixture
def draft(caller, flows) -> dict[str, Any]:
    write_flow(flows, "acme", WHOLE_FLOW)
    return caller().get("/api/flows/acme").json()["draft"]


def attempt(client: Any, draft: dict[str, Any], step: str, given: Any, **more: Any) -> dict[str, Any]:
    body = {"draft": draft, "step": step, "input": json.dumps(given), "attributes": {}, **more}
    answer = client.post("/api/flows/acme/try", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def chain(client: Any, draft: dict[str, Any], status: int = 200, body: str = "{}") -> dict[str, Any]:
    asked = {"draft": draft, "input": json.dumps(REQUEST), "answer": {"status": status, "body": body}}
    answer = client.post("/api/flows/acme/chain", json=asked)
    assert answer.status_code == 200, answer.text
    return answer.json()


class TestTry:
    def test_a_script_of_the_draft_is_run_and_nothing_is_saved(self, caller, draft, flows) -> None:
        draft["files"]["script.py"] = (
            'print("hello")\nlog.warn("careful")\noutputStream.write("{\\"a\\": 1}")\n'
        )
        got = attempt(caller("user"), draft, "script", REQUEST)
        assert (got["result_data"], got["printed"], got["error"]) == ({"a": 1}, "hello\n", None)
        assert got["log"] == [["warning", "careful"]]
        assert got["took_ms"] > 0
        assert "hello" not in (flows / "acme" / "script.py").read_text()

    def test_a_draft_is_compared_with_what_is_saved(self, caller, draft) -> None:
        draft["files"]["mapping.json"] = '[{"operation": "shift", "spec": {"id": "number"}}]'
        got = attempt(caller("user"), draft, "mapping", REQUEST, compare=True, explain=True)
        assert got["result_data"] == {"number": 7}
        assert got["live"]["result_data"] == {"id": 7, "uuid": "u-7"}
        assert '+    "number": 7' in got["diff"]
        assert got["explain"]["operations"]

    def test_an_unfinished_part_keeps_no_other_from_being_tried(self, caller, draft) -> None:
        draft["files"]["mapping.json"] = "["
        assert attempt(caller("user"), draft, "script", REQUEST)["error"] is None

    def test_what_a_script_makes_of_numbers_and_letters_is_answered(self, caller, draft) -> None:
        draft["files"]["script.py"] = (
            'outputStream.write(\'{"a": NaN, "b": "\\\\ud800", "c": \' + "[" * 400 + "]" * 400 + "}")\n'
        )
        got = attempt(caller("user"), draft, "script", REQUEST)
        assert (got["result_data"]["a"], got["result_data"]["b"]) == ("nan", "?")

    def test_a_script_s_error_is_told(self, caller, draft) -> None:
        draft["files"]["script.py"] = "1 / 0\n"
        assert "ZeroDivisionError" in attempt(caller("user"), draft, "script", REQUEST)["error"]


def test_only_a_few_are_tried_at_once(caller, draft, monkeypatch) -> None:
    monkeypatch.setattr("order_cancellation.api.trials._ROOM", BoundedSemaphore(1))
    monkeypatch.setattr("order_cancellation.api.trials._PATIENCE_S", 0.01)
    from order_cancellation.api import trials

    with trials._room(lambda: True):
        body = {"draft": draft, "step": "script", "input": "{}"}
        assert caller("user").post("/api/flows/acme/try", json=body).status_code == 503
    assert attempt(caller("user"), draft, "script", REQUEST)["error"] is None


def test_who_waits_holds_few_of_the_threads_that_all_pages_share(caller, draft, monkeypatch) -> None:
    monkeypatch.setattr("order_cancellation.api.trials._DOOR", BoundedSemaphore(1))
    from order_cancellation.api import trials

    with trials._room(lambda: True):
        body = {"draft": draft, "step": "script", "input": "{}"}
        assert caller("user").post("/api/flows/acme/try", json=body).status_code == 503


def test_a_mapping_that_never_ends_is_stopped(caller, draft, monkeypatch) -> None:
    monkeypatch.setattr("order_cancellation.service.apart.LONGEST_S", 3.0)
    rule = {"b": "=split('(a+)+$', @(1,a))"}
    draft["files"]["mapping.json"] = json.dumps([{"operation": "modify-overwrite-beta", "spec": rule}])
    body = {"draft": draft, "step": "mapping", "input": json.dumps({"a": "a" * 60 + "b"})}
    answer = caller("user").post("/api/flows/acme/try", json=body)
    assert answer.status_code == 422
    assert "was stopped" in answer.json()["detail"]


class Place(BoundedSemaphore):
    """A place for one, which says when it was taken for the first time."""

    def __init__(self) -> None:
        super().__init__(1)
        self.was_taken = Event()

    def acquire(self, *args: Any, **more: Any) -> bool:
        got = super().acquire(*args, **more)
        if got:
            self.was_taken.set()
        return got


class TestLeaving:
    """Who closes the page, or presses Stop there, does not wait any more; a real server sees that."""

    @pytest.fixture
    def address(self, airflow_app) -> Iterator[tuple[str, int]]:
        server = uvicorn.Server(uvicorn.Config(airflow_app, port=0, lifespan="off", log_config=None))
        thread = Thread(target=server.run)
        thread.start()
        while not server.started:
            os.sched_yield()
        yield server.servers[0].sockets[0].getsockname()
        server.should_exit = True
        thread.join()

    @pytest.fixture
    def leave(self, address, tokens, draft) -> Callable[[Place], None]:
        """Ask for something, and go as soon as a place is taken for it."""

        def ask_and_go(place: Place) -> None:
            body = json.dumps({"draft": draft, "step": "script", "input": "{}"})
            headers = {"Authorization": f"Bearer {tokens['user']}", "Content-Type": "application/json"}
            connection = HTTPConnection(*address)
            connection.request("POST", "/order-cancellation/api/flows/acme/try", body, headers)
            assert place.was_taken.wait(60)
            connection.close()

        return ask_and_go

    def test_gives_up_the_place_in_the_line(self, leave, draft, monkeypatch) -> None:
        # the room is full and stays so, and patience does not end: only leaving frees the place
        door = Place()
        monkeypatch.setattr("order_cancellation.api.trials._DOOR", door)
        monkeypatch.setattr("order_cancellation.api.trials._ROOM", BoundedSemaphore(0))
        monkeypatch.setattr("order_cancellation.api.trials._PATIENCE_S", 300.0)
        leave(door)
        assert door.acquire(timeout=60)

    def test_stops_what_was_tried(self, caller, leave, draft, monkeypatch) -> None:
        # one place, so that the next trial waits for it
        room = Place()
        monkeypatch.setattr("order_cancellation.api.trials._ROOM", room)
        draft["files"]["script.py"] = "while True: pass\n"
        leave(room)
        draft["files"]["script.py"] = ""
        assert attempt(caller("user"), draft, "script", REQUEST)["error"] is None


class TestNetwork:
    SOURCE = "import socket\nsocket.create_connection(('127.0.0.1', {port}), 5).close()\n"

    @pytest.fixture
    def asking(self, draft) -> Iterator[dict[str, Any]]:
        import socket

        with socket.create_server(("127.0.0.1", 0)) as server:
            draft["files"]["script.py"] = self.SOURCE.format(port=server.getsockname()[1])
            draft["document"]["script"]["network"] = True
            yield draft

    def test_a_script_that_declares_it_has_it_for_who_could_save_it(self, caller, asking) -> None:
        assert attempt(caller("user"), asking, "script", REQUEST)["error"] is None

    def test_where_nothing_can_be_saved_no_draft_has_it(self, caller, asking, monkeypatch) -> None:
        monkeypatch.setattr("order_cancellation.api.trials.why_not_writable", lambda _folder: "Git")
        assert attempt(caller("user"), asking, "script", REQUEST)["error"] is not None

    def test_nor_does_the_whole_chain(self, caller, asking) -> None:
        assert chain(caller("user"), asking)["steps"][0]["error"] is not None


class TestChain:
    def test_a_yes_goes_the_whole_way(self, caller, draft) -> None:
        told = chain(caller("user"), draft)
        assert [step["step"] for step in told["steps"]] == [
            "script",
            "mapping",
            "custom_response",
            "post_script",
        ]
        assert [step["skipped"] for step in told["steps"]] == [None] * 4
        assert told["call"]["method"] == "POST"
        assert json.loads(told["call"]["body"]) == {"id": 7, "uuid": "u-7"}
        assert told["write_back"] == {
            "outcome": "continue",
            "calls": [
                {
                    "method": "PATCH",
                    "path": "/api/v1/channel/2/cancellation_requests/7/",
                    "body": {"status": "completed"},
                }
            ],
        }

    @pytest.mark.parametrize(
        ("status", "outcome", "paths"),
        [
            (422, "failure", ["/api/v1/cancellation_requests/7/add_tag/"]),
            (401, "auth_fail", []),
            (503, "in_doubt", []),
            (429, "wait", []),
        ],
    )
    def test_other_answers_end_as_runs_end(self, caller, draft, status, outcome, paths) -> None:
        told = chain(caller("user"), draft, status)
        assert told["write_back"]["outcome"] == outcome
        assert [call["path"] for call in told["write_back"]["calls"]] == paths
        assert told["steps"][-1]["skipped"] == f"it runs after continue, and this ended as {outcome}"

    def test_a_failed_step_keeps_the_later_ones_from_being_run(self, caller, draft) -> None:
        draft["files"]["script.py"] = "1 / 0\n"
        told = chain(caller("user"), draft)
        assert told["call"] is None
        assert [step["skipped"] is None for step in told["steps"]] == [True, False, False, False]

    def test_secrets_in_headers_are_masked(self, caller, draft) -> None:
        draft["document"]["write_to_erp"]["headers"] = {"X-Api-Key": "hush", "X-Kind": "{{ request.id }}"}
        assert chain(caller("user"), draft)["call"]["headers"] == {
            "Content-Type": "application/json",
            "X-Api-Key": "***",
            "X-Kind": "7",
        }

    def test_what_can_not_be_sent_is_told(self, caller, draft) -> None:
        draft["document"]["write_to_erp"]["url"] = "/{{ request.nothing }}"
        told = chain(caller("user"), draft)
        assert told["call"] is None
        assert "nothing" in told["error"]

    @pytest.mark.parametrize("given", ["", "[]", "{", "{}", "1", '{"uuid": "u"}'])
    def test_an_input_that_is_no_request_is_told(self, caller, draft, given) -> None:
        body = {"draft": draft, "input": given, "answer": {"status": 200, "body": ""}}
        answer = caller("user").post("/api/flows/acme/chain", json=body)
        assert answer.status_code == 422
        assert "cancellation request" in answer.json()["detail"]


class TestCases:
    def test_a_composed_case_is_run_with_the_draft(self, caller, draft) -> None:
        client = caller("user")
        body = {
            "name": "one",
            "step": "mapping",
            "input": REQUEST,
            "attributes": {},
            "expect": {"result": {"id": 8}},
        }
        case = client.post("/api/flows/acme/cases/compose", json=body).json()
        assert case["file"] == "cases/one.yaml"
        draft["files"][case["file"]] = case["text"]
        (result,) = client.post("/api/flows/acme/cases/run", json={"draft": draft}).json()["results"]
        assert (result["case"], result["step"], result["passed"]) == ("one", "mapping", False)

    @pytest.mark.parametrize(
        "change",
        [
            {"name": "../x"},
            {"name": ""},
            {"name": "a/b"},
            {"step": "login"},
            {"expect": {}},
            {"expect": {"x": 1}},
        ],
        ids=str,
    )
    def test_what_is_no_case_is_refused(self, caller, draft, change) -> None:
        body = {
            "name": "one",
            "step": "mapping",
            "input": 1,
            "attributes": {},
            "expect": {"result": 1},
            **change,
        }
        assert caller("user").post("/api/flows/acme/cases/compose", json=body).status_code == 422


class TestExample:
    @pytest.fixture
    def omnitron(self, flows, monkeypatch) -> Iterator[None]:
        from order_cancellation.sandbox import SandboxThread

        write_flow(flows, "acme", PLAIN_FLOW)
        with SandboxThread(scenario={"name": "three", "requests": 3}) as sandbox:
            told = {"conn_type": "omnitron", "host": sandbox.omnitron_url, "login": "omnitron"}
            told["password"] = "omnitron-secret"
            monkeypatch.setenv("AIRFLOW_CONN_OMNITRON_DEFAULT", json.dumps(told))
            yield

    def test_is_a_real_request_masked_for_who_may_not_reveal(self, caller, omnitron) -> None:
        told = caller("user").get("/api/flows/acme/example").json()
        assert told["masked"] is True
        assert told["request"]["uuid"]
        assert "***" in json.dumps(told["request"])

    def test_is_shown_whole_to_who_may_reveal(self, caller, omnitron) -> None:
        first = caller("op").get("/api/flows/acme/example?masked=false").json()["request"]
        assert "***" not in json.dumps(first)
        again = caller("op").get(f"/api/flows/acme/example?masked=false&id={first['id']}").json()
        assert again["request"]["uuid"] == first["uuid"]

    def test_who_saw_it_whole_is_written_down_where_the_ledger_knows_it(self, caller, omnitron) -> None:
        from order_cancellation.api.place import the_ledger

        client = caller("op")
        request = client.get("/api/flows/acme/example").json()["request"]
        enter(the_ledger(), [a_request(request["id"], uuid=request["uuid"])])
        client.get(f"/api/flows/acme/example?masked=true&id={request['id']}")
        client.get(f"/api/flows/acme/example?masked=false&id={request['id']}")
        notes = [one["note"] for one in the_ledger().queries.events("acme", request["uuid"])]
        assert [note for note in notes if "shown" in note] == [
            "personal data shown to op, because: an example in the designer"
        ]

    def test_an_unknown_number_is_told(self, caller, omnitron) -> None:
        answer = caller("user").get("/api/flows/acme/example?id=999999")
        assert answer.json()["detail"].startswith("Omnitron has no request 999999")

    def test_a_missing_connection_is_named(self, caller, flows) -> None:
        write_flow(flows, "acme", PLAIN_FLOW)
        answer = caller("user").get("/api/flows/acme/example")
        assert answer.status_code == 422
        assert "'omnitron_default' does not exist" in answer.json()["detail"]

    def test_a_host_that_does_not_answer_is_named(self, caller, flows, monkeypatch) -> None:
        write_flow(flows, "acme", PLAIN_FLOW)
        told = {"conn_type": "omnitron", "host": "http://127.0.0.1:1", "login": "a", "password": "hush-hush"}
        monkeypatch.setenv("AIRFLOW_CONN_OMNITRON_DEFAULT", json.dumps(told))
        monkeypatch.setattr("order_cancellation.service.example._PATIENCE_S", 0.5)
        answer = caller("user").get("/api/flows/acme/example")
        assert answer.status_code == 424
        assert "omnitron_default" in answer.json()["detail"]
        assert "hush" not in answer.text
