"""What the pages save is in force in a real Airflow without waiting for the next regular parse."""

from __future__ import annotations

from typing import Any

API = "/order-cancellation/api"


def is_live(live: Any, flow: str, since: str) -> bool:
    return live.call("GET", f"{API}/flows/{flow}/live", params={"since": since})["live"]


def test_a_saved_change_is_in_force_after_the_parse_that_the_save_asked_for(live) -> None:
    told = live.call("GET", f"{API}/flows/every_step")
    assert told["airflow"]["known"] is True
    draft = told["draft"]
    draft["document"]["title"] = "Another title"
    saved = live.call(
        "PUT", f"{API}/flows/every_step", json={"base": told["revision"], "draft": draft, "note": ""}
    )
    live.wait(lambda: is_live(live, "every_step", saved["saved_at"]), "the parse")
    live.wait(
        lambda: live.call("GET", "/api/v2/dags/every_step")["dag_display_name"] == "Another title",
        "the title",
    )


def test_a_schedule_and_a_new_flow_are_taken_up_too(live) -> None:
    made = live.call("POST", f"{API}/flows", json={"id": "made_here", "template": "empty"})
    assert made["id"] == "made_here"
    live.wait(lambda: live.call("GET", f"{API}/flows/made_here")["airflow"]["known"], "the new DAG")
    saved = live.call("POST", f"{API}/flows/made_here/schedule", json={"every": "1d"})
    live.wait(lambda: is_live(live, "made_here", saved["saved_at"]), "the schedule")
    live.airflow.api.unpause("made_here")
    row = next(row for row in live.call("GET", f"{API}/flows")["flows"] if row["id"] == "made_here")
    assert row["schedule"] == "every 1 day" or row["schedule"] == "every day"
    live.call("DELETE", f"{API}/flows/made_here", json={"base": saved["revision"]})
    assert not (live.flows / "made_here").exists()


def test_the_pages_are_registered_and_their_files_are_there(live) -> None:
    assert live.call("GET", "/api/v2/plugins/importErrors")["import_errors"] == []
    plugins = live.call("GET", "/api/v2/plugins")["plugins"]
    ours = next(one for one in plugins if one["name"] == "order_cancellation")
    routes = {page["url_route"]: page["destination"] for page in ours["react_apps"]}
    assert routes == {"flows": "nav", "flow": "dag", "requests": "nav", "run-requests": "dag_run"}
