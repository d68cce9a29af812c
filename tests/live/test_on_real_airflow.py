"""Whole runs on a real Airflow: scheduler, LocalExecutor, API server, pages' API."""

from __future__ import annotations

import json
import sqlite3
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from live_airflow import FLOW, write_flow

pytestmark = pytest.mark.timeout(240)

REFUSE_SECOND = {
    "name": "one_refused",
    "requests": {"count": 3},
    "rules": [
        {
            "match": {"route": "erp.book", "position": 2},
            "then": {"status": 422, "body": {"error": "period closed"}, "book": "never"},
        }
    ],
}

PLANTED = {
    "customer.first_name": "Canaria",
    "customer.last_name": "Kanarya-Vogel",
    "customer.email": "canary@example.com",
    "customer.phone_number": "05327654321",
    "customer.date_of_birth": "1971-02-03",
    "iban": "TR330006100519786457841326",
    "holder_name": "Canaria von Holder",
    "order_item.order.remote_addr": "203.0.113.77",
}
"""What a customer gives of herself; of three requests one is booked, one refused, one fails in its script."""
REPEATED = " ".join(PLANTED.values())
ALL_PERSONAL = {
    "name": "canaries",
    "requests": {
        "count": 3,
        "first_id": 501,
        "changes": [{"position": place, "set": PLANTED} for place in (1, 2, 3)],
    },
    "rules": [
        {
            "match": {"route": "erp.book", "position": 2},
            "then": {
                "status": 422,
                "body": {"message": f"Unknown: {REPEATED.upper()} {REPEATED}"},
                "book": "never",
            },
        }
    ],
}
TALKATIVE = """
import json
request = json.loads(input_text)
person = {**request["customer"], "iban": request["iban"], "holder_name": request["holder_name"]}
print(person, request["order_item"]["order"]["remote_addr"])
session.putAttribute("log.person", json.dumps(person))
session.putAttribute("log.iban", request["iban"])
if request["id"] == 503:
    raise ValueError(f"{input_text[-3000:]} is too much: {person}")
outputStream.write(json.dumps(request))
"""


class TestRun:
    def test_clear_only_failed_takes_up_just_what_failed_with_the_flow_as_it_is_now(self, live):
        """A refused request is sent again by the cleared tasks; the others' tasks are not touched."""
        live.begin(REFUSE_SECOND)
        run_id, state = live.run("repaired")
        before = live.states("repaired", run_id)
        red = {task for task, ended in before.items() if ended in ("failed", "upstream_failed")}

        live.begin({"name": "all_fine", "requests": {"count": 3}}, keep=True)
        script = live.flows / "repaired" / "response.py"
        script.write_text(
            script.read_text() + 'session.putAttribute("log.judged", "by the repaired script")\n'
        )
        cleared = live.call(
            "POST",
            "/api/v2/dags/repaired/clearTaskInstances",
            json={
                "dry_run": False,
                "only_failed": True,
                "include_downstream": True,
                "dag_run_id": run_id,
                "reset_dag_runs": True,
            },
        )
        after = live.end_of("repaired", run_id)

        assert state == "failed"
        assert red == {("custom_response", 1), ("write_to_omnitron", 1), ("post_script", 1), ("report", -1)}
        assert cleared["total_entries"] == len(red)
        assert after == "success"
        assert live.booked() == [1, 2, 3]
        assert "by the repaired script" in logs_of(live.home)

    def test_a_dry_run_books_nothing_and_tells_omnitron_nothing(self, live):
        """What a person asked of the run reaches every step's task, whose DAG holds no parameters itself."""
        live.begin({"name": "all_fine", "requests": {"count": 2, "first_id": 900}})
        run_id, state = live.run("repaired", dry_run=True)

        assert state == "success"
        assert ("write_to_erp", 1) in live.states("repaired", run_id)
        assert live.booked() == []
        assert {request["status"] for request in live.sandbox.requests} == {"approved"}

    def test_the_test_button_logs_in(self, live):
        """Airflow's own connection test really asks the two systems."""
        for name in ("omnitron_default", "erp_default"):
            shown = live.call("GET", f"/api/v2/connections/{name}")
            body = {key: shown[key] for key in ("connection_id", "conn_type", "host", "login", "extra")}
            answer = live.call("POST", "/api/v2/connections/test", json=body | {"password": "***"})
            assert answer["status"] is True, answer

    def test_a_broken_flow_is_a_visible_dag_and_hides_no_other(self, live):
        """Its page shows every error; the other flows are there."""
        live.wait(lambda: live.airflow.api.find_dag("not_valid"), "the broken DAG")
        details = live.call("GET", "/api/v2/dags/not_valid/details")

        assert "broken" in [tag["name"] for tag in details["tags"]]
        assert "nonsense" in details["doc_md"]
        assert "write_to_erp" in details["doc_md"]
        assert live.airflow.api.import_errors() == []

    def test_change_schedule_writes_the_flows_file_and_airflow_has_it_at_its_next_reading(self, live):
        """How soon that is, ``make bench`` measures."""
        _, state = live.run("change_schedule", flow="scheduled", every="7m")
        assert state == "success"
        assert "every: 7m" in (live.flows / "scheduled" / "flow.yaml").read_text()
        live.wait(
            lambda: "0:07:00" in json.dumps(live.call("GET", "/api/v2/dags/scheduled/details")),
            "the new schedule",
        )

    def test_a_cron_schedule_runs_first_at_its_first_time_after_it_was_set(self, live):
        """Airflow by itself would run it at once, for the time before that."""
        write_flow(live.flows, "by_the_clock", FLOW + 'schedule: {cron: "0 0 29 2 *"}\n')
        live.wait(lambda: live.airflow.api.find_dag("by_the_clock"), "the DAG")
        dag = live.call("GET", "/api/v2/dags/by_the_clock")

        assert datetime.fromisoformat(dag["next_dagrun_run_after"]) > datetime.now(UTC)
        assert (dag["timetable_summary"], dag["timetable_description"]) == (
            "0 0 29 2 *",
            "At 00:00, on day 29 of the month, only in February",
        )

    def test_a_backfill_takes_the_requests_of_its_interval(self, live):
        """Only what was modified in the interval is taken up."""
        day = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        live.begin({"name": "all_fine", "requests": {"count": 0}})
        live.wait(lambda: live.airflow.api.find_dag("backfilled"), "the DAG")
        live.airflow.api.unpause("backfilled")
        live.wait(lambda: ended(live, "scheduled"), "the scheduled run, which takes whatever is there")
        live.begin(dated(day - timedelta(days=3, hours=-5), day - timedelta(days=9)))
        live.call(
            "POST",
            "/api/v2/backfills",
            json={
                "dag_id": "backfilled",
                "from_date": (day - timedelta(days=3)).isoformat(),
                "to_date": (day - timedelta(days=2, hours=12)).isoformat(),
                "max_active_runs": 1,
                "reprocess_behavior": "none",
                "dag_run_conf": {},
                "run_backwards": False,
            },
        )
        live.wait(lambda: ended(live, "backfill"), "the backfill's run")

        assert live.booked() == [1]


def ended(live, run_type):
    """Whether a run of this type has ended."""
    runs = live.call("GET", "/api/v2/dags/backfilled/dagRuns")["dag_runs"]
    return any(run["run_type"] == run_type and run["state"] in ("success", "failed") for run in runs)


def dated(*dates):
    """As many requests as dates, each modified at its date."""
    changes = [
        {"position": place, "set": {"modified_date": date.isoformat()}} for place, date in enumerate(dates, 1)
    ]
    return {"name": "dated", "requests": {"count": len(dates), "changes": changes}}


class TestNothingSecretOrPersonal:
    def test_is_in_any_log_xcom_or_rendered_field(self, live):
        """After a run whose script and ERP repeat all they know, both databases and all logs are searched."""
        (live.flows / "talkative" / "script.py").write_text(TALKATIVE)
        live.begin(ALL_PERSONAL)
        run_id, state = live.run("talkative")

        assert {str(request["iban"]) for request in live.sandbox.requests} == {PLANTED["iban"]}
        canaries = {*PLANTED.values(), *map(str.upper, PLANTED.values())}
        canaries |= {"omnitron-secret", "erp-secret", *tokens_of(live)}
        logs, airflow_db, ledger = (
            logs_of(live.home),
            dump(live.home / "airflow.db"),
            dump(live.home / "ledger.db"),
        )

        assert state == "failed", live.states("talkative", run_id)
        assert live.booked() == [501]
        assert "Request 501, script: log.iban = ***" in logs
        assert "is too much" in logs
        assert "the ERP answered 422" in ledger
        for canary in canaries:
            assert canary not in logs, "in a log"
            assert canary not in airflow_db, "in Airflow's database"
            assert canary not in ledger, "in the ledger"


def tokens_of(live):
    """The tokens that the sandbox gave out, from the headers of the calls that it got."""
    heads = [call.get("headers", {}) for call in live.sandbox.calls]
    values = [value for head in heads for name, value in head.items() if name.lower() == "authorization"]
    return {value.split(" ", 1)[1] for value in values if " " in value}


def logs_of(home: Path) -> str:
    """Everything in Airflow's log folder, task logs among it, and what its processes printed."""
    files = [*(home / "logs").rglob("*.log"), home / "standalone.log"]
    return "\n".join(file.read_text(encoding="utf-8", errors="replace") for file in files if file.is_file())


def dump(database: Path) -> str:
    """Every cell of a database as text; what is compressed only, unpacked."""
    texts: list[str] = []
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for table in tables:
        for row in connection.execute(f'SELECT * FROM "{table}"'):
            texts.extend(_text(cell) for cell in row if cell is not None)
    connection.close()
    return "\n".join(texts)


def _text(cell: object) -> str:
    if not isinstance(cell, bytes):
        return str(cell)
    try:
        return zlib.decompress(cell).decode("utf-8", "replace")
    except zlib.error:
        return cell.decode("utf-8", "replace")
