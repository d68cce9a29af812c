from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from contract.ledgers import FLOW, brought_to
from order_cancellation.http.tokens import Token
from order_cancellation.ledger import State
from order_cancellation.service.doctor import COORDINATOR, EXECUTOR, MASKED, Finding, examine
from order_cancellation.service.requests import open_ledger
from order_cancellation.service.settings import AirflowSettings, Settings
from unit.flow.flow_files import put

NEW = Fernet.generate_key().decode()
PLUGINS = Path(__file__).resolve().parents[3] / "plugins"
AIRFLOW = AirflowSettings(EXECUTOR, frozenset(MASKED), COORDINATOR, PLUGINS)


@pytest.fixture
def settings(tmp_path):
    put(tmp_path / "flows", "acme")
    return Settings(
        flows_folder=tmp_path / "flows",
        ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}",
        payload_keys=(Fernet.generate_key().decode(),),
    )


def found(settings: Settings, name: str, airflow: AirflowSettings = AIRFLOW, **changes) -> Finding:
    findings = examine(replace(settings, **changes), airflow)
    return next(finding for finding in findings if finding.name == name)


def test_a_sound_installation_has_nothing_wrong(settings):
    assert [finding for finding in examine(settings, AIRFLOW) if finding.state == "wrong"] == []


def test_every_protection_of_scripts_is_listed(settings):
    names = {finding.name for finding in examine(settings, AIRFLOW) if finding.area == "scripts"}
    assert {"network", "files", "memory"} <= names


def test_a_missing_flows_folder_is_wrong(settings, tmp_path):
    assert found(settings, "flows_folder", flows_folder=tmp_path / "gone").state == "wrong"


def test_a_broken_flow_is_wrong_and_named(settings):
    put(settings.flows_folder, "bad", titel="x")
    finding = found(settings, "flows_folder")
    assert (finding.state, "broken: bad" in finding.detail) == ("wrong", True)


@pytest.mark.parametrize("keys", [(), ("short",), ("not base64 but long enough to be one, or so",)])
def test_a_missing_or_impossible_key_is_wrong_and_not_shown(settings, keys):
    finding = found(settings, "payload_key", payload_keys=keys)
    assert finding.state == "wrong"
    assert not any(key in finding.detail for key in keys)


def test_a_package_that_is_not_installed_is_wrong(settings):
    finding = found(settings, "script_packages", script_packages=("json", "no_such_package_here"))
    assert (finding.state, finding.detail) == ("wrong", "not installed: no_such_package_here")


def test_a_ledger_that_can_not_be_reached_is_wrong_and_its_password_is_not_shown(settings):
    finding = found(settings, "ledger", ledger_url="postgresql+psycopg2://me:secret@127.0.0.1:1/db")
    assert finding.state == "wrong"
    assert "secret" not in finding.detail


class TestKeysOfTheLedger:
    """What is in the ledger was written under the key that is set at first."""

    def test_the_newest_key_reads_everything(self, settings):
        with open_ledger(settings) as ledger:
            brought_to(ledger, State.IN_DOUBT)
        finding = found(settings, "ledger_keys")
        assert (finding.state, finding.detail) == ("ok", "the newest key reads everything")

    @pytest.mark.parametrize(
        ("state", "kind", "when"),
        [
            (State.IN_DOUBT, "1 payloads of unfinished requests", "until the DAG maintenance has run"),
            (State.DONE, "1 payloads of finished requests", "keep_payloads_days"),
        ],
    )
    def test_what_needs_an_older_key_is_told_with_when_it_can_go(self, settings, state, kind, when):
        with open_ledger(settings) as ledger:
            brought_to(ledger, state)
        finding = found(settings, "ledger_keys", payload_keys=(NEW, *settings.payload_keys))
        assert finding.state == "ok"
        assert finding.detail.startswith(f"only an older key reads {kind}: ")
        assert when in finding.detail

    def test_a_missing_key_is_wrong_where_work_stands_still_without_it(self, settings):
        with open_ledger(settings) as ledger:
            ledger.runs.keep_revision(FLOW, "r1", {})
            ledger.runs.start(FLOW, "run-1", "r1", dry_run=False)
            brought_to(ledger, State.IN_DOUBT)
        finding = found(settings, "ledger_keys", payload_keys=(NEW,))
        assert finding.state == "wrong"
        assert "no key reads 1 flows' newest revisions, 1 payloads of unfinished requests: " in finding.detail
        assert "add the key" in finding.detail
        assert not any(key in finding.detail for key in (NEW, *settings.payload_keys))

    def test_a_missing_key_that_nothing_waits_for_is_told_and_not_wrong(self, settings):
        with open_ledger(settings) as ledger:
            ledger.tokens.save("erp", Token({"a": "b"}))
            brought_to(ledger, State.DONE)
        finding = found(settings, "ledger_keys", payload_keys=(NEW,))
        assert finding.state == "absent"
        assert "1 login tokens, 1 payloads of finished requests" in finding.detail


class TestAirflowsOwnSettings:
    @pytest.mark.parametrize(
        ("name", "changes", "state", "told"),
        [
            (
                "sensitive_var_conn_names",
                {"masked_fields": frozenset()},
                "wrong",
                "login_headers and extra_body",
            ),
            (
                "sensitive_var_conn_names",
                {"masked_fields": frozenset(["extra_body"])},
                "wrong",
                "login_headers of",
            ),
            ("dag_run_conf_overrides_params", {"conf_counts": False}, "wrong", "a dry run would send"),
            (
                "plugins_folder",
                {"plugins_folder": Path("/nowhere")},
                "wrong",
                "/nowhere has no order_cancellation",
            ),
            ("executor", {"executor": "LocalExecutor"}, "absent", f"executor = {EXECUTOR}"),
            ("executor", {"executor": "CeleryExecutor"}, "wrong", "could be sent twice"),
            ("executor", {"executor": f"{EXECUTOR}, c:CeleryExecutor"}, "wrong", "could be sent twice"),
            ("coordinators", {"coordinator": ""}, "absent", "holds its slot"),
            ("coordinators", {"coordinator": None}, "wrong", "no task starts"),
        ],
    )
    def test_are_told_with_what_they_bring_about_and_what_to_set(self, settings, name, changes, state, told):
        finding = found(settings, name, replace(AIRFLOW, **changes))
        assert (finding.state, told in finding.detail) == (state, True)
        assert "Set [" in finding.detail or "Write both" in finding.detail

    def test_are_fine_as_airflow_env_has_them(self, settings):
        states = {
            name: found(settings, name).state for name in ("executor", "coordinators", "plugins_folder")
        }
        assert set(states.values()) == {"ok"}

    def test_allow_several_machines_where_the_ledger_is_one_for_all(self, settings):
        celery = replace(AIRFLOW, executor="CeleryExecutor")
        assert found(settings, "executor", celery, ledger_url="postgresql+psycopg2://h/l").state == "ok"
