"""Runs with their batches, revisions and notes; shared logins; dry results."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from contract.ledgers import FLOW, STEP, brought_to, enter_batch, find, open_claim, requests, sending, take
from order_cancellation.http.tokens import Token
from order_cancellation.ledger import Batch, State
from order_cancellation.ledger.dry import DryResult


class TestRuns:
    def test_a_run_is_there_from_its_start_and_listed_at_the_end_of_reading(self, ledger):
        assert ledger.runs.get(FLOW, "run-1") is None
        ledger.runs.start(FLOW, "run-1", "r1", dry_run=False)
        assert ledger.runs.get(FLOW, "run-1").listed is False
        ledger.runs.listed(FLOW, "run-1", [], lines=["Ş"], problems=["p"])
        row = ledger.runs.get(FLOW, "run-1")
        assert (row.listed, row.lines, row.problems, row.revision) == (True, ("Ş",), ("p",), "r1")

    def test_reading_again_replaces_the_batches(self, ledger):
        for size in (3, 1):
            ledger.runs.start(FLOW, "run-1", f"r{size}", dry_run=False)
            batches = [Batch(number, f"r{size}", "x" * 300, 1) for number in range(size)]
            ledger.runs.listed(FLOW, "run-1", batches, lines=[], problems=[])
        assert ledger.runs.batch_count(FLOW, "run-1") == 1
        assert ledger.runs.batch(FLOW, "run-1", 0) == Batch(0, "r1", "x" * 200, 1)
        assert ledger.runs.batch(FLOW, "run-1", 1) is None

    def test_the_newest_run_is_the_one_that_read_last(self, ledger, clock):
        """Cleared, an older run takes the flow as it is now."""
        for run_id, revision in (("run-1", "r1"), ("run-2", "r2"), ("run-1", "r3")):
            ledger.runs.start(FLOW, run_id, revision, dry_run=False)
            clock.advance(1)
            ledger.runs.listed(FLOW, run_id, [], lines=[], problems=[])
            clock.advance(60)
        assert ledger.runs.newest_revision(FLOW) == "r3"

    def test_a_pin_is_the_batchs_own(self, ledger):
        ledger.runs.start(FLOW, "run-1", "r1", dry_run=False)
        ledger.runs.listed(
            FLOW, "run-1", [Batch(0, "r1", "a", 1), Batch(1, "r1", "b", 1)], lines=[], problems=[]
        )
        ledger.runs.pin(FLOW, "run-1", 1, "r2")
        assert [ledger.runs.batch(FLOW, "run-1", one).revision for one in (0, 1)] == ["r1", "r2"]

    def test_a_revision_is_kept_byte_for_byte_and_once(self, ledger):
        files = {"flow.yaml": b"title: \xc5\x9e\n", "script.py": bytes(range(256))}
        ledger.runs.keep_revision(FLOW, "r1", files, author="ada")
        ledger.runs.keep_revision(FLOW, "r1", {}, author="eve")
        assert ledger.runs.revision(FLOW, "r1") == files
        with pytest.raises(KeyError):
            ledger.runs.revision(FLOW, "r2")

    def test_a_red_step_is_noted_for_its_batch_and_the_note_is_taken_once(self, ledger):
        ledger.runs.note_red(FLOW, "run-1", 0, "script")
        ledger.runs.note_red(FLOW, "run-1", 0, "script")
        assert not ledger.runs.take_note(FLOW, "run-1", 1, "script", ())
        assert ledger.runs.take_note(FLOW, "run-1", 0, "script", ())
        assert not ledger.runs.take_note(FLOW, "run-1", 0, "script", ())

    def test_the_following_steps_notes_go_with_it_and_earlier_ones_stay(self, ledger):
        for step in ("script", "mapping", "write_to_erp"):
            ledger.runs.note_red(FLOW, "run-1", 0, step)
        assert ledger.runs.take_note(FLOW, "run-1", 0, "mapping", ("write_to_erp",))
        assert not ledger.runs.take_note(FLOW, "run-1", 0, "write_to_erp", ())
        assert ledger.runs.take_note(FLOW, "run-1", 0, "script", ())

    def test_of_two_executions_at_once_one_takes_the_note(self, open_ledger):
        ledgers = [open_ledger() for _ in range(2)]
        for number in range(10):
            ledgers[0].runs.note_red(FLOW, f"run-{number}", 0, "script")
            start = threading.Barrier(2)

            def grab(ledger, number=number, start=start):
                start.wait(30)
                return ledger.runs.take_note(FLOW, f"run-{number}", 0, "script", ("mapping",))

            with ThreadPoolExecutor(2) as crew:
                assert sum(crew.map(grab, ledgers)) == 1

    def test_counts_and_what_is_unfinished_are_told_by_run_and_batch(self, ledger):
        uuids = enter_batch(ledger, 4, batches=2)
        claim = open_claim(ledger, batch=1)
        records = take(ledger, claim)
        ledger.work.apply(claim, [sending(records[0])])
        assert ledger.runs.counts(FLOW, "run-1") == {"prepared": 3, "sending": 1}
        assert ledger.runs.counts(FLOW, "run-1", 1) == {"prepared": 1, "sending": 1}
        assert [one.uuid for one in ledger.runs.unfinished(FLOW, "run-1", 0)] == uuids[::2]
        assert len(ledger.runs.unfinished(FLOW, "run-1")) == 4
        assert ledger.runs.counts(FLOW, "run-2") == {}

    def test_what_waits_for_a_person_from_other_runs_is_counted(self, ledger):
        brought_to(ledger, State.PARKED, 1)
        brought_to(ledger, State.IN_DOUBT, 2)
        brought_to(ledger, State.FAILED, 3)
        assert ledger.runs.waiting(FLOW, "run-2") == {"parked": 1, "in_doubt": 1}
        assert ledger.runs.waiting(FLOW, "run-1") == {}


class TestTokens:
    def test_a_token_comes_back_whole(self, ledger, clock):
        token = Token(
            headers={"Authorization": "Bearer ş"},
            generation=3,
            expires_at=clock.now() + timedelta(seconds=90),
            refresh_token="next",
        )
        ledger.tokens.save("erp", token)
        assert ledger.tokens.load("erp") == token
        assert ledger.tokens.load("another") is None

    def test_a_claim_alone_is_no_token(self, ledger):
        assert ledger.tokens.claim_renewal("erp", owner="one", seen_generation=0, seconds=30)
        assert ledger.tokens.load("erp") is None

    def test_an_older_token_never_replaces_a_newer_one(self, ledger):
        for generation in (2, 1):
            ledger.tokens.save("erp", Token(headers={"n": str(generation)}, generation=generation))
        assert ledger.tokens.load("erp").generation == 2

    def test_one_renews_at_a_time_and_may_claim_again_what_it_holds(self, ledger):
        claim = ledger.tokens.claim_renewal
        assert claim("erp", owner="one", seen_generation=0, seconds=30)
        assert not claim("erp", owner="two", seen_generation=0, seconds=30)
        assert claim("erp", owner="one", seen_generation=0, seconds=30)
        assert claim("other", owner="two", seen_generation=0, seconds=30)

    def test_a_claim_that_is_given_back_is_free_at_once(self, ledger):
        ledger.tokens.claim_renewal("erp", owner="one", seen_generation=0, seconds=30)
        ledger.tokens.claim_renewal("erp", owner="one", seen_generation=0, seconds=0)
        assert ledger.tokens.claim_renewal("erp", owner="two", seen_generation=0, seconds=30)

    def test_a_dead_owners_claim_ends(self, ledger, clock):
        ledger.tokens.claim_renewal("erp", owner="one", seen_generation=0, seconds=30)
        clock.advance(31)
        assert ledger.tokens.claim_renewal("erp", owner="two", seen_generation=0, seconds=30)

    def test_who_saw_an_older_token_does_not_renew(self, ledger):
        ledger.tokens.save("erp", Token(headers={}, generation=2))
        assert not ledger.tokens.claim_renewal("erp", owner="one", seen_generation=1, seconds=30)
        assert ledger.tokens.claim_renewal("erp", owner="one", seen_generation=2, seconds=30)

    def test_of_many_that_notice_at_once_exactly_one_renews(self, open_ledger):
        ledgers = [open_ledger() for _ in range(4)]
        for generation in range(10):
            start = threading.Barrier(len(ledgers))

            def notice(place, generation=generation, start=start):
                start.wait(30)
                return ledgers[place].tokens.claim_renewal(
                    "erp", owner=f"o{place}", seen_generation=generation, seconds=30
                )

            with ThreadPoolExecutor(len(ledgers)) as crew:
                assert Counter(crew.map(notice, range(len(ledgers))))[True] == 1
            ledgers[0].tokens.save("erp", Token(headers={}, generation=generation + 1))

    def test_the_key_of_a_long_connection_id_fits(self, ledger):
        key = "c" * 250 + ":" + "0" * 32
        ledger.tokens.save(key, Token(headers={"a": "b"}))
        assert ledger.tokens.load(key).headers == {"a": "b"}


class TestDryResults:
    def test_they_come_back_in_their_order_and_by_batch(self, ledger):
        results = [DryResult(f"u{n}", n, n % 2, n, "script", data={"request": {"id": n}}) for n in (3, 1, 2)]
        ledger.dry.save(FLOW, "dry", results)
        assert [one.id for one in ledger.dry.load(FLOW, "dry")] == [1, 2, 3]
        assert ledger.dry.load(FLOW, "dry", batch=0) == [results[2]]
        assert ledger.dry.load(FLOW, "another") == []

    def test_a_later_step_replaces_what_an_earlier_one_left(self, ledger):
        ledger.dry.save(FLOW, "dry", [DryResult("u", 1, 0, 0, "script")])
        ledger.dry.save(FLOW, "dry", [DryResult("u", 1, 0, 0, "", error="e", data={"x": 1})])
        assert ledger.dry.load(FLOW, "dry") == [DryResult("u", 1, 0, 0, "", "e", {"x": 1})]

    def test_nothing_is_saved_as_nothing(self, ledger):
        ledger.dry.save(FLOW, "dry", [])
        assert ledger.dry.load(FLOW, "dry") == []

    def test_a_dry_run_enters_no_request(self, ledger):
        ledger.dry.save(FLOW, "dry", [DryResult(one["uuid"], one["id"], 0, 0, "") for one in requests(2)])
        assert ledger.queries.list() == []


def test_a_batch_is_worked_on_at_its_own_step_only(ledger):
    """What waits at another step is not taken."""
    enter_batch(ledger, 1)
    claim = open_claim(ledger)
    assert ledger.work.take(claim, steps=("mapping",), states=(State.PREPARED,)) == []
    assert find(ledger, "1").step == STEP
