"""Who is signed in, the API's description, and the pages' files."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    ("role", "create", "reveal"),
    [("viewer", False, False), ("user", True, False), ("op", True, True), ("admin", True, True)],
)
def test_says_who_is_signed_in_and_what_they_may(caller, role, create, reveal) -> None:
    told = caller(role).get("/api/me").json()
    assert told == {"name": role, "can_create": create, "can_reveal": reveal}


def test_the_description_is_for_those_who_are_signed_in(caller) -> None:
    assert caller(None).get("/openapi.json").status_code == 401
    told = caller("viewer").get("/openapi.json").json()
    assert "/api/me" in told["paths"]
    assert told["servers"] == [{"url": "/order-cancellation"}]


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/api/openapi.json"])
def test_there_is_no_other_way_to_the_description(caller, path) -> None:
    assert caller("admin").get(path).status_code == 404


def test_the_pages_files_are_public_and_nothing_beside_them(caller) -> None:
    assert caller(None).get("/static/flows.svg").status_code == 200
    assert caller(None).get("/static/..%2fapp.py").status_code == 404


def test_a_checkout_without_pages_has_an_api_and_no_pages(monkeypatch, tmp_path, caplog) -> None:
    import order_cancellation.api.app as module
    from airflow import plugins_manager

    plugin = next(one for one in plugins_manager._get_plugins()[0] if one.name == "order_cancellation")
    monkeypatch.setattr(module, "BUNDLE", tmp_path / "main.js")
    bare = type(plugin)()
    assert bare.react_apps == []
    assert len(bare.fastapi_apps) == 1
    (tmp_path / "main.js").write_text("x")
    full = type(plugin)()
    assert [page["url_route"] for page in full.react_apps] == ["flows", "flow", "requests", "run-requests"]
    assert full.react_apps[0]["bundle_url"].startswith("order-cancellation/static/main.js?v=")
