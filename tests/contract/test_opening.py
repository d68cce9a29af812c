"""The ledger is created and migrated at first use, by one process at a time, or says clearly why it can't."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from cryptography.fernet import Fernet
from sqlalchemy import Connection, create_engine, event, inspect, text

from contract.ledgers import FLOW, KEY, PERSONAL, FakeClock, a_request, enter, enter_batch, open_claim, take
from order_cancellation.errors import ConfigurationError, LedgerUnavailable
from order_cancellation.ledger import Ledger, database, schema
from order_cancellation.ledger.opening import HEAD, exists, open_database
from order_cancellation.ledger.search import Wanted

MIGRATIONS = Path(database.__file__).parent / "migrations"
RELEASED = Path(__file__).parent / "ledger-0001.sql"
RELEASED_KEY = "zVsgR0CVJaYtfOi6-7fw-SOwXzTQ2w5iNBq_RMZ1jJ4="

ON_SQLITE = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize(
    "backend", [pytest.param("postgres", marks=pytest.mark.needs("postgres"))], indirect=True
)

OPENER = """
import sys
from datetime import UTC, datetime
from order_cancellation.clock import SystemClock
from order_cancellation.ledger import Ledger
sys.stdin.readline()
ledger = Ledger(sys.argv[1], (sys.argv[2],), SystemClock())
print(ledger.work.open_claim("acme", "run", 0, "script", worker="w", lease_s=60.0).id)
ledger.close()
"""


class TestFirstUse:
    def test_it_is_created_with_its_folder(self, fresh_url):
        ledger = Ledger(fresh_url, (KEY,), FakeClock())
        assert ledger.queries.list() == []
        ledger.close()

    def test_whether_it_is_there_is_told_without_creating_it(self, fresh_url):
        engine = database.open_engine(fresh_url)
        assert not exists(engine)
        open_database(fresh_url).dispose()
        assert exists(engine)
        engine.dispose()

    def test_opening_it_again_leaves_what_it_holds(self, open_ledger):
        enter(open_ledger(), [a_request()])
        assert len(open_ledger().queries.list()) == 1

    def test_processes_that_start_at_once_make_one_ledger(self, fresh_url):
        """Six real processes, let go at the same moment, on a database that is not there yet."""
        command = [sys.executable, "-c", OPENER, fresh_url, KEY]
        crew = [
            subprocess.Popen(
                command, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
            for _ in range(6)
        ]
        for one in crew:
            one.stdin.write("go\n")
            one.stdin.flush()
        told = [one.communicate(timeout=120) for one in crew]
        assert [one.returncode for one in crew] == [0] * 6, told
        assert sorted(int(out) for out, _ in told) == [1, 2, 3, 4, 5, 6]


class TestSchema:
    def test_the_newest_migration_is_the_one_that_the_code_knows(self):
        assert ScriptDirectory(str(MIGRATIONS)).get_heads() == [HEAD]

    def test_migrations_build_exactly_what_the_tables_say(self, ledger):
        def compared(item, name, kind, reflected, other):
            return name != "ledger_version"

        with ledger.database.engine.connect() as connection:
            options = {"compare_type": True, "include_object": compared}
            context = MigrationContext.configure(connection, opts=options)
            assert compare_metadata(context, schema.metadata) == []

    def test_a_newer_schema_is_refused_and_left_alone(self, url):
        engine = create_engine(url)
        with engine.begin() as connection:
            connection.execute(text("UPDATE ledger_version SET version_num = '0999'"))
        try:
            with pytest.raises(LedgerUnavailable, match=r"newer version of this software.*0999.*update"):
                open_database(url)
            with engine.connect() as connection:
                found = connection.execute(text("SELECT version_num FROM ledger_version")).scalar()
            assert found == "0999"
        finally:
            with engine.begin() as connection:
                connection.execute(text("UPDATE ledger_version SET version_num = :head"), {"head": HEAD})
            engine.dispose()

    def test_a_ledger_of_the_first_release_is_opened_with_all_it_holds(self, tmp_path):
        """A file written by schema 0001 lies beside this test; every later release must take it over."""
        path = tmp_path / "ledger.db"
        connection = sqlite3.connect(path)
        connection.executescript(RELEASED.read_text(encoding="utf-8"))
        connection.close()

        ledger = Ledger(f"sqlite:///{path}", (RELEASED_KEY,), FakeClock())

        assert {record.id: record.state for record in ledger.queries.list()} == {
            1: "done",
            2: "in_doubt",
            3: "failed",
        }
        record = ledger.queries.find(FLOW, "2")
        assert ledger.queries.payloads(FLOW, record.uuid)["request", 1]["id"] == 2
        assert [one["state"] for one in ledger.queries.events(FLOW, record.uuid)][-1] == "in_doubt"
        assert ledger.runs.batch(FLOW, "run-1", 0).size == 1
        assert ledger.tokens.load("erp").headers == {"Authorization": "Bearer t"}
        assert ledger.runs.revision(FLOW, "r1") == {"flow.yaml": b"title: x\n"}
        ledger.close()

    def test_a_ledger_of_the_second_release_keeps_who_saved_what(self, tmp_path):
        path = tmp_path / "ledger.db"
        connection = sqlite3.connect(path)
        connection.executescript(RELEASED.with_name("ledger-0002.sql").read_text(encoding="utf-8"))
        connection.close()

        ledger = Ledger(f"sqlite:///{path}", (RELEASED_KEY,), FakeClock())

        (save,) = ledger.history.list(FLOW)
        assert (save.author, save.note) == ("ada", "why not")
        assert ledger.runs.revision(FLOW, save.revision) == {"flow.yaml": b"title: x\n"}
        ledger.close()

    @pytest.mark.parametrize("release", ["0001", "0002", "0003", "0004"])
    def test_what_an_earlier_release_wrote_is_searched(self, tmp_path, release):
        path = tmp_path / "ledger.db"
        connection = sqlite3.connect(path)
        connection.executescript(RELEASED.with_name(f"ledger-{release}.sql").read_text(encoding="utf-8"))
        connection.close()

        ledger = Ledger(f"sqlite:///{path}", (RELEASED_KEY,), FakeClock())

        page = ledger.search.page(Wanted(text="ORD-2"), limit=5)
        assert [record.id for record in page.records] == [2]
        batches = {one["batch"] for one in ledger.queries.events(FLOW, page.records[0].uuid)}
        assert batches == ({None, 0} if release >= "0003" else {None}), "not noted before the third"
        ledger.close()

    def test_a_ledger_of_the_fourth_release_keeps_what_was_known_of_a_line(self, tmp_path):
        path = tmp_path / "ledger.db"
        connection = sqlite3.connect(path)
        connection.executescript(RELEASED.with_name("ledger-0004.sql").read_text(encoding="utf-8"))
        connection.close()

        ledger = Ledger(f"sqlite:///{path}", (RELEASED_KEY,), FakeClock())

        traffic = ledger.traffic.load((FLOW, "erp_default"))
        assert (traffic.failures, traffic.pace) == (12, 0.5)
        ledger.close()

    def test_what_waited_after_a_2xx_before_the_fifth_release_is_known_to_be_pending(self, tmp_path):
        """By the digest of what was sent; what was refused or never sent has none."""
        path = tmp_path / "ledger.db"
        connection = sqlite3.connect(path)
        connection.executescript(RELEASED.with_name("ledger-0004.sql").read_text(encoding="utf-8"))
        waiting = "UPDATE requests SET state = 'postponed', doubt = 0, body_digest = ? WHERE id = ?"
        connection.executemany(waiting, [("digest", 1), (None, 2)])
        connection.commit()
        connection.close()

        ledger = Ledger(f"sqlite:///{path}", (RELEASED_KEY,), FakeClock())

        pending = {record.id: (record.pending, record.asked) for record in ledger.queries.list()}
        assert (pending[1], pending[2]) == ((True, False), (False, False))
        ledger.close()

    def test_every_table_is_there(self, ledger):
        with ledger.database.engine.connect() as connection:
            assert set(inspect(connection).get_table_names()) == {*schema.metadata.tables, "ledger_version"}


class TestKeys:
    def test_a_payload_of_an_unknown_key_names_the_setting(self, open_ledger):
        enter(open_ledger(), [a_request()])
        stranger = open_ledger(keys=(Fernet.generate_key().decode(),))
        with pytest.raises(ConfigurationError, match="payload_key"):
            stranger.queries.payloads(FLOW, a_request()["uuid"])

    def test_nothing_is_claimed_with_a_wrong_key(self, open_ledger):
        enter_batch(open_ledger(), 1)
        stranger = open_ledger(keys=(Fernet.generate_key().decode(),))
        with pytest.raises(ConfigurationError, match="payload_key"):
            take(stranger, open_claim(stranger), kinds=("request",))
        ledger = open_ledger()
        assert len(take(ledger, open_claim(ledger), kinds=("request",))) == 1

    def test_after_a_change_of_keys_old_payloads_are_read_and_new_ones_written(self, open_ledger):
        enter(open_ledger(), [a_request(1)])
        new = Fernet.generate_key().decode()
        enter(open_ledger(keys=(new, KEY)), [a_request(2)])
        both = open_ledger(keys=(new, KEY))
        assert all(("request", 1) in both.queries.payloads(FLOW, a_request(n)["uuid"]) for n in (1, 2))
        assert open_ledger(keys=(new,)).queries.payloads(FLOW, a_request(2)["uuid"])

    @pytest.mark.parametrize("keys", [(), ("",), ("not a key",), ("ключ",)])
    def test_no_key_or_a_wrong_one_is_refused_without_showing_it(self, url, keys):
        with pytest.raises(ConfigurationError, match="payload_key") as caught:
            Ledger(url, keys, FakeClock())
        assert "not a key" not in told(caught.value)


class TestUrl:
    @pytest.mark.parametrize(
        "url",
        [
            "",
            "nonsense-hush",
            "postgresql://ada:hush@hush:hush/db",
            "postgresql+asyncpg://ada:hush@127.0.0.1/db",
            "mysql://ada:hush@127.0.0.1/db",
            "nosuch+thing://ada:hush@127.0.0.1/db",
            "sqlite://",
            "sqlite:///:memory:",
        ],
    )
    def test_what_is_no_url_of_a_ledger_is_refused_without_showing_it(self, url):
        with pytest.raises(ConfigurationError, match="ledger_url") as caught:
            open_database(url)
        assert "hush" not in told(caught.value)


class TestUnavailable:
    @pytest.mark.parametrize(
        "url",
        ["postgresql://ada:hush@127.0.0.1:1/db", "postgresql+psycopg2://ada:hush@127.0.0.1:1/db?x=hush"],
    )
    def test_an_unreachable_server_is_told_without_the_password(self, url):
        with pytest.raises(LedgerUnavailable, match="can't be opened") as caught:
            open_database(url)
        assert "hush" not in told(caught.value)

    def test_a_folder_that_can_not_be_made_is_told(self, tmp_path):
        (tmp_path / "file").write_text("in the way")
        with pytest.raises(LedgerUnavailable, match="can't be opened"):
            open_database(f"sqlite:///{tmp_path / 'file' / 'ledger.db'}")

    def test_a_file_that_is_no_database_is_told(self, tmp_path):
        (tmp_path / "ledger.db").write_text("something else" * 1000)
        with pytest.raises(LedgerUnavailable, match="not a database"):
            open_database(f"sqlite:///{tmp_path / 'ledger.db'}")

    def test_a_read_only_ledger_can_be_read_and_says_that_it_can_not_be_written(
        self, backend, url, open_ledger
    ):
        enter(open_ledger(), [a_request()])
        ledger = Ledger(read_only(backend, url), (KEY,), FakeClock())
        assert len(ledger.queries.list()) == 1
        with pytest.raises(LedgerUnavailable, match=r"can't be written: .*read-?only") as caught:
            enter(ledger, [a_request(2)])
        assert_silent(caught.value)
        ledger.close()

    def test_a_locked_ledger_is_told_after_a_while(self, backend, url, open_ledger, monkeypatch):
        monkeypatch.setattr(database, "_BUSY_S", 1)
        holder, waiting = open_ledger(), Ledger(url, (KEY,), FakeClock())
        with holder.database.write() as connection:
            holder.database.lock_flow(connection, FLOW)
            with pytest.raises(LedgerUnavailable, match=r"lock") as caught:
                enter(waiting, [a_request()])
        assert_silent(caught.value)
        assert enter(waiting, [a_request()])["taken"] == 1
        waiting.close()

    @ON_SQLITE  # a full disk of a server would stop the other tests
    def test_a_full_disk_is_told_and_nothing_half_written(self, open_ledger):
        ledger = open_ledger()
        event.listen(ledger.database.engine, "begin", lambda c: c.exec_driver_sql("PRAGMA max_page_count=1"))
        with pytest.raises(LedgerUnavailable, match="full") as caught:
            enter(ledger, [a_request(number) for number in range(1, 500)])
        assert_silent(caught.value)
        assert ledger.queries.list() == []

    @ON_POSTGRES
    def test_a_server_that_ends_the_connection_is_told_and_found_again(self, open_ledger):
        ledger, other = open_ledger(), open_ledger()
        with (
            pytest.raises(LedgerUnavailable, match="can't be written"),
            other.database.write() as connection,
        ):
            end_connection(ledger, connection)
        assert other.queries.list() == []

    def test_values_that_do_not_fit_are_told_without_showing_them(self, ledger):
        """A number that no database takes comes from outside."""
        with pytest.raises(LedgerUnavailable) as caught:
            enter(ledger, [a_request(id=10**30)])
        assert_silent(caught.value)

    def test_a_violated_constraint_does_not_quote_the_row(self, ledger):
        """Postgres quotes the failing row in its details."""
        row = {"flow": FLOW, "run_id": "r", "batch": 0, "revision": "x", "size": 1, "label": None}
        row["revision"] = "Zerrin-Canary"
        with pytest.raises(LedgerUnavailable) as caught, ledger.database.write() as connection:
            ledger.database.add(connection, schema.batches, [row])
        assert_silent(caught.value)


def read_only(backend: str, url: str) -> str:
    """The same ledger, of which nothing can be written."""
    if backend == "sqlite":
        return url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    return f"{url}?options=-cdefault_transaction_read_only%3Don"


def end_connection(ledger: Ledger, connection: Connection) -> None:
    """Let the server end a connection, and use it once more."""
    pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()
    with ledger.database.write() as another:
        another.execute(text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})
    connection.execute(text("SELECT 1"))


def told(error: BaseException) -> str:
    """All that a log would show of an error."""
    return "".join(traceback.format_exception(error))


def assert_silent(error: BaseException) -> None:
    """The error shows none of the values that were on their way to the database."""
    text = "".join(line for line in traceback.format_exception(error) if not line.startswith("  File"))
    assert not [value for value in PERSONAL.values() if value in text]


@ON_SQLITE
def test_a_ledger_can_be_copied_while_it_is_closed(tmp_path, open_ledger):
    """What is committed is in the file, as a backup of it needs."""
    ledger = open_ledger()
    enter(ledger, [a_request()])
    ledger.close()
    shutil.copy(tmp_path / "ledger.db", tmp_path / "copy.db")
    copy = Ledger(f"sqlite:///{tmp_path / 'copy.db'}", (KEY,), FakeClock())
    assert len(copy.queries.list()) == 1
    copy.close()


class TestDisk:
    """On SQLite the ledger itself brings each commit to the disk, before anybody hears that it is written."""

    @pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
    def test_a_commit_is_there_before_it_counts_as_written(self, ledger, monkeypatch):
        flushed = []
        flush = os.fdatasync
        monkeypatch.setattr(
            os, "fdatasync", lambda file: (flushed.append(os.fstat(file).st_ino), flush(file))
        )
        ledger.work.open_claim("acme", "run-1", 0, "script", worker="w", lease_s=60)

        log = f"{ledger.database.engine.url.database}-wal"
        assert flushed == [Path(log).stat().st_ino]

    @pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
    def test_a_disk_that_refuses_makes_the_ledger_unavailable(self, ledger, monkeypatch):
        def refuse(_file):
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(os, "fdatasync", refuse)
        with pytest.raises(LedgerUnavailable, match="Input/output error"):
            ledger.work.open_claim("acme", "run-1", 0, "script", worker="w", lease_s=60)

    def test_where_the_log_can_not_be_named_sqlite_does_it(self, tmp_path):
        path = tmp_path / "ledger.db"
        open_database(f"sqlite:///{path}").dispose()
        by_name, by_uri = (
            open_database(url) for url in (f"sqlite:///{path}", f"sqlite:///file:{path}?uri=true")
        )

        modes = []
        for engine in (by_name, by_uri):
            with engine.connect() as connection:
                modes.append(connection.exec_driver_sql("PRAGMA synchronous").scalar())
            engine.dispose()
        assert modes == [1, 2]
