"""Each login kind sends what its fields say, and a failed login says what came back without a secret."""

from __future__ import annotations

import asyncio
import base64
import json
from datetime import timedelta
from random import Random
from urllib.parse import parse_qs

import pytest

from order_cancellation.errors import ConfigurationError, InDoubt, LoginFailed, NotSent
from order_cancellation.http.login import log_in, token_key
from order_cancellation.http.logins import Visit
from order_cancellation.http.messages import Answer
from unit.http.fakes import START, FakeClock, FakeTransport, an_endpoint, in_turn, json_answer

JWT = {"login_url": "/auth"}
OAUTH = {"oauth_url": "/oauth/token", "client_id": "cl", "client_secret": "cs+/="}


def logged_in(endpoint, answer=None, refresh_token=None):
    transport = FakeTransport(answer or in_turn(json_answer({"token": "t0ken-canary"})))
    visit = Visit(endpoint, transport, FakeClock(), Random(1), refresh_token)
    return asyncio.run(log_in(visit)), transport


def failure_of(endpoint, answer):
    with pytest.raises(LoginFailed) as caught:
        logged_in(endpoint, answer)
    return str(caught.value)


class TestLasting:
    def test_none_sends_no_headers(self):
        assert logged_in(an_endpoint("none"))[0].headers == {}

    def test_basic_sends_user_and_password(self):
        encoded = base64.b64encode("ayşe:s3cret-pass".encode()).decode()
        assert logged_in(an_endpoint("basic", login="ayşe"))[0].headers == {
            "Authorization": f"Basic {encoded}"
        }

    def test_basic_takes_another_prefix(self):
        headers = logged_in(an_endpoint("basic", options={"prefix": "Token"}))[0].headers
        assert headers["Authorization"].startswith("Token ")

    @pytest.mark.parametrize(
        ("options", "headers"),
        [
            ({}, {"Authorization": "Bearer s3cret-pass"}),
            ({"prefix": ""}, {"Authorization": "s3cret-pass"}),
            ({"header": "X-Api-Key"}, {"X-Api-Key": "s3cret-pass"}),
            ({"header": "X-Auth", "prefix": "Key"}, {"X-Auth": "Key s3cret-pass"}),
        ],
        ids=["bearer", "no prefix", "other header", "header and prefix"],
    )
    def test_permanent_token_is_the_password(self, options, headers):
        assert logged_in(an_endpoint("permanent_token", options=options))[0].headers == headers

    def test_custom_header_sends_all_secret_headers(self):
        headers = {"X-Key": "k", "X-Tenant": "7"}
        assert (
            logged_in(an_endpoint("custom_header", options={"secret_headers": headers}))[0].headers == headers
        )

    @pytest.mark.parametrize(
        ("kind", "field"),
        [("basic", "login"), ("permanent_token", "password"), ("custom_header", "secret_headers")],
    )
    def test_a_missing_field_is_named(self, kind, field):
        with pytest.raises(ConfigurationError, match=f"erp_default.*{field}"):
            logged_in(an_endpoint(kind, login=None, password=None))

    def test_an_unknown_kind_is_told_with_the_known_ones(self):
        with pytest.raises(ConfigurationError, match=r"'nebim'.*basic, custom_header, jwt"):
            logged_in(an_endpoint("nebim"))


class TestJwt:
    def test_user_and_password_are_posted_as_json_and_the_token_is_carried(self):
        credentials, transport = logged_in(an_endpoint("jwt", options=JWT))
        call = transport.calls[0]
        assert (call.method, call.url) == ("POST", "https://erp.test/api/auth")
        assert json.loads(call.body) == {"username": "ayse", "password": "s3cret-pass"}
        assert credentials.headers == {"Authorization": "Bearer t0ken-canary"}

    def test_every_field_is_honoured(self):
        options = {
            "login_url": "https://auth.test/in",
            "login_headers": {"x-csrf-token": "login"},
            "extra_body": {"tenant": 7},
            "username_field": "user",
            "password_field": "pass",
            "token_path": "$.data[0].jwt",
            "header": "X-Token",
            "prefix": "JWT",
        }
        answer = in_turn(json_answer({"data": [{"jwt": "abc"}]}))
        credentials, transport = logged_in(an_endpoint("jwt", options=options), answer)
        call = transport.calls[0]
        assert call.url == "https://auth.test/in"
        assert call.headers["x-csrf-token"] == "login"
        assert json.loads(call.body) == {"tenant": 7, "user": "ayse", "pass": "s3cret-pass"}
        assert credentials.headers == {"X-Token": "JWT abc"}

    def test_a_token_that_tells_its_end_is_renewed_ahead_of_it(self):
        payload = {"iat": 5_000_000, "exp": 5_003_600}
        middle = base64.urlsafe_b64encode(json.dumps(payload).encode()).decode().rstrip("=")
        credentials, _ = logged_in(
            an_endpoint("jwt", options=JWT), in_turn(json_answer({"token": f"a.{middle}.c"}))
        )
        assert credentials.renew_at == START + timedelta(seconds=3540)

    def test_a_token_that_tells_nothing_is_kept(self):
        assert logged_in(an_endpoint("jwt", options=JWT))[0].renew_at is None

    def test_a_path_that_is_no_jsonpath_is_the_owners_to_put_right(self):
        with pytest.raises(ConfigurationError, match="JSONPath"):
            logged_in(an_endpoint("jwt", options=JWT | {"token_path": "$..["}))


class TestOmnitron:
    def test_the_key_is_carried_as_token(self):
        endpoint = an_endpoint("omnitron", base_url="https://omni.test")
        credentials, transport = logged_in(endpoint, in_turn(json_answer({"key": "f532"})))
        assert transport.calls[0].url == "https://omni.test/api/v1/auth/login/"
        assert json.loads(transport.calls[0].body) == {"username": "ayse", "password": "s3cret-pass"}
        assert credentials.headers == {"Authorization": "Token f532"}


class TestOauth2:
    @staticmethod
    def form_of(options, kept=None, **answer):
        data = {"access_token": "acc", **answer}
        endpoint = an_endpoint("oauth2", options=OAUTH | options)
        credentials, transport = logged_in(endpoint, in_turn(json_answer(data)), kept)
        call = transport.calls[0]
        form = {name: values[0] for name, values in parse_qs(call.body.decode()).items()}
        return credentials, call, form

    def test_client_credentials_show_the_client_by_basic_authentication(self):
        credentials, call, form = self.form_of({"scope": "a b"})
        assert form == {"grant_type": "client_credentials", "scope": "a b"}
        assert base64.b64decode(call.headers["Authorization"].split()[1]) == b"cl:cs%2B%2F%3D"
        assert call.headers["Content-Type"] == "application/x-www-form-urlencoded"
        assert credentials.headers == {"Authorization": "Bearer acc"}

    def test_client_credentials_in_the_body(self):
        _, call, form = self.form_of({"client_auth": "body"})
        assert form == {"grant_type": "client_credentials", "client_id": "cl", "client_secret": "cs+/="}
        assert "Authorization" not in call.headers

    def test_the_password_grant_sends_login_and_password(self):
        _, _, form = self.form_of({"grant_type": "password"})
        assert form == {"grant_type": "password", "username": "ayse", "password": "s3cret-pass"}

    def test_a_refresh_token_that_changes_is_handed_on(self):
        options = {"grant_type": "refresh_token", "refresh_token": "first"}
        credentials, _, form = self.form_of(options, kept="second-one")
        assert (form["refresh_token"], credentials.refresh_token) == ("second-one", "second-one")
        credentials, _, form = self.form_of(options, refresh_token="third")
        assert (form["refresh_token"], credentials.refresh_token) == ("first", "third")

    @pytest.mark.parametrize(("life", "renewed_after"), [(3600, 3540), (10, 8), ("600", 540)])
    def test_it_is_renewed_ahead_of_its_end(self, life, renewed_after):
        assert self.form_of({}, expires_in=life)[0].renew_at == START + timedelta(seconds=renewed_after)

    @pytest.mark.parametrize("option", [{"grant_type": "implicit"}, {"client_auth": "jwt"}])
    def test_what_is_not_supported_is_told(self, option):
        with pytest.raises(ConfigurationError, match="choose"):
            self.form_of(option)


class TestFailures:
    ENDPOINT = an_endpoint("jwt", options=JWT | {"extra_body": {"tenant_key": "tenant-canary"}})

    def test_a_refusal_is_told_in_the_servers_words_without_secrets(self):
        words = {"detail": "no user ayse with s3cret-pass at tenant-canary", "code": "bad"}
        told = failure_of(self.ENDPOINT, in_turn(json_answer(words, 400)))
        assert "erp_default" in told
        assert "answered 400" in told
        assert "no user ayse" in told
        assert "s3cret-pass" not in told
        assert "tenant-canary" not in told

    def test_an_answer_without_token_shows_its_keys_and_not_its_values(self):
        told = failure_of(self.ENDPOINT, in_turn(json_answer({"data": {"accessValue": "t0ken-canary"}})))
        assert "accessValue" in told
        assert "$.token" in told
        assert "t0ken-canary" not in told

    def test_a_login_page_is_told_by_its_title(self):
        page = Answer(200, body=b"<html><head><title>Sign in</title></head><body>t0ken-canary</body></html>")
        told = failure_of(self.ENDPOINT, in_turn(page))
        assert "'Sign in'" in told
        assert "t0ken-canary" not in told

    def test_a_bare_text_is_not_shown_since_it_may_be_the_token(self):
        told = failure_of(self.ENDPOINT, in_turn(Answer(200, body=b"t0ken-canary")))
        assert "text of 12 characters" in told

    @pytest.mark.parametrize("token", [None, "", "  ", True, {"a": 1}, ["x"], 1.5])
    def test_what_can_be_no_token_is_none(self, token):
        assert "no token" in failure_of(self.ENDPOINT, in_turn(json_answer({"token": token})))

    @pytest.mark.parametrize("error", [NotSent("refused"), InDoubt("cut")])
    def test_a_login_that_does_not_get_through_is_repeated_and_then_not_sent(self, error):
        transport = FakeTransport(in_turn(error))
        visit = Visit(self.ENDPOINT, transport, FakeClock(), Random(1))
        with pytest.raises(LoginFailed):
            asyncio.run(log_in(visit))
        assert len(transport.calls) == 4

    def test_a_login_that_gets_through_at_the_second_try_is_fine(self):
        answer = in_turn(Answer(503), json_answer({"token": "abc"}))
        assert logged_in(self.ENDPOINT, answer)[0].headers == {"Authorization": "Bearer abc"}


class TestTokenKey:
    def test_it_changes_with_all_that_the_login_depends_on_and_shows_none_of_it(self):
        endpoints = [
            an_endpoint("jwt"),
            an_endpoint("basic"),
            an_endpoint("jwt", login="ali"),
            an_endpoint("jwt", password="other"),
            an_endpoint("jwt", base_url="https://other.test"),
            an_endpoint("jwt", options={"scope": "x"}),
        ]
        keys = [token_key(endpoint) for endpoint in endpoints]
        assert len(set(keys)) == len(keys)
        assert all(key.startswith("erp_default:") and "s3cret" not in key for key in keys)
        assert token_key(an_endpoint("jwt")) == keys[0]
