from __future__ import annotations

from datetime import timedelta

import pytest
import yaml

from order_cancellation.errors import ConfigurationError, FlowInvalid
from order_cancellation.flow.store import FlowStore
from order_cancellation.service.schedule import set_schedule
from unit.flow.flow_files import put


@pytest.fixture
def store(tmp_path):
    put(tmp_path, "acme", title="Acme")
    put(tmp_path, "other")
    return FlowStore(tmp_path)


def written(store: FlowStore) -> dict | None:
    return yaml.safe_load((store.folder / "acme" / "flow.yaml").read_bytes()).get("schedule")


@pytest.mark.parametrize(
    ("wanted", "block"),
    [
        ({"every": "5m"}, {"every": "5m"}),
        ({"every": 90}, {"every": "90s"}),
        ({"every": timedelta(hours=1)}, {"every": "1h"}),
        (
            {"cron": "*/5 * * * *", "timezone": "Europe/Istanbul"},
            {"cron": "*/5 * * * *", "timezone": "Europe/Istanbul"},
        ),
        ({"after": ["other"]}, {"after": ["other"]}),
        ({"after": ("other",)}, {"after": ["other"]}),
        ({"none": True}, None),
    ],
)
def test_a_schedule_is_written_and_the_flow_is_still_valid(store, wanted, block):
    loaded = set_schedule(store, "acme", **wanted)
    assert written(store) == block
    assert store.load("acme") == loaded


def test_the_written_time_zone_stays_unless_another_is_given(store):
    set_schedule(store, "acme", cron="0 9 * * *", timezone="Europe/Istanbul")
    set_schedule(store, "acme", cron="0 8 * * *")
    assert written(store) == {"cron": "0 8 * * *", "timezone": "Europe/Istanbul"}
    set_schedule(store, "acme", cron="0 8 * * *", timezone="UTC")
    assert written(store)["timezone"] == "UTC"


def test_a_schedule_can_be_taken_away_and_given_back(store):
    before = (store.folder / "acme" / "flow.yaml").read_bytes()
    set_schedule(store, "acme", every="5m")
    set_schedule(store, "acme", none=True)
    assert (store.folder / "acme" / "flow.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "Got no schedule: give exactly one of every, cron, after, none."),
        ({"every": "5m", "none": True}, "Got every and none"),
        ({"cron": "* * * * *", "after": ["other"]}, "Got cron and after"),
        ({"timezone": "UTC"}, "Got no schedule"),
        ({"every": "soon"}, "'soon' is no length of time"),
        ({"every": "0s"}, "every must be at least 1s"),
        ({"cron": "x"}, "is no cron expression"),
        ({"cron": "* * * * *", "timezone": "Mars"}, "schedule.timezone: 'Mars' is no known time zone"),
        ({"after": []}, "is an empty list"),
        ({"after": ["gone"]}, "there is no flow 'gone'"),
        ({"after": ["acme"]}, "runs after itself"),
    ],
)
def test_what_is_no_schedule_changes_nothing(store, wanted, words):
    before = (store.folder / "acme" / "flow.yaml").read_bytes()
    with pytest.raises(ConfigurationError, match=words):
        set_schedule(store, "acme", **wanted)
    assert (store.folder / "acme" / "flow.yaml").read_bytes() == before


def test_a_circle_over_several_flows_is_refused(store):
    set_schedule(store, "other", after=["acme"])
    with pytest.raises(FlowInvalid, match="acme → other → acme"):
        set_schedule(store, "acme", after=["other"])


def test_a_flow_that_is_not_valid_is_left_alone(store):
    put(store.folder, "broken", titel="x")
    with pytest.raises(FlowInvalid, match="unknown key 'titel'"):
        set_schedule(store, "broken", every="5m")


def test_an_unknown_flow_is_named(store):
    with pytest.raises(FlowInvalid, match="there is no such flow"):
        set_schedule(store, "gone", every="5m")


def test_a_folder_that_can_not_be_written_is_named_with_advice(store, monkeypatch):
    def refuse(*_args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("order_cancellation.service.schedule.write_atomically", refuse)
    with pytest.raises(ConfigurationError, match=r"can't be written \(Permission denied\)"):
        set_schedule(store, "acme", every="5m")


def test_a_change_by_somebody_else_at_this_moment_is_not_lost(store, monkeypatch):
    path = store.folder / "acme" / "flow.yaml"

    def meanwhile(*_args):
        path.write_bytes(path.read_bytes() + b"owner: somebody\n")
        return []

    monkeypatch.setattr("order_cancellation.service.schedule.place_problems", meanwhile)
    with pytest.raises(ConfigurationError, match="changed by somebody else"):
        set_schedule(store, "acme", every="5m")
    assert b"owner: somebody" in path.read_bytes()
