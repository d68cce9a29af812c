"""One request's life, as the command line and the pages show it: whole, and with personal data masked."""

from __future__ import annotations

import json

import pytest

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
    yield life(ledger, FlowStore(tmp_path), FLOW, uuid_of(1))


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


def test_an_unknown_request_is_told(ledger, tmp_path):
    with pytest.raises(ConfigurationError, match="no request 9"):
        life(ledger, FlowStore(tmp_path), FLOW, "9")
