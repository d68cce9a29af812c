"""How requests get into a run, by real rows: what is taken, what is left, what is closed, and races."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from contract.ledgers import (
    FLOW,
    LEASE_S,
    LIMITS,
    STEP,
    a_request,
    brought_to,
    enter,
    enter_batch,
    find,
    open_claim,
    plans_of,
    requests,
    sending,
    states,
    take,
    uuid_of,
)
from order_cancellation.ledger import Change, State


class TestEnter:
    def test_what_is_new_is_taken_with_its_payload_and_a_line_in_its_history(self, ledger):
        counts = enter(ledger, requests(3))
        assert counts == {"taken": 3, "new": 3}
        record = find(ledger, "2")
        assert (record.state, record.step, record.attempts, record.position) == ("fetched", "script", 1, 1)
        assert (record.order_number, record.sku, record.channel) == ("ORD-2", "SKU-2", 2)
        assert record.customer == 4002
        assert ledger.queries.payloads(FLOW, record.uuid)["request", 1]["id"] == 2
        assert [one["note"] for one in ledger.queries.events(FLOW, record.uuid)] == ["new"]

    def test_the_customer_is_found_at_the_order_too(self, ledger):
        enter(ledger, [a_request(customer=None, order_item={"order": {"number": 1, "customer": 77}})])
        assert find(ledger, "1").customer == 77

    def test_what_is_not_there_or_too_long_is_no_hindrance(self, ledger):
        enter(ledger, [{"id": 1, "uuid": uuid_of(1), "order_item": {"order": {"number": "x" * 500}}}])
        record = find(ledger, "1")
        assert (len(record.order_number), record.sku, record.channel, record.customer) == (64, "", None, None)

    @pytest.mark.parametrize("number", [2**63, -1, True])
    def test_nor_is_a_number_that_no_column_holds(self, ledger, number):
        enter(ledger, [a_request(1, channel={"pk": number}, customer={"pk": number}), a_request(2)])
        assert (find(ledger, "1").channel, find(ledger, "1").customer) == (None, None)
        assert find(ledger, "2").channel == 2

    def test_a_request_that_is_listed_twice_on_a_page_is_entered_once(self, ledger):
        assert enter(ledger, [a_request(1), a_request(1)])["taken"] == 1

    def test_reading_it_again_in_the_same_run_changes_nothing(self, ledger):
        enter(ledger, requests(2))
        assert enter(ledger, requests(2)) == {"taken": 2, "again (fetched)": 2}
        assert find(ledger, "1").attempts == 1

    def test_there_is_room_for_so_many_and_the_rest_is_left(self, ledger):
        assert enter(ledger, requests(5), room=2)["left"] == 3
        assert ledger.intake.taken(FLOW, "run-1") == 2

    def test_what_a_live_claim_holds_is_never_stolen(self, ledger):
        enter_batch(ledger, 2)
        claim = open_claim(ledger)
        records = take(ledger, claim)
        counts = enter(ledger, requests(2), "run-2")
        assert counts == {"in work by another worker": 2, "taken": 0}
        assert ledger.work.apply(claim, [sending(record) for record in records]) == set()

    def test_after_its_lease_another_run_takes_it_and_the_old_holder_can_not_renew(self, ledger, clock):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        take(ledger, claim)
        clock.advance(LEASE_S + 1)
        assert enter(ledger, requests(1), "run-2")["taken"] == 1
        assert find(ledger, "1").run_id == "run-2"

    def test_what_an_earlier_revision_prepared_is_not_taken_for_this_ones(self, ledger):
        """A script that writes nothing passes the request on, and not what another script once left."""
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        kept = {"script": {"old": 1}, "mapping": {"old": 2}, "attributes": {"old": "3"}}
        ledger.work.apply(claim, [Change(record, record.moved(State.PREPARED), kept)])
        ledger.work.release(claim)

        enter(ledger, [a_request(1)], "run-2")

        assert set(ledger.queries.payloads(FLOW, record.uuid)) == {("request", 1)}

    def test_after_a_failure_it_begins_anew_and_keeps_the_old_attempt(self, ledger):
        brought_to(ledger, State.FAILED)
        enter(ledger, [a_request(1, status="changed")], "run-2")
        assert find(ledger, "1").attempts == 2
        kept = ledger.queries.payloads(FLOW, uuid_of(1))
        assert set(kept) == {("request", 1), ("request", 2)}
        assert kept["request", 2]["status"] == "changed"

    def test_what_is_done_is_left_alone_until_a_person_asks(self, ledger):
        brought_to(ledger, State.DONE)
        assert enter(ledger, [a_request(1)], "run-2") == {"already done": 1, "taken": 0}
        assert ledger.intake.asked_for(FLOW) == []
        ledger.queries.ask_again(FLOW, "1", who="ada")
        assert ledger.intake.asked_for(FLOW) == [(1, uuid_of(1), True)]
        old = find(ledger, "1")
        assert enter(ledger, [a_request(1)], "run-2")["taken"] == 1
        new = find(ledger, "1")
        assert (new.state, new.redo, new.key_number) == ("fetched", False, old.key_number + 1)
        assert ledger.intake.asked_for(FLOW) == [(1, uuid_of(1), False)]

    @pytest.mark.parametrize(("begun_before_it_was_sent", "taken"), [(True, 0), (False, 1)])
    def test_a_redo_run_that_is_cleared_redoes_only_what_was_sent_before_it(
        self, ledger, clock, begun_before_it_was_sent, taken
    ):
        """Another run may have done meanwhile what it was to do: it has begun when it first did."""
        if begun_before_it_was_sent:
            ledger.runs.start(FLOW, "redo-run", "r1", dry_run=False)
        clock.advance(60)
        brought_to(ledger, State.DONE)
        clock.advance(60)
        for _ in ("begun", "cleared"):
            ledger.runs.start(FLOW, "redo-run", "r1", dry_run=False)
            clock.advance(60)

        with plans_of(ledger, "events") as plans:
            assert enter(ledger, [a_request(1)], "redo-run", redo=True)["taken"] == taken
        assert "events_by_request" in plans[0]

    def test_what_is_in_doubt_without_an_exit_is_parked_when_it_is_met(self, ledger):
        record = brought_to(ledger, State.IN_DOUBT)
        claim = open_claim(ledger)
        take(ledger, claim, (State.IN_DOUBT,))
        ledger.work.apply(claim, [Change(record, record.moved(State.IN_DOUBT, error="?", hopeful=False))])
        ledger.work.release(claim)
        assert enter(ledger, [a_request(1)], "run-2") == {"parked now": 1, "taken": 0}
        parked = find(ledger, "1")
        assert (parked.state, parked.parked_from, parked.error) == ("parked", "in_doubt", "?")

    def test_two_runs_that_read_the_same_list_at_once_enter_each_request_once(self, open_ledger):
        """Many rounds; both read it all, in other orders, and each request has one first line of history."""
        ledgers = [open_ledger(), open_ledger()]
        for number in range(8):
            listed = [a_request(place) for place in range(number * 10 + 1, number * 10 + 11)]
            start = threading.Barrier(2)

            def read(place, listed=listed, start=start, number=number):
                order = listed if place else listed[::-1]
                start.wait(30)
                return enter(ledgers[place], order, f"run-{number}-{place}")

            with ThreadPoolExecutor(2) as crew:
                told = list(crew.map(read, range(2)))
            assert sum(one["new"] for one in told) == 10
            for request in listed:
                notes = [one["note"] for one in ledgers[0].queries.events(FLOW, request["uuid"])]
                assert notes.count("new") == 1

    def test_a_list_that_is_read_while_a_worker_finishes_never_brings_back_what_it_did(self, open_ledger):
        """The worker's changes and the end of its claim fall between any two statements of the other run."""
        worker, poll = open_ledger(), open_ledger()
        for number in range(20):
            run_id = f"run-{number}"
            listed = [a_request(place) for place in range(number * 3 + 1, number * 3 + 4)]
            enter(worker, listed, run_id, first_step=STEP, ready=True)
            worker.intake.assign(FLOW, run_id, 1)
            claim = open_claim(worker, "w", run_id)
            records = take(worker, claim)
            start = threading.Barrier(2)

            def finish(claim=claim, records=records, start=start):
                start.wait(30)
                lost = set()
                for record in records:
                    sent = sending(record)
                    answered = sent.new.moved(State.ANSWERED)
                    done = [
                        sent,
                        Change(sent.new, answered),
                        Change(answered, answered.moved(State.ACCEPTED)),
                    ]
                    lost |= worker.work.apply(claim, done)
                worker.work.release(claim)
                return lost

            def read(listed=listed, start=start, number=number):
                start.wait(30)
                return enter(poll, listed, f"poll-{number}")

            with ThreadPoolExecutor(2) as crew:
                finishing, reading = crew.submit(finish), crew.submit(read)
                lost, counts = finishing.result(), reading.result()
            assert lost == set(), "a live claim's requests are not stolen"
            assert counts["again (prepared)"] == 0
            assert {find(poll, one["uuid"]).state for one in listed} == {State.ACCEPTED}


class TestFlowRenamed:
    """The folder of the flow is gone, and another flow lists what it has had."""

    NEW = "acme2"

    def enter(self, ledger, count=1, flow=NEW, former=FLOW, **more):
        settings = {"first_step": STEP, "ready": True, "limits": LIMITS, "position": 0, "room": 100}
        return ledger.intake.enter(flow, "new", requests(count), former=(former,), **(settings | more))

    @pytest.mark.parametrize("redo", [False, True])
    def test_what_a_worker_has_under_the_old_name_is_left_to_it(self, ledger, redo):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        counts = self.enter(ledger, redo=redo)
        assert counts == {"in work under the flow's old name; the next run looks again": 1, "taken": 0}
        assert ledger.queries.find(self.NEW, "1") is None
        assert ledger.work.apply(claim, [sending(record)]) == set()

    def test_what_is_taken_over_no_later_step_of_the_old_run_takes(self, ledger):
        """It works with the revision in the ledger, and needs no folder."""
        enter_batch(ledger, 2)
        assert self.enter(ledger, 2)["taken"] == 2
        assert take(ledger, open_claim(ledger)) == []
        assert [find(ledger, one).state for one in "12"] == ["withdrawn", "withdrawn"]
        assert find(ledger, "1").error == "flow 'acme2' has it now, and the folder of flow 'acme' is gone"

    def test_a_worker_whose_lease_has_ended_sends_nothing_of_it(self, ledger, clock):
        enter_batch(ledger, 1)
        claim = open_claim(ledger)
        [record] = take(ledger, claim)
        clock.advance(LEASE_S + 1)
        assert self.enter(ledger)["taken"] == 1
        assert ledger.work.apply(claim, [sending(record)]) == {record.uuid}

    def test_what_there_is_no_room_for_stays_with_the_old_name(self, ledger):
        enter_batch(ledger, 2)
        assert self.enter(ledger, 2, room=1)["left"] == 1
        assert [find(ledger, one).state for one in "12"] == ["withdrawn", "prepared"]

    def test_called_by_its_old_name_again_it_parks_what_was_booked_under_the_new_one(self, ledger):
        enter_batch(ledger, 1)
        self.enter(ledger)
        ledger.intake.assign(self.NEW, "new", 1)
        claim = ledger.work.open_claim(self.NEW, "new", 0, STEP, worker="w", lease_s=LEASE_S)
        [record] = take(ledger, claim)
        ledger.work.apply(claim, [sending(record)])
        ledger.work.release(claim)
        for _ in range(2):
            assert self.enter(ledger, flow=FLOW, former=self.NEW)["taken"] == 0
        old = find(ledger, "1")
        assert (old.state, old.run_id) == ("parked", "new")
        assert "flow 'acme2' has had this request (it is sending there)" in old.error

    def test_an_old_worker_and_the_new_flow_at_once_never_both_have_a_request(self, open_ledger):
        worker, poll = open_ledger(), open_ledger()
        for number in range(12):
            run_id = f"run-{number}"
            listed = [a_request(place) for place in range(number * 3 + 1, number * 3 + 4)]
            enter(worker, listed, run_id, first_step=STEP, ready=True)
            worker.intake.assign(FLOW, run_id, 1)
            claim = open_claim(worker, "w", run_id)
            start = threading.Barrier(2)

            def send(claim=claim, start=start):
                start.wait(30)
                records = take(worker, claim)
                lost = worker.work.apply(claim, [sending(record) for record in records])
                return {record.uuid for record in records} - lost

            def read(listed=listed, start=start):
                start.wait(30)
                poll.intake.enter(
                    self.NEW,
                    "new",
                    listed,
                    first_step=STEP,
                    ready=True,
                    limits=LIMITS,
                    position=0,
                    room=100,
                    former=(FLOW,),
                )

            with ThreadPoolExecutor(2) as crew:
                sending_it, reading = crew.submit(send), crew.submit(read)
                sent = sending_it.result()
                reading.result()
            here = [poll.queries.find(self.NEW, one["uuid"]) for one in listed]
            taken = {record.uuid for record in here if record is not None and record.state == State.PREPARED}
            assert not sent & taken
            assert sent | taken == {one["uuid"] for one in listed}
            worker.work.release(claim)


class TestTakeUnfinished:
    @pytest.mark.parametrize(
        "state", ["sending", "in_doubt", "answered", "accepted", "refused", "written_back"]
    )
    def test_what_the_erp_may_know_of_is_taken_up_where_it_stands(self, ledger, state):
        before = brought_to(ledger, State(state))
        counts = ledger.intake.take_unfinished(FLOW, "run-2", limits=LIMITS, position=7, room=10)
        after = find(ledger, "1")
        assert counts["taken"] == 1
        assert (after.run_id, after.position, after.batch, after.state) == ("run-2", 7, None, state)
        assert after.attempts == before.attempts

    @pytest.mark.parametrize("state", ["prepared", "failed", "postponed", "parked", "done", "withdrawn"])
    def test_the_rest_is_left_to_the_list(self, ledger, state):
        brought_to(ledger, State(state))
        counts = ledger.intake.take_unfinished(FLOW, "run-2", limits=LIMITS, position=0, room=10)
        assert counts["taken"] == 0
        assert find(ledger, "1").run_id == "run-1"

    def test_what_a_live_claim_holds_is_left(self, ledger):
        brought_to(ledger, State.SENDING)
        take(ledger, open_claim(ledger), (State.SENDING,))
        assert not ledger.intake.take_unfinished(FLOW, "run-2", limits=LIMITS, position=0, room=10)

    def test_what_there_is_no_room_for_is_counted_and_left(self, ledger):
        brought_to(ledger, State.ACCEPTED, 1)
        brought_to(ledger, State.ACCEPTED, 2)
        counts = ledger.intake.take_unfinished(FLOW, "run-2", limits=LIMITS, position=0, room=1)
        assert (counts["taken"], counts["left"]) == (1, 1)

    def test_doubt_that_is_too_old_is_parked(self, ledger, clock):
        brought_to(ledger, State.IN_DOUBT)
        clock.advance(LIMITS.max_age_s + 1)
        ledger.intake.take_unfinished(FLOW, "run-2", limits=LIMITS, position=0, room=10)
        assert states(ledger) == {1: "parked"}


class TestWithdraw:
    def withdrawn(self, ledger, *listed, told=False):
        return ledger.intake.withdraw(FLOW, "run-2", {uuid_of(one) for one in listed}, refusals_told=told)

    @pytest.mark.parametrize("state", ["prepared", "failed", "postponed"])
    def test_what_nobody_booked_and_omnitron_no_longer_lists_is_closed(self, ledger, state):
        brought_to(ledger, State(state))
        assert self.withdrawn(ledger) == 1
        record = find(ledger, "1")
        assert (record.state, record.step) == ("withdrawn", "")

    @pytest.mark.parametrize("state", ["sending", "in_doubt", "answered", "accepted", "done", "parked"])
    def test_what_may_be_booked_is_not(self, ledger, state):
        brought_to(ledger, State(state))
        assert self.withdrawn(ledger) == 0

    def test_what_is_listed_is_not(self, ledger):
        enter(ledger, requests(2))
        assert self.withdrawn(ledger, 1) == 1
        assert states(ledger) == {1: "fetched", 2: "withdrawn"}

    def test_what_a_live_claim_holds_or_a_person_wants_is_not(self, ledger):
        enter_batch(ledger, 2)
        take(ledger, open_claim(ledger), limit=1)
        ledger.queries.ask_again(FLOW, "2", who="ada")
        assert self.withdrawn(ledger) == 0

    def test_a_refused_one_that_left_the_list_because_of_us_stays_failed(self, ledger):
        refused = brought_to(ledger, State.REFUSED)
        claim = open_claim(ledger)
        take(ledger, claim, (State.REFUSED,))
        ledger.work.apply(claim, [Change(refused, refused.moved(State.FAILED, relation="failure"))])
        ledger.work.release(claim)
        assert self.withdrawn(ledger, told=True) == 0
        assert self.withdrawn(ledger, told=False) == 1

    def test_it_comes_back_when_it_is_listed_again(self, ledger):
        brought_to(ledger, State.WITHDRAWN)
        assert enter(ledger, [a_request(1)], "run-3")["taken"] == 1


class TestLift:
    def test_what_failed_at_the_step_is_taken_up_with_what_it_had(self, ledger):
        record = brought_to(ledger, State.FAILED)
        assert ledger.intake.lift(FLOW, "run-1", 0, (STEP,)) == 1
        lifted = find(ledger, record.uuid)
        assert (lifted.state, lifted.step, lifted.attempts, lifted.error) == ("prepared", STEP, 2, "")
        claim = open_claim(ledger)
        [taken] = take(ledger, claim, kinds=("request",))
        assert taken.payloads["request"]["id"] == 1

    @pytest.mark.parametrize("state", ["parked", "in_doubt", "accepted", "done"])
    def test_other_states_are_not_lifted(self, ledger, state):
        brought_to(ledger, State(state))
        assert ledger.intake.lift(FLOW, "run-1", 0, (STEP, "write_to_omnitron", "")) == 0

    def test_other_steps_batches_and_runs_are_not_lifted(self, ledger):
        brought_to(ledger, State.FAILED)
        assert ledger.intake.lift(FLOW, "run-1", 0, ("mapping",)) == 0
        assert ledger.intake.lift(FLOW, "run-1", 1, (STEP,)) == 0
        assert ledger.intake.lift(FLOW, "run-2", 0, (STEP,)) == 0


class TestAssign:
    def test_what_was_taken_up_is_spread_evenly_in_its_order(self, ledger):
        enter(ledger, requests(5))
        ledger.intake.assign(FLOW, "run-1", 2)
        placed = {record.id: (record.batch, record.position) for record in ledger.queries.list()}
        assert placed == {1: (0, 0), 2: (1, 0), 3: (0, 1), 4: (1, 1), 5: (0, 2)}

    def test_what_failed_is_given_no_place(self, ledger):
        brought_to(ledger, State.FAILED)
        enter(ledger, [a_request(2)], position=1)
        ledger.intake.assign(FLOW, "run-1", 1)
        assert [one.id for one in ledger.intake.first_of(FLOW, "run-1", 0, limit=5)] == [2]
        assert find(ledger, "2").position == 0

    def test_another_runs_requests_are_left_where_they_are(self, ledger):
        enter(ledger, requests(1))
        ledger.intake.assign(FLOW, "run-2", 1)
        assert find(ledger, "1").batch is None

    def test_no_batches_are_no_work(self, ledger):
        ledger.intake.assign(FLOW, "run-1", 0)

    def test_a_batchs_first_requests_come_in_its_order(self, ledger):
        enter(ledger, requests(5))
        ledger.intake.assign(FLOW, "run-1", 2)
        assert [one.id for one in ledger.intake.first_of(FLOW, "run-1", 0, limit=2)] == [1, 3]
