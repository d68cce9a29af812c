"""What batches know together of a line: one row, changed by one process at a time, read by all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from contract.ledgers import FLOW
from order_cancellation.http.traffic import Traffic

LINE = (FLOW, "erp_default")


def one_more(traffic, _now):
    return replace(traffic, failures=traffic.failures + 1)


class TestTraffic:
    def test_nothing_is_known_of_a_line_at_first(self, ledger):
        assert ledger.traffic.load(LINE) == Traffic()

    def test_what_one_process_learns_another_one_reads(self, open_ledger, clock):
        now = clock.now().timestamp()
        told = Traffic(3, now + 30, "batch-1/7", now + 5, now + 2, 0.25, now, now)
        open_ledger().traffic.change(LINE, lambda *_: told)
        assert open_ledger().traffic.load(LINE) == told

    def test_lines_do_not_know_of_each_other(self, ledger):
        ledger.traffic.change(LINE, one_more)
        assert ledger.traffic.load((FLOW, "other")) == ledger.traffic.load(("other", "erp_default"))
        assert ledger.traffic.load((FLOW, "other")) == Traffic()

    def test_what_two_count_at_the_same_moment_is_counted_twice(self, open_ledger):
        ledgers = [open_ledger() for _ in range(4)]
        with ThreadPoolExecutor(4) as crew:
            list(crew.map(lambda number: ledgers[number % 4].traffic.change(LINE, one_more), range(20)))
        assert ledgers[0].traffic.load(LINE).failures == 20

    def test_of_many_that_claim_one_gets_it(self, open_ledger):
        ledgers = [open_ledger() for _ in range(4)]

        def claim(number):
            def mine(traffic, _now):
                return traffic if traffic.probe_owner else replace(traffic, probe_owner=str(number))

            return ledgers[number].traffic.change(LINE, mine).probe_owner

        with ThreadPoolExecutor(4) as crew:
            assert len(set(crew.map(claim, range(4)))) == 1

    def test_a_change_that_changes_nothing_writes_nothing(self, ledger, clock):
        ledger.traffic.change(LINE, one_more)
        before = ledger.traffic.load(LINE)
        clock.advance(5)
        ledger.traffic.change(LINE, lambda traffic, _now: traffic)
        assert ledger.traffic.load(LINE) == before

    def test_what_is_old_counts_no_more(self, ledger, clock):
        ledger.traffic.change(LINE, one_more)
        clock.advance(3601)
        assert ledger.traffic.change(LINE, one_more).failures == 1
