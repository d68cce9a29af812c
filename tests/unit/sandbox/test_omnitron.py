"""The fake Omnitron answers as the public facts say."""

from __future__ import annotations

import pytest

LOGIN = "/api/v1/auth/login/"
GOOD = {"username": "omnitron", "password": "omnitron-secret"}
ONE = "/api/v1/cancellation_requests/1/"


class TestLogin:
    @pytest.mark.parametrize("path", [LOGIN, "/api/i1/auth/login/"])
    def test_good_credentials_bring_a_key(self, call, read, path):
        assert len(read(call().post(path, GOOD))["key"]) == 40

    def test_bad_credentials_are_answered_400(self, call, read):
        reply = call().post(LOGIN, GOOD | {"password": "wrong"})
        assert (reply.status, list(read(reply))) == (400, ["non_field_errors", "code"])

    def test_a_missing_field_is_named(self, call, read):
        assert read(call().post(LOGIN, {"username": "omnitron"}))["password"] == ["This field is required."]

    def test_a_form_is_answered_415(self, call):
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert call().post(LOGIN, b"username=omnitron", headers=headers).status == 415

    @pytest.mark.parametrize("body", [b"{", b"[1]"])
    def test_a_broken_body_is_answered_400(self, call, body):
        assert call().post(LOGIN, body).status == 400

    @pytest.mark.parametrize("value", ["", "Token wrong", "Bearer x"])
    def test_a_call_without_a_valid_token_is_answered_401(self, call, read, value):
        reply = call().get(ONE, headers={"authorization": value})
        assert (reply.status, sorted(read(reply))) == (401, ["code", "detail"])

    def test_a_token_can_be_good_for_some_calls_only(self, call):
        caller = call(omnitron_token_calls=2)
        assert [caller.get(ONE).status for _ in range(3)] == [200, 200, 401]


class TestList:
    def test_a_page_has_count_links_and_results(self, call, read):
        page = read(call().page("limit=4&page=2&status=approved"))
        assert page["count"] == 10
        assert "page=3" in page["next"]
        assert "status=approved" in page["next"]
        assert "page=1" in page["previous"]
        assert [each["id"] for each in page["results"]] == [5, 6, 7, 8]

    def test_the_first_and_the_last_page_have_no_link_beyond(self, call, read):
        page = read(call().page("limit=100"))
        assert (page["next"], page["previous"]) == (None, None)

    def test_a_listed_request_is_the_full_object(self, call, read):
        caller = call()
        assert read(caller.page("limit=1"))["results"] == [caller.world.store.get(1).document]

    @pytest.mark.parametrize("page", ["4", "0", "x", "-1"])
    def test_a_page_that_is_not_there_is_answered_404(self, call, read, page):
        reply = call().page(f"limit=5&page={page}")
        assert (reply.status, read(reply)["detail"]) == (404, "Invalid page.")

    def test_an_empty_list_has_a_first_page(self, call, read):
        assert read(call().page("status=open"))["results"] == []

    def test_the_server_caps_the_limit(self, call, read):
        assert len(read(call(limit_cap=3).page("limit=50"))["results"]) == 3

    def test_without_a_limit_a_page_has_ten(self, call, read):
        assert len(read(call({"name": "all_fine", "requests": 12}).page())["results"]) == 10

    def test_status_type_and_channel_filter(self, call, read):
        caller = call({"name": "every_status", "requests": {"count": 80, "channels": [2, 5, 7]}})
        found = read(caller.page("status=open&cancellation_type=refund&channel=5&limit=100"))["results"]
        keys = {(each["status"], each["cancellation_type"], each["channel"]["pk"]) for each in found}
        assert keys == {("open", "refund", 5)}

    def test_every_status_and_type_can_be_held(self, call, read):
        found = read(call("every_status").page("limit=100"))["results"]
        assert len({(each["status"], each["cancellation_type"]) for each in found}) == 20

    @pytest.mark.parametrize("query", ["status=manual_refund_needed", "cancellation_type=all"])
    def test_an_unknown_choice_is_answered_400(self, call, query):
        assert call().page(query).status == 400

    def test_the_sort_follows_the_last_change(self, call, read):
        caller = call()
        caller.update(2, {"description": "x"})
        assert [each["id"] for each in read(caller.page("sort=modified_date"))["results"]][-2:] == [10, 2]
        assert read(caller.page("sort=-modified_date"))["results"][0]["id"] == 2


class TestOne:
    def test_the_detailed_object_is_nested_and_the_plain_one_has_keys(self, call, read):
        caller = call()
        detailed, plain = read(caller.get(ONE + "detailed/")), read(caller.get(ONE))
        assert detailed["reason"]["pk"] == plain["reason"]
        assert detailed["order_item"]["pk"] == plain["order_item"]

    def test_the_plain_object_is_there_without_the_last_slash(self, call):
        assert call().get(ONE.rstrip("/")).status == 200

    @pytest.mark.parametrize("tail", ["", "detailed/", "get_tags/"])
    def test_an_unknown_id_is_answered_404(self, call, tail):
        assert call().get(f"/api/v1/cancellation_requests/99/{tail}").status == 404

    def test_an_unknown_path_is_answered_404_and_a_wrong_method_405(self, call):
        caller = call()
        assert (caller.get("/api/v1/orders/").status, caller.post(ONE).status) == (404, 405)


class TestWrites:
    def test_a_status_is_written_and_noted(self, call, read):
        caller = call()
        reply = caller.update(1, {"status": "completed"})
        assert (reply.status, read(reply)["status"]) == (200, "completed")
        write = caller.world.omnitron.writes[0]
        assert (write["id"], write["from"], write["status"], write["at"]) == (
            1,
            "approved",
            "completed",
            caller.now,
        )

    def test_a_write_moves_the_date_even_when_the_clock_stands(self, call, read):
        caller = call()
        dates = [read(caller.update(1, {"status": "completed"}))["modified_date"] for _ in range(3)]
        assert dates == sorted(set(dates))

    def test_the_list_shows_a_write_at_once(self, call, read):
        caller = call()
        caller.page("status=approved")
        caller.update(1, {"status": "completed"})
        assert read(caller.page("status=approved"))["count"] == 9

    def test_an_unknown_status_is_answered_400(self, call, read):
        caller = call()
        reply = caller.update(1, {"status": "done"})
        assert (reply.status, read(reply)["code"]) == (400, "invalid_choice")
        assert caller.world.omnitron.writes == []

    def test_a_wrong_channel_is_answered_404(self, call):
        assert call().update(1, {"status": "completed"}, channel=12345).status == 404

    def test_a_forbidden_step_is_answered_406(self, call, read):
        caller = call(forbidden_transitions=[["approved", "open"]])
        reply = caller.update(1, {"status": "open"})
        assert (reply.status, sorted(read(reply))) == (406, ["code", "detail"])
        assert caller.update(1, {"status": "completed"}).status == 200

    def test_the_channels_own_object_can_be_read(self, call):
        caller = call({"name": "all_fine", "requests": {"channels": [2]}})
        assert caller.get("/api/v1/channel/2/cancellation_requests/1/").status == 200
        assert caller.get("/api/v1/channel/5/cancellation_requests/1/").status == 404

    def test_reject_sets_the_status(self, call, read):
        caller = call()
        assert read(caller.post(ONE + "reject/"))["status"] == "rejected"
        assert caller.world.omnitron.writes[0]["action"] == "reject"

    def test_a_tag_is_kept_once_and_listed(self, call, read):
        caller = call()
        replies = [caller.post(ONE + "add_tag/", {"key": "sent"}) for _ in range(2)]
        assert [(reply.status, reply.body) for reply in replies] == [(200, b"")] * 2
        assert read(caller.get(ONE + "get_tags/")) == ["sent"]

    @pytest.mark.parametrize("body", [{}, {"key": 5}, b"no JSON"])
    def test_a_tag_without_a_key_is_answered_400(self, call, body):
        assert call().post(ONE + "add_tag/", body).status == 400
