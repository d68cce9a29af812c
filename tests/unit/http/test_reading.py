"""A list is read to its end whatever its form, and although it changes; what is missing is said."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from order_cancellation.http.listing import page_of
from order_cancellation.http.reading import ListQuery, Reading, one_ahead


def a_request(number, **changes):
    base = {
        "id": number,
        "uuid": f"uuid-{number}",
        "channel": {"pk": 2},
        "modified_date": f"2026-01-01T{number // 60:02}:{number % 60:02}:00Z",
    }
    return base | changes


def read(fetch, **query):
    """Read through a function from page number to the answer's JSON; return ids, summary and pages asked."""
    asked = []

    async def page(number):
        asked.append(number)
        assert len(asked) < 500, "it does not end"
        data = fetch(number)
        return None if data is None else page_of(data)

    reading = Reading(ListQuery(**{"status": "approved", "cancel_type": "all", **query}), page)

    async def story():
        return [request["id"] async for requests in reading for request in requests]

    return asyncio.run(story()), reading.summary, asked


def paged(items, size, *, count=True, form="object"):
    """Serve a list as Omnitron does: ``size`` is the server's cap, whatever is asked for."""

    def fetch(number):
        part = items[(number - 1) * size : number * size]
        if form == "array":
            return part
        if form == "array with 404":
            return part or None
        more = number * size < len(items)
        return {"count": len(items) if count else None, "next": "more" if more else None, "results": part}

    return fetch


class TestForms:
    @pytest.mark.parametrize("form", ["object", "array", "array with 404"])
    @pytest.mark.parametrize("size", [1, 3, 7, 100])
    @pytest.mark.parametrize("length", [0, 1, 7, 20])
    def test_everything_is_read_once(self, form, size, length):
        items = [a_request(number) for number in range(length)]
        ids, summary, _ = read(paged(items, size, form=form), page_size=100)
        assert ids == list(range(length))
        assert (summary.complete, summary.missing, summary.rounds) == (True, 0, 1)
        assert (summary.distinct, summary.listed, summary.matching) == (length, length, length)

    def test_a_short_page_ends_nothing(self):
        pages = {1: ([0, 1], True), 2: ([2], True), 3: ([], True), 4: ([3, 4], False)}

        def fetch(number):
            numbers, more = pages[number]
            return {"count": 5, "next": more or None, "results": [a_request(each) for each in numbers]}

        assert read(fetch)[0] == [0, 1, 2, 3, 4]

    def test_an_object_without_next_goes_on_until_a_page_is_empty(self):
        items = [a_request(number) for number in range(5)]
        ids, _, asked = read(lambda number: {"results": items[(number - 1) * 2 : number * 2]})
        assert (ids, asked) == ([0, 1, 2, 3, 4], [1, 2, 3, 4])

    def test_an_array_that_is_not_paged_at_all_is_whole(self):
        items = [a_request(number) for number in range(5)]
        ids, summary, asked = read(lambda _: items)
        assert (ids, summary.complete, asked) == ([0, 1, 2, 3, 4], True, [1, 2])

    @pytest.mark.parametrize(
        "data", [None, "text", 5, {}, {"results": None}, {"results": {}}, {"detail": "no"}]
    )
    def test_what_is_no_page_is_none(self, data):
        assert page_of(data) is None


class TestQuery:
    def test_the_parameters_are_the_contracts(self):
        query = ListQuery("approved", "refund", 2, 50)
        assert query.parameters(3) == {
            "status": "approved",
            "sort": "modified_date",
            "limit": 50,
            "page": 3,
            "cancellation_type": "refund",
            "channel": 2,
        }

    def test_all_types_and_channels_are_left_out(self):
        assert set(ListQuery("open", "all").parameters(1)) == {"status", "sort", "limit", "page"}


class TestCircles:
    def test_a_repeated_page_ends_the_reading_and_is_told(self):
        items = [a_request(number) for number in range(3)]
        ids, summary, _ = read(lambda _: {"count": 9, "next": "more", "results": items})
        assert ids == [0, 1, 2]
        assert (summary.complete, summary.missing, summary.rounds) == (False, 6, 5)
        assert "repeats an earlier page" in summary.problems[0]

    def test_a_repeated_page_without_a_count_is_told_as_well(self):
        ids, summary, _ = read(lambda _: {"next": "more", "results": [a_request(1)]})
        assert (ids, summary.complete, len(summary.problems)) == ([1], False, 1)

    def test_a_server_that_promises_more_after_all_was_read_is_no_trouble(self):
        items = [a_request(number) for number in range(3)]
        ids, summary, _ = read(lambda _: {"count": 3, "next": "more", "results": items})
        assert (ids, summary.complete, summary.problems) == ([0, 1, 2], True, ())

    def test_empty_pages_without_end_are_told(self):
        ids, summary, _ = read(lambda _: {"next": "more", "results": []})
        assert (ids, summary.complete) == ([], False)
        assert "is empty" in summary.problems[0]

    def test_pages_that_repeat_in_one_round_and_not_in_the_next_are_forgotten(self):
        items = [a_request(number) for number in range(4)]
        asked = []

        def fetch(number):
            asked.append(number)
            return paged(items, 2)(1 if len(asked) == 2 else number)

        ids, summary, _ = read(fetch)
        assert (ids, summary.complete, summary.problems, summary.rounds) == ([0, 1, 2, 3], True, (), 2)


class DriftingList:
    """A sorted list from which requests leave, and in which changed ones move to the end."""

    def __init__(self, length, size, events, rounds=5):
        self.items = [a_request(number) for number in range(length)]
        self._size = size
        self._events = list(events)
        self._rounds_left = rounds

    def __call__(self, number):
        self._rounds_left -= number == 1
        answer = paged(list(self.items), self._size)(number)
        if self._events and self.items and self._rounds_left >= 0:
            kind, place = self._events.pop(0)
            item = self.items.pop(place % len(self.items))
            if kind == "moves":
                self.items.append(item)
        return answer


EVENTS = st.lists(st.tuples(st.sampled_from(["leaves", "moves"]), st.integers(0, 50)), max_size=15)


class TestDrift:
    def test_who_slipped_over_the_border_is_found_in_another_round(self):
        drifting = DriftingList(10, 5, [("leaves", 0)])
        ids, summary, _ = read(drifting)
        assert sorted(ids) == list(range(10))
        assert (summary.complete, summary.rounds) == (True, 2)

    @settings(max_examples=200)
    @given(length=st.integers(0, 30), size=st.integers(1, 12), events=EVENTS, rounds=st.integers(1, 4))
    def test_changes_in_the_first_rounds_lose_nobody(self, length, size, events, rounds):
        """Whoever is on the list in the end was found, and nobody twice."""
        drifting = DriftingList(length, size, events, rounds)
        ids, summary, _ = read(drifting)
        assert len(ids) == len(set(ids))
        assert {item["id"] for item in drifting.items} <= set(ids)
        assert summary.complete

    @settings(max_examples=200)
    @given(length=st.integers(0, 30), size=st.integers(1, 12), events=EVENTS.map(lambda some: some * 30))
    def test_changes_without_end_end_the_reading_all_the_same(self, length, size, events):
        ids, summary, asked = read(DriftingList(length, size, events))
        assert len(ids) == len(set(ids)) == summary.distinct
        assert summary.rounds <= 5
        assert summary.pages == len(asked)
        assert summary.complete == (summary.missing == 0)

    def test_what_is_missing_after_five_rounds_is_said(self):
        items = [a_request(number) for number in range(8)]

        def fetch(number):
            return paged(items, 4)(number) | {"count": 10}

        ids, summary, _ = read(fetch)
        assert ids == list(range(8))
        assert (summary.complete, summary.missing, summary.rounds, summary.pages) == (False, 2, 5, 10)


class TestFilters:
    @pytest.mark.parametrize(
        ("other", "told"),
        [
            ({"status": "rejected"}, "2 request(s) of status rejected"),
            ({"cancellation_type": "cancel"}, "2 request(s) of type cancel"),
        ],
    )
    def test_another_status_or_type_is_left_out_and_told(self, other, told):
        """Should Omnitron not heed the filter, nothing goes to the ERP that nobody asked for."""
        wanted = {"status": "approved", "cancellation_type": "refund"}
        items = [a_request(1, **wanted | other), a_request(2, **wanted), a_request(3, **wanted | other)]
        ids, summary, _ = read(paged(items, 10), cancel_type="refund")
        assert (ids, summary.complete, len(summary.problems)) == ([2], True, 1)
        assert told in summary.problems[0]

    @pytest.mark.parametrize("odd", [{"status": "Approved"}, {"status": None}, {"cancellation_type": ["x"]}])
    def test_a_word_that_nobody_knows_is_no_other_status_or_type(self, odd):
        items = [a_request(1, **{"status": "approved", "cancellation_type": "refund", **odd})]
        ids, summary, _ = read(paged(items, 10), cancel_type="refund")
        assert (ids, summary.problems) == ([1], ())

    @pytest.mark.parametrize("uuid", ["a\0b", "x\ud800"])
    def test_a_uuid_that_no_database_keeps_is_left_out_and_told(self, uuid):
        """It would come back as another one, and its request would count as gone."""
        ids, summary, _ = read(paged([a_request(1, uuid=uuid), a_request(2)], 10))
        assert ids == [2]
        assert "uuid with a character that no database keeps" in summary.problems[0]

    def test_other_channels_are_left_out_whatever_omnitron_lists(self):
        items = [a_request(1), a_request(2, channel={"pk": 3}), a_request(3, channel=2)]
        ids, summary, _ = read(paged(items, 10), channel_id=2)
        assert ids == [1, 3]
        assert (summary.distinct, summary.matching, summary.problems, summary.complete) == (3, 2, (), True)

    def test_dates_begin_with_the_first_and_end_before_the_last(self):
        items = [a_request(number) for number in range(20)]
        ids, _, _ = read(
            paged(items, 5),
            modified_from=datetime(2026, 1, 1, 0, 3, tzinfo=UTC),
            modified_to=datetime(2026, 1, 1, 0, 6, tzinfo=UTC),
        )
        assert ids == [3, 4, 5]

    def test_a_sorted_list_is_not_read_beyond_the_last_date(self):
        items = [a_request(number) for number in range(50)]
        ids, summary, asked = read(paged(items, 5), modified_to=datetime(2026, 1, 1, 0, 7))  # noqa: DTZ001
        assert (ids, asked) == (list(range(7)), [1, 2])
        assert (summary.complete, summary.missing) == (True, 0)

    def test_a_list_that_is_not_sorted_is_read_to_its_end(self):
        items = [a_request(number) for number in (9, 1, 8, 2, 7, 3)]
        ids, _, asked = read(paged(items, 2), modified_to=datetime(2026, 1, 1, 0, 4, tzinfo=UTC))
        assert (ids, asked) == ([1, 2, 3], [1, 2, 3])

    def test_a_falling_count_makes_a_shortened_reading_doubtful_too(self):
        drifting = DriftingList(30, 5, [("leaves", 0)])
        ids, summary, _ = read(drifting, modified_to=datetime(2026, 1, 1, 0, 9, tzinfo=UTC))
        assert sorted(ids) == list(range(9))
        assert (summary.rounds, summary.complete) == (2, True)

    @pytest.mark.parametrize("date", [None, "yesterday", 5])
    def test_what_can_not_be_compared_is_no_match_and_is_told(self, date):
        items = [a_request(1), a_request(2, modified_date=date)]
        ids, summary, _ = read(paged(items, 5), modified_from=datetime(2026, 1, 1, tzinfo=UTC))
        assert ids == [1]
        assert summary.problems == (
            "Page 1, entry 2 (id 2) has no modified_date that can be compared; it was left out",
        )

    def test_a_request_without_channel_matches_no_channel(self):
        ids, summary, _ = read(paged([a_request(1, channel=None)], 5), channel_id=2)
        assert (ids, len(summary.problems)) == ([], 1)
        assert summary.left_out == (a_request(1)["uuid"],)


class TestBadEntries:
    @pytest.mark.parametrize(
        ("entry", "told"),
        [
            (None, "entry 2 is no object"),
            ("text", "entry 2 is no object"),
            ([1], "entry 2 is no object"),
            ({"id": 17}, "entry 2 (id 17) has no uuid"),
            ({"id": 17, "uuid": ""}, "(id 17) has no uuid"),
            ({"id": 17, "uuid": 5}, "(id 17) has no uuid"),
            ({"uuid": "u"}, "entry 2 has no whole number as id"),
            ({"uuid": "u", "id": "17"}, "has no whole number as id"),
            ({"uuid": "u", "id": True}, "has no whole number as id"),
        ],
        ids=repr,
    )
    def test_it_is_told_by_page_position_and_id_and_the_rest_goes_on(self, entry, told):
        ids, summary, _ = read(paged([a_request(0), entry, a_request(2)], 2))
        assert ids == [0, 2]
        assert (len(summary.problems), summary.complete, summary.rounds) == (1, True, 1)
        assert summary.problems[0].startswith("Page 1, ")
        assert told in summary.problems[0]

    def test_equal_bad_entries_are_counted_each(self):
        _, summary, _ = read(paged([None, {"id": 1}, None, None, {"id": 1}], 2))
        assert (summary.distinct, summary.rounds, len(summary.problems)) == (5, 1, 5)

    def test_a_page_of_them_that_repeats_ends_the_reading(self):
        _, summary, _ = read(lambda _: {"next": "more", "results": [None, None]})
        assert (summary.complete, summary.pages) == (False, 2)

    def test_very_many_are_told_as_a_number(self):
        _, summary, _ = read(paged([{"id": number} for number in range(250)], 100))
        assert len(summary.problems) == 101
        assert "150 more" in summary.problems[-1]

    def test_a_duplicate_is_handed_out_once(self):
        ids, summary, _ = read(paged([a_request(1), a_request(1), a_request(2)], 2, count=False))
        assert (ids, summary.listed, summary.distinct) == ([1, 2], 3, 2)


class TestHalfRead:
    def test_a_reading_that_failed_is_not_complete(self):
        def fetch(number):
            if number == 2:
                raise LookupError
            return paged([a_request(each) for each in range(9)], 3)(number)

        reading = None

        async def page(number):
            return page_of(fetch(number))

        async def story():
            nonlocal reading
            reading = Reading(ListQuery("approved", "all"), page)
            return [requests async for requests in reading]

        with pytest.raises(LookupError):
            asyncio.run(story())
        assert (reading.summary.complete, reading.summary.distinct) == (False, 3)

    def test_a_reading_that_nobody_finished_is_not_complete(self):
        async def page(number):
            return page_of(paged([a_request(each) for each in range(9)], 3)(number))

        async def story():
            reading = Reading(ListQuery("approved", "all"), page)
            pages = aiter(reading)
            await anext(pages)
            await pages.aclose()
            return reading.summary

        assert asyncio.run(story()).complete is False


class TestOneAhead:
    def test_the_next_page_is_read_while_one_is_worked_on(self):
        asked = []

        async def pages():
            for number in range(3):
                asked.append(number)
                yield number

        async def story():
            told = []
            async for number in one_ahead(pages()):
                await asyncio.sleep(0)
                told.append((number, list(asked)))
            return told

        assert asyncio.run(story()) == [(0, [0, 1]), (1, [0, 1, 2]), (2, [0, 1, 2])]

    def test_a_failure_comes_after_the_pages_before_it(self):
        async def pages():
            yield 1
            yield 2
            raise LookupError

        async def story():
            ahead = one_ahead(pages())
            assert [await anext(ahead), await anext(ahead)] == [1, 2]
            await anext(ahead)

        with pytest.raises(LookupError):
            asyncio.run(story())

    def test_nothing_is_read_any_more_once_it_is_left(self):
        state = []

        async def pages():
            yield 1
            try:
                await asyncio.Event().wait()
            finally:
                state.append("left")
            yield 2

        async def story():
            async with aclosing(one_ahead(pages())) as ahead:
                async for _ in ahead:
                    await asyncio.sleep(0)
                    break
            return list(state)

        assert asyncio.run(story()) == ["left"]
