"""Searching requests: every filter, pages that survive changes, counts, and outcomes over time."""

from __future__ import annotations

from contextlib import suppress

import pytest

from contract.ledgers import (
    FLOW,
    LEASE_S,
    LIMITS,
    STEP,
    FakeClock,
    a_request,
    brought_to,
    enter,
    find,
    open_claim,
    plans_of,
    take,
    uuid_of,
)
from order_cancellation.errors import ConfigurationError
from order_cancellation.ledger import Change, State
from order_cancellation.ledger import search as searching
from order_cancellation.ledger.search import Place, Wanted
from order_cancellation.service.search import found, outcomes, search_requests

BEGIN = FakeClock().at.timestamp()


@pytest.fixture
def five(ledger, clock):
    """Requests 1 to 5, each a minute younger: done, failed, in doubt, parked, done; 5 is another flow's."""
    for number, state in enumerate((State.DONE, State.FAILED, State.IN_DOUBT, State.PARKED), 1):
        brought_to(ledger, state, number)
        clock.advance(60)
    settings = {"first_step": "script", "ready": False, "limits": LIMITS, "position": 0, "room": 9}
    ledger.intake.enter("other", "run-9", [a_request(5)], **settings)
    return ledger


def ids(ledger, limit=50, after=None, **wanted):
    return [one.id for one in ledger.search.page(Wanted(**wanted), limit=limit, after=after).records]


class TestFilters:
    def test_the_newest_change_comes_first(self, five):
        assert ids(five) == [5, 4, 3, 2, 1]

    def test_changes_of_the_same_moment_have_an_order_too(self, ledger):
        enter(ledger, [a_request(number) for number in range(1, 8)])
        assert ids(ledger) == [7, 6, 5, 4, 3, 2, 1]

    def test_by_flows(self, five):
        assert ids(five, flows=frozenset({FLOW})) == [4, 3, 2, 1]
        assert ids(five, flows=frozenset({FLOW, "other", "none"})) == [5, 4, 3, 2, 1]
        assert ids(five, flows=frozenset()) == []

    def test_by_states(self, five):
        assert ids(five, states=frozenset({State.DONE, State.PARKED})) == [4, 1]

    def test_by_run(self, five):
        assert ids(five, run_id="run-9") == [5]
        assert ids(five, run_id="run-1", flows=frozenset({"other"})) == []

    def test_by_time_of_the_last_change(self, five):
        assert ids(five, changed_from=BEGIN + 60, changed_to=BEGIN + 180) == [3, 2]

    @pytest.mark.parametrize(
        "text", ["3", uuid_of(3), "00000000-0000-4000-8000-000000000003", "ORD-3", "SKU-3"]
    )
    def test_by_number_uuid_order_and_sku(self, five, text):
        assert ids(five, text=text) == [3]

    def test_by_how_uuid_order_or_sku_begin(self, five):
        assert ids(five, text="ORD-") == [5, 4, 3, 2, 1]
        assert ids(five, text="00000000-0000") == [5, 4, 3, 2, 1]
        assert ids(five, text="RD-3") == []

    def test_a_uuid_is_found_in_capitals(self, ledger):
        enter(ledger, [a_request(1, uuid="abcd-1")])
        assert ids(ledger, text="ABCD") == [1]

    @pytest.mark.parametrize(
        "text", ["%", "_", "ORD%", "ORD_3", "\\", "'", "a\0b", "\ud800", "9" * 30, "9" * 9000, "½"]
    )
    def test_odd_texts_are_only_texts(self, five, text):
        assert ids(five, text=text) == []

    def test_a_text_with_odd_characters_is_found(self, ledger):
        order = "50%_\\'x"
        enter(ledger, [a_request(1, order_item={"order": {"number": order}}), a_request(2)])
        assert ids(ledger, text="50%_\\'") == [1]

    def test_all_filters_together(self, five):
        wanted = {"flows": frozenset({FLOW}), "run_id": "run-1", "changed_from": BEGIN, "text": "ORD"}
        assert ids(five, **wanted, states=frozenset({State.DONE})) == [1]

    def test_a_text_found_in_many_gives_the_same_as_in_few(self, five, monkeypatch):
        wanted = {"text": "ORD", "flows": frozenset({FLOW}), "changed_to": BEGIN + 170}
        few = five.search.page(Wanted(**wanted), limit=2)
        monkeypatch.setattr(searching, "_FEW", 1)
        many = five.search.page(Wanted(**wanted), limit=2)
        assert [one.id for one in many.records] == [3, 2]
        assert few == many


class TestPages:
    def test_each_request_is_seen_once_and_in_order(self, ledger, clock):
        for number in range(1, 24):
            enter(ledger, [a_request(number)])
            clock.advance(number % 3)
        seen, after = [], None
        while True:
            page = search_requests(ledger, Wanted(), limit=4, after=after)
            seen += [one["id"] for one in page["requests"]]
            if (after := page["next"]) is None:
                break
        assert len(seen) == len(set(seen)) == 23
        assert seen[0] == 23

    @pytest.mark.parametrize("text", ["", "ORD"])
    def test_the_last_page_says_so_even_if_it_is_full(self, five, text):
        first = five.search.page(Wanted(text=text), limit=3)
        assert first.following is not None
        rest = five.search.page(Wanted(text=text), limit=2, after=first.following)
        assert ([one.id for one in rest.records], rest.following) == ([2, 1], None)

    def test_one_that_changes_meanwhile_is_not_seen_twice_and_no_other_is_missed(self, five, clock):
        first = five.search.page(Wanted(), limit=2)
        clock.advance(60)
        five.queries.ask_again(FLOW, "4", who="ada")  # seen already; now the newest
        assert ids(five, after=first.following) == [3, 2, 1]

    def test_the_place_of_one_that_is_gone_upwards_still_counts(self, five, clock):
        first = five.search.page(Wanted(), limit=3)
        clock.advance(60)
        five.queries.ask_again(FLOW, "3", who="ada")  # the page's last one
        assert ids(five, after=first.following) == [2, 1]

    @pytest.mark.parametrize(
        "cursor", ["", "%%%", "bm8", "WzEsMl0", "W05hTiwiYSIsImIiXQ", "WzFlOTk5LCJhIiwiYiJd", "é"]
    )
    def test_what_is_no_cursor_is_refused(self, ledger, cursor):
        with pytest.raises(ConfigurationError, match="no cursor"):
            search_requests(ledger, Wanted(), after=cursor)

    def test_a_cursor_of_odd_texts_is_only_a_place(self, five):
        assert ids(five, after=Place(BEGIN + 60, "\0", "\ud800'")) == [2, 1], "what they became sorts last"

    def test_the_command_line_pages_in_the_same_order(self, five):
        rows, following = found(five, FLOW, None, 2, None, run_id="run-1", text="")
        more, end = found(five, FLOW, None, 2, following, run_id="run-1", text="")
        assert ([one["id"] for one in rows + more], end) == ([4, 3, 2, 1], None)


class TestCounts:
    @pytest.mark.parametrize("text", ["", "ORD"])
    def test_they_are_for_the_filter_without_its_states(self, five, text):
        wanted = Wanted(flows=frozenset({FLOW}), states=frozenset({State.DONE}), text=text)
        page = five.search.page(wanted, limit=1)
        assert page.counts == {"done": 1, "failed": 1, "in_doubt": 1, "parked": 1}

    @pytest.mark.parametrize("text", ["", "ORD"])
    def test_they_follow_run_and_time(self, five, text):
        assert five.search.page(Wanted(run_id="run-9", text=text), limit=1).counts == {"fetched": 1}
        assert five.search.page(Wanted(changed_to=BEGIN + 1, text=text), limit=1).counts == {"done": 1}

    def test_they_do_not_depend_on_the_page(self, five):
        page = five.search.page(Wanted(), limit=2)
        assert five.search.page(Wanted(), limit=2, after=page.following).counts == page.counts


class TestOutcomes:
    def counted(self, ledger, bucket_s=60, flows=None, run_id=None):
        counts = ledger.search.outcomes(flows, run_id, begin=BEGIN, bucket_s=bucket_s)
        return {(number, str(state)): count for (number, state), count in counts.items()}

    def test_each_outcome_counts_where_it_was_reached(self, five):
        # what was parked had been in doubt before, in the same minute
        assert self.counted(five) == {
            (0, "done"): 1,
            (1, "failed"): 1,
            (2, "in_doubt"): 1,
            (3, "in_doubt"): 1,
            (3, "parked"): 1,
        }
        assert self.counted(five, bucket_s=3600)[0, "in_doubt"] == 2

    def test_by_flow_and_by_run(self, five):
        assert self.counted(five, flows=frozenset({"other"})) == {}
        assert self.counted(five, run_id="run-9") == {}
        assert len(self.counted(five, flows=frozenset({FLOW}), run_id="run-1")) == 5

    def test_what_was_before_does_not_count(self, five):
        assert five.search.outcomes(None, None, begin=BEGIN + 181, bucket_s=60) == {}

    def test_they_are_found_by_their_time_and_not_among_all_that_a_flow_has_done(self, five):
        with plans_of(five, "events") as plans:
            self.counted(five)
        assert "events_by_outcome" in plans[0]

    def test_doubt_that_is_noted_again_counts_once(self, ledger, clock):
        brought_to(ledger, State.IN_DOUBT)
        clock.advance(LEASE_S * 2)
        claim = open_claim(ledger)
        [record] = take(ledger, claim, (State.IN_DOUBT,))
        ledger.work.apply(claim, [Change(record, record.moved(State.IN_DOUBT, error="in doubt: still"))])
        assert self.counted(ledger, bucket_s=3600) == {(0, "in_doubt"): 1}

    def test_what_persons_do_with_a_request_is_no_outcome(self, ledger):
        brought_to(ledger, State.DONE)
        ledger.queries.ask_again(FLOW, "1", who="ada")
        ledger.queries.note_reveal(FLOW, uuid_of(1), who="ada", why="asked")
        ledger.intake.drop_word(FLOW, uuid_of(1), run_id="run-1", why="gone")
        assert self.counted(ledger) == {(0, "done"): 1}

    def test_parts_of_the_time_have_round_beginnings_and_no_gaps(self, five, clock):
        told = outcomes(five, flows=None, run_id=None, hours=24, now=clock.at.timestamp())
        ats = [one["at"] for one in told["buckets"]]
        assert (told["bucket_s"], len(ats)) == (900, 97)
        assert ats[0] == told["from"] == "2025-12-31T00:00:00.000+00:00"
        assert ats[-1] == "2026-01-01T00:00:00.000+00:00"
        assert told["buckets"][-1]["counts"] == {
            "done": 1,
            "failed": 1,
            "in_doubt": 2,
            "parked": 1,
            "postponed": 0,
        }


class TestReveal:
    def test_who_saw_it_and_why_stands_in_the_history(self, ledger):
        brought_to(ledger, State.DONE)
        ledger.queries.note_reveal(FLOW, "1", who="ada", why="the bank asked")
        event = ledger.queries.events(FLOW, uuid_of(1))[-1]
        assert (event["step"], event["state"]) == ("", "done")
        assert event["note"] == "personal data shown to ada, because: the bank asked"


def test_an_event_knows_its_batch(ledger):
    brought_to(ledger, State.DONE)
    batches = {one["step"]: one["batch"] for one in ledger.queries.events(FLOW, uuid_of(1))}
    assert batches == {"get_data": None, STEP: 0}


def test_whether_a_worker_is_on_it(ledger, clock):
    record = brought_to(ledger, State.IN_DOUBT)
    assert not ledger.queries.is_held(record)
    take(ledger, open_claim(ledger), (State.IN_DOUBT,))
    assert ledger.queries.is_held(find(ledger, "1"))
    clock.advance(LEASE_S + 1)
    assert not ledger.queries.is_held(find(ledger, "1"))


def test_a_character_that_postgres_can_not_keep_is_refused_with_words(ledger):
    with suppress(ConfigurationError):  # SQLite knows it, and finds nothing
        assert ledger.search.page(Wanted(text="a\0b"), limit=1).records == []
