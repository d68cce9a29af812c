from __future__ import annotations

from datetime import timedelta

import pytest
import yaml

from order_cancellation.errors import ConfigurationError, FlowInvalid
from order_cancellation.flow.store import FlowStore
from order_cancellation.service.saving import Workshop
from order_cancellation.service.schedule import Wish
from order_cancellation.service.schedule import set_schedule as set_it
from unit.flow.flow_files import put


@pytest.fixture
def store(tmp_path):
    folder = tmp_path / "flows"
    put(folder, "acme", title="Acme")
    put(folder, "other")
    return FlowStore(folder)


@pytest.fixture
def set_schedule(ledger):
    def change(store: FlowStore, flow_id: str, **wish):
        return set_it(Workshop(store, ledger), flow_id, Wish(**wish), author="ada")

    return change


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
def test_a_schedule_is_written_and_the_flow_is_still_valid(set_schedule, store, wanted, block):
    saved = set_schedule(store, "acme", **wanted)
    assert written(store) == block
    assert (store.load("acme").flow, store.load("acme").revision) == (saved.flow, saved.revision)


def test_the_written_time_zone_stays_unless_another_is_given(set_schedule, store):
    set_schedule(store, "acme", cron="0 9 * * *", timezone="Europe/Istanbul")
    set_schedule(store, "acme", cron="0 8 * * *")
    assert written(store) == {"cron": "0 8 * * *", "timezone": "Europe/Istanbul"}
    set_schedule(store, "acme", cron="0 8 * * *", timezone="UTC")
    assert written(store)["timezone"] == "UTC"


def test_a_schedule_can_be_taken_away_and_given_back(set_schedule, store):
    before = (store.folder / "acme" / "flow.yaml").read_bytes()
    set_schedule(store, "acme", every="5m")
    set_schedule(store, "acme", none=True)
    assert (store.folder / "acme" / "flow.yaml").read_bytes() == before


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({}, "Flow 'acme': got no schedule: give exactly one of every, cron, after, none."),
        ({"every": "5m", "none": True}, "Flow 'acme': got every and none"),
        ({"cron": "* * * * *", "after": ["other"]}, "Flow 'acme': got cron and after"),
        ({"timezone": "UTC"}, "Flow 'acme': got no schedule"),
        ({"every": "soon"}, "Flow 'acme', schedule.every: 'soon' is no length of time"),
        ({"every": "0s"}, "every must be at least 1s"),
        ({"cron": "x"}, "is no cron expression"),
        ({"cron": "* * * * *", "timezone": "Mars"}, "schedule.timezone: 'Mars' is no known time zone"),
        ({"after": []}, "is an empty list"),
        ({"after": ["gone"]}, "there is no flow 'gone'"),
        ({"after": ["acme"]}, "runs after itself"),
    ],
)
def test_what_is_no_schedule_changes_nothing(set_schedule, store, wanted, words):
    before = (store.folder / "acme" / "flow.yaml").read_bytes()
    with pytest.raises(ConfigurationError, match=words):
        set_schedule(store, "acme", **wanted)
    assert (store.folder / "acme" / "flow.yaml").read_bytes() == before


def test_a_circle_over_several_flows_is_refused(set_schedule, store):
    set_schedule(store, "other", after=["acme"])
    with pytest.raises(FlowInvalid, match="acme → other → acme"):
        set_schedule(store, "acme", after=["other"])


def test_a_flow_that_is_not_valid_is_left_alone(set_schedule, store):
    put(store.folder, "broken", titel="x")
    with pytest.raises(FlowInvalid, match="unknown key 'titel'"):
        set_schedule(store, "broken", every="5m")


def test_an_unknown_flow_is_named(set_schedule, store):
    with pytest.raises(FlowInvalid, match="there is no such flow"):
        set_schedule(store, "gone", every="5m")


def test_each_change_stands_in_the_history_with_its_author(set_schedule, store, ledger):
    set_schedule(store, "acme", every="5m")
    newest, oldest = ledger.history.list("acme")
    assert (newest.author, newest.note) == ("ada", "Runs every 5 minutes")
    assert oldest.note == "As it was found"


def test_a_schedule_is_changed_whatever_the_saved_cases_say(set_schedule, store):
    case = store.folder / "acme" / "cases" / "x.yaml"
    case.parent.mkdir()
    case.write_text("step: script\ninput: {}\nexpect: {result: 1}\n")
    put(store.folder, "acme", script={"file": "script.py"})
    set_schedule(store, "acme", every="5m")
    assert written(store) == {"every": "5m"}
