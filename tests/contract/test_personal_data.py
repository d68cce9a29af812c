"""Nothing personal lies in plain in the database, and what need not be kept is deleted in time."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import inspect, select, text

from contract.ledgers import (
    FLOW,
    PERSONAL,
    a_request,
    brought_to,
    enter,
    find,
    open_claim,
    plans_of,
    requests,
    states,
    take,
    uuid_of,
)
from order_cancellation.http.tokens import Token
from order_cancellation.ledger import Change, Ledger, State, schema
from order_cancellation.ledger.dry import DryResult

DAY_S = 86_400.0
CANARIES = (*PERSONAL.values(), "Bearer-Canary", "refresh-Canary", "merchant-Canary")


def raw(ledger: Ledger, folder: Path) -> bytes:
    """All bytes of the database: SQLite's files, or every column of every table of Postgres."""
    if ledger.database.sqlite:
        return b"".join(path.read_bytes() for path in folder.glob("ledger.db*"))
    with ledger.database.read() as connection:
        tables = inspect(connection).get_table_names()
        rows = [connection.execute(text(f"SELECT * FROM {table}")).all() for table in tables]
    return b"\n".join(
        bytes(value) if isinstance(value, memoryview) else str(value).encode()
        for table in rows
        for row in table
        for value in row
    )


class TestPlainText:
    def test_the_canaries_would_be_found(self, ledger, tmp_path):
        """The search itself works: what is meant to be in plain is found."""
        enter(ledger, requests(1))
        assert b"ORD-1" in raw(ledger, tmp_path)

    def test_no_payload_token_or_file_is_found_in_plain(self, ledger, tmp_path):
        enter(ledger, requests(3), first_step="write_to_erp", ready=True)
        ledger.intake.assign(FLOW, "run-1", 1)
        claim = open_claim(ledger)
        changes = [
            Change(
                record,
                record.moved(State.SENDING, sends=1),
                {kind: {"kind": kind, **PERSONAL} for kind in ("script", "mapping", "sent", "answer")},
            )
            for record in take(ledger, claim)
        ]
        ledger.work.apply(claim, changes)
        ledger.dry.save(FLOW, "dry", [DryResult("u", 1, 0, 0, "", data={"request": a_request()})])
        token = Token(headers={"Authorization": "Bearer-Canary"}, refresh_token="refresh-Canary")
        ledger.tokens.save("erp", token)
        ledger.runs.keep_revision(FLOW, "r", {"script.py": b"merchant-Canary"})

        everything = raw(ledger, tmp_path)

        assert [one for one in CANARIES if one.encode() in everything] == []

    def test_what_is_erased_is_overwritten_on_the_disk(self, ledger, tmp_path):
        """Encrypted, but the key is still there: so the bytes themselves have to go."""
        brought_to(ledger, State.DONE)
        with ledger.database.read() as connection:
            data = bytes(connection.execute(select(schema.payloads.c.data)).scalar_one())
        piece = data[20:120]
        ledger.housekeeping.erase(FLOW, "1", who="ada")
        if ledger.database.sqlite:
            with closing(sqlite3.connect(tmp_path / "ledger.db")) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert piece not in raw(ledger, tmp_path)

    def test_a_record_shows_no_payload(self, ledger):
        enter(ledger, requests(1), first_step="write_to_erp", ready=True)
        ledger.intake.assign(FLOW, "run-1", 1)
        [record] = take(ledger, open_claim(ledger), kinds=("request",))
        change = Change(record, record.moved(State.SENDING), {"sent": PERSONAL})
        shown = repr(record) + repr(change) + json.dumps(record.columns(), default=str)
        assert [one for one in PERSONAL.values() if one in shown] == []


class TestHousekeeping:
    @pytest.mark.parametrize("state", ["done", "withdrawn"])
    def test_payloads_of_what_is_finished_go_after_their_time_and_the_rows_stay(self, ledger, clock, state):
        brought_to(ledger, State(state))
        clock.advance(30 * DAY_S)
        assert ledger.housekeeping.delete_payloads(FLOW, older_than_days=30) == 0
        clock.advance(1)
        assert ledger.housekeeping.delete_payloads(FLOW, older_than_days=30) == 1
        assert states(ledger) == {1: state}
        assert ledger.queries.events(FLOW, uuid_of(1))

    @pytest.mark.parametrize(
        "state",
        [str(state) for state in State if state not in (State.FETCHED, State.DONE, State.WITHDRAWN)],
    )
    def test_payloads_of_anything_unfinished_stay_whatever_their_age(self, ledger, clock, state):
        brought_to(ledger, State(state))
        clock.advance(3000 * DAY_S)
        assert ledger.housekeeping.delete_payloads(FLOW, older_than_days=30) == 0

    def test_many_are_deleted_in_pieces(self, ledger, clock):
        enter(ledger, requests(1100))
        assert ledger.intake.withdraw(FLOW, "run-2", set(), refusals_told=False) == 1100
        clock.advance(31 * DAY_S)
        assert ledger.housekeeping.delete_payloads(FLOW, older_than_days=30) == 1100

    def test_what_stays_does_not_keep_what_is_behind_it_from_going(self, ledger, clock):
        enter(ledger, requests(600))
        clock.advance(1)
        enter(ledger, [a_request(601)])
        listed = {uuid_of(number) for number in range(1, 601)}
        assert ledger.intake.withdraw(FLOW, "run-2", listed, refusals_told=False) == 1
        clock.advance(31 * DAY_S)
        assert ledger.housekeeping.delete_payloads(FLOW, older_than_days=30) == 1

    def test_what_goes_is_found_by_indices(self, ledger, clock):
        brought_to(ledger, State.DONE)
        clock.advance(31 * DAY_S)
        with plans_of(ledger, "payloads") as plans:
            assert ledger.housekeeping.delete_payloads(FLOW, older_than_days=30) == 1
        assert "payloads_by_age" in plans[0]
        assert any("payloads_pkey" in plan or "sqlite_autoindex_payloads" in plan for plan in plans[1:])
        assert not any("SCAN payloads" in plan or "Seq Scan on payloads" in plan for plan in plans)

    def test_another_flows_stay(self, ledger, clock):
        brought_to(ledger, State.DONE)
        clock.advance(31 * DAY_S)
        assert ledger.housekeeping.delete_payloads("another", older_than_days=30) == 0

    def test_what_dry_runs_computed_goes_with_them(self, ledger, clock):
        for run_id in ("old", "new"):
            ledger.runs.start(FLOW, run_id, "r", dry_run=True)
            ledger.dry.save(FLOW, run_id, [DryResult("u", 1, 0, 0, "")])
            clock.advance(20 * DAY_S)
        ledger.housekeeping.delete_payloads(FLOW, older_than_days=30)
        assert ledger.dry.load(FLOW, "old") == []
        assert len(ledger.dry.load(FLOW, "new")) == 1

    def test_claims_that_ended_long_ago_go_and_their_numbers_never_come_back(self, ledger, clock):
        first = open_claim(ledger)
        clock.advance(31 * DAY_S)
        ledger.housekeeping.delete_payloads(FLOW, older_than_days=30)
        with ledger.database.read() as connection:
            assert connection.execute(select(schema.claims.c.id)).all() == []
        assert open_claim(ledger).id > first.id

    def test_it_knows_the_flows_of_which_there_are_requests(self, ledger):
        assert ledger.housekeeping.flows() == []
        enter(ledger, requests(2))
        assert ledger.housekeeping.flows() == [FLOW]


def test_the_customers_number_is_all_that_is_kept_of_a_customer(ledger):
    """An internal number, without which nobody could find whom to erase."""
    enter(ledger, requests(1))
    record = find(ledger, "1")
    assert record.customer == 4001
    assert ledger.housekeeping.of_customer(4001) == [(FLOW, record.uuid)]
    assert ledger.housekeeping.of_customer(4001, "another") == []
