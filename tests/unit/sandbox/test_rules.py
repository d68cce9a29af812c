"""Rules say which calls go wrong, and each says exactly what its data says."""

from __future__ import annotations

import json

import pytest

from order_cancellation.sandbox import SandboxError
from order_cancellation.sandbox.malformed import MALFORMED
from order_cancellation.sandbox.rules import includes, rule_from

BOOKS = {"route": "erp.book"}
LISTS = {"route": "omnitron.list"}
FAIL = {"status": 500}


def story(*rules, **more):
    return {"name": "x", "rules": [{"match": match, "then": then} for match, then in rules], **more}


def statuses(caller, numbers=range(1, 7)):
    return [caller.book(number).status for number in numbers]


class TestNumbers:
    @pytest.mark.parametrize(
        ("numbers", "hit"),
        [
            (3, [3]),
            ([1, 4], [1, 4]),
            ({"from": 5}, [5, 6]),
            ({"to": 2}, [1, 2]),
            ({"from": 2, "to": 3}, [2, 3]),
            ({"every": 3}, [3, 6]),
            ({"from": 1, "every": 4}, [1, 5]),
        ],
    )
    def test_numbers_lists_and_ranges_include(self, numbers, hit):
        assert [number for number in range(1, 7) if includes(numbers, number)] == hit

    def test_no_number_is_in_nothing(self):
        assert not includes({"from": 1}, None)


class TestMatch:
    @pytest.mark.parametrize(
        ("match", "hit"),
        [
            ({"route": "erp.book", "id": 2}, [2]),
            ({"route": "erp.book", "position": [2, 5]}, [2, 5]),
            ({"route": "erp.book", "nth": {"from": 5}}, [5, 6]),
            ({"side": "erp", "nth": 1}, [1]),
            ({"route": "erp.*", "id": 3}, [3]),
            ({"path": "/erp/canc*", "id": 3}, [3]),
            ({"method": "PATCH"}, []),
            ({"side": "omnitron"}, []),
            ({"page": 2}, []),
        ],
    )
    def test_a_rule_hits_the_calls_that_it_names(self, call, match, hit):
        caller = call()
        caller.world.use(story((match, FAIL)), keep=True)
        assert [n for n, status in enumerate(statuses(caller), 1) if status == 500] == hit

    def test_an_attempt_is_counted_for_each_request(self, call):
        caller = call(story((BOOKS | {"attempt": 1}, FAIL)))
        assert statuses(caller, [1, 2, 1, 2]) == [500, 500, 201, 201]

    def test_a_position_is_not_an_id(self, call):
        caller = call(story((BOOKS | {"position": 1}, FAIL), requests={"first_id": 70}))
        assert statuses(caller, [1, 70]) == [201, 500]

    def test_a_page_is_matched_in_the_list(self, call):
        caller = call(story((LISTS | {"page": 2}, FAIL)))
        assert [caller.page(f"limit=5&page={page}").status for page in (1, 2)] == [200, 500]

    def test_the_first_rule_that_matches_is_applied_alone(self, call):
        caller = call(story((BOOKS | {"id": 1}, {"status": 503}), (BOOKS, FAIL)))
        assert statuses(caller, [1, 2]) == [503, 500]

    def test_times_ends_a_rule(self, call):
        caller = call({"name": "x", "rules": [{"match": BOOKS, "then": FAIL, "times": 2}]})
        assert statuses(caller) == [500, 500, 201, 201, 201, 201]

    def test_a_rule_leaves_calls_without_a_login_alone(self, call):
        caller = call(story((BOOKS | {"nth": 1}, FAIL)))
        assert caller.book(1, headers={"authorization": ""}).status == 401
        assert caller.book(1).status == 500

    def test_a_rule_can_mean_calls_without_a_login_too(self, call):
        caller = call(story((BOOKS | {"unauthenticated": True}, FAIL)))
        assert caller.book(1, headers={"authorization": ""}).status == 500


class TestChance:
    def hits(self, call, seed, numbers):
        caller = call(story((BOOKS | {"chance": 0.5}, FAIL), seed=seed, requests={"count": 60}))
        return {number for number in numbers if caller.book(number).status == 500}

    def test_it_strikes_about_its_share(self, call):
        assert 15 < len(self.hits(call, "s", range(1, 61))) < 45

    def test_the_same_seed_strikes_the_same_requests_in_any_order(self, call):
        assert self.hits(call, "s", range(1, 61)) == self.hits(call, "s", range(60, 0, -1))

    def test_another_seed_strikes_others(self, call):
        assert self.hits(call, "s", range(1, 61)) != self.hits(call, "t", range(1, 61))

    def test_it_strikes_calls_that_are_about_no_request(self, call):
        caller = call(story((LISTS | {"chance": 0.5}, FAIL)))
        assert {caller.page().status for _ in range(40)} == {200, 500}


class TestThen:
    def one(self, call, then):
        caller = call(story((BOOKS, then)))
        return caller, caller.book(1)

    def test_an_answer_of_its_own_books_nothing(self, call, read):
        caller, reply = self.one(call, {"status": 422, "body": {"why": "kapalı"}})
        assert (reply.status, read(reply), caller.booked) == (422, {"why": "kapalı"}, [])

    def test_an_error_can_be_answered_though_it_was_booked(self, call):
        caller, reply = self.one(call, {"status": 500, "book": "before"})
        assert (reply.status, caller.booked) == (500, [1])

    def test_an_answer_can_say_ok_though_nothing_was_booked(self, call, read):
        caller, reply = self.one(call, {"book": "never"})
        assert (reply.status, read(reply)["status"], caller.booked) == (201, "OK", [])

    def test_a_booking_can_come_late(self, call):
        caller, reply = self.one(call, {"status": 504, "book": "after", "book_delay": 2})
        assert (reply.status, reply.late_s, caller.booked) == (504, 2, [])
        reply.late()
        assert caller.booked == [1]

    @pytest.mark.parametrize(
        ("then", "cut", "booked"),
        [
            ({"close": True}, "before", []),
            ({"close": "before", "book": "before"}, "before", [1]),
            ({"close": "midway"}, "midway", [1]),
        ],
    )
    def test_a_cut_is_before_the_booking_or_after_it(self, call, then, cut, booked):
        caller, reply = self.one(call, then)
        assert (reply.cut, caller.booked) == (cut, booked)

    def test_delay_adds_to_the_latency(self, call):
        caller = call(story((BOOKS, {"delay": 1.5})), erp_latency=0.25)
        assert caller.book(1).delay_s == 1.75

    def test_headers_are_added(self, call):
        reply = self.one(call, {"status": 429, "headers": {"Retry-After": "7"}})[1]
        assert reply.headers["Retry-After"] == "7"

    def test_a_text_is_sent_as_it_stands(self, call):
        reply = self.one(call, {"status": 502, "body": "<h1>Bad Gateway</h1>"})[1]
        assert (reply.body, reply.headers["Content-Type"][:9]) == (b"<h1>Bad Gateway</h1>", "text/html")

    def test_the_usual_answer_can_be_edited(self, call, read):
        reply = self.one(call, {"set": {"status": "HATA"}, "drop": ["reference"]})[1]
        assert read(reply) == {"status": "HATA", "request": "1"}

    def test_a_hold_waits_to_be_released(self, call):
        assert self.one(call, {"hold": True})[1].hold

    def test_expire_tokens_ends_every_token_of_that_side(self, call):
        caller = call(story((BOOKS | {"nth": 2}, {"expire_tokens": True})))
        assert statuses(caller, [1, 2, 3]) == [201, 401, 401]
        assert caller.page().status == 200
        caller.log_in()
        assert statuses(caller, [2, 3]) == [201, 201]

    def test_a_write_to_omnitron_can_take_effect_though_the_answer_fails(self, call):
        caller = call(story(({"route": "omnitron.update"}, {"status": 500, "book": "before"})))
        assert caller.update(1, {"status": "completed"}).status == 500
        assert caller.world.store.get(1).document["status"] == "completed"

    def test_another_query_can_be_treated(self, call, read):
        caller = call(story((LISTS | {"page": 2}, {"query": {"page": "1"}})))
        assert read(caller.page("limit=3&page=2")) == read(caller.page("limit=3&page=1"))

    def test_requests_change_come_and_go_while_they_are_listed(self, call, read):
        changes = [{"position": 1, "set": {"status": "open"}}, {"id": 2, "remove": True}]
        caller = call(story((LISTS, {"change": changes, "add": 3})))
        ids = [each["id"] for each in read(caller.page("status=approved&limit=50"))["results"]]
        assert ids == [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]


class TestMalformed:
    @pytest.mark.parametrize(
        "name", ["not_json", "truncated", "empty", "byte_order_mark", "undeclared_latin5"]
    )
    def test_a_broken_answer_is_no_json(self, call, name):
        caller = call(story((LISTS, {"malformed": name})))
        with pytest.raises(ValueError):
            json.loads(caller.page().body.decode())

    def test_a_declared_charset_is_the_bodys(self, call):
        reply = call(story((LISTS, {"malformed": "declared_latin5"}))).page()
        assert "charset=iso-8859-9" in reply.headers["Content-Type"]
        assert json.loads(reply.body.decode("iso-8859-9"))["count"] == 10

    @pytest.mark.parametrize("name", MALFORMED)
    def test_every_way_differs_from_the_usual_answer(self, call, name):
        usual, broken = call().page(), call(story((LISTS, {"malformed": name}))).page()
        assert (broken.body, broken.headers) != (usual.body, usual.headers)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        ([], "rule 1: must be an object"),
        ({"mach": {}}, "rule 1: mach is not known"),
        ({"match": {"ids": 3}}, "match: ids is not known"),
        ({"match": {"id": "3"}}, "id must be a number"),
        ({"match": {"nth": {"form": 3}}}, "nth must be a number"),
        ({"match": {"chance": 1.5}}, "chance must be a number from 0 to 1"),
        ({"match": {"unauthenticated": 1}}, "unauthenticated must be true or false"),
        ({"then": {"book": "later"}}, "book must be one of before, after, never"),
        ({"then": {"close": "after"}}, "close must be one of before, midway"),
        ({"then": {"delay": -1}}, "delay and book_delay must be seconds"),
        ({"then": {"status": "500"}}, "status must be a whole number"),
        ({"then": {"drop": "results"}}, "drop must be a list of texts"),
        ({"then": {"headers": []}}, "headers must be an object"),
        ({"then": {"malformed": "odd"}}, "malformed must be one of"),
        ({"then": {"change": [{"nr": 1}]}}, "change: nr is not known"),
        ({"times": "2"}, "times must be a whole number"),
    ],
)
def test_a_wrong_rule_is_refused_with_the_place(data, words):
    with pytest.raises(SandboxError) as caught:
        rule_from(data, "rule 1")
    assert words in str(caught.value)
