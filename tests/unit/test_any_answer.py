"""Whatever a remote system answers, the engine ends in a result or in one of its own errors."""

from __future__ import annotations

import asyncio
import json
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from order_cancellation.erp import Erp
from order_cancellation.errors import OrderCancellationError
from order_cancellation.flow.model import LookUp
from order_cancellation.http.limits import Limits
from order_cancellation.http.login import log_in
from order_cancellation.http.logins import Visit
from order_cancellation.http.messages import Answer
from order_cancellation.omnitron import ListQuery, Omnitron
from order_cancellation.steps.judge import StoredAnswer, default_relation, wait_asked
from unit.http.fakes import START, FakeClock, FakeTransport, a_session, an_endpoint

pytestmark = pytest.mark.usefixtures("no_threads")

NAMES = ["results", "count", "next", "uuid", "id", "status", "channel", "pk", "modified_date", "token", "key"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=6), inner, max_size=5)
    ),
    max_leaves=12,
)
BODIES = JSON.map(lambda data: json.dumps(data).encode()) | st.binary(max_size=40)
HEADERS = st.dictionaries(
    st.sampled_from(["retry-after", "content-type", "location"]), st.text(max_size=12), max_size=3
)
ANSWERS = st.builds(
    Answer,
    status=st.sampled_from([101, 200, 201, 204, 301, 302, 400, 401, 404, 406, 409, 422, 429, 500, 502, 503]),
    headers=HEADERS,
    body=BODIES,
    charset=st.none() | st.sampled_from(["utf-8", "windows-1254", "no-such", "utf-16"]),
)
OFTEN = settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])


def drawn(answers):
    """Answer call after call by the drawn ones, again and again; log in without trouble."""
    left = iter(answers * 1000)

    def answer(call):
        if "/auth/" in call.url:
            return Answer(200, body=b'{"key": "k"}')
        return next(left)

    return answer


def told(act):
    """Do something, and return the words of the error in which it ended, if in one."""
    try:
        asyncio.run(act)
    except OrderCancellationError as error:
        return str(error)
    return ""


async def read_all(omnitron):
    reading = omnitron.read(ListQuery(status="approved", cancel_type="all", channel_id=2))
    found = [request async for requests in reading for request in requests]
    assert len({request["uuid"] for request in found}) == len(found)
    return found


OMNITRON = {
    "read": read_all,
    "get": lambda omnitron: omnitron.get(7),
    "set_status": lambda omnitron: omnitron.set_status(2, 7, "completed"),
    "reject": lambda omnitron: omnitron.reject(7),
    "add_tag": lambda omnitron: omnitron.add_tag(7, "sent"),
}


@pytest.mark.parametrize("act", OMNITRON)
@OFTEN
@given(answers=st.lists(ANSWERS, min_size=1, max_size=4))
def test_of_omnitron(act, answers):
    session, _ = a_session(drawn(answers), an_endpoint("omnitron"))
    omnitron = Omnitron(session, session.clock, session.random)
    assert "s3cret" not in told(OMNITRON[act](omnitron))


@OFTEN
@given(answers=st.lists(ANSWERS, min_size=1, max_size=4))
def test_of_an_erp_that_is_asked_whether_it_has_booked(answers):
    session, _ = a_session(drawn(answers))
    erp = Erp(session, Limits(1, None, session.clock))
    look_up = LookUp(url="/look", found="$.status", after="10s")
    try:
        found = asyncio.run(erp.look_up(look_up, request={"id": 7}, attributes={}))
    except OrderCancellationError:
        return
    assert isinstance(found, bool)


@OFTEN
@given(answer=ANSWERS)
def test_of_an_erp_to_a_send(answer):
    stored = StoredAnswer(
        answer.status,
        url="https://erp.test/c",
        headers=dict(answer.headers),
        text=answer.text,
        data=answer.data,
    )
    assert default_relation(stored)
    assert stored.proves_nothing is (answer.status in (101, 301, 302, 500, 502, 503))
    asked = wait_asked(stored, START)
    assert asked is None or 0 <= asked <= 604_800
    assert json.dumps({"data": stored.data, "attributes": stored.attributes})


@pytest.mark.parametrize(
    ("kind", "options"),
    [("jwt", {"login_url": "/a"}), ("oauth2", {"oauth_url": "/a", "client_id": "c"}), ("omnitron", {})],
)
@OFTEN
@given(answer=ANSWERS)
def test_of_a_login(kind, options, answer):
    transport = FakeTransport(lambda _call: answer)
    visit = Visit(an_endpoint(kind, options=options), transport, FakeClock(), Random(1))
    assert "s3cret" not in told(log_in(visit))
