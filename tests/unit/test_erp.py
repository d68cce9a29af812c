"""What goes to the ERP is built as the flow says and goes out once; a look-up believes only what it reads."""

from __future__ import annotations

import asyncio
import json
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.erp import Erp, build_call, encode_body
from order_cancellation.errors import (
    ConfigurationError,
    InDoubt,
    NotSent,
    Refused,
    Unauthorized,
    UnreadableAnswer,
    Wait,
)
from order_cancellation.flow.model import LookUp, WriteToErp
from order_cancellation.http.breaker import Breaker
from order_cancellation.http.limits import Limits
from order_cancellation.http.messages import Answer
from unit.http.fakes import a_session, a_watch, an_endpoint, in_turn, json_answer

BASE = "https://erp.test/api"
REQUEST = {"id": 7, "uuid": "u-7", "customer": {"first_name": "Johanna"}}
SCALARS = (
    st.text(max_size=20) | st.integers() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False)
)


def settings(**changes):
    return WriteToErp(**{"connection": "erp_default", "url": "/cancellations", "method": "POST", **changes})


def built(body=None, *, key=None, request=None, attributes=None, **changes):
    return build_call(
        settings(**changes),
        BASE,
        body={"n": 1} if body is None else body,
        request=request or REQUEST,
        attributes=attributes or {},
        key=key,
    )


def sent_query(call):
    return parse_qsl(urlsplit(call.url).query, keep_blank_values=True)


class TestBuildCall:
    @pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
    def test_the_mapped_object_is_sent_as_compact_utf8_json(self, method):
        call = built({"name": "Çorap", "n": [1, None, 2.5]}, method=method, timeout=12.0)
        assert (call.method, call.url, call.timeout_s) == (method, f"{BASE}/cancellations", 12.0)
        assert call.body == '{"name":"Çorap","n":[1,null,2.5]}'.encode()
        assert call.headers == {"Content-Type": "application/json"}

    def test_stored_bytes_go_out_unchanged(self):
        stored = b'{"b": 1,  "a":2}'
        assert built(stored).body == stored

    def test_a_stored_body_is_at_hand_in_templates_too(self):
        assert built(b'{"n":5}', url="/c/{{ body.n }}").url == f"{BASE}/c/5"

    def test_url_and_headers_are_templates_over_request_attributes_and_body(self):
        call = built(
            {"n": 1},
            url="/c/{{ request.id }}/{{ attributes['x.y'] }}?n={{ body.n }}",
            headers={"X-Uuid": "{{ request.uuid }}", "content-type": "application/vnd.acme+json"},
            attributes={"x.y": "a b"},
        )
        assert call.url == f"{BASE}/c/7/a%20b?n=1"
        assert call.headers == {"X-Uuid": "u-7", "content-type": "application/vnd.acme+json"}

    def test_the_key_is_sent_where_the_flow_declares_a_header(self):
        assert built(key="k1", idempotency_header="Idempotency-Key").headers["Idempotency-Key"] == "k1"
        assert "k1" not in built(key="k1").headers.values()
        assert "Idempotency-Key" not in built(key=None, idempotency_header="Idempotency-Key").headers

    def test_another_host_that_is_written_out_is_used(self):
        assert built(url="https://other.test/x/{{ request.id }}").url == "https://other.test/x/7"

    @pytest.mark.parametrize("url", ["https://{{ attributes.h }}/x", "https://erp.{{ attributes.h }}/x"])
    def test_no_value_chooses_the_host_that_gets_our_credentials(self, url):
        with pytest.raises(ConfigurationError, match="write the host out"):
            built(url=url, attributes={"h": "evil.test"})

    def test_a_host_from_a_value_is_fine_where_it_is_the_connections_own(self):
        assert (
            built(url="https://{{ attributes.h }}/x", attributes={"h": "erp.test"}).url
            == "https://erp.test/x"
        )

    def test_a_missing_name_is_told_with_its_setting(self):
        with pytest.raises(ConfigurationError, match=r"write_to_erp\.headers\.X-A .*nothing"):
            built(headers={"X-A": "{{ request.nothing }}"})

    @pytest.mark.parametrize("body", [{"a": float("nan")}, {"a": {1, 2}}, {"a": b"x"}])
    def test_what_json_can_not_write_is_told(self, body):
        with pytest.raises(ConfigurationError, match="JSON"):
            built(body)

    def test_half_a_surrogate_pair_is_escaped(self):
        assert encode_body({"a": "\ud800"}) == b'{"a":"\\ud800"}'

    @given(value=st.text())
    def test_no_value_can_add_a_header(self, value):
        try:
            call = built(headers={"X-A": "{{ request.v }}"}, request={"v": value})
        except ConfigurationError:
            return
        assert set(call.headers) == {"X-A", "Content-Type"}
        assert not any(mark in call.headers["X-A"] for mark in "\r\n")


class TestGet:
    def test_the_mapped_object_becomes_the_query(self):
        call = built({"id": 7, "note": "a&b c", "ok": True, "none": None, "price": 23.5}, method="GET")
        assert sent_query(call) == [("id", "7"), ("note", "a&b c"), ("ok", "true"), ("price", "23.5")]
        assert (call.body, call.headers) == (None, {})

    def test_it_is_added_to_the_urls_own_query(self):
        assert built({"id": 7}, method="GET", url="/c?mode=x").url == f"{BASE}/c?mode=x&id=7"

    def test_an_empty_object_adds_nothing(self):
        assert built({}, method="GET").url == f"{BASE}/cancellations"

    def test_a_nested_value_is_refused_by_its_key(self):
        with pytest.raises(ConfigurationError, match="'items' of the mapped object is a list"):
            built({"id": 7, "items": [1]}, method="GET")

    def test_nested_values_go_as_json_where_the_flow_says_so(self):
        call = built({"items": [1, {"a": "ö"}]}, method="GET", nested="json")
        assert sent_query(call) == [("items", '[1,{"a":"ö"}]')]

    @pytest.mark.parametrize("body", [[1], "text", 5])
    def test_what_is_no_object_is_refused(self, body):
        with pytest.raises(ConfigurationError, match="map to a flat object"):
            built(body, method="GET")

    @given(body=st.dictionaries(st.text(max_size=10), SCALARS, max_size=5))
    def test_every_flat_object_arrives_as_it_was(self, body):
        texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in body.items()}
        assert dict(sent_query(built(body, method="GET"))) == texts


def an_erp(answer, endpoint=None, concurrency=1):
    session, transport = a_session(answer, endpoint)
    return Erp(session, Limits(concurrency, None, session.clock)), transport


class TestSend:
    @pytest.mark.parametrize("status", [401, 429, 500, 503])
    def test_no_answer_makes_it_go_out_again(self, status):
        erp, transport = an_erp(in_turn(Answer(status)))
        assert asyncio.run(erp.send(built())).status == status
        assert len(transport.calls) == 1

    @pytest.mark.parametrize("trouble", [NotSent("a"), InDoubt("b")])
    def test_no_failure_makes_it_go_out_again(self, trouble):
        erp, transport = an_erp(in_turn(trouble))
        with pytest.raises(type(trouble)):
            asyncio.run(erp.send(built()))
        assert len(transport.calls) == 1

    @pytest.mark.parametrize("method", ["POST", "GET"])
    def test_it_does_not_count_as_reading(self, method):
        """So the transport follows no redirect, which for a GET would make another page its answer."""
        erp, transport = an_erp(in_turn(Answer(302, headers={"location": "/login"})))
        assert asyncio.run(erp.send(built(method=method))).status == 302
        assert not transport.calls[0].only_reads

    def test_the_check_before_writing_is_passed_on(self):
        noted = []
        erp, _ = an_erp(in_turn(Answer(200)))
        asyncio.run(erp.send(built(), before_write=lambda: noted.append(1)))
        assert noted == [1]


def looked_up(answer, found="$.found", endpoint=None):
    erp, transport = an_erp(answer, endpoint)
    look_up = LookUp(url="/cancellations/{{ request.id }}", found=found)
    return asyncio.run(erp.look_up(look_up, request=REQUEST, attributes={})), transport


class TestLookUp:
    @pytest.mark.parametrize(
        ("answer", "found"),
        [
            (json_answer({"found": True}), True),
            (json_answer({"found": "A-17"}), True),
            (json_answer({"found": {"id": 1}}), True),
            (json_answer({"found": False}), False),
            (json_answer({"found": None}), False),
            (json_answer({"found": 0}), False),
            (json_answer({"found": []}), False),
            (json_answer({"found": ""}), False),
            (json_answer({"found": "False"}), False),
            (json_answer({"error": "none"}, 404), False),
        ],
        ids=repr,
    )
    def test_404_and_a_false_value_say_not_booked(self, answer, found):
        result, transport = looked_up(in_turn(answer))
        assert result is found
        assert (transport.calls[0].method, transport.calls[0].url) == ("GET", f"{BASE}/cancellations/7")
        assert transport.calls[0].only_reads

    @pytest.mark.parametrize("value", ["0", "no", " None ", "null", "-1", -1, "not found", float("nan")])
    def test_a_value_that_says_neither_yes_nor_no_is_no_proof(self, value):
        """Taken for a booking it would lose the refund, taken for none it would send it twice."""
        with pytest.raises(UnreadableAnswer, match="neither yes nor no"):
            looked_up(in_turn(json_answer({"found": value})))

    @pytest.mark.parametrize(
        ("answer", "error"),
        [
            (json_answer({"error": "x"}), UnreadableAnswer),
            (json_answer([]), UnreadableAnswer),
            (Answer(200, body=b"<html>Login</html>"), UnreadableAnswer),
            (Answer(200), UnreadableAnswer),
            (Answer(500), UnreadableAnswer),
            (Answer(401), Unauthorized),
            (Answer(403), Refused),
            (Answer(302), Refused),
            (Answer(429), Wait),
            (Answer(503, headers={"retry-after": "9"}), Wait),
            (NotSent("refused"), NotSent),
            (InDoubt("cut"), InDoubt),
        ],
        ids=[
            "no found",
            "a list",
            "a page",
            "nothing",
            "500",
            "401",
            "403",
            "302",
            "429",
            "503",
            "down",
            "cut",
        ],
    )
    def test_what_does_not_say_is_never_taken_for_not_booked(self, answer, error):
        with pytest.raises(error):
            looked_up(in_turn(answer))

    @pytest.mark.parametrize("found", ["$", "$.found"])
    @pytest.mark.parametrize("content_type", ["text/html", "application/json"])
    def test_a_web_page_finds_nothing_whatever_found_points_at(self, found, content_type):
        """With `$` any text is there: a sign-in would tell Omnitron of a refund that nobody booked."""
        page = Answer(
            200, headers={"content-type": content_type}, body=b"<!DOCTYPE html><title>Sign in</title>"
        )
        with pytest.raises(UnreadableAnswer, match=r"answered 200 with a web page .*Sign in.* look_up\.url"):
            looked_up(in_turn(page), found=found)

    def test_a_404_with_a_page_says_not_booked(self):
        """The contract's rule; that a gateway may say so is told among the limits."""
        assert looked_up(in_turn(Answer(404, body=b"<html>Not found</html>")))[0] is False

    def test_it_is_repeated_since_it_only_reads(self):
        assert looked_up(in_turn(InDoubt("cut"), Answer(500), json_answer({"found": True})))[0] is True

    def test_a_token_that_ended_is_renewed_once(self):
        tokens = iter(["old", "new"])

        def erp(call):
            if call.url.endswith("/auth"):
                return json_answer({"token": next(tokens)})
            return json_answer({"found": True}, 200 if "new" in call.headers["Authorization"] else 401)

        assert looked_up(erp, endpoint=an_endpoint("jwt", options={"login_url": "/auth"}))[0] is True

    def test_messages_name_the_connection_and_hide_what_is_personal(self):
        with pytest.raises(UnreadableAnswer) as caught:
            looked_up(in_turn(json_answer({"message": "Johanna s3cret-pass is unknown"})))
        told = str(caught.value)
        assert "erp_default" in told
        assert "$.found" in told
        assert "Johanna" not in told
        assert "s3cret-pass" not in told

    def test_it_holds_a_slot_of_its_own(self):
        async def story():
            erp, transport = an_erp(in_turn(json_answer({"found": True})))
            look_up = LookUp(url="/c", found="$.found")
            async with erp.slot():
                waiting = asyncio.create_task(erp.look_up(look_up, request=REQUEST, attributes={}))
                for _ in range(20):
                    await asyncio.sleep(0)
                assert transport.calls == []
            return await waiting

        assert asyncio.run(story()) is True


@pytest.mark.parametrize("act", [Erp.log_in, lambda erp: erp.renew_login(0)], ids=["login", "renewal"])
def test_logins_are_handed_to_the_session(act):
    endpoint = an_endpoint("jwt", options={"login_url": "/auth"})
    erp, transport = an_erp(in_turn(json_answer({"token": "x"})), endpoint)
    asyncio.run(act(erp))
    assert [call.url for call in transport.calls] == [f"{BASE}/auth"]


def test_nothing_leaves_while_the_breaker_is_open():
    session, transport = a_session(in_turn(Answer(500)))
    erp = Erp(
        session,
        Limits(1, None, session.clock),
        Breaker("Connection 'erp'", session.clock, a_watch(session.clock), threshold=2),
    )

    async def story():
        for _ in range(2):
            await erp.send(built())
        with pytest.raises(NotSent):
            await erp.send(built())

    asyncio.run(story())
    assert len(transport.calls) == 2


def test_a_look_up_does_not_leave_either_and_its_repeats_count_as_failures():
    session, transport = a_session(in_turn(Answer(500)))
    breaker = Breaker("Connection 'erp'", session.clock, a_watch(session.clock), threshold=3)
    erp = Erp(session, Limits(1, None, session.clock), breaker)
    look_up = LookUp(url="/look", found="$.found", after="10s")

    async def story():
        for _ in range(2):
            with pytest.raises(NotSent, match="was not called"):
                await erp.look_up(look_up, request=REQUEST, attributes={})

    asyncio.run(story())
    assert len(transport.calls) == 3


def test_what_a_look_up_is_told_to_wait_holds_for_sends_too():
    session, _ = a_session(in_turn(json_answer({}, 429, Retry_After="300"), Answer(200)))
    erp = Erp(session, Limits(4, None, session.clock))
    look_up = LookUp(url="/look", found="$.found", after="10s")

    async def story():
        with pytest.raises(Wait):
            await erp.look_up(look_up, request=REQUEST, attributes={})
        with pytest.raises(NotSent, match="asks to wait"):
            await erp.check_open()

    asyncio.run(story())
    assert erp.limits.in_flight == 2
