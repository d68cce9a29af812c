"""The fake ERP books each call, unless it honours a key, and tells what it has booked."""

from __future__ import annotations

import base64
from urllib.parse import urlencode

import pytest

BOOK = "/erp/cancellations"
KEY = {"idempotency-key": "k1"}
CLIENT = {"client_id": "erp-client", "client_secret": "erp-client-secret"}


class TestBooking:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    def test_a_body_is_booked(self, call, read, method):
        caller = call()
        reply = caller.send(method, BOOK, {"request_id": 3, "iban": None})
        assert reply.status == 201
        assert read(reply) == {"status": "OK", "reference": "ERP-000001", "request": "3"}
        assert caller.world.book.entries[0].body == {"request_id": 3, "iban": None}

    def test_a_get_books_its_query(self, call):
        caller = call()
        assert caller.get(BOOK + "?id=3&tag=a&tag=b").status == 201
        assert caller.world.book.entries[0].body == {"id": "3", "tag": ["a", "b"]}

    @pytest.mark.parametrize("name", ["request_id", "id", "uuid", "reference"])
    def test_the_key_is_found_under_the_usual_names(self, call, read, name):
        assert read(call().post(BOOK, {name: "abc"}))["request"] == "abc"

    def test_the_key_is_found_where_the_settings_say(self, call, read):
        caller = call(book_paths=["$.header.lines[0].no"])
        assert read(caller.post(BOOK, {"header": {"lines": [{"no": 8}]}}))["request"] == "8"

    def test_without_a_key_the_bodys_digest_is_it(self, call, read):
        caller = call()
        keys = [read(caller.post(BOOK, body))["request"] for body in ({"a": 1}, {"a": 1}, {"a": 2})]
        assert keys[0] == keys[1] != keys[2]

    def test_the_key_may_stand_in_the_path(self, call, read):
        assert read(call().send("PUT", BOOK + "/55", {"a": 1}))["request"] == "55"

    def test_a_uuid_leads_to_the_request(self, call):
        caller = call()
        caller.post(BOOK, {"uuid": caller.world.store.get(4).document["uuid"]})
        assert caller.booked == [4]

    def test_a_body_that_is_no_json_is_answered_400(self, call):
        caller = call()
        assert (caller.post(BOOK, b"<xml/>").status, caller.booked) == (400, [])

    def test_a_second_post_is_booked_twice_and_told(self, call):
        caller = call()
        caller.book(1)
        caller.post(BOOK, {"uuid": caller.world.store.get(1).document["uuid"]})
        assert caller.world.book.twice() == ["1"]

    def test_a_second_put_replaces(self, call, read):
        caller = call()
        replies = [caller.send("PUT", BOOK, {"id": 1}) for _ in range(2)]
        assert [reply.status for reply in replies] == [201, 200]
        assert read(replies[0]) == read(replies[1])
        assert caller.world.book.twice() == []

    def test_an_entry_tells_time_and_attempt(self, call):
        caller = call(
            {"name": "x", "rules": [{"then": {"status": 500}, "match": {"route": "erp.book"}, "times": 2}]}
        )
        for _ in range(3):
            caller.book(1)
        entry = caller.world.book.entries[0]
        assert (entry.attempt, entry.at) == (3, caller.now)


class TestIdempotency:
    def test_the_same_key_is_booked_once(self, call, read):
        caller = call(idempotency=True)
        first, second = (caller.book(1, headers=KEY) for _ in range(2))
        assert (first.status, second.status) == (201, 200)
        assert read(first) == read(second)
        assert caller.booked == [1]

    def test_another_body_under_the_key_is_refused(self, call):
        caller = call(idempotency=True)
        caller.book(1, headers=KEY)
        assert (caller.book(2, headers=KEY).status, caller.booked) == (422, [1])

    def test_an_erp_that_does_not_honour_keys_books_twice(self, call):
        caller = call()
        for _ in range(2):
            caller.book(1, headers=KEY)
        assert caller.booked == [1, 1]

    def test_calls_without_a_key_are_booked_each(self, call):
        caller = call(idempotency=True)
        for _ in range(2):
            caller.book(1)
        assert caller.booked == [1, 1]

    def test_two_late_bookings_under_one_key_are_one(self, call):
        late = {"match": {"route": "erp.book"}, "then": {"book": "after"}}
        caller = call({"name": "x", "rules": [late]}, idempotency=True)
        replies = [caller.book(1, headers=KEY) for _ in range(2)]
        for reply in replies:
            reply.late()
        assert caller.booked == [1]

    def test_the_header_can_be_another(self, call):
        caller = call(idempotency=True, idempotency_header="X-Request-Key")
        for _ in range(2):
            caller.book(1, headers={"x-request-key": "k"})
        assert caller.booked == [1]


class TestLookUp:
    def test_what_is_booked_is_found_by_key_id_uuid_and_reference(self, call, read):
        caller = call()
        uuid = caller.world.store.get(2).document["uuid"]
        reference = read(caller.book(2))["reference"]
        found = [read(caller.get(f"{BOOK}/{text}")) for text in ("2", uuid, reference)]
        assert [(each["found"], each["reference"]) for each in found] == [(True, reference)] * 3

    def test_what_is_not_booked_is_answered_404(self, call, read):
        reply = call().get(BOOK + "/2")
        assert (reply.status, read(reply)) == (404, {"found": False})

    def test_it_can_be_answered_200_with_found_false(self, call, read):
        reply = call(look_up_missing=200).get(BOOK + "/2")
        assert (reply.status, read(reply)) == (200, {"found": False})


class TestLogin:
    def test_a_call_without_a_login_is_answered_401_and_books_nothing(self, call):
        caller = call()
        assert (caller.book(1, headers={"authorization": ""}).status, caller.booked) == (401, [])

    def test_a_wrong_password_is_answered_401(self, call):
        assert call().post("/erp/login", {"username": "erp", "password": "x"}).status == 401

    @pytest.mark.parametrize(("headers", "status"), [({"content-type": "text/plain"}, 415), ({}, 400)])
    def test_a_login_that_is_no_json_is_refused(self, call, headers, status):
        assert call().post("/erp/login", b"user=erp", headers=headers).status == status

    def test_a_login_may_demand_more_fields(self, call, read):
        caller = call(erp_login_extra={"company": "01"})
        body = {"username": "erp", "password": "erp-secret"}
        assert caller.post("/erp/login", body).status == 401
        assert caller.post("/erp/login", body | {"company": "01"}).status == 200

    def test_a_token_ends_when_its_life_is_over(self, call):
        caller = call(erp_token_life=60)
        caller.now += 59
        assert caller.book(1).status == 201
        caller.now += 1
        assert caller.book(2).status == 401

    def test_a_token_can_be_good_for_some_calls_only(self, call):
        caller = call(erp_token_calls=2)
        assert [caller.book(number).status for number in (1, 2, 3)] == [201, 201, 401]

    def test_header_and_prefix_can_be_others(self, call):
        caller = call(erp_header="X-Token", erp_prefix="")
        token = caller.erp["authorization"].removeprefix("Bearer ")
        assert caller.book(1).status == 401
        assert caller.book(1, headers={"x-token": token}).status == 201

    @pytest.mark.parametrize(
        ("login", "headers"),
        [
            ("none", {}),
            ("basic", {"authorization": "Basic " + base64.b64encode(b"erp:erp-secret").decode()}),
            ("permanent_token", {"authorization": "Bearer erp-permanent-secret"}),
            ("custom_header", {"x-api-key": "erp-header-secret"}),
        ],
    )
    def test_other_logins_take_what_they_demand(self, call, login, headers):
        caller = call(erp_login=login)
        caller.erp = {}
        assert caller.book(1, headers=headers).status == 201
        assert caller.book(2).status == (201 if login == "none" else 401)

    @pytest.mark.parametrize("value", ["Basic !!", "Basic " + base64.b64encode(b"erp").decode(), "Basic"])
    def test_broken_basic_credentials_are_answered_401(self, call, value):
        assert call(erp_login="basic").book(1, headers={"authorization": value}).status == 401


class TestOAuth:
    def ask(self, caller, **form):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        return caller.post("/erp/oauth/token", urlencode(form).encode(), headers=headers)

    @pytest.mark.parametrize(
        "grant",
        [
            {"grant_type": "client_credentials"},
            {"grant_type": "password", "username": "erp", "password": "erp-secret"},
            {"grant_type": "refresh_token", "refresh_token": "erp-refresh-secret"},
        ],
        ids=lambda grant: grant["grant_type"],
    )
    def test_a_grant_brings_a_token_that_books(self, call, read, grant):
        caller = call(erp_login="oauth2")
        answer = read(self.ask(caller, **CLIENT, **grant))
        assert answer["expires_in"] == 3600
        headers = {"authorization": f"{answer['token_type']} {answer['access_token']}"}
        assert caller.book(1, headers=headers).status == 201

    def test_the_client_may_stand_in_the_header(self, call):
        basic = base64.b64encode(b"erp-client:erp-client-secret").decode()
        headers = {"content-type": "application/x-www-form-urlencoded", "authorization": f"Basic {basic}"}
        body = b"grant_type=client_credentials"
        assert call().post("/erp/oauth/token", body, headers=headers).status == 200

    @pytest.mark.parametrize(
        ("form", "status", "error"),
        [
            ({"grant_type": "client_credentials", "client_id": "x"}, 401, "invalid_client"),
            ({**CLIENT, "grant_type": "magic"}, 400, "unsupported_grant_type"),
            ({**CLIENT, "grant_type": "password", "username": "erp"}, 400, "invalid_grant"),
            ({**CLIENT, "grant_type": "refresh_token", "refresh_token": "x"}, 400, "invalid_grant"),
        ],
    )
    def test_a_wrong_call_is_answered_as_the_rfc_says(self, call, read, form, status, error):
        reply = self.ask(call(), **form)
        assert (reply.status, read(reply)["error"]) == (status, error)

    @pytest.mark.parametrize("kind", ["application/json", "application/x-www-form-urlencoded"])
    def test_what_is_no_form_is_answered_400(self, call, read, kind):
        reply = call().post("/erp/oauth/token", b"\xff", headers={"content-type": kind})
        assert (reply.status, read(reply)["error"]) == (400, "invalid_request")
