"""Airflow's REST API, as the demo speaks it."""

from __future__ import annotations

import json

import httpx
import pytest

from order_cancellation.demo.rest import AirflowApi, NoGoodAnswer, read_password
from order_cancellation.errors import ConfigurationError, Refused


def an_api(answer, pauses=None) -> AirflowApi:
    sleep = (pauses if pauses is not None else []).append
    return AirflowApi("http://airflow", sleep=sleep, transport=httpx.MockTransport(answer))


def health(**changed):
    parts = dict.fromkeys(("metadatabase", "scheduler", "dag_processor", "triggerer"), "healthy") | changed
    return lambda _: httpx.Response(200, json={part: {"status": status} for part, status in parts.items()})


class TestIsHealthy:
    def test_takes_all_four_parts(self):
        assert an_api(health()).is_healthy()

    @pytest.mark.parametrize("part", ["metadatabase", "scheduler", "dag_processor", "triggerer"])
    def test_one_part_that_is_not_is_enough(self, part):
        assert not an_api(health(**{part: "unhealthy"})).is_healthy()

    def test_nobody_there_is_not_healthy(self):
        def refuse(request):
            raise httpx.ConnectError("refused", request=request)

        assert not an_api(refuse).is_healthy()
        assert an_api(refuse).silent_parts() == ["API server"]

    def test_the_silent_ones_are_named(self):
        answer = health(scheduler="unhealthy", dag_processor=None)
        assert an_api(answer).silent_parts() == ["scheduler", "DAG processor"]


class TestRepeating:
    def test_a_busy_database_is_waited_for(self):
        answers, pauses = [httpx.Response(500), httpx.Response(500), httpx.Response(200, json={})], []
        an_api(lambda _: answers.pop(0), pauses).unpause("flow")
        assert pauses == [0.5, 1.0]

    def test_a_refusal_is_not_repeated(self):
        pauses = []
        with pytest.raises(Refused, match="409"):
            an_api(lambda _: httpx.Response(409), pauses).unpause("flow")
        assert pauses == []

    def test_it_gives_up_in_the_end(self):
        pauses = []
        with pytest.raises(NoGoodAnswer, match="500"):
            an_api(lambda _: httpx.Response(500), pauses).unpause("flow")
        assert len(pauses) == 4

    def test_a_run_that_is_there_already_is_no_second_one(self):
        an_api(lambda _: httpx.Response(409)).trigger("flow", "run")


class TestSetConnection:
    @pytest.mark.parametrize(("status", "method"), [(404, "POST"), (200, "PATCH")])
    def test_is_made_or_changed(self, status, method):
        methods = []

        def answer(request):
            methods.append(request.method)
            return httpx.Response(status if request.method == "GET" else 200, json={})

        an_api(answer).set_connection("erp_default", {"conn_type": "erp"})
        assert methods == ["GET", method]


def test_a_run_id_cannot_change_the_path():
    paths = []

    def answer(request):
        paths.append(request.url.raw_path)
        return httpx.Response(200, json={})

    an_api(answer).end_run("flow", "a/../b?c")
    assert paths == [b"/api/v2/dags/flow/dagRuns/a%2F..%2Fb%3Fc"]


class TestReadPassword:
    def test_is_the_one_that_airflow_made(self, tmp_path):
        (tmp_path / "simple_auth_manager_passwords.json.generated").write_text(
            json.dumps({"admin": "made up"})
        )
        assert read_password(tmp_path) == "made up"

    def test_a_home_without_one_is_named(self, tmp_path):
        with pytest.raises(ConfigurationError, match=str(tmp_path)):
            read_password(tmp_path)
