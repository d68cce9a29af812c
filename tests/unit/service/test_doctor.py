from __future__ import annotations

import pytest
from cryptography.fernet import Fernet

from order_cancellation.service.doctor import Finding, examine
from order_cancellation.service.settings import Settings
from unit.flow.flow_files import put


@pytest.fixture
def settings(tmp_path):
    put(tmp_path / "flows", "acme")
    return Settings(
        flows_folder=tmp_path / "flows",
        ledger_url=f"sqlite:///{tmp_path / 'ledger.db'}",
        payload_keys=(Fernet.generate_key().decode(),),
    )


def found(settings: Settings, name: str, **changes) -> Finding:
    from dataclasses import replace

    return next(finding for finding in examine(replace(settings, **changes)) if finding.name == name)


def test_a_sound_installation_has_nothing_wrong(settings):
    assert [finding for finding in examine(settings) if finding.state == "wrong"] == []


def test_every_protection_of_scripts_is_listed(settings):
    names = {finding.name for finding in examine(settings) if finding.area == "scripts"}
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
