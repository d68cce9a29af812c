"""Ways in which a request could have been sent twice, lost or told of wrongly; each was found by reading."""

from __future__ import annotations

from engine_harness import a_flow
from order_cancellation.steps import deliver, mapping

ALL_FINE = {"name": "all_fine", "requests": {"count": 3}}
CUT = {
    "match": {"route": "erp.book", "position": 2, "attempt": 1},
    "then": {"close": "before", "book": "before"},
}
CUT_SECOND = {"name": "cut_second", "requests": {"count": 3}, "rules": [CUT]}


class TestFlowEditedWhileInDoubt:
    def test_a_key_declared_afterwards_does_not_allow_to_repeat_what_went_out_without(self, engine, sandbox):
        """The stored call carries no key, so the ERP could not recognise it: it waits for a person."""
        sandbox.use({**CUT_SECOND, "settings": {"idempotency": True}})
        engine.run()
        engine.write(a_flow(write_to_erp={"idempotency_header": "Idempotency-Key"}))
        report = engine.clear_failed()

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert engine.booked() == [1, 2, 3]

    def test_a_post_in_doubt_is_not_repeated_because_the_flow_puts_by_now(self, engine, sandbox):
        """What may be repeated is a PUT, and what went out was a POST."""
        sandbox.use(CUT_SECOND)
        engine.run()
        engine.write(a_flow(write_to_erp={"method": "PUT"}))
        report = engine.clear_failed()

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert engine.booked() == [1, 2, 3]


class TestOneBadRequest:
    """What nobody foresaw about one request stops none of the others."""

    def test_a_defect_in_one_requests_way_leaves_the_others_alone(self, engine, monkeypatch):
        """The others are sent and done; the bad one fails with the error's class and place."""
        engine.write(a_flow(delivery={"parallel_batches": 1}, write_to_erp={"concurrency": 2}))
        real = deliver.build_call

        def broken(settings, base_url, *, request, **rest):
            if request["id"] == 2:
                raise KeyError(request["uuid"])
            return real(settings, base_url, request=request, **rest)

        monkeypatch.setattr(deliver, "build_call", broken)
        report = engine.run()

        assert report.counts == {"done": 2, "failed": 1}
        assert "unforeseen error: KeyError at test_review.py" in report.behind[0].error

    def test_an_error_before_the_first_byte_is_not_sent_whatever_its_class(self, engine, monkeypatch):
        """A login that is set up wrongly is found when the token is fetched: nobody is in doubt."""
        batches = engine.get_data_only("run-1")
        engine.erp_options = {}
        for step in ("script", "mapping"):
            engine.step("run-1", step, batches[0])
        [line] = engine.step("run-1", "write_to_erp", batches[0]).behind

        assert (line.state, line.hopeful) == ("prepared", False)
        assert "login_url" in line.error

    def test_what_can_not_be_written_does_not_keep_the_others_waiting_for_ever(self, engine, monkeypatch):
        """A payload that is no JSON fails its own request; the rest of its group is written."""
        engine.write(a_flow(delivery={"parallel_batches": 1}, write_to_erp={"concurrency": 2}))
        monkeypatch.setattr(
            mapping, "map_document", lambda _chain, document: {1} if document["id"] == 2 else document
        )
        engine.get_data("run-1")
        engine.step("run-1", "script", 0)
        report = engine.step("run-1", "mapping", 0)

        assert [line.id for line in report.behind] == [2]
        assert report.behind[0].state == "failed"

    def test_a_mapping_added_after_the_preparation_fails_the_request_only(self, engine, sandbox):
        """Prepared without a mapping and cleared with one: nothing unmapped is sent."""
        engine.write(a_flow(mapping=None))
        engine.get_data_only("run-1")
        engine.erp_options = {"login_url": "http://127.0.0.1:9/login"}
        for step in ("script", "write_to_erp"):
            engine.step("run-1", step, 0)
        engine.erp_options = {"login_url": "/login"}
        engine.write(a_flow())
        [line] = engine.step("run-1", "write_to_erp", 0).behind

        assert (line.state, engine.booked()) == ("failed", [])
        assert "before the flow had a mapping" in line.error
