"""Every ready-made scenario tells the story that it says."""

from __future__ import annotations

import pytest

from order_cancellation.sandbox import READY_MADE, SandboxError, scenario_from


def statuses(caller):
    return [caller.book(held.document["id"]).status for held in caller.world.store.all()]


@pytest.mark.parametrize("name", READY_MADE)
def test_a_ready_made_scenario_can_be_followed_and_says_what_it_is(call, name):
    assert call(name).world.scenario.about.endswith(".")


class TestStories:
    def test_all_is_fine(self, call):
        caller = call("all_fine")
        assert statuses(caller) == [201] * 10
        assert caller.world.scenario.expected() == {"done": 10}

    def test_the_demo_is_eight_fine_one_refused_and_one_put_off(self, call):
        caller = call("demo")
        assert statuses(caller) == [201] * 3 + [422] + [201] * 2 + [200] + [201] * 3
        assert len(caller.booked) == 8
        assert caller.world.scenario.expected() == {"done": 8, "failed": 1, "postponed": 1}

    def test_a_refusal_gives_a_reason_and_books_nothing(self, call, read):
        caller = call("refusal")
        reply = caller.book(3)
        assert (reply.status, read(reply)["code"], caller.booked) == (422, "PERIOD_CLOSED", [])

    def test_do_nothing_is_a_200_that_books_nothing(self, call, read):
        caller = call("do_nothing")
        reply = caller.book(3)
        assert (reply.status, read(reply)["status"], caller.booked) == (200, "PENDING", [])

    def test_a_token_expires_and_a_new_one_is_good(self, call):
        caller = call("expired_token")
        assert statuses(caller)[2:5] == [201, 401, 401]
        caller.log_in()
        assert caller.book(4).status == 201

    def test_omnitrons_token_expires_and_a_new_one_is_good(self, call):
        caller = call("expired_omnitron_token")
        assert [caller.update(1, {"status": "completed"}).status for _ in range(4)] == [200, 200, 401, 401]
        caller.log_in()
        assert caller.update(1, {"status": "completed"}).status == 200

    def test_an_erp_that_is_down_cuts_even_the_login(self, call):
        caller = call()
        caller.world.use("erp_down", keep=True)
        assert [caller.book(1).cut, caller.post("/erp/login", {}).cut] == ["before", "before"]
        assert caller.booked == []

    def test_an_unavailable_erp_says_when_to_come_back(self, call):
        reply = call("erp_unavailable").book(1)
        assert (reply.status, reply.headers["Retry-After"]) == (503, "1")

    def test_a_throttling_erp_takes_the_second_try(self, call):
        caller = call("erp_throttles")
        assert [caller.book(number).status for number in (3, 3, 4)] == [429, 201, 201]

    @pytest.mark.parametrize(
        ("name", "cut", "booked"),
        [("booked_then_cut", "before", [3]), ("cut_unbooked", "before", []), ("booked_then_error", "", [3])],
    )
    def test_a_doubtful_answer_leaves_open_what_was_booked(self, call, name, cut, booked):
        caller = call(name)
        assert (caller.book(3).cut, caller.booked) == (cut, booked)

    def test_omnitron_answers_with_a_web_page(self, call):
        assert call("omnitron_not_json").page().body.startswith(b"<!DOCTYPE html>")

    def test_omnitron_leaves_results_out(self, call, read):
        assert sorted(read(call("omnitron_no_results").page())) == ["count", "next", "previous"]

    def test_omnitron_repeats_a_page(self, call, read):
        caller = call("omnitron_repeated_page")
        first, second, third = (read(caller.page(f"page={page}"))["results"] for page in (1, 2, 3))
        assert first == second == third

    def test_a_request_has_no_uuid(self, call, read):
        results = read(call("omnitron_no_uuid").page())["results"]
        assert [each["id"] for each in results if "uuid" not in each] == [3]

    def test_pages_drift_while_they_are_read(self, call, read):
        """One request leaves and one moves to the end, so two slide under the reader and one comes twice."""
        caller = call("omnitron_drifts")
        query = "status=approved&sort=modified_date&page="
        ids = [each["id"] for page in "123" for each in read(caller.page(query + page))["results"]]
        assert ids == [*range(1, 11), *range(13, 26), 2]

    def test_omnitron_forbids_completed(self, call):
        assert call("omnitron_forbids").update(1, {"status": "completed"}).status == 406


class TestReading:
    def test_a_ready_made_one_can_be_changed(self):
        scenario = scenario_from({"name": "demo", "requests": 20, "settings": {"limit_cap": 5}})
        assert (scenario.requests.count, scenario.requests.first_id) == (20, 4701)
        assert scenario.settings == {"erp_latency": 0.05, "limit_cap": 5}
        assert len(scenario.rules) == 2

    def test_a_scenario_is_its_own_reading(self):
        scenario = scenario_from("demo")
        assert scenario_from(scenario) is scenario

    def test_where_the_outcome_depends_on_the_flow_nothing_is_expected(self):
        assert scenario_from("erp_down").expected() is None

    def test_prepared_requests_keep_their_dates(self, call):
        usual, changed = call().world.store, call("omnitron_no_uuid").world.store
        assert usual.get(3).document["modified_date"] == changed.get(3).document["modified_date"]

    def test_statuses_types_and_channels_come_in_turn(self, call):
        requests = {"count": 4, "statuses": ["open", "approved"], "channels": [5, 7]}
        held = [each.document for each in call({"name": "x", "requests": requests}).world.store.all()]
        assert [each["status"] for each in held] == ["open", "open", "approved", "approved"]
        assert [each["cancellation_type"] for each in held] == ["cancel", "refund"] * 2
        assert [each["channel"]["pk"] for each in held] == [5, 7, 5, 7]

    @pytest.mark.parametrize(
        ("data", "words"),
        [
            ("al_fine", "'al_fine' is not known"),
            (5, "give a name or an object"),
            ({"rule": []}, "scenario: rule is not known"),
            ({"rules": {}}, "rules must be a list"),
            ({"rules": [{"if": 1}]}, "rule 1: if is not known"),
            ({"settings": {"erp_latncy": 1}}, "erp_latncy is not known"),
            ({"settings": 5}, "settings must be an object"),
            ({"requests": {"statuses": ["done"]}}, "done is no status"),
            ({"requests": {"statuses": []}}, "at least one status"),
            ({"requests": -1}, "count of 0 or more"),
            ({"requests": "many"}, "requests: must be an object"),
            ({"requests": {"statuses": "open"}}, "statuses must be a list of texts"),
            ({"requests": {"channels": ["2"]}}, "channels must be a list of ids"),
        ],
    )
    def test_a_wrong_scenario_is_refused_with_the_place(self, data, words):
        with pytest.raises(SandboxError) as caught:
            scenario_from(data)
        assert words in str(caught.value)
