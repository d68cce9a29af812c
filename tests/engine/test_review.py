"""Ways in which a request could have been sent twice, be lost or be told of wrongly; each was found by reading."""

from __future__ import annotations

from engine_harness import a_flow

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
