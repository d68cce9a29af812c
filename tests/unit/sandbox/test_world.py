"""The world follows one scenario, keeps its logs, and begins anew when told."""

from __future__ import annotations

import pytest

from order_cancellation.sandbox import SandboxError, World


def test_a_reset_begins_anew(call):
    caller = call("erp_throttles")
    caller.book(1)
    caller.update(1, {"status": "completed"})
    caller.world.reset()
    assert (caller.world.calls, caller.world.book.entries, caller.world.omnitron.writes) == ([], [], [])
    assert caller.world.store.get(1).document["status"] == "approved"
    assert caller.book(1).status == 401


def test_a_reset_counts_rules_and_attempts_anew(call):
    caller = call("erp_throttles")
    first = caller.book(3).status
    caller.world.reset()
    caller.log_in()
    assert (first, caller.book(3).status) == (429, 429)


def test_another_scenario_can_keep_requests_book_and_tokens(call):
    caller = call()
    caller.book(1)
    caller.world.use("refusal", keep=True)
    assert (caller.book(3).status, caller.booked) == (422, [1])


def test_an_unknown_scenario_changes_nothing(call):
    caller = call()
    with pytest.raises(SandboxError):
        caller.world.use("nonsense")
    assert (caller.world.scenario.name, caller.book(1).status) == ("all_fine", 201)


def test_a_call_is_logged_with_all_that_came(call):
    caller = call("refusal")
    caller.book(3, headers={"x-trace": "7"})
    logged = caller.world.calls[-1].as_data()
    assert (logged["route"], logged["id"], logged["status"], logged["rule"]) == ("erp.book", 3, 422, "rule 1")
    assert (logged["headers"]["x-trace"], logged["body"]) == ("7", '{"request_id": 3}')


def test_settings_hold_through_scenarios(call):
    caller = call()
    caller.world.change_settings({"limit_cap": 7})
    caller.world.use("demo")
    assert (caller.world.settings.limit_cap, caller.world.settings.erp_latency) == (7, 0.05)


def test_the_number_of_requests_is_a_setting_that_begins_anew(call):
    caller = call("refusal")
    caller.world.change_settings({"requests": 25})
    assert len(caller.world.store) == 25
    caller.log_in()
    assert caller.book(3).status == 422


@pytest.mark.parametrize(
    "changes",
    [
        {"erp_latency": -1},
        {"erp_latency": "1"},
        {"limit_cap": 0},
        {"limit_cap": True},
        {"erp_login": "magic"},
        {"book_paths": "$.id"},
        {"forbidden_transitions": [["a"]]},
        {"idempotency": 1},
        {"latency": 1},
        {"limit_cap": 7, "requests": -5},
    ],
)
def test_a_wrong_setting_changes_nothing(call, changes):
    caller = call()
    before = caller.world.settings
    with pytest.raises(SandboxError):
        caller.world.change_settings(changes)
    assert (caller.world.settings, len(caller.world.store)) == (before, 10)


def test_secrets_are_not_shown():
    assert "-secret" not in repr(World("all_fine", {}, lambda: 0.0).settings)


class TestRequests:
    def test_one_can_be_added(self, call):
        document = call().world.store.put({"status": "open", "channel": 5}).document
        assert (document["id"], document["status"], document["channel"]["pk"]) == (11, "open", 5)

    def test_one_can_be_changed_by_path(self, call):
        document = call().world.store.put({"id": 2, "order_item.order.number": "A-1"}).document
        assert (document["id"], document["order_item"]["order"]["number"]) == (2, "A-1")

    def test_a_full_object_is_held_as_it_is(self, call):
        store = call().world.store
        document = {**store.get(1).document, "uuid": "another", "extra": 1}
        assert store.put(document).document == document
        assert store.find("another").position == 1

    def test_a_change_leaves_what_was_read_before_as_it_was(self, call):
        caller = call()
        before = caller.world.store.get(1).document
        caller.update(1, {"status": "completed"})
        caller.world.store.put({"id": 1, "iban": "TR"})
        assert (before["status"], before["iban"]) == ("approved", None)
