"""What the batches of a run share of the line to the ERP, over real HTTP: each batch as a task of its own."""

from __future__ import annotations

import asyncio

from engine_harness import a_flow
from order_cancellation.http import breaker as breaker_module
from order_cancellation.service import runs

BOOK = {"route": "erp.book"}


def side_by_side(engine, batches):
    """Run write_to_erp of all batches at the same time; each opens its own ledger, as a process would."""

    async def all_of_them():
        one = engine._run("run-1", {})
        return await asyncio.gather(
            *(
                runs.run_step(engine.settings, engine.connection, one, "write_to_erp", batch)
                for batch in batches
            )
        )

    return asyncio.run(all_of_them())


def prepared(engine, requests, **erp):
    engine.write(a_flow(delivery={"parallel_batches": 2, "lease": "60s"}, write_to_erp=erp, script=None,
                        mapping=None, custom_response=None, post_script=None))  # fmt: skip
    batches = engine.get_data("run-1")
    assert len(batches) == 2, requests
    return batches


def bookings(sandbox):
    return [call for call in sandbox.calls if call["path"].startswith("/erp/cancellations")]


class TestTogether:
    def test_no_more_are_in_flight_than_configured(self, engine, sandbox):
        sandbox.use({"name": "slow", "requests": {"count": 30}, "settings": {"erp_latency": 0.05}})
        batches = prepared(engine, 30, concurrency=5)
        side_by_side(engine, batches)
        assert sandbox.sandbox.most_in_flight["erp"] == 5
        assert len(sandbox.book) == 30

    def test_failures_of_both_batches_open_one_breaker_and_the_rest_is_unsent(self, engine, sandbox):
        rule = {"match": BOOK, "then": {"close": "before", "book": "never"}}
        sandbox.use({"name": "dead", "requests": {"count": 60}, "rules": [rule]})
        batches = prepared(engine, 60, concurrency=2)
        reports = side_by_side(engine, batches)
        states = list(engine.states().values())
        assert len(bookings(sandbox)) < 25, "ten failures, and what left before the other batch had looked"
        assert states.count("prepared") + states.count("in_doubt") == 60
        assert "failed" not in states
        assert all(report.hopeful for report in reports), "Airflow tries the task again"

    def test_a_retry_begins_with_one_probe_and_then_sends_the_rest(self, engine, sandbox, monkeypatch):
        monkeypatch.setattr(breaker_module.Breaker.__init__, "__kwdefaults__", SHORT_PAUSE)
        rule = {"match": BOOK, "then": {"close": "before", "book": "never"}, "times": 12}
        sandbox.use({"name": "dead", "requests": {"count": 40}, "rules": [rule]})
        batches = prepared(engine, 40, concurrency=2, idempotency_header="Idempotency-Key")
        for _ in range(4):
            side_by_side(engine, batches)
        assert set(engine.states().values()) == {"accepted"}
        assert len(sandbox.book) == 40

    def test_what_one_batch_is_told_to_wait_the_other_waits_too(self, engine, sandbox):
        """Nothing is sent by whom the ERP told nothing, either."""
        rule = {"match": BOOK, "then": {"status": 429, "headers": {"Retry-After": "600"}}}
        sandbox.use({"name": "full", "requests": {"count": 40}, "rules": [rule]})
        first, second = prepared(engine, 40, concurrency=2)
        side_by_side(engine, [first])
        told = len(bookings(sandbox))
        [report] = side_by_side(engine, [second])
        assert told <= 2
        assert len(bookings(sandbox)) == told
        assert "asks to wait for longer" in report.behind[0].error

    def test_it_slows_down_where_the_erp_throttles(self, engine, sandbox, caplog):
        rule = {"match": BOOK, "then": {"status": 429, "headers": {"Retry-After": "0"}}, "times": 3}
        sandbox.use({"name": "throttles", "requests": {"count": 40}, "rules": [rule]})
        batches = prepared(engine, 40, concurrency=8)
        side_by_side(engine, batches)
        assert len(sandbox.book) == 40
        assert "The ERP throttles (429): from 4 to 2 call(s) at a time" in caplog.text


SHORT_PAUSE = {**breaker_module.Breaker.__init__.__kwdefaults__, "pause_s": 1.0}
