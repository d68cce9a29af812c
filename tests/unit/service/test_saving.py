"""The one home of saving: what is written, and what the history says of it, whatever goes wrong."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from order_cancellation.errors import FlowInvalid, LedgerUnavailable, SaveRefused
from order_cancellation.flow.store import FlowStore, revision_of
from order_cancellation.service import saving
from order_cancellation.service.history import restore, versions
from order_cancellation.service.saving import Workshop, create, delete, save
from unit.flow.flow_files import files_of, put


@pytest.fixture
def shop(tmp_path, ledger):
    put(tmp_path / "flows", "acme", title="Acme")
    return Workshop(FlowStore(tmp_path / "flows"), ledger)


def told(shop):
    return [(one.author, one.note) for one in versions(shop, "acme")]


def test_a_save_leaves_a_version_that_can_be_gone_back_to(shop):
    before = shop.store.read("acme")
    save(shop, "acme", files_of(title="New"), base=revision_of(before), author="ada", note="because")
    assert told(shop) == [("ada", "because"), (saving.OUTSIDE, "As it was found")]
    oldest = versions(shop, "acme")[-1]
    restore(shop, "acme", oldest.id, base=None, author="bob")
    assert shop.store.read("acme") == before
    assert told(shop)[0] == ("bob", f"Back to version {oldest.id}")


def test_a_save_that_changes_nothing_leaves_no_version(shop):
    save(shop, "acme", shop.store.read("acme"), base=None, author="ada")
    assert told(shop) == [(saving.OUTSIDE, "As it was found")]


def test_a_ledger_that_can_not_be_written_keeps_the_folder_as_it_is(shop, monkeypatch):
    def down(*_args, **_more):
        raise LedgerUnavailable("The ledger can't be written")

    monkeypatch.setattr(shop.ledger.history, "add", down)
    before = shop.store.read("acme")
    with pytest.raises(LedgerUnavailable):
        save(shop, "acme", files_of(title="New"), base=None, author="ada")
    assert shop.store.read("acme") == before


ACTS = {
    "change_folder": lambda shop: save(shop, "acme", files_of(title="New"), base=None, author="ada"),
    "make_folder": lambda shop: create(shop, "other", files_of(), author="ada"),
    "remove_folder": lambda shop: delete(shop, "acme", base=None, author="ada"),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_folder_that_can_not_be_written_leaves_no_version(shop, monkeypatch, act):
    def full(*_args):
        raise OSError(28, "No space left on device")

    versions(shop, "acme")
    monkeypatch.setattr(saving, act, full)
    with pytest.raises(SaveRefused, match="No space left") as caught:
        ACTS[act](shop)
    assert caught.value.code == "read_only"
    assert told(shop) == [(saving.OUTSIDE, "As it was found")]
    assert shop.ledger.history.list("other") == []


def test_a_crash_between_history_and_files_is_seen_as_it_was(shop, monkeypatch):
    class Died(BaseException):
        pass

    def died(*_args):
        raise Died

    monkeypatch.setattr(saving, "change_folder", died)
    monkeypatch.setattr(shop.ledger.history, "take_back", lambda _save: None)
    with pytest.raises(Died):
        save(shop, "acme", files_of(title="New"), base=None, author="ada", note="half")
    found = versions(shop, "acme")
    assert [one.note for one in found] == ["Changed from outside; first seen now", "half", "As it was found"]
    assert [one.is_current for one in found] == [True, False, False]


def test_of_two_saves_from_one_base_one_wins_and_the_other_is_told(shop):
    base = revision_of(shop.store.read("acme"))

    def one(name):
        try:
            save(shop, "acme", files_of(title=name), base=base, author=name)
        except SaveRefused as error:
            return error.facts["author"]
        return None

    with ThreadPoolExecutor(4) as pool:
        ends = list(pool.map(one, "abcd"))
    assert ends.count(None) == 1
    winner = "abcd"[ends.index(None)]
    assert set(ends) == {None, winner}
    assert shop.store.load("acme").flow.title == winner
    assert told(shop)[0] == (winner, "")


def test_what_is_not_valid_and_what_is_no_flow_is_never_written(shop):
    before = shop.store.read("acme")
    for files in ({}, {"flow.yaml": b"{"}, files_of(titel="x"), files_of(script={"file": "gone.py"})):
        with pytest.raises(FlowInvalid):
            save(shop, "acme", files, base=None, author="ada")
    assert shop.store.read("acme") == before
