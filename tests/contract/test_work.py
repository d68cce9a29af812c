"""Claims with leases and fencing numbers, and the changes written under them."""

from __future__ import annotations

import random
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import event

from contract.ledgers import (
    FLOW,
    LEASE_S,
    STEP,
    FakeClock,
    enter_batch,
    find,
    open_claim,
    sending,
    take,
)
from order_cancellation.errors import LeaseLost, LedgerUnavailable
from order_cancellation.ledger import Change, State


class TestTake:
    def test_what_one_claim_holds_no_other_gets(self, ledger):
        enter_batch(ledger, 3)
        assert len(take(ledger, open_claim(ledger, "one"))) == 3
        assert take(ledger, open_claim(ledger, "two")) == []

    def test_it_is_taken_in_the_order_of_positions_and_in_pieces(self, ledger):
        uuids = enter_batch(ledger, 5)
        claim = open_claim(ledger)
        first = take(ledger, claim, limit=2)
        rest = take(ledger, claim, after=first[-1].position)
        assert [record.uuid for record in (*first, *rest)] == uuids

    def test_only_the_batchs_own_requests_are_taken(self, ledger):
        uuids = enter_batch(ledger, 5, batches=2)
        assert [record.uuid for record in take(ledger, open_claim(ledger, batch=1))] == uuids[1::2]

    def test_payloads_come_with_it_where_asked_for(self, ledger):
        enter_batch(ledger, 1)
        [record] = take(ledger, open_claim(ledger), kinds=("request",))
        assert record.payloads["request"]["id"] == 1

    def test_some_states_are_taken_whatever_the_step(self, ledger):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        taken = ledger.work.take(claim, steps=("elsewhere",), states=(), any_step=(State.PREPARED,))
        assert len(taken) == 1

    def test_two_claimers_never_both_get_a_request(self, open_ledger, clock):
        """Many rounds: six workers start at once, each taking in pieces of another size."""
        ledgers = [open_ledger() for _ in range(6)]
        chance = random.Random(4711)
        for number in range(12):
            run_id = f"run-{number}"
            uuids = enter_batch(ledgers[0], 20, run_id)
            start = threading.Barrier(len(ledgers))
            pieces = chance.choices(range(1, 8), k=6)

            def grab(place, run_id=run_id, start=start, pieces=pieces):
                ledger, got, after = ledgers[place], [], -1
                claim = open_claim(ledger, f"w{place}", run_id)
                start.wait(30)
                while records := take(ledger, claim, limit=pieces[place], after=after):
                    got += [record.uuid for record in records]
                    after = records[-1].position
                return got

            with ThreadPoolExecutor(len(ledgers)) as crew:
                got = [uuid for one in crew.map(grab, range(len(ledgers))) for uuid in one]
            assert Counter(got) == Counter(uuids), f"round {number}"
            clock.advance(LEASE_S + 1)  # what this round held is free for the next run


class TestLease:
    def test_a_lease_that_ended_is_taken_over(self, ledger, clock):
        enter_batch(ledger, 2)
        take(ledger, open_claim(ledger, "one"))
        clock.advance(LEASE_S + 1)
        assert len(take(ledger, open_claim(ledger, "two"))) == 2

    def test_it_holds_to_its_last_moment(self, ledger, clock):
        enter_batch(ledger, 1)
        take(ledger, open_claim(ledger, "one"))
        clock.advance(LEASE_S)
        assert take(ledger, open_claim(ledger, "two")) == []

    def test_a_renewed_lease_holds_on(self, ledger, clock):
        enter_batch(ledger, 1)
        claim = open_claim(ledger, "one")
        take(ledger, claim)
        clock.advance(LEASE_S)
        ledger.work.renew(claim)
        clock.advance(LEASE_S)
        assert take(ledger, open_claim(ledger, "two")) == []

    def test_renewing_after_the_end_is_refused(self, ledger, clock):
        claim = open_claim(ledger)
        clock.advance(LEASE_S + 1)
        with pytest.raises(LeaseLost, match="write_to_erp, batch 0"):
            ledger.work.renew(claim)

    def test_a_holder_whose_clock_is_late_can_not_renew_what_was_taken_over(self, open_ledger):
        """Machines' clocks differ; the ledger itself tells the old holder."""
        late, early = FakeClock(), FakeClock()
        early.advance(LEASE_S + 1)
        behind, ahead = open_ledger(late), open_ledger(early)
        enter_batch(behind, 1)
        claim = open_claim(behind, "late")
        take(behind, claim)
        assert len(take(ahead, open_claim(ahead, "early"))) == 1
        with pytest.raises(LeaseLost):
            behind.work.renew(claim)

    def test_renewal_and_take_over_never_both_succeed(self, open_ledger):
        """By the renewer's clock the lease still holds, by the other's it has ended: one of them loses."""
        outcomes = Counter()
        before, after = FakeClock(), FakeClock()
        after.advance(LEASE_S + 0.001)
        before.advance(LEASE_S)
        ledger, holder, taker = open_ledger(FakeClock()), open_ledger(before), open_ledger(after)
        for number in range(15):
            run_id = f"run-{number}"
            enter_batch(ledger, 1, run_id)
            claim = open_claim(ledger, "old", run_id)
            take(ledger, claim)
            start = threading.Barrier(2)

            def renew(claim=claim, start=start):
                start.wait(30)
                try:
                    holder.work.renew(claim)
                except LeaseLost:
                    return False
                return True

            def take_over(run_id=run_id, start=start):
                own = open_claim(taker, "new", run_id)
                start.wait(30)
                return bool(take(taker, own))

            with ThreadPoolExecutor(2) as crew:
                renewed, taken = crew.submit(renew), crew.submit(take_over)
                outcome = (renewed.result(), taken.result())
            outcomes[outcome] += 1
        assert set(outcomes) <= {(True, False), (False, True)}, outcomes

    def test_release_frees_at_once(self, ledger):
        enter_batch(ledger, 1)
        claim = open_claim(ledger, "one")
        take(ledger, claim)
        ledger.work.release(claim)
        assert len(take(ledger, open_claim(ledger, "two"))) == 1

    def test_it_is_told_until_when_others_hold(self, ledger, clock):
        enter_batch(ledger, 1)
        take(ledger, open_claim(ledger, "one"))
        waiting = open_claim(ledger, "two")
        until = ledger.work.held_until(waiting, steps=(STEP,), states=(State.PREPARED,))
        assert until == clock.now().timestamp() + LEASE_S
        clock.advance(LEASE_S + 1)
        assert ledger.work.held_until(waiting, steps=(STEP,), states=(State.PREPARED,)) is None


class TestFencing:
    def test_the_old_holder_writes_nothing_and_is_told_what_it_lost(self, ledger, clock):
        uuids = enter_batch(ledger, 2)
        old = open_claim(ledger, "old")
        records = take(ledger, old)
        clock.advance(LEASE_S + 1)
        take(ledger, open_claim(ledger, "new"), limit=1)

        lost = ledger.work.apply(old, [sending(record) for record in records])

        assert lost == {uuids[0]}
        assert find(ledger, uuids[0]).state == State.PREPARED
        assert ("sent", 1) not in ledger.queries.payloads(FLOW, uuids[0])
        assert [one["note"] for one in ledger.queries.events(FLOW, uuids[0])] == ["new"]
        assert find(ledger, uuids[1]).state == State.SENDING, "what nobody took over is still the old one's"

    def test_what_a_new_run_entered_anew_is_lost_too(self, ledger, clock):
        enter_batch(ledger, 1)
        old = open_claim(ledger)
        [record] = take(ledger, old)
        clock.advance(LEASE_S + 1)
        enter_batch(ledger, 1, "run-2")
        assert ledger.work.apply(old, [sending(record)]) == {record.uuid}

    def test_a_record_that_is_not_as_it_was_read_is_not_written(self, ledger):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        ledger.work.apply(claim, [sending(record)])
        assert ledger.work.apply(claim, [sending(record)]) == {record.uuid}

    def test_a_broken_chain_of_changes_writes_none_of_them(self, ledger):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        assert ledger.work.apply(claim, [sending(record), sending(record)]) == {record.uuid}
        assert find(ledger, record.uuid).state == State.PREPARED

    def test_a_change_and_a_take_over_at_once_never_both_count(self, open_ledger, clock):
        """Whoever comes second sees what the first did: no record is taken as it was before the change."""
        holder, taker = open_ledger(), open_ledger()
        for number in range(15):
            run_id = f"run-{number}"
            enter_batch(holder, 6, run_id)
            old = open_claim(holder, "old", run_id)
            records = take(holder, old)
            clock.advance(LEASE_S + 1)
            new = open_claim(taker, "new", run_id)
            start = threading.Barrier(2)

            def write(old=old, records=records, start=start):
                start.wait(30)
                return holder.work.apply(old, [sending(record) for record in records])

            def take_over(new=new, start=start):
                start.wait(30)
                return take(taker, new, (State.PREPARED, State.SENDING))

            with ThreadPoolExecutor(2) as crew:
                writing, taking = crew.submit(write), crew.submit(take_over)
                lost, taken = writing.result(), taking.result()
            assert len(taken) == 6
            for record in taken:
                assert (record.state == State.PREPARED) == (record.uuid in lost)
                assert record.sends == find(taker, record.uuid).sends
            clock.advance(LEASE_S + 1)


class TestApply:
    def test_payloads_are_numbered_by_send_or_by_attempt(self, ledger):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        first = sending(record)
        back = first.new.moved(State.PREPARED)
        second = sending(back)
        ledger.work.apply(claim, [first, Change(first.new, back, {"attributes": {"a": "1"}})])
        ledger.work.apply(claim, [second])
        kept = ledger.queries.payloads(FLOW, record.uuid)
        assert kept["sent", 1]["body"] == f"{record.uuid}#1"
        assert kept["sent", 2]["body"] == f"{record.uuid}#2"
        assert kept["attributes", 1] == {"a": "1"}

    def test_only_the_newest_payload_of_a_kind_is_read(self, ledger):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        first = sending(record)
        back = first.new.moved(State.PREPARED)
        ledger.work.apply(claim, [first, Change(first.new, back), sending(back)])
        [record] = take(ledger, claim, (State.SENDING,), kinds=("sent",))
        assert record.payloads["sent"]["body"].endswith("#2")

    def test_several_changes_of_one_request_are_all_in_its_history_in_order(self, ledger):
        enter_batch(ledger, 2)
        claim = open_claim(ledger)
        for record in take(ledger, claim):
            sent = sending(record)
            answered = sent.new.moved(State.ANSWERED, erp_status=200)
            accepted = answered.moved(State.ACCEPTED, step="write_to_omnitron")
            changes = [sent, Change(sent.new, answered, note="200"), Change(answered, accepted, note="yes")]
            assert ledger.work.apply(claim, changes, revision="r1") == set()
        history = ledger.queries.events(FLOW, record.uuid)
        assert [one["state"] for one in history] == ["prepared", "sending", "answered", "accepted"]
        assert [one["note"] for one in history] == ["new", "sending", "200", "yes"]
        assert {one["revision"] for one in history[1:]} == {"r1"}
        assert find(ledger, record.uuid).step == "write_to_omnitron"

    def test_every_column_that_a_step_may_change_is_kept(self, ledger):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        changes = {
            "step": "custom_response",
            "attempts": 2,
            "failures": 3,
            "tries": 4,
            "sends": 5,
            "auth_fails": 1,
            "key_number": 6,
            "body_digest": "f" * 64,
            "doubt": True,
            "last_send_at": 1_700_000_000.123456,
            "since": 1_600_000_000.5,
            "next_at": 1_800_000_000.25,
            "erp_status": 503,
            "relation": "do_nothing",
            "error": "Şöyle böyle 🙂",
            "hopeful": True,
            "parked_from": "in_doubt",
            "settled": True,
        }
        ledger.work.apply(claim, [Change(record, record.moved(State.SENDING, **changes))])
        stored = find(ledger, record.uuid)
        assert {name: getattr(stored, name) for name in changes} == changes

    def test_a_big_group_is_written_whole(self, ledger):
        enter_batch(ledger, 1200)
        claim = open_claim(ledger)
        records = take(ledger, claim, limit=5000)
        assert len(records) == 1200
        assert ledger.work.apply(claim, [sending(record) for record in records]) == set()
        assert ledger.runs.counts(FLOW, "run-1") == {"sending": 1200}

    def test_nothing_changes_nothing(self, ledger):
        assert ledger.work.apply(open_claim(ledger), []) == set()

    @pytest.mark.parametrize("table", ["payloads", "events"])
    def test_an_error_on_the_way_leaves_nothing_half_written(self, ledger, table):
        enter_batch(ledger, 2)
        claim = open_claim(ledger)
        records = take(ledger, claim)

        def fail(_connection, _cursor, statement, *_rest):
            if f"INSERT INTO {table}" in statement:
                raise OverflowError("the disk is gone")

        event.listen(ledger.database.engine, "before_cursor_execute", fail)
        with pytest.raises(LedgerUnavailable, match="the disk is gone"):
            ledger.work.apply(claim, [sending(record) for record in records])
        event.remove(ledger.database.engine, "before_cursor_execute", fail)

        assert ledger.runs.counts(FLOW, "run-1") == {"prepared": 2}
        assert len(ledger.queries.events(FLOW, records[0].uuid)) == 1
        assert ledger.work.apply(claim, [sending(record) for record in records]) == set()

    @pytest.mark.parametrize("text", ["a\0b", "half a pair: \ud83d"])
    def test_odd_characters_from_outside_do_not_stop_the_writing(self, ledger, text):
        """An ERP's answer is quoted in errors and notes; Postgres knows no NUL, nobody half a pair."""
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        new = record.moved(State.FAILED, error=text)
        assert ledger.work.apply(claim, [Change(record, new, {"answer": {"text": text}}, text)]) == set()
        assert find(ledger, record.uuid).state == State.FAILED
        assert ledger.queries.payloads(FLOW, record.uuid)["answer", 0] == {"text": text}

    def test_a_persons_redo_while_a_step_is_at_work_is_not_lost(self, ledger):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        ledger.queries.ask_again(FLOW, record.uuid, who="ada")
        ledger.work.apply(claim, [sending(record)])
        assert find(ledger, record.uuid).redo is True
