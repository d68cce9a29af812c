"""The flows' routes: what they answer, to whom, and that a page is never trusted."""

from __future__ import annotations

import base64
import io
import sqlite3
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from .conftest import FILES, PLAIN_FLOW, known, write_flow

ROLES = ("viewer", "user", "op", "admin")


def draft_of(client: Any, flow: str = "acme") -> tuple[str, dict[str, Any]]:
    """Return a flow's base and draft, as a page gets them."""
    told = client.get(f"/api/flows/{flow}").json()
    return told["revision"], told["draft"]


def save(client: Any, draft: dict[str, Any], base: str, **more: Any) -> Any:
    body = {"base": base, "draft": draft, "note": "why", "despite": False, **more}
    return client.put("/api/flows/acme", json=body)


def zipped(**files: str) -> str:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return base64.b64encode(stream.getvalue()).decode()


@pytest.fixture
def acme(flows) -> Path:
    return write_flow(flows, "acme", "# The flow of Acme.\ntitle: Acme   # shown\n" + PLAIN_FLOW)


class TestRights:
    READING = ("", "/live?since=2026-01-01T00:00:00Z", "/export", "/history", "/history/diff?from=1")

    @pytest.mark.parametrize("role", ROLES)
    def test_everybody_who_may_see_a_flow_reads_all_of_it(self, caller, acme, role) -> None:
        client = caller(role)
        client.get("/api/flows/acme")
        for path in self.READING:
            assert client.get(f"/api/flows/acme{path}").status_code == 200, path

    @pytest.mark.parametrize(
        ("role", "edits"), [("viewer", False), ("user", True), ("op", True), ("admin", True)]
    )
    def test_a_flow_says_what_its_reader_may_do(self, caller, acme, role, edits) -> None:
        rights = caller(role).get("/api/flows/acme").json()["rights"]
        reveals = role in ("op", "admin")
        assert rights == {"see": True, "test": edits, "edit": edits, "redo": edits, "reveal": reveals}

    def test_an_example_with_personal_data_takes_the_right_to_reveal(self, caller, acme) -> None:
        assert caller("user").get("/api/flows/acme/example?masked=false").status_code == 403

    def test_a_flow_that_may_not_be_seen_is_not_listed_and_not_copied(
        self, caller, acme, monkeypatch
    ) -> None:
        from airflow.api_fastapi.app import get_auth_manager

        kind = type(get_auth_manager())
        plain = kind.is_authorized_dag

        def only_mine(self, *, method, user, details=None, **more):
            if details is not None and details.id == "acme":
                return False
            return plain(self, method=method, user=user, details=details, **more)

        monkeypatch.setattr(kind, "is_authorized_dag", only_mine)
        client = caller("admin")
        assert client.get("/api/flows").json()["flows"] == []
        assert client.get("/api/flows/acme").status_code == 403
        assert client.post("/api/flows", json={"id": "new", "copy_of": "acme"}).status_code == 403
        assert client.post("/api/flows", json={"id": "acme", "template": "empty"}).status_code == 403


class TestUnknown:
    @pytest.mark.parametrize(
        "flow", ["gone", "maintenance", "..", "%2e%2e", "a.b", "..%2f..%2fetc", "%00", "é"]
    )
    def test_is_404_whatever_is_asked(self, caller, acme, flow) -> None:
        client = caller("admin")
        assert client.get(f"/api/flows/{flow}").status_code == 404
        for path in (
            "export",
            "live?since=2026-01-01T00:00:00Z",
            "history",
            "history/diff?from=1",
            "example",
        ):
            assert client.get(f"/api/flows/{flow}/{path}").status_code == 404, path
        draft = {"files": {}, "document": None}
        assert client.put(f"/api/flows/{flow}", json={"base": "", "draft": draft}).status_code == 404
        assert client.post(f"/api/flows/{flow}/check", json={"draft": draft}).status_code == 404
        assert client.post(f"/api/flows/{flow}/schedule", json={"none": True}).status_code == 404

    def test_is_403_for_who_may_not_edit(self, caller, acme) -> None:
        assert caller("viewer").put("/api/flows/gone", json={}).status_code == 403

    def test_a_name_in_other_letters_is_no_flow_where_the_file_system_thinks_so(
        self, caller, acme, monkeypatch
    ) -> None:
        monkeypatch.setattr("pathlib.Path.is_dir", lambda _path: True)
        assert caller("admin").get("/api/flows/ACME/export").status_code == 404


class TestList:
    def test_tells_each_flow_with_what_is_wrong_with_it(self, caller, acme, flows) -> None:
        write_flow(flows, "broken", PLAIN_FLOW.replace("status: approved", "status: aproved"))
        told = caller("viewer").get("/api/flows").json()
        rows = {row["id"]: row for row in told["flows"]}
        assert (rows["acme"]["title"], rows["acme"]["state"], rows["acme"]["problems"]) == ("Acme", "new", [])
        assert rows["acme"]["schedule"] == "only by hand"
        assert rows["broken"]["state"] == "broken"
        assert rows["broken"]["problems"][0]["path"] == "get_data.status"
        assert (told["writable"], told["can_create"]) == (True, False)
        assert {template["name"] for template in told["templates"]} == {"empty", "returns_to_erp", "nifi"}

    def test_a_repaired_flow_is_checked_again(self, caller, flows) -> None:
        client = caller()
        for status, state in (("aproved", "broken"), ("approved", "new")):
            write_flow(flows, "acme", PLAIN_FLOW.replace("status: approved", f"status: {status}"))
            assert [row["state"] for row in client.get("/api/flows").json()["flows"]] == [state]


class TestOne:
    def test_has_its_text_its_values_and_what_they_amount_to(self, caller, acme) -> None:
        told = caller("viewer").get("/api/flows/acme").json()
        assert told["draft"]["files"]["flow.yaml"].startswith("# The flow of Acme.")
        assert told["draft"]["document"]["title"] == "Acme"
        assert set(told["draft"]["files"]) == {"flow.yaml", *FILES}
        checked = told["checked"]
        assert checked["problems"] == []
        assert checked["effective"]["delivery"]["retry_pause"] == "5m"
        assert checked["query"] == "status=approved&sort=modified_date&limit=100&page=1"
        assert checked["lost_answer"]["sentence"].endswith("parked until a person decides.")
        assert told["steps"] == ["write_to_erp", "write_to_omnitron"]
        assert told["airflow"]["known"] is False

    def test_that_is_broken_is_shown_with_the_line(self, caller, flows) -> None:
        write_flow(flows, "acme", PLAIN_FLOW.replace("method: POST", "method: POSTT"))
        told = caller().get("/api/flows/acme").json()
        (problem,) = told["checked"]["problems"]
        assert (problem["path"], problem["file"], problem["line"]) == ("write_to_erp.method", "flow.yaml", 2)
        assert told["checked"]["effective"] is None

    @pytest.mark.parametrize(
        "text", ["", "{", "[1]", "a: &a [*a]", "title: \x07", "a: 1\na: 2", "x: 2026-01-01"]
    )
    def test_that_can_not_be_read_has_no_document_and_a_problem(self, caller, flows, text) -> None:
        write_flow(flows, "acme", text)
        told = caller().get("/api/flows/acme").json()
        assert told["draft"]["document"] is None
        assert told["checked"]["problems"]

    def test_files_that_are_no_text_are_named_and_kept(self, caller, acme) -> None:
        (acme / "logo.png").write_bytes(b"\x89PNG\0\xff")
        client = caller()
        told = client.get("/api/flows/acme").json()
        assert told["other_files"] == ["logo.png"]
        draft = told["draft"] | {"document": told["draft"]["document"] | {"title": "New"}}
        assert save(client, draft, told["revision"]).status_code == 200
        assert (acme / "logo.png").exists()

    def test_what_the_erp_answered_in_a_saved_case_is_told(self, caller, acme) -> None:
        client = caller()
        assert client.get("/api/flows/acme").json()["answer"] is None
        (acme / "cases").mkdir(exist_ok=True)
        (acme / "cases" / "booked.yaml").write_text(
            "step: custom_response\n"
            'attributes: {invokehttp.status.code: "201"}\n'
            "input: {request_data: {}, response_data: {status: OK}}\n"
            "expect: {attributes: {relation: continue}}\n",
            encoding="utf-8",
        )
        told = client.get("/api/flows/acme").json()
        assert told["answer"] == {"status": 201, "body": '{"status": "OK"}'}

    def test_a_script_s_fault_is_told_with_its_line(self, caller, acme) -> None:
        _, draft = draft_of(caller())
        draft["files"]["script.py"] = "x = 1\nprint 'old'\n"
        draft["document"]["script"] = {"file": "script.py"}
        (problem,) = caller().post("/api/flows/acme/check", json={"draft": draft}).json()["problems"]
        assert (problem["file"], problem["line"]) == ("script.py", 2)


class TestSave:
    def test_keeps_comments_and_says_who_and_why(self, caller, acme) -> None:
        client = caller("user")
        base, draft = draft_of(client)
        draft["document"]["title"] = "Acme Ltd"
        saved = save(client, draft, base).json()
        assert (acme / "flow.yaml").read_text().startswith("# The flow of Acme.\ntitle: Acme Ltd # shown\n")
        versions = client.get("/api/flows/acme/history").json()["versions"]
        assert [(one["author"], one["note"], one["is_current"]) for one in versions] == [
            ("user", "why", True),
            ("outside the designer", "As it was found", False),
        ]
        assert versions[0]["revision"] == saved["revision"]

    def test_over_a_change_of_somebody_else_is_refused_with_what_differs(self, caller, acme) -> None:
        client = caller()
        base, draft = draft_of(client)
        (acme / "post.py").write_text("1\n")
        answer = save(client, draft, base)
        assert answer.status_code == 409
        detail = answer.json()["detail"]
        assert (detail["code"], detail["author"]) == ("changed", "outside the designer")
        assert [diff["name"] for diff in detail["diffs"]] == ["post.py"]
        assert (acme / "post.py").read_text() == "1\n"
        assert save(client, draft, detail["revision"]).status_code == 200

    def test_of_what_is_not_valid_is_refused_with_all_that_is_wrong(self, caller, acme) -> None:
        base, draft = draft_of(caller())
        before = (acme / "flow.yaml").read_bytes()
        draft["document"]["write_to_erp"]["method"] = "SEND"
        del draft["document"]["get_data"]
        answer = save(caller(), draft, base)
        assert answer.status_code == 422
        assert {one["path"] for one in answer.json()["detail"]["problems"]} == {
            "get_data",
            "write_to_erp.method",
        }
        assert (acme / "flow.yaml").read_bytes() == before

    def test_of_what_fails_its_cases_takes_a_second_word(self, caller, acme) -> None:
        client = caller()
        base, draft = draft_of(client)
        draft["document"]["mapping"] = {"file": "mapping.json"}
        draft["files"]["cases/one.yaml"] = "step: mapping\ninput: {id: 1}\nexpect: {result: {id: 2}}\n"
        answer = save(client, draft, base)
        assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "cases")
        assert answer.json()["detail"]["cases"][0]["passed"] is False
        saved = save(client, draft, base, despite=True).json()
        assert saved["cases"][0]["passed"] is False
        assert (acme / "cases" / "one.yaml").exists()

    def test_files_that_the_draft_has_no_more_go(self, caller, acme) -> None:
        base, draft = draft_of(caller())
        del draft["files"]["post.py"]
        assert save(caller(), draft, base).status_code == 200
        assert not (acme / "post.py").exists()

    @pytest.mark.parametrize(
        "name",
        ["../evil.py", "/etc/passwd", "a/../../b", "a\\b", ".hidden", "a/.git/x", "", "x" * 300, "a//b", "a/",
         "\0", "x.bak", "a:b", "C:\\x", "__pycache__/x", "a/b/c/d/e/f/g/h/i"],
    )  # fmt: skip
    def test_never_writes_a_file_elsewhere(self, caller, acme, flows, name) -> None:
        before = sorted(flows.parent.rglob("*"))
        base, draft = draft_of(caller())
        draft["files"][name] = "x"
        answer = save(caller(), draft, base)
        assert answer.status_code == 422
        assert [one for one in sorted(flows.parent.rglob("*")) if "ledger" not in one.name] == [
            one for one in before if "ledger" not in one.name
        ]

    def test_never_follows_a_link_out_of_the_folder(self, caller, acme, tmp_path) -> None:
        (tmp_path / "outside").mkdir()
        (acme / "cases").symlink_to(tmp_path / "outside")
        told = caller().get("/api/flows/acme").json()
        draft = told["draft"]
        draft["files"]["cases/x.yaml"] = "step: script\ninput: 1\nexpect: {result: 1}\n"
        answer = save(caller(), draft, told["revision"], despite=True)
        assert answer.status_code == 409
        assert list((tmp_path / "outside").iterdir()) == []

    def test_where_the_folder_is_read_only_is_refused_and_said_before(
        self, caller, acme, monkeypatch
    ) -> None:
        monkeypatch.setattr("order_cancellation.service.saving.os.access", lambda *_: False)
        told = caller().get("/api/flows/acme").json()
        assert told["writable"] is False
        answer = save(caller(), told["draft"], told["revision"])
        assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "read_only")

    def test_asks_airflow_to_parse_at_once(self, caller, acme, airflow_db) -> None:
        from airflow.models.dagbag import DagPriorityParsingRequest
        from airflow.utils.session import create_session
        from sqlalchemy import delete, select

        base, draft = draft_of(caller())
        draft["document"]["title"] = "New"
        with create_session() as session:  # what other tests of this process have asked for
            session.execute(delete(DagPriorityParsingRequest))
        with known("maintenance", "maintenance.py"):
            assert save(caller(), draft, base).status_code == 200
            with create_session() as session:
                asked = session.scalars(select(DagPriorityParsingRequest)).all()
                assert [(one.bundle_name, one.relative_fileloc) for one in asked] == [("dags", "flows.py")]
                session.execute(delete(DagPriorityParsingRequest))


class TestAirflowsWord:
    def test_a_flow_that_airflow_knows_is_paused_or_live_with_its_next_run(self, caller, acme) -> None:
        following = datetime(2026, 1, 2, tzinfo=UTC)
        for paused, state, next_run in ((False, "live", "2026-01-02T00:00:00+00:00"), (True, "paused", None)):
            with known("acme", "flows.py", is_paused=paused, next_dagrun_create_after=following):
                (row,) = caller("viewer").get("/api/flows").json()["flows"]
                assert (row["state"], row["next_run"]) == (state, next_run)
                airflow = caller("viewer").get("/api/flows/acme").json()["airflow"]
                assert (airflow["known"], airflow["paused"]) == (True, paused)

    def test_another_s_dag_keeps_its_name_and_a_deleted_flow_gives_its_name_away(self, caller, acme) -> None:
        for file, status in (("theirs.py", 409), ("flows.py", 201)):
            with known("new", file):
                answer = caller().post("/api/flows", json={"id": "new", "template": "empty"})
                assert answer.status_code == status

    def test_a_gone_dag_counts_for_nothing(self, caller, acme) -> None:
        with known("acme", "flows.py", is_stale=True):
            assert caller().get("/api/flows").json()["flows"][0]["state"] == "new"


class TestSmallChanges:
    def test_a_flow_is_disabled_and_enabled_and_nothing_else_changes(self, caller, acme) -> None:
        client, text = caller("user"), (acme / "flow.yaml").read_text()
        base = draft_of(client)[0]
        saved = client.post("/api/flows/acme/enabled", json={"enabled": False, "base": base}).json()
        assert client.get("/api/flows").json()["flows"][0]["state"] == "disabled"
        client.post("/api/flows/acme/enabled", json={"enabled": True, "base": saved["revision"]})
        assert (acme / "flow.yaml").read_text() == text.replace("# shown\n", "# shown\nenabled: true\n")

    def test_a_schedule_is_told_and_then_written(self, caller, acme) -> None:
        client = caller("user")
        wanted = {"cron": "0 9 * * 1-5", "timezone": "Europe/Istanbul"}
        told = client.post("/api/flows/acme/schedule/check", json=wanted).json()
        assert told["words"] == "at 09:00, Monday through Friday (Europe/Istanbul)"
        assert len(told["next"]) == 5
        assert all(one.endswith("09:00:00+03:00") for one in told["next"])
        assert client.post("/api/flows/acme/schedule", json=wanted).status_code == 200
        assert "  cron: 0 9 * * 1-5\n" in (acme / "flow.yaml").read_text()

    @pytest.mark.parametrize(
        "body", [{}, {"every": "5m", "none": True}, {"every": "soon"}, {"cron": "x"}, {"after": ["gone"]}]
    )
    def test_what_is_no_schedule_is_refused_with_words(self, caller, acme, body) -> None:
        for path in ("schedule", "schedule/check"):
            answer = caller().post(f"/api/flows/acme/{path}", json=body)
            assert answer.status_code == 422
            assert answer.json()["detail"]


class TestMakeAndDelete:
    @pytest.mark.parametrize("template", ["empty", "returns_to_erp", "nifi"])
    def test_each_template_makes_a_valid_flow(self, caller, flows, template) -> None:
        client = caller("user")
        answer = client.post("/api/flows", json={"id": "new", "template": template, "title": "New one"})
        assert answer.status_code == 201
        told = client.get("/api/flows/new").json()
        assert told["revision"] == answer.json()["revision"]
        assert told["checked"]["problems"] == []
        assert told["draft"]["document"]["title"] == "New one"
        draft = {"draft": told["draft"]}
        results = client.post("/api/flows/new/cases/run", json=draft).json()["results"]
        assert all(one["passed"] for one in results)

    def test_a_copy_and_an_export_and_import_hold_the_same(self, caller, acme) -> None:
        client = caller("user")
        copy = client.post("/api/flows", json={"id": "copy", "copy_of": "acme"}).json()
        assert copy["revision"] == draft_of(client)[0]
        archive = base64.b64encode(client.get("/api/flows/acme/export").content).decode()
        imported = client.post("/api/flows", json={"id": "again", "archive": archive}).json()
        assert imported["revision"] == copy["revision"]

    @pytest.mark.parametrize("flow", ["acme", "ACME", "maintenance", "change_schedule"])
    def test_a_taken_name_is_refused(self, caller, acme, flow) -> None:
        answer = caller().post("/api/flows", json={"id": flow, "template": "empty"})
        assert (answer.status_code, answer.json()["detail"]["code"]) == (409, "taken")

    @pytest.mark.parametrize("flow", ["", "..", "a/b", "x" * 61, "a b", "é", "../x"])
    def test_an_impossible_name_is_refused(self, caller, flows, flow) -> None:
        answer = caller().post("/api/flows", json={"id": flow, "template": "empty"})
        assert answer.status_code == 422
        assert list(flows.iterdir()) == []

    @pytest.mark.parametrize(
        "body",
        [{"template": "gone"}, {"template": "../x"}, {"copy_of": "gone"}, {"copy_of": "../.."},
         {"archive": "!"}, {"archive": "AAAA"}, {}, {"template": "empty", "copy_of": "acme"},
         {"template": "empty", "extra": 1},
         {"archive": zipped(**{"a.txt": "x"})}, {"archive": zipped(**{"../flow.yaml": PLAIN_FLOW})}],
    )  # fmt: skip
    def test_what_makes_no_flow_makes_nothing(self, caller, acme, flows, body) -> None:
        answer = caller().post("/api/flows", json={"id": "new", **body})
        assert answer.status_code == 422
        assert [one.name for one in flows.iterdir()] == ["acme"]

    def test_a_deleted_flow_can_be_brought_back(self, caller, acme) -> None:
        client = caller("user")
        base = draft_of(client)[0]
        answer = client.request("DELETE", "/api/flows/acme", json={"base": "0" * 64})
        assert answer.status_code == 409
        assert client.request("DELETE", "/api/flows/acme", json={"base": base}).status_code == 204
        assert not acme.exists()
        versions = client.get("/api/flows/acme/history").json()["versions"]
        assert [one["note"] for one in versions] == ["Deleted", "As it was found"]
        assert not any(one["is_current"] for one in versions)
        body = {"version": versions[0]["id"], "base": "", "note": ""}
        assert client.post("/api/flows/acme/restore", json=body).json()["revision"] == base
        assert draft_of(client)[0] == base


class TestHistory:
    def test_a_version_whose_files_are_gone_is_told(self, caller, acme, ledger_file) -> None:
        client = caller("user")
        base = client.get("/api/flows/acme").json()["revision"]
        (version,) = client.get("/api/flows/acme/history").json()["versions"]
        with closing(sqlite3.connect(ledger_file)) as database, database:
            database.execute("DELETE FROM revisions")
        wanted = {"version": version["id"], "base": base}
        answers = [
            client.post("/api/flows/acme/restore", json=wanted),
            client.get(f"/api/flows/acme/history/diff?from={version['id']}"),
        ]
        for answer in answers:
            assert answer.status_code == 422
            assert "no files of version" in answer.json()["detail"]

    def test_a_version_is_compared_and_restored(self, caller, acme) -> None:
        client = caller("user")
        base, draft = draft_of(client)
        draft["document"]["title"] = "Other"
        saved = save(client, draft, base).json()
        new, old = client.get("/api/flows/acme/history").json()["versions"]
        (diff,) = client.get(f"/api/flows/acme/history/diff?from={old['id']}&to={new['id']}").json()["files"]
        assert "-title: Acme   # shown" in diff["diff"]
        body = {"version": old["id"], "base": saved["revision"], "note": "no"}
        assert client.post("/api/flows/acme/restore", json=body).json()["revision"] == base
        assert client.get(f"/api/flows/acme/history/diff?from={old['id']}").json()["files"] == []

    def test_a_change_from_outside_stands_there_too(self, caller, acme) -> None:
        draft_of(caller())
        (acme / "post.py").write_text("2\n")
        versions = caller().get("/api/flows/acme/history").json()["versions"]
        assert [one["note"] for one in versions] == [
            "Changed from outside; first seen now",
            "As it was found",
        ]

    @pytest.mark.parametrize("query", ["from=99", "from=-1", f"from={2**70}", "from=x", "to=1", ""])
    def test_an_unknown_version_is_refused(self, caller, acme, query) -> None:
        assert caller().get(f"/api/flows/acme/history/diff?{query}").status_code == 422


class TestLive:
    def test_a_flow_that_airflow_does_not_know_is_not_live(self, caller, acme) -> None:
        told = caller().get("/api/flows/acme/live?since=2026-01-01T00:00:00Z").json()
        assert told == {"live": False, "parsed_at": None, "broken": []}

    @pytest.mark.parametrize(
        ("began", "stored", "holds"),
        [(-1, None, False), (1, None, True), (1, -3, False), (1, 2, True), (3, -3, True), (1, -60, True)],
    )
    def test_a_save_is_in_force_once_it_was_read_and_stored(self, monkeypatch, began, stored, holds) -> None:
        """Airflow passes over a DAG that it has stored less than five seconds ago."""
        from order_cancellation.api.standing import Standing

        monkeypatch.setenv("AIRFLOW__CORE__MIN_SERIALIZED_DAG_UPDATE_INTERVAL", "5")
        saved = datetime(2026, 1, 1, tzinfo=UTC)

        def after(seconds):
            return None if seconds is None else saved + timedelta(seconds=seconds)

        standing = Standing(False, None, None, after(began), after(began), after(stored))
        assert standing.holds(saved) is holds
