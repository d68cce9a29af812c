"""Our OAuth2 logins against a maintained implementation of the server's side, over HTTP."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from order_cancellation.clock import SystemClock
from order_cancellation.errors import LoginFailed
from order_cancellation.http.messages import Call
from order_cancellation.http.session import Session
from order_cancellation.http.tokens import MemoryTokenStore
from order_cancellation.http.transport import AiohttpTransport
from unit.http.fakes import an_endpoint
from unit.http.oauth_server import CLIENT, PASSWORD, SECRET, USER, oauth_server

GRANTS = {
    "client_credentials": {},
    "password": {},
    "refresh_token": {"refresh_token": "first-refresh-token"},
}


@pytest.fixture
def oauth():
    with oauth_server() as served:
        yield served


def used(url, story, **options):
    """Open a session with an OAuth2 login, and use it."""
    given = {"oauth_url": "/oauth/token", "client_id": CLIENT, "client_secret": SECRET, **options}
    endpoint = an_endpoint("oauth2", base_url=url, login=USER, password=PASSWORD, options=given)

    async def opened():
        async with AiohttpTransport(clock=SystemClock()) as transport:
            clock = SystemClock()
            return await story(Session(endpoint, transport, MemoryTokenStore(clock), clock, Random(1)), url)

    return asyncio.run(opened())


async def called(session, url):
    answer = await session.send(Call("GET", f"{url}/api"))
    return answer.status


@pytest.mark.parametrize("client_auth", ["basic", "body"])
@pytest.mark.parametrize("grant_type", GRANTS)
def test_each_grant_gets_a_token_that_the_server_accepts(oauth, grant_type, client_auth):
    server, url = oauth
    options = {"grant_type": grant_type, "client_auth": client_auth, **GRANTS[grant_type]}

    assert used(url, called, **options, scope="refunds") == 200
    assert server.logins == 1


def test_a_refresh_token_that_the_server_changes_is_the_one_shown_next(oauth):
    server, url = oauth

    async def twice(session, url):
        first = await session.send(Call("GET", f"{url}/api"))
        server.tokens.clear()
        await session.renew(first.token_generation)
        return await called(session, url)

    assert used(url, twice, grant_type="refresh_token", refresh_token="first-refresh-token") == 200
    assert server.logins == 2


@pytest.mark.parametrize(
    "wrong",
    [
        {"client_secret": "wrong-canary"},
        {"client_secret": "wrong-canary", "client_auth": "body"},
        {"grant_type": "refresh_token", "refresh_token": "old-canary"},
        {"scope": "everything"},
    ],
    ids=["secret in the header", "secret in the body", "refresh token", "scope"],
)
def test_a_refusal_is_told_in_the_servers_words_without_secrets(oauth, wrong):
    with pytest.raises(LoginFailed, match="invalid_") as caught:
        used(oauth[1], called, **wrong)
    assert "canary" not in str(caught.value)
