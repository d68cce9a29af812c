"""Report step: what became of everything that a run took up, and why what failed did."""

from __future__ import annotations

from order_cancellation.ledger import Ledger
from order_cancellation.steps.behind import behind
from order_cancellation.steps.report import RunReport

__all__ = ["run"]


def run(ledger: Ledger, flow: str, run_id: str) -> RunReport:
    """Count and list, from the ledger alone.

    A request that a later run took over, or that a person resolved, counts as past. What waits for a person
    from earlier runs is counted, and does not redden this run.

    Args:
        ledger: The truth.
        flow: The flow's id.
        run_id: The run.
    """
    row = ledger.runs.get(flow, run_id)
    if row is None or not row.listed:
        problem = "The list of cancellation requests was never read to its end: see the task get_data."
        return RunReport(counts={}, waiting={}, problems=(*(row.problems if row else ()), problem))
    if row.dry_run:
        return _dry(ledger, flow, run_id, row.problems, row.lines)
    left = ledger.runs.unfinished(flow, run_id)
    return RunReport(
        counts=ledger.runs.counts(flow, run_id),
        waiting=ledger.runs.waiting(flow, run_id),
        behind=tuple(behind(record, "", ()) for record in left),
        problems=row.problems,
        lines=row.lines,
    )


def _dry(
    ledger: Ledger, flow: str, run_id: str, problems: tuple[str, ...], lines: tuple[str, ...]
) -> RunReport:
    results = ledger.dry.load(flow, run_id)
    broken = [one for one in results if one.error]
    errors = tuple(f"Request {one.id} ({one.uuid}) at {one.step}: {one.error}" for one in broken)
    counts = {"computed": len(results) - len(broken), "failed": len(broken)}
    return RunReport(counts=counts, waiting={}, problems=(*problems, *errors), lines=lines)
