"""Requests over the API: who may do what, what is shown of them, and that nothing is promised or hidden."""

from __future__ import annotations

import json
from contextlib import closing
from datetime import UTC, datetime
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.ledgers import FLOW, PERSONAL, FakeClock, brought_to, uuid_of
from order_cancellation.ledger import Ledger, State

from .conftest import PLAIN_FLOW, known, write_flow

SEEN_BY = {None: 401, "viewer": 200, "user": 200, "op": 200, "admin": 200}
DONE_BY = {None: 401, "viewer": 403, "user": 200, "op": 200, "admin": 200}
SHOWN_TO = {None: 401, "viewer": 403, "user": 403, "op": 200, "admin": 200}

ONE = f"/api/flows/{FLOW}/requests/{uuid_of(1)}"
REDO = f"/api/flows/{FLOW}/requests/redo"
WHY = {"why": "the bank asked"}
WRITES = {
    REDO: ({"uuids": [uuid_of(1)], **WHY}, DONE_BY),
    f"{ONE}/resolve": ({"as": "accepted", **WHY}, DONE_BY),
    f"{ONE}/reveal": (WHY, SHOWN_TO),
}


@pytest.fixture
def ledger(flows, ledger_file):
    """Requests 1 to 3 of a flow: in doubt, done, failed."""
    from order_cancellation.airflow_settings import read_settings

    clock = FakeClock(datetime(2026, 1, 1, tzinfo=UTC))
    read = read_settings()
    with closing(Ledger(read.ledger_url, read.payload_keys, clock)) as ledger:
        for number, state in enumerate((State.IN_DOUBT, State.DONE, State.FAILED), 1):
            brought_to(ledger, state, number)
            clock.advance(60)
        yield ledger


@pytest.fixture
def blind(monkeypatch):
    """Let nobody see the flow, or do anything with it."""
    from airflow.api_fastapi.auth.managers.simple.simple_auth_manager import SimpleAuthManager

    allowed = SimpleAuthManager.is_authorized_dag

    def but_not_ours(self, *, details=None, **asked):
        ours = details is not None and details.id == FLOW
        return not ours and allowed(self, details=details, **asked)

    monkeypatch.setattr(SimpleAuthManager, "is_authorized_dag", but_not_ours)


def notes(ledger, number=1):
    return [one["note"] for one in ledger.queries.events(FLOW, uuid_of(number))]


class TestRights:
    @pytest.mark.parametrize("role", list(SEEN_BY))
    @pytest.mark.parametrize("path", ["/api/requests", "/api/requests/outcomes", ONE])
    def test_who_may_read(self, caller, ledger, path, role):
        assert caller(role).get(path).status_code == SEEN_BY[role]

    @pytest.mark.parametrize("role", list(SEEN_BY))
    @pytest.mark.parametrize("path", list(WRITES))
    def test_who_may_act(self, caller, ledger, path, role):
        body, expected = WRITES[path]
        before = notes(ledger)
        status = caller(role).post(path, json=body).status_code
        assert status == expected[role]
        assert (notes(ledger) == before) == (status != 200), "and nobody else leaves a trace"

    @pytest.mark.parametrize("path", list(WRITES))
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "null"},
        ],
    )
    def test_another_sites_page_can_not_act(self, caller, ledger, path, headers):
        before = notes(ledger)
        assert caller("admin").post(path, json=WRITES[path][0], headers=headers).status_code == 403
        assert notes(ledger) == before

    @pytest.mark.parametrize("path", list(WRITES))
    def test_nothing_but_json_is_read(self, caller, ledger, path):
        before = notes(ledger)
        answer = caller("admin").post(path, content=b"{}", headers={"Content-Type": "text/plain"})
        assert (answer.status_code, notes(ledger)) == (415, before)

    def test_who_may_not_see_a_flow_sees_nothing_of_it(self, caller, ledger, blind):
        admin = caller("admin")
        for query in ("", f"?flow={FLOW}", "?text=1", "?state=done", "?run_id=run-1"):
            page = admin.get(f"/api/requests{query}").json()
            assert page == {"requests": [], "next": None, "counts": {}}
        buckets = admin.get("/api/requests/outcomes?hours=2208").json()["buckets"]
        assert not any(any(one["counts"].values()) for one in buckets)
        before = notes(ledger)
        assert admin.get(ONE).status_code == 403
        assert [admin.post(path, json=body).status_code for path, (body, _) in WRITES.items()] == [403] * 3
        assert notes(ledger) == before


class TestList:
    def test_the_newest_change_first_with_counts(self, caller, ledger):
        page = caller("viewer").get("/api/requests?state=done&state=failed&limit=1").json()
        assert [one["id"] for one in page["requests"]] == [3]
        assert page["counts"] == {"in_doubt": 1, "done": 1, "failed": 1}
        further = caller("viewer").get(f"/api/requests?state=done&state=failed&after={page['next']}").json()
        assert ([one["id"] for one in further["requests"]], further["next"]) == ([2], None)

    def test_by_time_in_any_zone(self, caller, ledger):
        span = {"from": "2026-01-01T03:01:00+03:00", "to": "2026-01-01T00:02:00"}
        page = caller("viewer").get("/api/requests", params=span).json()
        assert [one["id"] for one in page["requests"]] == [2]

    def test_a_row_holds_order_and_sku_and_no_personal_data(self, caller, ledger):
        answer = caller("admin").get("/api/requests?text=ORD-1")
        [row] = answer.json()["requests"]
        assert (row["order_number"], row["sku"], row["channel"]) == ("ORD-1", "SKU-1", "2")
        assert not any(value in answer.text for value in PERSONAL.values())

    @pytest.mark.parametrize(
        "query",
        [
            "state=lost",
            "limit=0",
            "limit=501",
            "limit=x",
            "from=yesterday",
            "after=%25%25",
            "text=" + "x" * 300,
        ],
    )
    def test_what_can_not_be_understood_is_refused(self, caller, ledger, query):
        answer = caller("admin").get(f"/api/requests?{query}")
        assert answer.status_code == 422
        assert answer.json()["detail"]

    @pytest.mark.parametrize(
        ("more", "is_paused", "by_hand"),
        [
            ("schedule: {every: 5m}\n", False, False),
            ("schedule: {every: 5m}\n", True, True),
            ("schedule: {every: 5m}\nenabled: false\n", False, True),
            ("", False, True),
        ],
    )
    def test_what_failed_says_whether_somebody_has_to_start_the_next_run(
        self, *, caller, flows, ledger, more, is_paused, by_hand
    ):
        write_flow(flows, FLOW, PLAIN_FLOW + more)
        with known(FLOW, "flows.py", is_paused=is_paused):
            page = caller("viewer").get("/api/requests").json()
            life = caller("viewer").get(f"/api/flows/{FLOW}/requests/{uuid_of(3)}").json()
            redo = caller("op").get(f"/api/flows/{FLOW}/requests/{uuid_of(3)}").json()["actions"]["redo"]
        assert {one["id"]: one["by_hand"] for one in page["requests"]} == {1: False, 2: False, 3: by_hand}
        assert life["by_hand"] is by_hand
        assert ("its DAG is paused" in redo["consequence"]) is is_paused

    def test_outcomes_have_every_part_of_the_time(self, caller, ledger):
        told = caller("viewer").get("/api/requests/outcomes?hours=1").json()
        assert (told["bucket_s"], len(told["buckets"])) == (60, 61)
        assert set(told) == {"from", "to", "bucket_s", "buckets"}
        assert set(told["buckets"][0]["counts"]) == {"done", "failed", "in_doubt", "parked", "postponed"}

    def test_what_was_searched_for_stands_in_no_log(self, caller, ledger, capsys):
        assert caller("op").get("/api/requests?flow=acme&text=zerrin%40example.com").status_code == 200
        logged = capsys.readouterr().out
        assert "text=***" in logged or "text=%2A%2A%2A" in logged
        assert "zerrin" not in logged

    def test_a_ledger_file_that_was_deleted_is_not_gone_on_with(self, caller, ledger, ledger_file):
        client = caller("op")
        assert client.get("/api/requests").json()["requests"]
        for file in ledger_file.parent.glob(f"{ledger_file.name}*"):
            file.unlink()
        assert client.get("/api/requests").json()["requests"] == []
        assert ledger_file.exists()

    def test_the_ledger_of_earlier_settings_is_let_go(self, caller, ledger_file, monkeypatch):
        from order_cancellation.api.place import the_ledger

        caller("op").get("/api/requests")
        pool = the_ledger().database.engine.pool
        assert pool.checkedin() > 0
        other = ledger_file.with_name("other.db")
        monkeypatch.setenv("AIRFLOW__ORDER_CANCELLATION__LEDGER_URL", f"sqlite:///{other}")
        assert the_ledger().database.engine.url.database == str(other)
        assert pool.checkedin() == 0


class TestLife:
    def test_what_json_can_not_say_is_shown_all_the_same(self, caller, ledger):
        from sqlalchemy import update

        from order_cancellation.ledger import schema

        odd = ledger.queries._cipher.pack({"a": float("nan"), "b": "\ud800"})
        kept = schema.payloads
        with ledger.database.write() as connection:
            connection.execute(update(kept).where(kept.c.uuid == uuid_of(1)).values(data=odd))
        assert caller("viewer").get(ONE).status_code == 200
        shown = caller("op").post(f"{ONE}/reveal", json=WHY)
        assert shown.json()["payloads"][0]["data"] == {"a": "nan", "b": "?"}

    def test_it_tells_what_was_sent_and_what_can_be_done(self, caller, ledger):
        life = caller("user").get(ONE).json()
        assert life["story"][0] == "Nobody knows whether the ERP has booked it."
        assert "one call, and only one, can have booked it" in life["story"][1]
        assert [one["card"] for one in life["timeline"]] == ["Fetched", "Sent", "No answer"]
        assert all(life["actions"][name]["allowed"] for name in ("redo", "accepted", "refused"))
        assert (life["erased"], life["rights"]["redo"], life["rights"]["reveal"]) == (False, True, False)

    def test_whoever_may_not_act_is_offered_nothing(self, caller, ledger):
        actions = caller("viewer").get(ONE).json()["actions"]
        assert actions == {"redo": None, "accepted": None, "refused": None}

    def test_each_moment_leads_to_its_tasks_log(self, caller, ledger):
        timeline = caller("viewer").get(ONE).json()["timeline"]
        run = f"dags/{FLOW}/runs/run-1/tasks"
        assert [one["log_url"] for one in timeline] == [
            f"{run}/get_data",
            f"{run}/requests.write_to_erp/mapped/0",
            f"{run}/requests.write_to_erp/mapped/0",
        ]

    def test_personal_data_are_masked(self, caller, ledger):
        answer = caller("admin").get(ONE)
        assert answer.json()["payloads"][0]["data"]["customer"]["email"] == "***"
        assert not any(value in answer.text for value in PERSONAL.values())

    def test_after_an_erasing_it_says_so(self, caller, ledger):
        ledger.housekeeping.erase(FLOW, "2", who="ada")
        life = caller("admin").get(f"/api/flows/{FLOW}/requests/{uuid_of(2)}").json()
        assert (life["erased"], life["payloads"]) == (True, [])

    @pytest.mark.parametrize("name", ["none", "9", "a%00b", "%F0%9F%98%80", "..", "%2e%2e", "x" * 3000])
    def test_an_unknown_request_is_not_found(self, caller, ledger, name):
        path = f"/api/flows/{FLOW}/requests/{name}"
        assert caller("admin").get(path).status_code == 404

    def test_a_flow_without_requests_is_not_found_either(self, caller, ledger):
        assert caller("admin").get(f"/api/flows/other/requests/{uuid_of(1)}").status_code == 404


class TestRedo:
    def test_each_gets_its_own_answer_and_its_reason(self, caller, ledger):
        asked = {"uuids": [uuid_of(2), "none", uuid_of(3), uuid_of(2)], "why": "mended, ask ada@example.org"}
        results = caller("user").post(REDO, json=asked).json()["results"]
        assert [(one["uuid"], one["ok"]) for one in results] == [
            (uuid_of(2), True),
            ("none", False),
            (uuid_of(3), True),
        ]
        assert "no request none" in results[1]["message"]
        assert notes(ledger, 3)[-1] == (
            "to be done again at the next run, asked by user, because: mended, ask ***"
        )
        row = caller("user").get("/api/requests?text=3").json()["requests"][0]
        assert row["redo"] is True

    def test_what_has_changed_since_it_was_seen_is_refused_and_the_others_are_not(self, caller, ledger):
        rows = caller("user").get("/api/requests").json()["requests"]
        seen = {one["uuid"]: one["last_changed"] for one in rows} | {
            uuid_of(3): "2025-12-31T00:00:00.000+00:00"
        }
        asked = {"uuids": [uuid_of(2), uuid_of(3)], "seen": seen, **WHY}
        results = caller("user").post(REDO, json=asked).json()["results"]
        assert [one["ok"] for one in results] == [True, False]
        assert "it has changed meanwhile (it is failed now)" in results[1]["message"]

    @pytest.mark.parametrize(
        "body",
        [
            {"uuids": [], **WHY},
            {"uuids": ["x"], "seen": "now", **WHY},
            {"uuids": ["x"], "why": " "},
            {"uuids": ["x"]},
            {"uuids": "x", **WHY},
            {"uuids": [1], **WHY},
            {"uuids": ["x"] * 501, **WHY},
            {"uuids": ["x"], **WHY, "more": 1},
            [],
            "x",
        ],
    )
    def test_wrong_types_are_refused(self, caller, ledger, body):
        assert caller("user").post(REDO, json=body).status_code == 422


class TestResolve:
    def test_the_decision_is_airflows_users_and_answers_the_row(self, caller, ledger):
        row = caller("user").post(f"{ONE}/resolve", json={"as": "refused", **WHY}).json()
        assert (row["id"], row["state"]) == (1, "refused")
        assert notes(ledger)[-1] == "decided by user: not booked, because: the bank asked"

    def test_of_what_has_changed_since_it_was_seen_is_a_conflict(self, caller, ledger):
        asked = {"as": "accepted", "seen": "2025-12-31T00:00:00.000+00:00", **WHY}
        answer = caller("user").post(f"{ONE}/resolve", json=asked)
        assert answer.status_code == 409
        assert "it has changed meanwhile (it is in_doubt now)" in answer.json()["detail"]

    def test_of_what_is_as_it_was_seen_counts(self, caller, ledger):
        seen = caller("user").get(ONE).json()["last_changed"]
        asked = {"as": "accepted", "seen": seen, **WHY}
        assert caller("user").post(f"{ONE}/resolve", json=asked).json()["state"] == "accepted"

    def test_what_needs_no_decision_is_refused_with_the_reason(self, caller, ledger):
        path = f"/api/flows/{FLOW}/requests/{uuid_of(2)}/resolve"
        answer = caller("user").post(path, json={"as": "accepted", **WHY})
        assert answer.status_code == 422
        assert "only a request that is in_doubt or parked" in answer.json()["detail"]

    @pytest.mark.parametrize(
        "body",
        [
            {"as": "maybe", **WHY},
            {"as": "refused", "seen": "today", **WHY},
            {"decision": "accepted", **WHY},
            {"as": "refused"},
        ],
    )
    def test_wrong_words_are_refused(self, caller, ledger, body):
        assert caller("user").post(f"{ONE}/resolve", json=body).status_code == 422

    def test_an_unknown_request_is_not_found(self, caller, ledger):
        path = f"/api/flows/{FLOW}/requests/none/resolve"
        assert caller("user").post(path, json={"as": "accepted", **WHY}).status_code == 404


class TestReveal:
    def test_payloads_come_as_they_are_and_it_is_written_down(self, caller, ledger):
        payloads = caller("op").post(f"{ONE}/reveal", json=WHY).json()["payloads"]
        assert payloads[0]["data"]["customer"]["email"] == PERSONAL["email"]
        assert notes(ledger)[-1] == "personal data shown to op, because: the bank asked"

    @pytest.mark.parametrize("body", [{}, {"why": ""}, {"why": " \n"}, {"why": 1}, {"why": "x" * 1001}])
    def test_without_a_reason_nothing_is_shown(self, caller, ledger, body):
        before = notes(ledger)
        answer = caller("op").post(f"{ONE}/reveal", json=body)
        assert (answer.status_code, notes(ledger)) == (422, before)
        assert PERSONAL["email"] not in answer.text

    def test_it_is_written_down_before_anything_is_read(self, caller, ledger, monkeypatch):
        """So it stands there even if the reader goes away, or reading fails."""
        from order_cancellation.ledger.queries import Queries

        def fails(*_asked):
            raise RuntimeError("gone")

        monkeypatch.setattr(Queries, "payloads", fails)
        assert caller("op").post(f"{ONE}/reveal", json=WHY).status_code == 500
        assert notes(ledger)[-1].startswith("personal data shown to op")

    def test_what_can_not_be_written_down_is_not_shown(self, caller, ledger, monkeypatch):
        from order_cancellation.errors import LedgerUnavailable
        from order_cancellation.ledger.queries import Queries

        def full(*_asked, **_more):
            raise LedgerUnavailable("The disk is full.")

        monkeypatch.setattr(Queries, "note_reveal", full)
        answer = caller("op").post(f"{ONE}/reveal", json=WHY)
        assert answer.status_code == 503
        assert PERSONAL["email"] not in answer.text


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)
WORDS = st.sampled_from(["uuids", "why", "as", "accepted", "refused", uuid_of(1), "1", ""])
ROUGH = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


class TestJunk:
    """Whatever is sent, the server neither fails nor takes it for something else."""

    @ROUGH
    @given(body=JSON | st.dictionaries(WORDS, JSON | WORDS | st.lists(WORDS, max_size=3), max_size=4))
    def test_bodies(self, caller, ledger, body):
        headers = {"Content-Type": "application/json"}
        for path in WRITES:
            answer = caller("admin").post(path, content=json.dumps(body), headers=headers)
            assert answer.status_code in {200, 404, 422}

    @ROUGH
    @given(content=st.binary(max_size=60))
    def test_what_is_no_json(self, caller, ledger, content):
        headers = {"Content-Type": "application/json"}
        for path in WRITES:
            assert caller("admin").post(path, content=content, headers=headers).status_code in {400, 422}

    @ROUGH
    @given(
        name=st.sampled_from(["flow", "state", "run_id", "from", "to", "text", "limit", "after", "hours"]),
        value=st.text(max_size=40),
    )
    def test_queries(self, caller, ledger, name, value):
        query = f"{name}={quote(value, errors='surrogatepass')}"
        for path in ("/api/requests", "/api/requests/outcomes"):
            assert caller("admin").get(f"{path}?{query}").status_code in {200, 422}

    @ROUGH
    @given(flow=st.text(max_size=20), uuid=st.text(max_size=80))
    def test_paths(self, caller, ledger, flow, uuid):
        told = "/".join(quote(one, safe="", errors="surrogatepass") for one in (flow, "requests", uuid))
        assert caller("admin").get(f"/api/flows/{told}").status_code < 500
