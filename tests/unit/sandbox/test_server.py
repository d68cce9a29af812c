"""The servers are real: over HTTP they answer, cut, hold and refuse connections."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json

import aiohttp
import pytest

from order_cancellation.sandbox import Sandbox, SandboxError
from order_cancellation.sandbox.server import is_loopback

ERP_OPEN = {"erp_login": "none"}


def rule(then, **match):
    return {"name": "x", "rules": [{"match": {"route": "erp.book", **match}, "then": then}]}


def run(story, scenario="all_fine", **kwargs):
    """Run ``story(sandbox, client)`` against a sandbox on a free port."""

    async def inside():
        async with Sandbox(scenario=scenario, **kwargs) as sandbox, aiohttp.ClientSession() as client:
            return await asyncio.wait_for(story(sandbox, client), 20)

    return asyncio.run(inside())


async def book(sandbox, client, number=1):
    async with client.post(sandbox.erp_url + "/cancellations", json={"id": number}) as answer:
        return answer.status, await answer.read()


async def until(condition):
    while not condition():  # noqa: ASYNC110  the other side has no event to wait for
        await asyncio.sleep(0)


class TestServing:
    def test_a_request_goes_all_its_way(self):
        async def story(s, client):
            credentials = {"username": "omnitron", "password": "omnitron-secret"}
            async with client.post(s.omnitron_url + "/api/v1/auth/login/", json=credentials) as answer:
                headers = {"Authorization": "Token " + (await answer.json())["key"]}
            url = s.omnitron_url + "/api/v1/cancellation_requests/detailed/?status=approved&limit=2"
            async with client.get(url, headers=headers) as answer:
                page = await answer.json()
            async with client.get(page["next"], headers=headers) as answer:
                third = (await answer.json())["results"][0]
            assert (await book(s, client, third["id"]))[0] == 201
            pk = third["channel"]["pk"]
            url = f"{s.omnitron_url}/api/v1/channel/{pk}/cancellation_requests/{third['id']}/"
            async with client.patch(url, json={"status": "completed"}, headers=headers) as answer:
                assert answer.status == 200
            assert [entry["id"] for entry in s.book] == [write["id"] for write in s.writes] == [3]
            assert s.requests[2]["status"] == "completed"

        run(story, settings=ERP_OPEN)

    def test_letters_and_percent_signs_arrive(self):
        async def story(s, client):
            async with client.get(s.erp_url + "/cancellations", params={"id": "İ/ğ %1"}) as answer:
                assert (await answer.json())["request"] == "İ/ğ %1"

        run(story, settings=ERP_OPEN)

    def test_a_body_of_two_megabytes_is_taken(self):
        async def story(s, client):
            body = io.BytesIO(json.dumps({"id": 1, "x": "s" * 2_000_000}).encode())
            async with client.post(s.erp_url + "/cancellations", data=body) as answer:
                assert answer.status == 201

        run(story, settings=ERP_OPEN)

    def test_what_is_in_flight_is_counted(self):
        async def story(s, client):
            calls = [asyncio.create_task(book(s, client, number)) for number in range(1, 4)]
            await until(lambda: len(s.calls) == 3)
            s.release()
            await asyncio.gather(*calls)
            assert s.most_in_flight["erp"] == 3

        run(story, rule({"hold": True}), settings=ERP_OPEN)


class TestFaults:
    @pytest.mark.parametrize(
        ("then", "booked"), [({"close": True}, 0), ({"close": True, "book": "before"}, 1)]
    )
    def test_a_connection_is_cut_before_the_answer(self, then, booked):
        async def story(s, client):
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await book(s, client)
            assert len(s.book) == booked

        run(story, rule(then), settings=ERP_OPEN)

    def test_a_connection_is_cut_within_the_answer(self):
        async def story(s, client):
            with pytest.raises(aiohttp.ClientPayloadError):
                await book(s, client)
            assert len(s.book) == 1

        run(story, rule({"close": "midway"}), settings=ERP_OPEN)

    def test_a_held_call_is_booked_though_its_caller_has_gone(self):
        async def story(s, client):
            call = asyncio.create_task(book(s, client))
            await until(lambda: s.calls)
            call.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await call
            assert s.book == []
            s.release()
            await until(lambda: s.book)

        run(story, rule({"hold": True, "book": "after"}), settings=ERP_OPEN)

    def test_a_booking_can_follow_its_answer(self):
        async def story(s, client):
            assert (await book(s, client))[0] == 504
            await until(lambda: s.book)

        run(story, rule({"status": 504, "book": "after", "book_delay": 0.001}), settings=ERP_OPEN)

    def test_an_erp_that_is_down_refuses_connections_and_comes_back_on_its_port(self):
        async def story(s, client):
            url = s.erp_url
            assert (await book(s, client))[0] == 201
            await s.use("erp_down", keep=True)
            async with aiohttp.ClientSession() as fresh:
                with pytest.raises(aiohttp.ClientConnectorError):
                    await book(s, fresh)
                await s.use("all_fine", keep=True)
                assert (await book(s, fresh, 2))[0] == 201
            assert (s.erp_url, len(s.book)) == (url, 2)

        run(story, settings=ERP_OPEN, erp_port=0)

    def test_an_erp_that_is_down_on_the_shared_port_cuts(self):
        async def story(s, client):
            with pytest.raises(aiohttp.ServerDisconnectedError):
                await book(s, client)

        run(story, "erp_down")

    def test_a_taken_port_for_the_erp_leaves_nothing_open(self):
        async def story(s, _):
            port = int(s.url.rpartition(":")[2])
            with pytest.raises(OSError, match="in use"):
                await Sandbox(erp_port=port).__aenter__()

        run(story)

    def test_a_wrong_scenario_stops_before_it_serves(self):
        with pytest.raises(SandboxError):
            Sandbox(scenario="nonsense")


class TestControls:
    async def ask(self, s, client, method, path, body=None):
        async with client.request(method, s.url + "/sandbox/" + path, json=body) as answer:
            return answer.status, await answer.json()

    def test_book_calls_writes_requests_and_scenarios_can_be_read(self):
        async def story(s, client):
            await book(s, client)
            paths = ("book", "calls", "omnitron/writes", "requests", "scenarios", "state")
            answers = {path: (await self.ask(s, client, "GET", path))[1] for path in paths}
            assert answers["book"] == s.book
            assert answers["calls"] == json.loads(json.dumps(s.calls))
            assert answers["omnitron/writes"] == []
            assert answers["requests"] == s.requests
            assert "demo" in answers["scenarios"]
            assert (answers["state"]["booked"], answers["state"]["booked_twice"]) == (1, [])

        run(story, settings=ERP_OPEN)

    def test_a_scenario_is_set_by_name_and_by_data(self):
        async def story(s, client):
            assert (await self.ask(s, client, "POST", "scenario", {"name": "refusal"}))[0] == 200
            assert (await book(s, client, 3))[0] == 422
            body = {**rule({"status": 418}), "keep": True}
            assert (await self.ask(s, client, "POST", "scenario", body))[1]["calls"] == 1
            assert (await book(s, client, 3))[0] == 418

        run(story, settings=ERP_OPEN)

    def test_the_erps_port_follows_a_scenario_that_is_set(self):
        async def story(s, client):
            await self.ask(s, client, "POST", "scenario", {"name": "erp_down"})
            with pytest.raises(aiohttp.ClientConnectorError):
                await book(s, client)

        run(story, settings=ERP_OPEN, erp_port=0)

    def test_settings_and_requests_are_set(self):
        async def story(s, client):
            status, settings = await self.ask(s, client, "POST", "settings", {"limit_cap": 3, "requests": 12})
            assert (status, settings["limit_cap"], len(s.requests)) == (200, 3, 12)
            await self.ask(s, client, "POST", "requests", [{"id": 1, "status": "open"}, {}])
            assert (s.requests[0]["status"], len(s.requests)) == ("open", 13)

        run(story)

    def test_a_reset_empties_the_book(self):
        async def story(s, client):
            await book(s, client)
            assert (await self.ask(s, client, "POST", "reset"))[1]["booked"] == 0
            assert (s.book, dict(s.most_in_flight)) == ([], {})

        run(story, settings=ERP_OPEN)

    def test_a_held_call_is_released(self):
        async def story(s, client):
            call = asyncio.create_task(book(s, client))
            await until(lambda: s.calls)
            await self.ask(s, client, "POST", "release")
            assert (await call)[0] == 201

        run(story, rule({"hold": True}), settings=ERP_OPEN)

    @pytest.mark.parametrize(
        ("path", "body", "status"),
        [
            ("scenario", {"name": "nonsense"}, 400),
            ("settings", {"x": 1}, 400),
            ("settings", [1], 400),
            ("requests", "x", 400),
            ("requests", {"id": "x"}, 400),
            ("nothing", {}, 404),
        ],
    )
    def test_a_wrong_control_is_answered_with_the_reason(self, path, body, status):
        async def story(s, client):
            answer = await self.ask(s, client, "POST", path, body)
            assert (answer[0], list(answer[1])) == (status, ["detail"])

        run(story)

    @pytest.mark.parametrize(
        ("remote", "allowed"),
        [("127.0.0.1", True), ("::1", True), ("192.0.2.7", False), ("2001:db8::1", False), (None, False)],
    )
    def test_controls_are_for_this_machine_only(self, remote, allowed):
        assert is_loopback(remote) is allowed

    def test_another_machines_control_call_is_answered_403(self, monkeypatch):
        async def story(s, client):
            assert (await self.ask(s, client, "GET", "book"))[0] == 403

        monkeypatch.setattr("order_cancellation.sandbox.server.is_loopback", lambda _: False)
        run(story)

    def test_controls_are_no_calls_to_the_servers(self):
        async def story(s, client):
            await self.ask(s, client, "GET", "state")
            assert s.calls == []

        run(story)
