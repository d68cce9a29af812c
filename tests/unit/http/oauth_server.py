"""A real OAuth2 server (Authlib's) over HTTP, so that not we alone judge our logins."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qsl

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # it is on loopback

from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientMixin,
    OAuth2Request,
    TokenMixin,
    grants,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator

CLIENT, SECRET, USER, PASSWORD = "merchant", "s3cret-of-client", "ayse", "şifre & 1+1=2"
METHODS = ["client_secret_basic", "client_secret_post"]


class Client(ClientMixin):
    """The one client that it knows."""

    def get_client_id(self):
        return CLIENT

    def get_allowed_scope(self, scope):
        return scope if scope in ("refunds", "", None) else ""

    def check_client_secret(self, client_secret):
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method, endpoint):
        return method in METHODS

    def check_grant_type(self, grant_type):
        return True


class Given(TokenMixin):
    """A token that was given out."""

    def __init__(self, token):
        self.token = token

    def check_client(self, client):
        return True

    def get_scope(self):
        return self.token.get("scope", "")


class PasswordGrant(grants.ResourceOwnerPasswordCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS

    def authenticate_user(self, username, password):
        return USER if (username, password) == (USER, PASSWORD) else None


class RefreshGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        token = self.server.by_refresh.get(refresh_token)
        return Given(token) if token else None

    def authenticate_user(self, refresh_token):
        return USER

    def revoke_old_credential(self, refresh_token):
        self.server.by_refresh.pop(refresh_token.token["refresh_token"])


class ClientGrant(grants.ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = METHODS


class OAuthServer(AuthorizationServer):
    """Gives tokens out, and says which of them it accepts."""

    def __init__(self):
        super().__init__(scopes_supported=["refunds"])
        self.tokens = {}
        self.by_refresh = {
            "first-refresh-token": {"refresh_token": "first-refresh-token", "scope": "refunds"}
        }
        self.logins = 0
        numbers = iter(range(1, 1000))

        def new_token(*_args, **_more):
            return f"token-{next(numbers)}"

        self.register_token_generator(
            "default", BearerTokenGenerator(new_token, new_token, lambda _client, _grant: 600)
        )
        for grant in (ClientGrant, PasswordGrant, RefreshGrant):
            self.register_grant(grant)

    def query_client(self, client_id):
        return Client() if client_id == CLIENT else None

    def save_token(self, token, request):
        self.logins += 1
        self.tokens[token["access_token"]] = token
        if "refresh_token" in token:
            self.by_refresh[token["refresh_token"]] = token

    def send_signal(self, name, *args, **kwargs):
        pass

    def create_oauth2_request(self, request):
        return request

    def handle_response(self, status, body, headers):
        return status, body, headers

    def answer(self, method, url, headers, body):
        """Answer the token endpoint; every other path wants one of the tokens."""
        if not url.endswith("/oauth/token"):
            _, _, token = headers.get("Authorization", "").partition(" ")
            return (200, {"ok": True}, []) if token in self.tokens else (401, {"error": "invalid_token"}, [])
        request = OAuth2Request(method, url, headers=headers)
        request.payload = BasicOAuth2Payload(dict(parse_qsl(body)))
        request.__class__ = _WithForm
        return self.create_token_response(request)


class _WithForm(OAuth2Request):
    @property
    def form(self):
        return self.payload._data


@contextmanager
def oauth_server() -> Iterator[tuple[OAuthServer, str]]:
    """Serve on loopback; give the server and its address."""
    oauth = OAuthServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            status, answer, headers = oauth.answer(
                "POST", f"http://127.0.0.1{self.path}", dict(self.headers), body
            )
            self.send_response(status)
            for name, value in headers:
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        do_GET = do_POST  # noqa: N815 -- the library's name

        def log_message(self, *_args):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield oauth, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
