"""The pure parts of the steps: judging, pauses, batches, names."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from order_cancellation.errors import ConfigurationError, InDoubt, ScriptFailed
from order_cancellation.flow.model import Delivery
from order_cancellation.ledger.records import Payloads
from order_cancellation.steps.attributes import attributes_of, safe_text, told
from order_cancellation.steps.get_data import batch_sizes, even
from order_cancellation.steps.judge import Relation, StoredAnswer, default_relation, relation_of, wait_asked
from order_cancellation.steps.outcomes import retry_pause_s

NOW = datetime(2026, 1, 1, tzinfo=UTC)


ANSWERED_BEFORE = SimpleNamespace(
    flow="acme",
    id=4,
    uuid="u-4",
    channel=2,
    attempts=2,
    payloads={
        "attributes": {"invoice": "R-1", "invokehttp.status.code": "503", "delivery.outcome": "answered"}
    },
)


class TestAttributesOf:
    def test_a_send_without_an_answer_has_no_status_of_an_earlier_one(self):
        """A script that decides what nobody knows would call a lost answer by the status before it."""
        given = attributes_of(
            SimpleNamespace(run_id="run-2"), ANSWERED_BEFORE, StoredAnswer(status=None).attributes
        )

        assert given["delivery.outcome"] == "unknown"
        assert "invokehttp.status.code" not in given
        assert given["invoice"] == "R-1"

    def test_later_steps_find_what_the_answer_was(self):
        given = attributes_of(SimpleNamespace(run_id="run-2"), ANSWERED_BEFORE)

        assert given["invokehttp.status.code"] == "503"


class TestTextsOfWhatCanNotBeRead:
    """Where a request can't be decrypted, nobody knows what to mask in a text about it."""

    @pytest.fixture
    def record(self):
        def unreadable():
            raise ConfigurationError("no key reads it")

        payloads = Payloads()
        payloads.put_packed("request", unreadable)
        return SimpleNamespace(id=4, payloads=payloads)

    def test_the_reason_stands_in_the_place_of_the_text(self, record):
        assert safe_text("Ada Lovelace is unknown", record) == "no key reads it"

    def test_what_a_script_said_is_not_shown(self, record):
        said = SimpleNamespace(log_lines=[("info", "Ada Lovelace")], printed="", attributes={})
        [(level, line)] = told("post_script", record, said, {})
        assert (level, "no key reads it" in line, "Ada" in line) == ("warn", True, False)


class TestDefaultRelation:
    @pytest.mark.parametrize(
        ("status", "relation"),
        [
            (200, Relation.CONTINUE),
            (201, Relation.CONTINUE),
            (204, Relation.CONTINUE),
            (302, Relation.FAILURE),
            (400, Relation.FAILURE),
            (401, Relation.AUTH_FAIL),
            (403, Relation.FAILURE),
            (404, Relation.FAILURE),
            (409, Relation.FAILURE),
            (500, Relation.FAILURE),
        ],
    )
    def test_the_status_decides(self, status, relation):
        """The contract's rule for flows without a response script, row by row."""
        assert default_relation(StoredAnswer(status=status)) is relation

    @pytest.mark.parametrize(
        ("status", "nothing"),
        [
            *((status, True) for status in (None, 99, 101, 300, 301, 302, 303, 304, 500, 503, 600)),
            *((status, False) for status in (200, 299, 307, 308, 400, 499)),
        ],
    )
    def test_only_a_yes_a_no_and_a_call_sent_elsewhere_prove_anything(self, status, nothing):
        """All else may hide a booking."""
        assert StoredAnswer(status=status).proves_nothing is nothing

    @pytest.mark.parametrize("status", [301, 302])
    @pytest.mark.parametrize(
        ("location", "nothing"),
        [
            ("https://erp.test/c?n=1", False),
            ("http://www.erp.test/c?n=1", False),
            ("/c/?n=1", False),
            ("/result/1", True),
            ("https://erp.test/login?next=/c", True),
            ("/c?n=1", True),
        ],
    )
    def test_a_redirect_proves_something_only_where_it_sends_the_very_call_elsewhere(
        self, status, location, nothing
    ):
        """A page to be read next follows what was worked on; another address of the same, what was not."""
        answer = StoredAnswer(status=status, url="http://erp.test/c?n=1", headers={"location": location})
        assert answer.proves_nothing is nothing

    @pytest.mark.parametrize(("status", "nothing"), [(303, True), (307, False), (308, False)])
    @pytest.mark.parametrize("location", ["https://erp.test/c", "/result/1"])
    def test_what_303_307_and_308_mean_no_location_changes(self, status, location, nothing):
        answer = StoredAnswer(status=status, url="http://erp.test/c", headers={"location": location})
        assert answer.proves_nothing is nothing

    @pytest.mark.parametrize(
        "page",
        [
            "<!DOCTYPE html><title>Sign in</title>",
            "\n <HTML lang=tr>",
            "\ufeff<!doctype HTML>",
            '<?xml version="1.0"?>\n<html xmlns="http://www.w3.org/1999/xhtml">',
        ],
    )
    def test_a_web_page_with_a_2xx_says_nothing_of_a_booking(self, page):
        with pytest.raises(InDoubt, match="web page"):
            default_relation(StoredAnswer(status=200, data=page))

    @pytest.mark.parametrize(
        "answer",
        ["OK", "", "<soap:Envelope/>", "<htmlified/>", "a <html> in a text", {"html": "<html>"}, None],
    )
    def test_any_other_answer_with_a_2xx_is_a_yes(self, answer):
        assert default_relation(StoredAnswer(status=200, data=answer)) is Relation.CONTINUE


class TestWaitAsked:
    @pytest.mark.parametrize(
        ("status", "headers", "seconds"),
        [
            (429, {}, 1.0),
            (429, {"retry-after": "7"}, 7.0),
            (503, {"retry-after": "3"}, 3.0),
            (503, {}, None),
            (500, {"retry-after": "3"}, None),
            (200, {"retry-after": "3"}, None),
        ],
    )
    def test_429_always_and_503_with_retry_after(self, status, headers, seconds):
        """Nothing else means that the request was not processed."""
        assert wait_asked(StoredAnswer(status=status, headers=headers), NOW) == seconds


class TestRelationOf:
    @pytest.mark.parametrize("relation", ["continue", "failure", "do_nothing", "auth_fail"])
    def test_the_four_of_the_document(self, relation):
        """What the script sets is what counts."""
        assert relation_of(SimpleNamespace(error=None, attributes={"relation": relation})) == relation

    @pytest.mark.parametrize("attributes", [{}, {"relation": "maybe"}, {"relation": ""}])
    def test_none_or_another_is_a_script_error(self, attributes):
        """Nobody guesses what the script meant."""
        with pytest.raises(ScriptFailed, match="continue, failure, do_nothing, auth_fail"):
            relation_of(SimpleNamespace(error=None, attributes=attributes))

    def test_a_script_that_raised_decides_nothing(self):
        """Even if it had set a relation before."""
        with pytest.raises(ScriptFailed, match="boom"):
            relation_of(SimpleNamespace(error="boom", attributes={"relation": "continue"}))


class TestAttributesOfAnAnswer:
    def test_silence_has_no_status_code(self):
        """The response script can tell silence from every answer."""
        attributes = StoredAnswer(status=None).attributes
        assert attributes["delivery.outcome"] == "unknown"
        assert "invokehttp.status.code" not in attributes

    def test_statuses_are_texts_as_in_nifi(self):
        """Scripts compare with '200'."""
        assert StoredAnswer(status=200).attributes["invokehttp.status.code"] == "200"


class TestRetryPause:
    def test_it_doubles_and_ends_at_six_hours(self):
        """5 min, 10 min, 20 min … 6 h."""
        delivery = Delivery(retry_pause=timedelta(minutes=5))
        assert [retry_pause_s(delivery, n) for n in (1, 2, 3, 20, 2000)] == [300, 600, 1200, 21600, 21600]


class TestBatchSizes:
    @pytest.mark.parametrize(
        ("requests", "concurrency", "parallel", "batches"),
        [
            (0, 16, 4, 0),
            (1, 16, 4, 1),
            (8, 16, 4, 8),
            (9, 16, 4, 4),
            (3, 2, 4, 2),
            (2, 2, 4, 2),
            (1000, 3, 4, 3),
            (10, 16, 100, 10),
        ],
    )
    def test_few_get_a_row_each_and_many_are_spread(self, requests, concurrency, parallel, batches):
        """Up to eight get one each, never more batches than concurrency or requests."""
        assert batch_sizes(requests, concurrency, parallel) == batches


class TestEven:
    def test_lengths_differ_by_one_at_most(self):
        assert [len(one) for one in even(list("abcdefg"), 3)] == [3, 2, 2]

    def test_nothing_gives_no_lists(self):
        assert even([], 0) == []
