"""The fake ERP's logins: JSON login with a JWT, OAuth2, basic, permanent token, secret headers."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from urllib.parse import parse_qsl

from order_cancellation.sandbox.exchange import Asked, Reply, error_reply, json_reply
from order_cancellation.sandbox.settings import Settings
from order_cancellation.sandbox.tokens import Tokens

PREFIXES = {"basic": "Basic", "jwt": "Bearer", "oauth2": "Bearer", "permanent_token": "Bearer"}


class ErpLogins:
    """Who may call the ERP, by the login that the settings demand.

    Args:
        tokens: The tokens that the ERP has given out.
        settings: Gives the settings of the moment.
    """

    def __init__(self, tokens: Tokens, settings: Callable[[], Settings]) -> None:
        self.tokens = tokens
        self._settings = settings

    def accepts(self, asked: Asked) -> bool:
        """Say whether the call carries what the login demands."""
        settings = self._settings()
        if settings.erp_login == "none":
            return True
        if settings.erp_login == "custom_header":
            wanted = settings.erp_secret_headers.items()
            return all(asked.headers.get(name.lower()) == value for name, value in wanted)
        secret = _secret(asked, settings)
        if settings.erp_login == "basic":
            return _basic(secret) == (settings.erp_user, settings.erp_password)
        if settings.erp_login == "permanent_token":
            return secret == settings.erp_token
        return secret is not None and self.tokens.accepts(secret)

    def login(self, asked: Asked) -> Reply:
        """Answer a JSON login with a token and ``expires_in``."""
        if not asked.is_json:
            return error_reply(415, "Send JSON.", "unsupported_media_type")
        try:
            data = asked.json()
        except ValueError:
            return error_reply(400, "The body is not JSON.", "parse_error")
        settings = self._settings()
        wanted = {
            "username": settings.erp_user,
            "password": settings.erp_password,
            **settings.erp_login_extra,
        }
        if not isinstance(data, dict) or any(data.get(name) != value for name, value in wanted.items()):
            return error_reply(401, "Kullanıcı adı veya şifre hatalı.", "bad_credentials")
        return json_reply(200, {"token": self._token(settings), "expires_in": int(settings.erp_token_life)})

    def oauth_token(self, asked: Asked) -> Reply:
        """Answer a call to the OAuth2 token endpoint (RFC 6749, sections 4.3, 4.4, 5 and 6)."""
        if not asked.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            return _oauth_error("invalid_request", "Send a form.")
        try:
            form = dict(parse_qsl(asked.body.decode()))
        except UnicodeDecodeError:
            return _oauth_error("invalid_request", "The form is not UTF-8.")
        settings = self._settings()
        client = _basic(_after(asked.headers.get("authorization", ""), "Basic"))
        if client is None:
            client = (form.get("client_id", ""), form.get("client_secret", ""))
        if client != (settings.erp_client_id, settings.erp_client_secret):
            return _oauth_error("invalid_client", "Unknown client.", status=401)
        return self._granted(form, settings)

    def _granted(self, form: dict[str, str], settings: Settings) -> Reply:
        grant = form.get("grant_type")
        person = (form.get("username"), form.get("password"))
        if grant not in ("client_credentials", "password", "refresh_token"):
            return _oauth_error("unsupported_grant_type", "No such grant.")
        if grant == "password" and person != (settings.erp_user, settings.erp_password):
            return _oauth_error("invalid_grant", "Wrong user name or password.")
        if grant == "refresh_token" and form.get("refresh_token") != settings.erp_refresh_token:
            return _oauth_error("invalid_grant", "Wrong refresh token.")
        answer = {
            "access_token": self._token(settings),
            "token_type": "Bearer",
            "expires_in": int(settings.erp_token_life),
            "scope": form.get("scope", ""),
        }
        if grant != "client_credentials":
            answer["refresh_token"] = settings.erp_refresh_token
        return json_reply(200, answer)

    def _token(self, settings: Settings) -> str:
        return self.tokens.issue_jwt(settings.erp_user, settings.erp_token_life, settings.erp_token_calls)


def _secret(asked: Asked, settings: Settings) -> str | None:
    prefix = settings.erp_prefix
    if prefix is None:
        prefix = PREFIXES[settings.erp_login]
    return _after(asked.headers.get(settings.erp_header.lower(), ""), prefix)


def _after(value: str, prefix: str) -> str | None:
    if not prefix:
        return value or None
    word, _, rest = value.partition(" ")
    return rest if word == prefix and rest else None


def _basic(encoded: str | None) -> tuple[str, str] | None:
    try:
        text = base64.b64decode(encoded or "", validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None
    user, colon, password = text.partition(":")
    return (user, password) if colon else None


def _oauth_error(code: str, words: str, *, status: int = 400) -> Reply:
    return json_reply(status, {"error": code, "error_description": words})
