"""After a change of the payload key: what an older key reads is rewritten, and told is what no key reads."""

from __future__ import annotations

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import select

from contract.ledgers import (
    FLOW,
    KEY,
    STEP,
    a_request,
    brought_to,
    enter,
    open_claim,
    plans_of,
    requests,
    take,
    uuid_of,
)
from order_cancellation.errors import ConfigurationError
from order_cancellation.http.tokens import Token
from order_cancellation.ledger import State, keys, schema
from order_cancellation.ledger.dry import DryResult

NEW = Fernet.generate_key().decode()
FILES = {"flow.yaml": b"title: a flow\n"}
ENCRYPTED = (
    schema.revisions.c.files,
    schema.tokens.c.data,
    schema.dry_results.c.data,
    schema.payloads.c.data,
)


def stored(ledger, column):
    """A table's encrypted values, as they lie there."""
    with ledger.database.read() as connection:
        return [bytes(value) for value in connection.execute(select(column)).scalars()]


def needs(ledger):
    """How many rows of each kind need an older key, and one that is not set."""
    return {one.kind: (one.older, one.lost) for one in ledger.keys.needed() if one.older or one.lost}


def fill(ledger):
    """Leave something of every kind: one request is unfinished, one is done."""
    ledger.runs.keep_revision(FLOW, "r0", FILES, author="ada")
    ledger.runs.keep_revision(FLOW, "r1", FILES, author="ada")
    ledger.runs.start(FLOW, "run-1", "r1", dry_run=False)
    ledger.tokens.save("erp", Token({"Authorization": "Bearer t"}, generation=3))
    ledger.tokens.claim_renewal("claimed", owner="one", seen_generation=0, seconds=30)
    ledger.dry.save(FLOW, "dry", [DryResult("u", 1, 0, 0, "", data={"request": {"id": 1}})])
    brought_to(ledger, State.IN_DOUBT, 1)
    brought_to(ledger, State.DONE, 2)


class TestTokens:
    def test_one_that_can_not_be_read_is_at_its_end_and_says_nothing(self, open_ledger, clock):
        open_ledger().tokens.save("erp", Token({"a": "b"}, generation=3, refresh_token="r"))
        found = open_ledger(keys=(NEW,)).tokens.load("erp")
        assert (found.headers, found.refresh_token) == ({}, None)
        assert found.expires_at < clock.now()

    def test_a_login_replaces_one_that_can_not_be_read_and_counts_on(self, open_ledger, clock):
        open_ledger().tokens.save("erp", Token({"a": "old"}, generation=3))
        tokens = open_ledger(keys=(NEW,)).tokens
        seen = tokens.load("erp").generation
        assert tokens.claim_renewal("erp", owner="one", seen_generation=seen, seconds=30)
        assert not tokens.claim_renewal("erp", owner="two", seen_generation=seen, seconds=30)
        fresh = Token({"a": "new"}, generation=seen + 1, expires_at=clock.now() + timedelta(hours=1))
        tokens.save("erp", fresh)
        assert (tokens.load("erp"), fresh.generation) == (fresh, 4)


class TestRevisions:
    def test_one_that_can_not_be_read_is_kept_anew_when_the_flow_is_as_it_was(self, open_ledger):
        open_ledger().runs.keep_revision(FLOW, "r1", FILES)
        stranger = open_ledger(keys=(NEW,))
        with pytest.raises(ConfigurationError, match="payload_key"):
            stranger.runs.revision(FLOW, "r1")
        stranger.runs.keep_revision(FLOW, "r1", FILES)
        assert stranger.runs.revision(FLOW, "r1") == FILES

    def test_one_that_an_older_key_reads_comes_under_the_newest_as_it_is(self, open_ledger):
        open_ledger().runs.keep_revision(FLOW, "r1", FILES)
        open_ledger(keys=(NEW, KEY)).runs.keep_revision(FLOW, "r1", {"other": b"files"})
        assert open_ledger(keys=(NEW,)).runs.revision(FLOW, "r1") == FILES

    def test_who_kept_it_first_stays_its_author(self, open_ledger, clock):
        open_ledger().runs.keep_revision(FLOW, "r1", FILES, author="ada", note="first")
        kept_at = clock.now().timestamp()
        clock.advance(60)
        ledger = open_ledger(keys=(NEW,))
        ledger.runs.keep_revision(FLOW, "r1", FILES, author="eve")
        r = schema.revisions.c
        with ledger.database.read() as connection:
            [row] = connection.execute(select(r.author, r.note, r.created_at)).all()
        assert tuple(row) == ("ada", "first", kept_at)

    def test_one_under_the_newest_key_is_not_written_again(self, ledger):
        ledger.runs.keep_revision(FLOW, "r1", FILES)
        with plans_of(ledger, "INSERT") as inserts, plans_of(ledger, "UPDATE") as updates:
            ledger.runs.keep_revision(FLOW, "r1", FILES)
        assert (inserts, updates) == ([], [])


class TestRenewing:
    def test_after_it_only_payloads_of_finished_requests_need_the_old_key(self, open_ledger):
        fill(open_ledger())
        assert open_ledger(keys=(NEW, KEY)).keys.renew() == 5
        ledger = open_ledger(keys=(NEW,))
        assert ledger.runs.revision(FLOW, "r0") == ledger.runs.revision(FLOW, "r1") == FILES
        assert ledger.tokens.load("erp") == Token({"Authorization": "Bearer t"}, generation=3)
        assert ledger.dry.load(FLOW, "dry")[0].data == {"request": {"id": 1}}
        assert set(ledger.queries.payloads(FLOW, uuid_of(1))) == {("request", 1)}
        with pytest.raises(ConfigurationError):
            ledger.queries.payloads(FLOW, uuid_of(2))

    @pytest.mark.parametrize(
        "state", [state for state in State if state not in (State.DONE, State.WITHDRAWN)]
    )
    def test_payloads_of_whatever_is_unfinished_are_rewritten(self, open_ledger, state):
        if state == State.FETCHED:
            enter(open_ledger(), requests(1))
        else:
            brought_to(open_ledger(), state)
        assert open_ledger(keys=(NEW, KEY)).keys.renew() == 1
        assert open_ledger(keys=(NEW,)).queries.payloads(FLOW, uuid_of(1))

    def test_the_age_of_payloads_stays(self, open_ledger, clock):
        enter(open_ledger(), requests(1))
        entered_at = clock.now().timestamp()
        clock.advance(60)
        ledger = open_ledger(keys=(NEW, KEY))
        ledger.keys.renew()
        with ledger.database.read() as connection:
            assert connection.execute(select(schema.payloads.c.created_at)).scalars().all() == [entered_at]

    def test_many_are_rewritten_in_pieces(self, open_ledger, monkeypatch):
        monkeypatch.setattr(keys, "_AT_ONCE", 2)
        enter(open_ledger(), requests(5))
        for number in range(5):
            open_ledger().tokens.save(f"erp-{number}", Token({"a": "b"}))
            open_ledger().runs.keep_revision(FLOW, f"r{number}", FILES)
        ledger = open_ledger(keys=(NEW, KEY))
        assert ledger.keys.renew() == 15
        assert (ledger.keys.renew(), needs(ledger)) == (0, {})

    def test_what_no_key_reads_stays_as_it_is_and_stops_nothing(self, open_ledger):
        stranger = open_ledger(keys=(Fernet.generate_key().decode(),))
        stranger.tokens.save("a", Token({"a": "b"}))
        enter(stranger, requests(1))
        open_ledger().tokens.save("b", Token({"a": "b"}))
        enter(open_ledger(), [a_request(2)])
        ledger = open_ledger(keys=(NEW, KEY))
        before = {value for column in ENCRYPTED for value in stored(ledger, column)}
        assert ledger.keys.renew() == 2
        assert len(before & {value for column in ENCRYPTED for value in stored(ledger, column)}) == 2
        assert open_ledger(keys=(NEW,)).tokens.load("b").headers == {"a": "b"}
        assert open_ledger(keys=(NEW,)).queries.payloads(FLOW, uuid_of(2))

    def test_a_login_meanwhile_keeps_its_token(self, open_ledger, monkeypatch):
        open_ledger().tokens.save("erp", Token({"a": "old"}, generation=1))
        ledger, another = open_ledger(keys=(NEW, KEY)), open_ledger(keys=(NEW, KEY))
        renewed = ledger.keys._cipher.renewed

        def log_in_first(data):
            another.tokens.save("erp", Token({"a": "new"}, generation=2))
            return renewed(data)

        monkeypatch.setattr(ledger.keys._cipher, "renewed", log_in_first)
        ledger.keys.renew()
        assert ledger.tokens.load("erp") == Token({"a": "new"}, generation=2)

    def test_what_is_erased_meanwhile_does_not_come_back(self, open_ledger, monkeypatch):
        brought_to(open_ledger(), State.FAILED)
        ledger, another = open_ledger(keys=(NEW, KEY)), open_ledger()
        renewed = ledger.keys._cipher.renewed

        def erase_first(data):
            another.housekeeping.erase(FLOW, "1", who="ada")
            return renewed(data)

        monkeypatch.setattr(ledger.keys._cipher, "renewed", erase_first)
        ledger.keys.renew()
        assert stored(ledger, schema.payloads.c.data) == []

    def test_with_one_key_nothing_is_read(self, open_ledger):
        fill(open_ledger())
        ledger = open_ledger()
        with plans_of(ledger, "") as plans:
            assert ledger.keys.renew() == 0
        assert plans == []

    def test_what_is_rewritten_is_found_by_indices(self, open_ledger):
        brought_to(open_ledger(), State.IN_DOUBT)
        ledger = open_ledger(keys=(NEW, KEY))
        with plans_of(ledger, "payloads") as plans:
            assert ledger.keys.renew() == 1
        assert len(plans) == 2
        assert all("payloads_pkey" in plan or "sqlite_autoindex_payloads" in plan for plan in plans)


class TestNeeds:
    def test_under_the_newest_key_nothing_needs_another(self, ledger):
        fill(ledger)
        assert needs(ledger) == {}

    @pytest.mark.parametrize(("known", "expected"), [((NEW, KEY), (1, 0)), ((NEW,), (0, 1))])
    def test_each_kind_is_counted_by_the_key_that_it_needs(self, open_ledger, known, expected):
        fill(open_ledger())
        assert needs(open_ledger(keys=known)) == dict.fromkeys(
            (
                "flows' newest revisions",
                "payloads of unfinished requests",
                "earlier revisions",
                "login tokens",
                "results of dry runs",
                "payloads of finished requests",
            ),
            expected,
        )

    def test_of_many_it_is_said_that_not_all_were_looked_at(self, open_ledger, monkeypatch):
        monkeypatch.setattr(keys, "_LOOKED_AT", 2)
        enter(open_ledger(), requests(3))
        [need] = [one for one in open_ledger(keys=(NEW,)).keys.needed() if one.lost]
        assert (need.lost, need.whole) == (2, False)


class TestTaking:
    """Requests 1 and 2 were entered under a key that is gone, request 3 under the one that is set."""

    @pytest.fixture
    def claim(self, open_ledger, ledger):
        ready = {"first_step": STEP, "ready": True}
        enter(open_ledger(keys=(NEW,)), requests(2), **ready)
        enter(ledger, [a_request(3)], position=2, **ready)
        ledger.intake.assign(FLOW, "run-1", 1)
        return open_claim(ledger)

    def test_what_can_not_be_read_holds_nothing_up_that_is_behind_it(self, ledger, claim):
        *unreadable, record = take(ledger, claim, kinds=("request",))
        assert [one.id for one in (*unreadable, record)] == [1, 2, 3]
        assert record.payloads["request"]["id"] == 3
        for one in unreadable:
            with pytest.raises(ConfigurationError, match="payload_key"):
                one.payloads["request"]

    def test_where_nothing_can_be_read_nothing_is_taken(self, open_ledger, ledger, claim):
        stranger = open_ledger(keys=(Fernet.generate_key().decode(),))
        with pytest.raises(ConfigurationError, match="payload_key"):
            take(stranger, open_claim(stranger), kinds=("request",))
        assert len(take(ledger, claim, kinds=("request",))) == 3

    def test_after_the_first_of_a_batch_it_is_no_longer_the_key_that_is_wrong(self, open_ledger, claim):
        ledger = open_ledger(keys=(NEW,))
        *_, last = take(ledger, claim, kinds=("request",), limit=2)
        [record] = take(ledger, claim, kinds=("request",), after=last.position)
        assert record.id == 3

    def test_mostly_one_payload_is_decrypted(self, open_ledger, claim, monkeypatch):
        ledger = open_ledger(keys=(KEY, NEW))
        unpack, unpacked = ledger.work._cipher.unpack, []

        def count(data):
            unpacked.append(unpack(data)["id"])
            return unpack(data)

        monkeypatch.setattr(ledger.work._cipher, "unpack", count)
        records = take(ledger, claim, kinds=("request",))
        assert unpacked == [1]
        assert records[0].payloads["request"]["id"] == 1
        assert unpacked == [1]
