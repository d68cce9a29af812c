"""The history of a flow's folder: who saved what, and what was changed from outside."""

from __future__ import annotations

from contract.ledgers import FLOW

A, B = "a" * 64, "b" * 64


def test_saves_are_listed_newest_first(ledger):
    first = ledger.history.add(FLOW, A, author="ada", note="begun")
    second = ledger.history.add(FLOW, B, author="bob", note="")
    ledger.history.add("other", A, author="ada", note="")
    assert ledger.history.list(FLOW) == [second, first]
    assert ledger.history.list(FLOW, limit=1) == [second]


def test_a_save_is_found_by_its_number_and_its_flow_only(ledger):
    save = ledger.history.add(FLOW, A, author="ada", note="")
    assert ledger.history.get(FLOW, save.id) == save
    assert ledger.history.get("other", save.id) is None
    assert ledger.history.get(FLOW, save.id + 1) is None


def test_what_is_found_is_entered_once(ledger):
    ledger.history.add(FLOW, A, author="ada", note="")
    ledger.history.see(FLOW, A, author="", note="from outside")
    ledger.history.see(FLOW, B, author="", note="from outside")
    ledger.history.see(FLOW, B, author="", note="from outside")
    assert [(one.revision, one.author) for one in ledger.history.list(FLOW)] == [(B, ""), (A, "ada")]


def test_a_folder_that_is_put_back_from_outside_is_a_new_version(ledger):
    for revision in (A, B, A):
        ledger.history.see(FLOW, revision, author="", note="")
    assert [one.revision for one in ledger.history.list(FLOW)] == [A, B, A]


def test_a_long_name_and_odd_texts_are_kept(ledger):
    ledger.history.add(FLOW, A, author="x" * 300, note="half \ud800 and \0")
    (save,) = ledger.history.list(FLOW)
    assert (len(save.author), save.note) == (200, "half ? and \ufffd")
