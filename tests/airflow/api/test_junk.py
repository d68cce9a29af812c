"""Whatever comes in, no route fails for a reason that nobody foresaw."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import WHOLE_FLOW, write_flow
from .test_guard import routes

TEXTS = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["acme", "..", "../x", "flow.yaml", "script", "mapping", "a: &a [*a]", "{{", "\ud800", "\0", "[["]
    ),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
BLOCKS = st.sampled_from(
    [
        "get_data",
        "script",
        "mapping",
        "write_to_erp",
        "custom_response",
        "write_to_omnitron",
        "schedule",
        "title",
    ]
)
DRAFTS = st.fixed_dictionaries(
    {
        "files": st.dictionaries(TEXTS, TEXTS, max_size=3),
        "document": st.none() | st.dictionaries(BLOCKS | TEXTS, JSON, max_size=4),
    }
)
KNOWN: dict[str, Any] = {
    "draft": DRAFTS,
    "base": TEXTS,
    "note": TEXTS,
    "despite": st.booleans(),
    "enabled": st.booleans(),
    "step": st.sampled_from(["script", "mapping", "custom_response", "post_script"]) | TEXTS,
    "input": TEXTS | st.sampled_from(['{"id": 1, "uuid": "u"}', "NaN", "[" * 5000]),
    "attributes": st.dictionaries(TEXTS, TEXTS, max_size=2),
    "answer": st.fixed_dictionaries({"status": st.integers(0, 700), "body": TEXTS}),
    "name": TEXTS,
    "expect": st.dictionaries(st.sampled_from(["result", "attributes", "error"]), JSON, max_size=3),
    "id": TEXTS,
    "template": st.sampled_from(["empty", "nifi"]) | TEXTS,
    "copy_of": TEXTS,
    "archive": TEXTS | st.binary(max_size=60).map(lambda data: __import__("base64").b64encode(data).decode()),
    "title": TEXTS,
    "version": st.integers(),
    "every": TEXTS,
    "cron": TEXTS | st.sampled_from(["* * * * *", "0 0 30 2 *", "60 * * * *"]),
    "after": st.lists(TEXTS, max_size=2),
    "none": st.booleans(),
    "timezone": TEXTS,
    "uuids": st.lists(TEXTS, max_size=2),
    "why": TEXTS,
    "as": TEXTS,
}


@pytest.fixture
def writing(airflow_app, flows) -> list[tuple[str, str]]:
    write_flow(flows, "acme", WHOLE_FLOW)
    return [one for one in routes(airflow_app) if one[0] != "GET"]


def fields_of(app: Any, method: str, path: str) -> list[str]:
    """Return the names that a route's body knows."""
    mounted = next(route for route in app.routes if getattr(route, "path", "") == "/order-cancellation")
    for route in mounted.app.routes:
        same = getattr(route, "path", "").replace("{dag_id}", "acme").replace("{uuid}", "u") == path
        if same and method in route.methods and route.body_field is not None:
            return list(route.body_field.field_info.annotation.model_fields)
    return []


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_body_makes_a_route_fail(caller, airflow_app, writing, data) -> None:
    method, path = data.draw(st.sampled_from(writing))
    known = st.fixed_dictionaries(
        {}, optional={n: KNOWN.get(n, JSON) | JSON for n in fields_of(airflow_app, method, path)}
    )
    body = data.draw(known | JSON)
    content = json.dumps(body).encode()
    answer = caller("admin").request(
        method, path, content=content, headers={"Content-Type": "application/json"}
    )
    assert answer.status_code < 500, answer.text
    assert method == "DELETE" or answer.json() is not None


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_query_makes_a_route_fail(caller, airflow_app, flows, data) -> None:
    write_flow(flows, "acme", WHOLE_FLOW)
    reading = [path for method, path in routes(airflow_app) if method == "GET"]
    path = data.draw(st.sampled_from(reading))
    sayable = st.text(st.characters(exclude_categories=["Cs"]), max_size=20) | st.integers().map(str)
    names = st.sampled_from(
        ["from", "to", "since", "id", "masked", "flow", "state", "run_id", "text", "limit", "after", "hours"]
    )
    query = data.draw(st.dictionaries(names, sayable, max_size=4))
    assert caller("admin").get(path, params=query).status_code < 500


@pytest.mark.parametrize(
    "content", [b"", b"[" * 100_000, b"1" * 10_000, b"\xff", b"nul", b'"\\ud800"', b'{"a": 1e999}']
)
def test_what_is_no_body_is_refused_everywhere(caller, writing, content) -> None:
    for method, path in writing:
        answer = caller("admin").request(
            method, path, content=content, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 404, 422), (path, answer.text)
