"""Who gets in: signed in → right → same origin → JSON → size, before anything of a body is read."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

JSON = {"Content-Type": "application/json"}
BODIES = {
    "none": b"",
    "json": b"{}",
    "no json": b"{" * 1000,
    "huge": b"x" * (5 * 1024 * 1024),
}


@pytest.fixture(scope="session")
def writing(airflow_app) -> list[tuple[str, str]]:
    """All routes that write, with a flow's id filled in."""
    return [(method, path) for method, path in routes(airflow_app) if method != "GET"]


def routes(airflow_app) -> list[tuple[str, str]]:
    from order_cancellation.api.guard import GuardedRoute

    mounted = next(
        route for route in airflow_app.routes if getattr(route, "path", "") == "/order-cancellation"
    )
    found = [route for route in mounted.app.routes if isinstance(route, GuardedRoute)]
    return [
        (method, route.path.replace("{dag_id}", "acme").replace("{uuid}", "u"))
        for route in found
        for method in sorted(route.methods)
    ]


def test_every_route_but_the_files_is_guarded(airflow_app) -> None:
    from order_cancellation.api.guard import GuardedRoute

    mounted = next(
        route for route in airflow_app.routes if getattr(route, "path", "") == "/order-cancellation"
    )
    assert {type(route).__name__ for route in mounted.app.routes if not isinstance(route, GuardedRoute)} == {
        "Mount"
    }


def test_nobody_gets_in_without_a_sign_in(airflow_app, caller) -> None:
    client = caller(None)
    for method, path in routes(airflow_app):
        assert client.request(method, path).status_code == 401, path


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_who_is_not_signed_in_or_has_no_right_is_refused_whatever_the_body_is(caller, writing, body) -> None:
    for method, path in writing:
        for role, status in ((None, 401), ("viewer", 403)):
            answer = caller(role).request(method, path, content=body, headers=JSON)
            assert answer.status_code == status, (method, path, role)
            assert answer.headers["content-type"] == "application/json"


def test_a_broken_token_is_told_as_airflow_does(caller) -> None:
    answer = caller(None).get("/api/me", headers={"Authorization": "Bearer x"})
    assert (answer.status_code, answer.json()["detail"]) == (403, "Invalid JWT token")


async def call(app: Any, path: str, headers: dict[str, str], receive: Any) -> int:
    """Call the application below HTTP, where it shows whether a body is asked for."""
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "http",
        "path": f"/order-cancellation{path}",
        "raw_path": b"",
        "query_string": b"",
        "root_path": "",
        "headers": [(key.lower().encode(), value.encode()) for key, value in headers.items()],
        "server": ("testserver", 80),
        "client": ("testclient", 1),
        "state": {},
    }
    statuses: list[int] = []

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(scope, receive, send)
    return statuses[0]


@pytest.mark.parametrize(("role", "status"), [(None, 401), ("viewer", 403)])
def test_the_body_of_who_is_refused_is_not_read(airflow_app, caller, tokens, role, status) -> None:
    caller(role)
    asked: list[int] = []

    async def receive() -> dict[str, Any]:
        asked.append(1)
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    headers = {"Host": "testserver", **JSON, **({"Authorization": f"Bearer {tokens[role]}"} if role else {})}
    assert asyncio.run(call(airflow_app, "/api/flows", headers, receive)) == status
    assert asked == []


def test_a_body_without_an_end_is_cut_off(airflow_app, caller, tokens) -> None:
    caller("admin")
    asked: list[int] = []

    async def receive() -> dict[str, Any]:
        asked.append(65536)
        return {"type": "http.request", "body": b"x" * 65536, "more_body": True}

    headers = {"Host": "testserver", **JSON, "Authorization": f"Bearer {tokens['admin']}"}
    assert asyncio.run(call(airflow_app, "/api/flows", headers, receive)) == 413
    assert sum(asked) <= 4 * 1024 * 1024 + 65536


class TestWrites:
    @pytest.mark.parametrize(
        "headers",
        [
            {"Sec-Fetch-Site": "cross-site"},
            {"Sec-Fetch-Site": "same-site"},
            {"Origin": "https://evil.example"},
            {"Origin": "http://testserver:81"},
            {"Origin": "null"},
            {"Origin": "http://[", "Sec-Fetch-Site": "same-origin"},
        ],
        ids=str,
    )
    def test_of_another_sites_page_are_refused(self, caller, writing, headers) -> None:
        for method, path in writing:
            answer = caller("admin").request(method, path, headers={**JSON, **headers})
            assert answer.status_code == 403, path

    @pytest.mark.parametrize(
        "headers",
        [{"Sec-Fetch-Site": "same-origin", "Origin": "http://testserver"}, {"Sec-Fetch-Site": "none"}],
    )
    def test_of_airflows_own_pages_are_not(self, caller, headers) -> None:
        answer = caller("admin").post("/api/flows", json={}, headers=headers)
        assert answer.status_code == 422

    @pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "json"])
    def test_are_json_also_without_a_body(self, caller, writing, kind) -> None:
        headers = {} if kind is None else {"Content-Type": kind}
        for method, path in writing:
            assert caller("admin").request(method, path, headers=headers).status_code == 415, path

    def test_above_four_mebibytes_are_refused(self, caller, writing) -> None:
        for method, path in writing:
            answer = caller("admin").request(method, path, content=BODIES["huge"], headers=JSON)
            assert answer.status_code == 413, path

    def test_that_say_a_false_length_are_refused(self, caller) -> None:
        answer = caller("admin").post("/api/flows", headers={**JSON, "Content-Length": "9" * 30})
        assert answer.status_code == 413


def test_answers_are_not_kept_by_browsers(caller) -> None:
    assert caller("viewer").get("/api/me").headers["cache-control"] == "no-store"


def test_an_unforeseen_error_tells_nothing(caller, monkeypatch) -> None:
    def fail(*_args: Any) -> bool:
        raise RuntimeError("with a secret in it")

    monkeypatch.setattr("order_cancellation.api.me.may", fail)
    answer = caller("viewer").get("/api/me")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert json.loads(answer.text)["detail"].startswith("This failed")
