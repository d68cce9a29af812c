"""How doubt is settled: what the simulation once found, each as a small scenario of its own."""

from __future__ import annotations

from engine_harness import a_flow

LOOK_UP = {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"}


class TestLookUp:
    def test_it_needs_no_second_slot(self, engine, sandbox):
        """With one call in flight at most, a look-up takes that one place and does not wait for itself."""
        engine.write(a_flow(write_to_erp={"look_up": LOOK_UP, "concurrency": 1}))
        rule = {"match": {"route": "erp.book", "attempt": 1}, "then": {"close": "before", "book": "before"}}
        sandbox.use({"name": "cut", "requests": {"count": 2}, "rules": [rule]})

        assert engine.run().counts == {"done": 2}
        assert engine.booked() == [1, 2]

    def test_it_counts_from_the_answer_and_not_from_the_intent(self, engine, sandbox):
        """The ERP books a moment after its 504: a second after that answer the look-up finds it."""
        look_up = {**LOOK_UP, "after": "1s"}
        engine.write(a_flow(write_to_erp={"look_up": look_up}, custom_response=None))
        slow = {"status": 504, "delay": 1.2, "book": "after", "book_delay": 0.2}
        rule = {"match": {"route": "erp.book", "attempt": 1}, "then": slow}
        sandbox.use({"name": "slow", "requests": {"count": 1}, "rules": [rule]})

        assert engine.run().counts == {"done": 1}
        assert engine.booked() == [1]
        assert [call["route"] for call in sandbox.calls].count("erp.book") == 1
