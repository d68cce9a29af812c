"""Airflow's connections: the forms that people see, and what the engine gets of them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from airflow.sdk import Connection

from order_cancellation.errors import ConfigurationError
from order_cancellation.hooks.endpoints import endpoint_from, find_endpoint
from order_cancellation.hooks.erp import ErpHook
from order_cancellation.hooks.omnitron import OmnitronHook
from order_cancellation.http.logins import LOGIN_KINDS as KINDS_OF_THE_ENGINE
from order_cancellation.provider import LOGIN_KINDS, get_provider_info
from order_cancellation.sandbox.thread import SandboxThread

ROOT = Path(__file__).resolve().parents[2]
EXTRA_FIELDS = {
    *("login_kind", "prefix", "header", "login_url", "login_headers", "extra_body", "username_field"),
    *("password_field", "token_path", "grant_type", "oauth_url", "client_id", "client_secret", "scope"),
    *("client_auth", "refresh_token", "secret_headers"),
}
"""All extra fields of the contract's table."""


def a_connection(conn_type: str = "erp", *, extra: dict[str, Any] | None = None, **fields: Any) -> Connection:
    fields.setdefault("host", "https://erp.example.com")
    return Connection(conn_id="c", conn_type=conn_type, extra=json.dumps(extra or {}), **fields)


@pytest.fixture(scope="module")
def forms() -> dict[str, Any]:
    """The connection forms, as the page asks for them (``/ui/connections/hook_meta``)."""
    from airflow.api_fastapi.core_api.services.ui.connections import HookMetaService

    return {meta.connection_type: meta for meta in HookMetaService.hook_meta_data()}


class TestForm:
    def test_of_an_erp_has_every_field_of_the_contract(self, forms) -> None:
        assert set(forms["erp"].extra_fields) >= EXTRA_FIELDS

    def test_of_an_erp_offers_the_login_kinds(self, forms) -> None:
        schema = forms["erp"].extra_fields["login_kind"]["schema"]
        assert (schema["enum"], schema["default"]) == (list(LOGIN_KINDS), "none")

    @pytest.mark.parametrize("field", ["client_secret", "refresh_token"])
    def test_hides_secrets_while_they_are_typed(self, forms, field) -> None:
        assert forms["erp"].extra_fields[field]["schema"]["format"] == "password"

    @pytest.mark.parametrize(
        "field", ["client_secret", "refresh_token", "secret_headers", "login_headers", "extra_body", "proxy"]
    )
    def test_names_secrets_so_that_airflow_masks_them(self, field) -> None:
        from airflow.sdk.log import redact

        assert "canary" not in str(redact({field: {"X-Key": "canary"}}))

    @pytest.mark.parametrize("conn_type", ["omnitron", "erp"])
    def test_asks_for_a_base_url_and_hides_the_scheme(self, forms, conn_type) -> None:
        standard = forms[conn_type].standard_fields
        assert (standard.host.title, standard.url_schema.hidden) == ("Base URL", True)

    def test_explains_every_field(self, forms) -> None:
        fields = forms["erp"].extra_fields | forms["omnitron"].extra_fields
        assert all(field["description"] and field["schema"]["title"] for field in fields.values())

    def test_offers_what_the_engine_can_do(self) -> None:
        assert set(LOGIN_KINDS) == set(KINDS_OF_THE_ENGINE) - {"omnitron"}

    def test_is_given_the_setting_that_masks_what_no_name_gives_away(self) -> None:
        """The conftest's copy and ``airflow.env`` say the same."""
        line = (
            f"AIRFLOW__CORE__SENSITIVE_VAR_CONN_NAMES={os.environ['AIRFLOW__CORE__SENSITIVE_VAR_CONN_NAMES']}"
        )
        assert line in (ROOT / "airflow.env").read_text().splitlines()


class TestProviderInfo:
    def test_is_listed_under_the_distributions_name(self) -> None:
        from airflow.providers_manager import ProvidersManager

        assert get_provider_info()["package-name"] in ProvidersManager().providers

    def test_names_hook_classes_that_there_are(self) -> None:
        from airflow.sdk._shared.module_loading import import_string

        for one in get_provider_info()["connection-types"]:
            assert import_string(one["hook-class-name"]).conn_type == one["connection-type"]

    def test_knows_every_setting_of_the_contract(self) -> None:
        options = get_provider_info()["config"]["order_cancellation"]["options"]
        assert set(options) == {
            "flows_folder",
            "ledger_url",
            "payload_key",
            "script_isolation",
            "script_packages",
        }

    def test_gives_settings_their_defaults(self) -> None:
        from airflow.configuration import conf

        assert conf.get("order_cancellation", "script_isolation") == "best"


class TestBaseUrl:
    @pytest.mark.parametrize(
        ("fields", "url"),
        [
            ({"host": "https://erp.example.com"}, "https://erp.example.com"),
            ({"host": "https://erp.example.com:8443/api/"}, "https://erp.example.com:8443/api"),
            ({"host": "https://erp.example.com/api", "port": 8443}, "https://erp.example.com:8443/api"),
            ({"host": "https://erp.example.com:1", "port": 2}, "https://erp.example.com:1"),
            ({"host": "erp.example.com"}, "https://erp.example.com"),
            ({"host": "erp.example.com:8443"}, "https://erp.example.com:8443"),
            ({"host": "erp.example.com", "schema": "http"}, "http://erp.example.com"),
            ({"host": "http://127.0.0.1:8090/erp"}, "http://127.0.0.1:8090/erp"),
            ({"host": "[::1]", "port": 8090}, "https://[::1]:8090"),
        ],
    )
    def test_is_joined_of_scheme_host_port_and_path(self, fields, url) -> None:
        assert endpoint_from(a_connection(**fields)).base_url == url

    def test_of_airflows_own_type_is_http_where_no_scheme_is_given(self) -> None:
        assert endpoint_from(a_connection("http", host="erp")).base_url == "http://erp"

    @pytest.mark.parametrize("host", ["", "ftp://erp", "https://", "https://erp:port"])
    def test_that_is_unusable_is_refused(self, host) -> None:
        with pytest.raises(ConfigurationError, match="'c' has no usable host"):
            endpoint_from(a_connection(host=host))

    def test_with_credentials_in_it_is_refused_without_repeating_them(self) -> None:
        with pytest.raises(ConfigurationError, match="must not hold credentials") as caught:
            endpoint_from(a_connection(host="https://me:canary@erp"))
        assert "canary" not in str(caught.value)


class TestEndpoint:
    def test_of_omnitron_has_a_login_kind_of_its_own(self) -> None:
        endpoint = endpoint_from(a_connection("omnitron", login="me", password="secret1"))
        assert (endpoint.login_kind, endpoint.login, endpoint.password) == ("omnitron", "me", "secret1")

    @pytest.mark.parametrize(("login", "kind"), [("me", "basic"), (None, "none")])
    @pytest.mark.parametrize("conn_type", ["http", "erp"])
    def test_without_a_login_kind_has_the_obvious_one(self, conn_type, login, kind) -> None:
        assert endpoint_from(a_connection(conn_type, login=login)).login_kind == kind

    def test_leaves_empty_fields_of_the_form_out(self) -> None:
        extra = {"login_kind": "jwt", "login_url": "/login", "prefix": "", "header": None}
        assert endpoint_from(a_connection(extra=extra)).options == {
            "login_kind": "jwt",
            "login_url": "/login",
        }

    def test_reads_objects_that_stand_there_as_text(self) -> None:
        extra = {"login_kind": "custom_header", "secret_headers": '{"X-Key": "k"}'}
        assert endpoint_from(a_connection(extra=extra)).options["secret_headers"] == {"X-Key": "k"}

    def test_refuses_what_should_be_an_object_and_is_none(self) -> None:
        with pytest.raises(ConfigurationError, match="field secret_headers: give a JSON object"):
            endpoint_from(a_connection(extra={"secret_headers": "X-Key: k"}))

    def test_refuses_an_unknown_login_kind(self) -> None:
        with pytest.raises(ConfigurationError, match="login_kind 'magic' is not one of none, basic"):
            endpoint_from(a_connection(extra={"login_kind": "magic"}))

    def test_refuses_jwt_in_airflows_own_type(self) -> None:
        with pytest.raises(ConfigurationError, match="is not one of none, basic"):
            endpoint_from(a_connection("http", extra={"login_kind": "jwt"}))

    def test_refuses_another_type_of_connection(self) -> None:
        with pytest.raises(ConfigurationError, match="is of type 'ftp'"):
            endpoint_from(a_connection("ftp"))

    def test_knows_verify_under_both_names(self) -> None:
        assert endpoint_from(a_connection(extra={"verify_ssl": False})).options["verify"] is False

    def test_shows_no_secret(self) -> None:
        extra = {"client_secret": "canary-1", "secret_headers": {"X-Key": "canary-2"}}
        assert "canary" not in repr(endpoint_from(a_connection(password="canary-0", extra=extra)))

    def test_masks_every_secret_in_logs(self) -> None:
        from airflow.sdk.log import redact

        extra = {
            "client_secret": "heron-first",
            "refresh_token": "heron-second",
            "secret_headers": {"X-Key": "heron-third"},
            "login_headers": {"X-Api": "heron-fourth", "Accept": "application/json"},
            "extra_body": {"tenant": {"pin": "heron-fifth"}},
        }
        endpoint_from(a_connection(password="heron-zero", extra=extra))
        line = "heron-zero heron-first heron-second heron-third heron-fourth heron-fifth application/json"
        assert redact(line) == "*** *** *** *** *** *** application/json"


class TestLookUp:
    def test_finds_a_connection_of_the_environment(self, monkeypatch) -> None:
        monkeypatch.setenv("AIRFLOW_CONN_ERP_X", json.dumps({"conn_type": "erp", "host": "https://erp"}))
        assert find_endpoint("erp_x").base_url == "https://erp"

    @pytest.mark.usefixtures("airflow_db")
    def test_says_what_to_do_where_there_is_none(self) -> None:
        with pytest.raises(
            ConfigurationError, match=r"'absent' does not exist: add it .* AIRFLOW_CONN_ABSENT"
        ):
            find_endpoint("absent")


@pytest.fixture(scope="module")
def a_sandbox():
    with SandboxThread() as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(a_sandbox):
    """With the scenario that answers as it should, whatever the test before used."""
    a_sandbox.use("all_fine")
    return a_sandbox


def put(monkeypatch: pytest.MonkeyPatch, name: str, **fields: Any) -> None:
    monkeypatch.setenv(f"AIRFLOW_CONN_{name.upper()}", json.dumps(fields))


class TestTestButton:
    def test_logs_in_to_omnitron(self, sandbox, monkeypatch) -> None:
        put(
            monkeypatch,
            "omni",
            conn_type="omnitron",
            host=sandbox.omnitron_url,
            login=LOGIN["login"],
            password=LOGIN["password"],
        )
        assert OmnitronHook("omni").test_connection() == (
            True,
            f"Logged in to {sandbox.omnitron_url} (omnitron)",
        )

    def test_tells_a_wrong_password_without_repeating_it(self, sandbox, monkeypatch) -> None:
        put(
            monkeypatch,
            "omni",
            conn_type="omnitron",
            host=sandbox.omnitron_url,
            login="me",
            password="canary-77",
        )
        worked, message = OmnitronHook("omni").test_connection()
        assert (worked, "canary" in message) == (False, False)

    def test_calls_the_erp_where_its_kind_has_no_login(self, sandbox, monkeypatch) -> None:
        sandbox.sandbox.world.change_settings({"erp_login": "none"})
        put(monkeypatch, "erp", conn_type="erp", host=sandbox.erp_url)
        worked, message = ErpHook("erp").test_connection()
        assert worked
        assert "has no login to try" in message

    def test_tells_a_server_that_is_not_there(self, monkeypatch) -> None:
        put(monkeypatch, "erp", conn_type="erp", host="http://127.0.0.1:9")
        assert ErpHook("erp").test_connection()[0] is False

    @pytest.mark.parametrize("status", [401, 403, 500, 503])
    def test_is_red_where_the_base_address_refuses_or_fails(self, sandbox, monkeypatch, status) -> None:
        """With the server's words, and without the secret that these repeat."""
        says = {"status": status, "body": {"detail": "no such key: canary-77"}}
        root = {"match": {"route": "erp.root", "unauthenticated": True}, "then": says}
        sandbox.use({"name": "refuses", "rules": [root]})
        put(monkeypatch, "erp", conn_type="erp", host=sandbox.erp_url, login="me", password="canary-77")
        worked, message = ErpHook("erp").test_connection()
        assert (worked, "canary" in message) == (False, False)
        assert (str(status) in message, "no such key" in message) == (True, True)

    @pytest.mark.parametrize("status", [302, 404, 405])
    def test_says_that_it_has_not_checked_credentials(self, sandbox, monkeypatch, status) -> None:
        """Where nothing is at the base address: the host is reached, and that is all that is known."""
        root = {"match": {"route": "erp.root", "unauthenticated": True}, "then": {"status": status}}
        sandbox.use({"name": "nothing there", "rules": [root]})
        put(monkeypatch, "erp", conn_type="erp", host=sandbox.erp_url, login="me", password="wrong")
        worked, message = ErpHook("erp").test_connection()
        assert worked
        assert f"the credentials are not checked: it answers {status} at this address" in message

    def test_is_red_for_a_wrong_password_of_a_kind_without_login(self, sandbox, monkeypatch) -> None:
        sandbox.sandbox.world.change_settings({"erp_login": "basic"})
        put(monkeypatch, "erp", conn_type="erp", host=sandbox.erp_url, login="erp", password="wrong")
        assert ErpHook("erp").test_connection()[0] is False


JWT = {"login_kind": "jwt", "login_url": "/login"}
OAUTH = {"login_kind": "oauth2", "oauth_url": "/oauth/token", "client_id": "client"}
OAUTH |= {"client_secret": "client-secret"}


class TestTestButtonOfEachKind:
    """Against the sandbox, which demands that kind."""

    @pytest.mark.parametrize(
        ("kind", "extra", "told"),
        [
            ("none", {"login_kind": "none"}, "answers"),
            ("basic", {"login_kind": "basic"}, "answers"),
            ("jwt", JWT, "Logged in"),
            ("oauth2", OAUTH, "Logged in"),
            ("oauth2", {**OAUTH, "client_auth": "body"}, "Logged in"),
            ("oauth2", {**OAUTH, "grant_type": "password"}, "Logged in"),
            ("oauth2", {**OAUTH, "grant_type": "refresh_token", "refresh_token": "refresh-me"}, "Logged in"),
        ],
        ids=["none", "basic", "jwt", "oauth2 basic", "oauth2 body", "oauth2 password", "oauth2 refresh"],
    )
    def test_really_uses_it(self, sandbox, monkeypatch, kind, extra, told) -> None:
        world = sandbox.sandbox.world
        settings = world.change_settings({"erp_login": kind})
        known = {
            "client_id": settings.erp_client_id,
            "client_secret": settings.erp_client_secret,
            "refresh_token": settings.erp_refresh_token,
        }
        extra = {name: known.get(name, value) for name, value in extra.items()}
        login = {"login": settings.erp_user, "password": settings.erp_password}
        put(monkeypatch, "erp", conn_type="erp", host=sandbox.erp_url, extra=extra, **login)
        worked, message = ErpHook("erp").test_connection()
        assert (worked, told in message) == (True, True), message

    @pytest.mark.parametrize(
        ("extra", "told"),
        [
            ({**JWT, "token_path": "$.data.jeton"}, r'no token at \$.data.jeton.*"token": "…"'),
            ({**JWT, "token_path": "$$$["}, "is no JSONPath"),
            ({**JWT, "login_url": "/nowhere"}, "404"),
            ({**JWT, "login_url": ""}, "login_url is missing"),
            ({**OAUTH, "client_secret": "canary-9"}, "invalid_client"),
        ],
        ids=["no token there", "no JSONPath", "wrong address", "no address", "wrong secret"],
    )
    def test_tells_what_is_wrong_without_a_secret(self, sandbox, monkeypatch, extra, told) -> None:
        settings = sandbox.sandbox.world.change_settings({"erp_login": extra["login_kind"]})
        login = {"login": settings.erp_user, "password": settings.erp_password}
        put(monkeypatch, "erp", conn_type="erp", host=sandbox.erp_url, extra=extra, **login)
        worked, message = ErpHook("erp").test_connection()
        assert not worked
        assert re.search(told, message), message
        assert not re.search(r"canary|eyJ", message)
        assert settings.erp_password not in message


class TestSession:
    def test_is_logged_in_and_sends_no_field_of_the_connection_as_a_header(
        self, sandbox, monkeypatch
    ) -> None:
        extra = {
            "login_kind": "custom_header",
            "secret_headers": {"X-Key": "k-12345"},
            "client_secret": "canary",
        }
        put(monkeypatch, "erp", conn_type="erp", host=sandbox.erp_url, extra=extra)
        session = ErpHook("erp").get_conn()
        assert session.headers["X-Key"] == "k-12345"
        assert "canary" not in str(session.headers)


LOGIN = {"login": "omnitron", "password": "omnitron-secret"}
