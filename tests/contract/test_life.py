"""One request's life, as the command line and the pages show it: whole, and with personal data masked."""

from __future__ import annotations

import json

import pytest
from cryptography.fernet import Fernet

from contract.ledgers import FLOW, PERSONAL, a_request, brought_to, enter, open_claim, take, uuid_of
from order_cancellation.errors import ConfigurationError
from order_cancellation.flow.store import FlowStore
from order_cancellation.ledger import Change, State
from order_cancellation.service.life import life, reveal, show_request
from order_cancellation.service.requests import erase, redo_each


@pytest.fixture
def exchanged(ledger):
    """A request whose person is named in every payload, in texts that are JSON and in some that are none."""
    enter(ledger, [a_request()], first_step="write_to_erp", ready=True)
    ledger.intake.assign(FLOW, "run-1", 1)
    claim = open_claim(ledger)
    [record] = take(ledger, claim)
    body = json.dumps({"customer": PERSONAL, "lines": [{"name": "Shirt"}]})
    payloads = {
        "script": body,
        "mapping": {"buyer": PERSONAL["name"], "note": f"for {PERSONAL['name']}"},
        "attributes": {"who": PERSONAL["name"], "invokehttp.response.body": body},
        "sent": {"method": "POST", "headers": {}, "body": body},
        "answer": {
            "status": 201,
            "text": f"{PERSONAL['name']} is booked",
            "data": {"iban": PERSONAL["iban"]},
        },
    }
    sending = record.moved(State.SENDING, sends=1)
    answered = sending.moved(State.ANSWERED)
    ledger.work.apply(claim, [Change(record, sending, payloads), Change(sending, answered)])
    ledger.work.release(claim)
    return ledger


def shown(ledger, tmp_path):
    yield show_request(ledger, FLOW, "1")
    yield life(ledger, FlowStore(tmp_path), FLOW, uuid_of(1), paused=False)


class TestMasking:
    def test_no_personal_data_are_shown_wherever_they_stand(self, exchanged, tmp_path):
        for told in shown(exchanged, tmp_path):
            text = json.dumps(told, ensure_ascii=False)
            assert [value for value in PERSONAL.values() if value in text] == []

    def test_what_is_nobodys_stays_readable(self, exchanged, tmp_path):
        for told in shown(exchanged, tmp_path):
            kept = {one["kind"]: one["data"] for one in told["payloads"]}
            assert json.loads(kept["script"])["lines"] == [{"name": "Shirt"}]
            assert kept["answer"]["text"] == "*** is booked"
            assert kept["request"]["order_item"]["order"]["number"] == "ORD-1"

    def test_revealed_they_are_as_they_were(self, exchanged):
        told = {one["kind"]: one["data"] for one in reveal(exchanged, FLOW, uuid_of(1), why="x", who="ada")}
        assert told["answer"]["text"] == f"{PERSONAL['name']} is booked"
        assert told["request"]["customer"]["iban"] == PERSONAL["iban"]

    @pytest.mark.parametrize("why", ["", " \n"])
    def test_without_a_reason_nothing_is_revealed_or_written_down(self, exchanged, why):
        before = exchanged.queries.events(FLOW, uuid_of(1))
        with pytest.raises(ConfigurationError, match="say why"):
            reveal(exchanged, FLOW, uuid_of(1), why=why, who="ada")
        with pytest.raises(ConfigurationError, match="say why"):
            redo_each(exchanged, FLOW, [uuid_of(1)], why=why, who="ada")
        assert exchanged.queries.events(FLOW, uuid_of(1)) == before

    def test_a_reason_that_names_somebody_is_kept_without_the_name(self, exchanged):
        why = f"asked by {PERSONAL['email']}"
        reveal(exchanged, FLOW, uuid_of(1), why=why, who="ada")
        redo_each(exchanged, FLOW, [uuid_of(1)], why=why, who="ada")
        notes = [one["note"] for one in exchanged.queries.events(FLOW, uuid_of(1))][-2:]
        assert [note.endswith("because: asked by ***") for note in notes] == [True, True]


class TestErased:
    def test_it_says_so_and_keeps_how_often_it_was_sent(self, ledger, tmp_path):
        brought_to(ledger, State.DONE)
        erase(ledger, FLOW, "1", "ada")
        for told in shown(ledger, tmp_path):
            assert (told["erased"], told["payloads"]) == (True, [])
            assert "one call, and only one, can have booked it" in told["story"][1]
            assert (
                told["story"][-1]
                == "Call 1: answered (the words are erased); accepted (the words are erased)."
            )

    def test_who_saw_the_data_stays_known_without_the_reason(self, ledger):
        brought_to(ledger, State.DONE)
        reveal(ledger, FLOW, uuid_of(1), why="Zerrin-Canary called", who="eve")
        erase(ledger, FLOW, "1", "ada")
        notes = [one["note"] for one in ledger.queries.events(FLOW, uuid_of(1))]
        assert [note for note in notes if note] == [
            "personal data shown to eve",
            "personal data erased by ada",
        ]

    def test_read_from_omnitron_again_it_is_no_longer_erased(self, ledger, tmp_path):
        brought_to(ledger, State.DONE)
        erase(ledger, FLOW, "1", "ada")
        enter(ledger, [a_request()], "run-2", redo=True)
        assert [told["erased"] for told in shown(ledger, tmp_path)] == [False, False]

    def test_payloads_that_went_after_their_time_are_not_erased(self, ledger, clock, tmp_path):
        brought_to(ledger, State.DONE)
        clock.advance(86_400 * 40)
        ledger.housekeeping.delete_payloads(FLOW, older_than_days=30)
        assert [(told["erased"], told["payloads"]) for told in shown(ledger, tmp_path)] == [(False, [])] * 2


class TestKeys:
    """The key that is shown was sent: a person looks for it in the ERP."""

    def keys(self, ledger, tmp_path, state=None, **sent):
        """What is told of keys after one call, and a judgement of it."""
        enter(ledger, [a_request()], first_step="write_to_erp", ready=True)
        ledger.intake.assign(FLOW, "run-1", 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        if sent:
            new = record.moved(State.SENDING, sends=1)
            answered = new.moved(State.ANSWERED)
            ledger.work.apply(claim, [Change(record, new, {"sent": sent}), Change(new, answered)])
        if state is not None:
            judged = answered.moved(state, key_number=2 if state == State.REFUSED else 1)
            ledger.work.apply(claim, [Change(answered, judged)])
        ledger.work.release(claim)
        told = [(one["idempotency_key"], one["next_key"]) for one in shown(ledger, tmp_path)]
        assert told[0] == told[1]
        return told[0]

    def call(self, number):
        return {"method": "POST", "headers": {"X-Key": f"{FLOW}-{uuid_of(1)}-{number}"}, "body": "{}"}

    def test_after_a_refusal_the_one_that_was_sent_is_told_apart_from_the_next(self, ledger, tmp_path):
        key, following = self.keys(ledger, tmp_path, State.REFUSED, **self.call(1))
        assert (key, following) == (f"{FLOW}-{uuid_of(1)}-1", f"{FLOW}-{uuid_of(1)}-2")

    def test_after_a_booking_there_is_no_next_one(self, ledger, tmp_path):
        assert self.keys(ledger, tmp_path, State.ACCEPTED, **self.call(1)) == (f"{FLOW}-{uuid_of(1)}-1", None)

    def test_before_any_call_there_is_none(self, ledger, tmp_path):
        assert self.keys(ledger, tmp_path) == (None, None)

    def test_a_flow_that_sends_none_has_none(self, ledger, tmp_path):
        sent = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": "{}"}
        assert self.keys(ledger, tmp_path, State.REFUSED, **sent) == (None, None)


def test_an_unknown_request_is_told(ledger, tmp_path):
    with pytest.raises(ConfigurationError, match="no request 9"):
        life(ledger, FlowStore(tmp_path), FLOW, "9", paused=False)


def test_where_a_key_is_gone_all_but_what_was_exchanged_is_told(exchanged, open_ledger, tmp_path):
    """As of finished requests once an older key is taken out of the settings."""
    whole, another = [*shown(exchanged, tmp_path)], Fernet.generate_key().decode()
    for told, before in zip(shown(open_ledger(keys=(another,)), tmp_path), whole, strict=True):
        assert told["story"] == [*before["story"], told["story"][-1]]
        assert told["story"][-1].startswith(
            "What was exchanged can't be shown. A payload of the ledger can't"
        )
        assert (told["payloads"], told["erased"]) == ([], False)
        assert told.get("timeline") == before.get("timeline")
        assert told.get("history") == before.get("history")
