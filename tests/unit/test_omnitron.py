"""Omnitron is read whole and told what came of it, through whatever it answers."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from random import Random

import pytest

from order_cancellation.clock import SystemClock
from order_cancellation.errors import (
    ConfigurationError,
    InDoubt,
    LoginFailed,
    NotSent,
    Refused,
    Unauthorized,
    UnreadableAnswer,
    Wait,
)
from order_cancellation.http.endpoint import Endpoint
from order_cancellation.http.messages import Answer
from order_cancellation.http.session import Session
from order_cancellation.http.tokens import MemoryTokenStore
from order_cancellation.http.transport import AiohttpTransport
from order_cancellation.omnitron import ListQuery, Omnitron
from order_cancellation.sandbox import Sandbox
from unit.http.fakes import FakeClock, FakeTransport, a_session, an_endpoint, in_turn, json_answer

QUERY = ListQuery("approved", "all")
REQUEST = {"id": 7, "uuid": "u-7", "status": "approved", "channel": {"pk": 2}}
PAGE_FOR_PEOPLE = Answer(200, body=b"<html><title>We'll be back soon</title></html>")
PAGE = json_answer({"count": 1, "next": None, "results": [REQUEST]})


def an_omnitron(answer):
    """Build an Omnitron whose login always works and whose other calls are answered by ``answer``."""

    def whole(call):
        return json_answer({"key": "k3y"}) if call.url.endswith("/auth/login/") else answer(call)

    clock = FakeClock()
    transport = FakeTransport(whole)
    endpoint = an_endpoint("omnitron", base_url="https://omni.test")
    session, _ = a_session(transport, endpoint, clock=clock)
    return Omnitron(session, clock, Random(1)), transport, clock


def done(act, answer):
    """Do one thing; return its result and the calls made, logins left out."""
    omnitron, transport, clock = an_omnitron(answer)
    result = asyncio.run(act(omnitron))
    return result, [call for call in transport.calls if "login" not in call.url], clock


def failed(act, answer, error):
    omnitron, transport, clock = an_omnitron(answer)
    with pytest.raises(error) as caught:
        asyncio.run(act(omnitron))
    return caught.value, [call for call in transport.calls if "login" not in call.url], clock


async def read_all(omnitron, query=QUERY):
    reading = omnitron.read(query)
    found = [request async for requests in reading for request in requests]
    return found, reading.summary


def read(omnitron):
    return read_all(omnitron)


def get(omnitron):
    return omnitron.get(7)


def complete(omnitron):
    return omnitron.set_status(2, 7, "completed")


def reject(omnitron):
    return omnitron.reject(7)


def tag(omnitron):
    return omnitron.add_tag(7, "sent")


class TestRead:
    def test_the_list_is_asked_for_as_the_contract_says(self):
        query = ListQuery("approved", "cancel", 2, 50)
        (found, summary), calls, _ = done(lambda omnitron: read_all(omnitron, query), in_turn(PAGE))
        assert (found, summary.complete) == ([REQUEST], True)
        assert calls[0].method == "GET"
        assert calls[0].url == (
            "https://omni.test/api/v1/cancellation_requests/detailed/"
            "?status=approved&sort=modified_date&limit=50&page=1&cancellation_type=cancel&channel=2"
        )
        assert calls[0].headers["Authorization"] == "Token k3y"

    @pytest.mark.parametrize(
        "answer",
        [
            Answer(200, body=b"<html>Sign in</html>"),
            json_answer({"detail": "x"}),
            json_answer(5),
            Answer(200),
        ],
        ids=["a page", "no results", "a number", "nothing"],
    )
    def test_what_nobody_can_read_is_told_after_repeats(self, answer):
        error, calls, _ = failed(read, in_turn(answer), UnreadableAnswer)
        assert len(calls) == 4
        assert "Connection 'erp_default'" in str(error)
        assert "/api/v1/cancellation_requests/detailed/, page 1" in str(error)

    def test_the_excerpt_shows_nothing_personal(self):
        page = b'{"results": [{"first_name": "Johanna", "iban": "TR330006100519786457841326"'
        error, _, _ = failed(read, in_turn(Answer(200, body=page)), UnreadableAnswer)
        assert "first_name" in str(error)
        assert "Johanna" not in str(error)
        assert "TR33" not in str(error)

    def test_one_bad_answer_among_good_ones_does_no_harm(self):
        answers = in_turn(Answer(502), NotSent("x"), Answer(200, body=b"<html>"), InDoubt("x"), PAGE)
        (found, _), _, _ = done(read, answers)
        assert found == [REQUEST]

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (Answer(500), UnreadableAnswer),
            (Answer(503, headers={"retry-after": "soon"}), UnreadableAnswer),
            (InDoubt("cut"), UnreadableAnswer),
            (NotSent("refused"), NotSent),
            (Answer(403), Refused),
            (Answer(404), Refused),
        ],
        ids=["500", "unclear 503", "cut", "down", "403", "404"],
    )
    def test_each_trouble_is_told_as_what_it_is(self, answer, error):
        assert failed(read, in_turn(answer), error)[0]

    def test_a_page_that_is_gone_ends_the_list(self):
        first = json_answer({"count": 1, "next": "more", "results": [REQUEST]})
        (found, summary), _, _ = done(
            read, lambda call: first if "page=1&" in call.url + "&" else Answer(404)
        )
        assert (found, summary.complete) == ([REQUEST], True)

    @pytest.mark.parametrize("status", [429, 503])
    def test_it_waits_as_long_as_omnitron_asks(self, status):
        answers = in_turn(Answer(status, headers={"retry-after": "20"}), PAGE)
        (found, _), _, clock = done(read, answers)
        assert found == [REQUEST]
        assert clock.passed == 20

    def test_it_waits_a_minute_at_most_and_says_so(self):
        error, calls, clock = failed(read, in_turn(Answer(429, headers={"retry-after": "25"})), Wait)
        assert (error.seconds, len(calls), clock.passed) == (25, 3, 50)

    def test_a_429_that_says_no_time_is_asked_again_ever_more_slowly(self):
        error, _, clock = failed(read, in_turn(Answer(429)), Wait)
        assert error.seconds is None
        _logging_in, *pauses = clock.slept
        assert pauses == [1, 2, 4, 8, 16]


class TestLogin:
    def test_a_token_that_ended_is_renewed_once_and_the_call_repeated(self):
        (found, _), calls, _ = done(read, in_turn(Answer(401), PAGE))
        assert found == [REQUEST]
        assert len(calls) == 2

    @pytest.mark.parametrize("act", [read, get, complete, reject, tag])
    def test_a_second_401_is_told(self, act):
        error, calls, _ = failed(act, in_turn(Answer(401)), Unauthorized)
        assert error.status == 401
        assert len(calls) == 2

    def test_wrong_credentials_are_told_without_them(self):
        transport = FakeTransport(in_turn(json_answer({"non_field_errors": ["bad s3cret-pass"]}, 400)))
        session, _ = a_session(transport, an_endpoint("omnitron"))
        with pytest.raises(LoginFailed, match="400") as caught:
            asyncio.run(Omnitron(session, session.clock, Random(1)).log_in())
        assert "s3cret-pass" not in str(caught.value)


class TestGet:
    def test_a_request_is_read_with_all_that_belongs_to_it(self):
        found, calls, _ = done(get, in_turn(json_answer(REQUEST)))
        assert found == REQUEST
        assert calls[0].url == "https://omni.test/api/v1/cancellation_requests/7/detailed/"
        assert calls[0].only_reads

    def test_none_is_there(self):
        assert done(get, in_turn(Answer(404)))[0] is None

    @pytest.mark.parametrize("answer", [{"id": 8, "uuid": "u-8"}, {"id": 7}, [REQUEST], "x"], ids=repr)
    def test_what_is_not_this_request_is_not_taken_for_it(self, answer):
        assert failed(get, in_turn(json_answer(answer)), UnreadableAnswer)[0]


class TestWrites:
    @pytest.mark.parametrize(
        ("act", "method", "path", "body"),
        [
            (complete, "PATCH", "/api/v1/channel/2/cancellation_requests/7/", {"status": "completed"}),
            (reject, "POST", "/api/v1/cancellation_requests/7/reject/", {}),
            (tag, "POST", "/api/v1/cancellation_requests/7/add_tag/", {"key": "sent"}),
        ],
    )
    def test_each_write_goes_where_omnitron_expects_it(self, act, method, path, body):
        _, [call], _ = done(act, in_turn(Answer(200)))
        assert (call.method, call.url, json.loads(call.body)) == (method, f"https://omni.test{path}", body)
        assert call.headers["Content-Type"] == "application/json"
        assert not call.only_reads

    @pytest.mark.parametrize("act", [complete, reject, tag])
    @pytest.mark.parametrize("trouble", [Answer(500), NotSent("a"), InDoubt("b")], ids=["500", "down", "cut"])
    def test_trouble_is_repeated_three_times(self, act, trouble):
        _, calls, _ = done(act, in_turn(trouble, trouble, trouble, Answer(200)))
        assert len(calls) == 4

    @pytest.mark.parametrize(
        ("trouble", "error"),
        [(Answer(500), InDoubt), (NotSent("a"), NotSent), (InDoubt("b"), InDoubt)],
        ids=["500", "down", "cut"],
    )
    def test_trouble_that_stays_is_told(self, trouble, error):
        assert failed(complete, in_turn(trouble), error)[0]

    def test_a_throttled_write_is_left_to_the_caller(self):
        error, calls, clock = failed(complete, in_turn(Answer(429, headers={"retry-after": "7"})), Wait)
        assert (error.seconds, len(calls), clock.passed) == (7, 1, 0)

    @pytest.mark.parametrize("status", [400, 404, 406])
    def test_a_refusal_is_told_in_omnitrons_words_without_personal_data(self, status):
        words = {"non_field_errors": ["not from approved"], "iban": "TR330006100519786457841326"}

        def answer(call):
            return json_answer(words, status) if call.method == "PATCH" else json_answer(REQUEST)

        error, _, _ = failed(complete, answer, Refused)
        assert error.status == status
        assert "not from approved" in str(error)
        assert "TR33" not in str(error)

    @pytest.mark.parametrize("status", [400, 406])
    @pytest.mark.parametrize(
        ("act", "state"),
        [
            (complete, REQUEST | {"status": "completed"}),
            (reject, REQUEST | {"status": "rejected"}),
            (tag, ["old", "sent"]),
        ],
    )
    def test_what_is_so_already_is_no_refusal(self, act, state, status):
        """A write whose first send had worked, unseen, is refused when it is repeated."""

        def answer(call):
            return json_answer(state) if call.method == "GET" else json_answer({"detail": "again?"}, status)

        assert done(act, answer)[0] is None

    @pytest.mark.parametrize(
        ("act", "unread", "state"),
        [
            (complete, PAGE_FOR_PEOPLE, REQUEST),
            (complete, json_answer(REQUEST), REQUEST),
            (complete, json_answer({"status": "approved"}), REQUEST | {"status": "rejected"}),
            (reject, PAGE_FOR_PEOPLE, REQUEST),
            (reject, json_answer({"status": "approved"}, 201), REQUEST),
            (tag, PAGE_FOR_PEOPLE, ["old"]),
        ],
    )
    def test_a_2xx_that_denies_what_was_written_is_believed_only_after_a_look(self, act, unread, state):
        """Somebody before Omnitron answered, or it took the write for nothing: nobody may call it told."""

        def answer(call):
            return json_answer(state) if call.method == "GET" else unread

        error, calls, _ = failed(act, answer, UnreadableAnswer)
        assert [call.method for call in calls][1:] == ["GET"]
        assert f"was answered {unread.status}" in str(error)
        assert "has to be told again" in str(error)

    @pytest.mark.parametrize(
        ("act", "state"),
        [
            (complete, REQUEST | {"status": "completed"}),
            (reject, REQUEST | {"status": "rejected"}),
            (tag, ["old", "sent"]),
        ],
    )
    def test_a_page_for_people_does_no_harm_where_the_write_was_taken(self, act, state):
        def answer(call):
            return json_answer(state) if call.method == "GET" else PAGE_FOR_PEOPLE

        _, calls, _ = done(act, answer)
        assert len(calls) == 2

    def test_a_page_for_people_that_stays_is_told(self):
        assert failed(complete, in_turn(PAGE_FOR_PEOPLE), UnreadableAnswer)[0]

    def test_what_can_not_be_looked_at_for_want_of_rights_is_to_be_told_again(self):
        def answer(call):
            return Answer(403) if call.method == "GET" else PAGE_FOR_PEOPLE

        assert failed(complete, answer, UnreadableAnswer)[0]

    @pytest.mark.parametrize("act", [complete, reject])
    @pytest.mark.parametrize(
        "answer",
        [
            Answer(204),
            json_answer({}),
            json_answer({"status": "success"}),
            json_answer({"status": 1}),
            json_answer({"status": ["approved"]}),
            json_answer([REQUEST]),
            Answer(200, body=b"OK"),
        ],
        ids=["204", "{}", "words of its own", "a number", "a list in it", "a list", "text"],
    )
    def test_any_other_2xx_is_success_without_a_further_call(self, act, answer):
        _, calls, _ = done(act, in_turn(answer))
        assert len(calls) == 1

    def test_a_refusal_that_can_not_be_checked_is_not_final(self):
        def answer(call):
            return Answer(406) if call.method == "PATCH" else NotSent("down")

        assert failed(complete, answer, NotSent)[0]


class TestFree:
    def test_a_call_of_ones_own_is_sent_as_json(self):
        answer, [call], _ = done(
            lambda omnitron: omnitron.free("PUT", "/api/v1/x/7/?a=b", {"n": "ö"}), in_turn(Answer(204))
        )
        assert answer.status == 204
        assert (call.method, call.url) == ("PUT", "https://omni.test/api/v1/x/7/?a=b")
        assert json.loads(call.body) == {"n": "ö"}

    def test_no_body_is_none(self):
        _, [call], _ = done(lambda omnitron: omnitron.free("POST", "/x/", None), in_turn(Answer(200)))
        assert call.body is None

    @pytest.mark.parametrize("path", ["https://evil.test/", "//evil.test/x", "x", "/a/../b"])
    def test_it_stays_at_omnitron(self, path):
        error, calls, _ = failed(
            lambda omnitron: omnitron.free("POST", path, {}), in_turn(Answer(200)), ConfigurationError
        )
        assert error
        assert calls == []


@asynccontextmanager
async def at_sandbox(scenario):
    clock = SystemClock()
    async with Sandbox(port=0, scenario=scenario) as sandbox, AiohttpTransport(clock=clock) as transport:
        endpoint = Endpoint("omni", sandbox.omnitron_url, "omnitron", "omnitron", "omnitron-secret")
        session = Session(endpoint, transport, MemoryTokenStore(clock), clock, Random(1))
        yield Omnitron(session, clock, Random(1))


class TestAtTheSandbox:
    @pytest.mark.parametrize(
        ("scenario", "count"),
        [("all_fine", 10), ({"name": "omnitron_drifts"}, 25), ({"name": "all_fine", "requests": 230}, 230)],
        ids=["one page", "drifting", "several pages"],
    )
    def test_the_list_is_read_whole(self, scenario, count):
        async def story():
            async with at_sandbox(scenario) as omnitron:
                return await read_all(omnitron)

        found, summary = asyncio.run(story())
        assert len({request["uuid"] for request in found}) == len(found) == count
        assert summary.complete

    def test_a_repeated_page_is_noticed(self):
        async def story():
            async with at_sandbox("omnitron_repeated_page") as omnitron:
                return await read_all(omnitron)

        found, summary = asyncio.run(story())
        assert (len(found), summary.complete, summary.missing) == (10, False, 15)

    def test_an_entry_without_uuid_is_told_and_the_rest_read(self):
        async def story():
            async with at_sandbox("omnitron_no_uuid") as omnitron:
                return await read_all(omnitron)

        found, summary = asyncio.run(story())
        assert len(found) == 9
        assert summary.problems == ("Page 1, entry 3 (id 3) has no uuid; it was left out",)

    def test_a_status_is_set_twice_without_complaint(self):
        async def story():
            async with at_sandbox("all_fine") as omnitron:
                request = await omnitron.get(1)
                for _ in range(2):
                    await omnitron.set_status(request["channel"]["pk"], 1, "completed")
                return (await omnitron.get(1))["status"]

        assert asyncio.run(story()) == "completed"

    def test_tags_and_rejection_arrive(self):
        async def story():
            async with at_sandbox("all_fine") as omnitron:
                await omnitron.add_tag(1, "sent")
                await omnitron.reject(1)
                return (await omnitron.get(1))["status"]

        assert asyncio.run(story()) == "rejected"

    def test_a_forbidden_step_is_refused_in_omnitrons_words(self):
        async def story():
            async with at_sandbox("omnitron_forbids") as omnitron:
                request = await omnitron.get(1)
                await omnitron.set_status(request["channel"]["pk"], 1, "completed")

        with pytest.raises(Refused) as caught:
            asyncio.run(story())
        assert caught.value.status == 406
