"""One seed's life: some polls with faults, then quiet days in which everything has to end."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from cryptography.fernet import Fernet
from sqlalchemy import create_engine, event, make_url, text

from order_cancellation.flow.model import Flow
from order_cancellation.http.traffic import Line, Traffic
from order_cancellation.ledger import Ledger
from order_cancellation.ledger.schema import metadata
from order_cancellation.ledger.traffic import LedgerTraffic
from order_cancellation.service import requests as people
from simulation import scenario as scenarios
from simulation.airflow import Airflow
from simulation.judge import Judge
from simulation.loop import VirtualLoop
from simulation.remote import ErpServer, OmnitronServer
from simulation.worker import Worker

__all__ = ["ON_POSTGRES", "Result", "World", "live"]

ON_POSTGRES = "SIMULATION_POSTGRES"
"""The variable that names a server for the ledger, in place of SQLite; a pool's processes inherit it."""

MOST_CALLS = 20_000
POLLS = 9

logging.getLogger("order_cancellation").addHandler(logging.NullHandler())  # else it would fill the screen


class TooMuch(Exception):
    """Somebody turns in a circle."""


@dataclass(frozen=True)
class Result:
    """What a seed led to.

    Args:
        seed: The seed.
        violations: What must never happen and did.
        story: All that happened, a line each.
        told: The scenario in a line.
    """

    seed: int
    violations: tuple[str, ...]
    story: tuple[str, ...]
    told: str

    @property
    def failed(self) -> bool:
        return bool(self.violations)


class World:
    """Everything around the engine.

    Args:
        seed: Decides everything.
        loop: Whose time it is.
    """

    def __init__(self, seed: int, loop: VirtualLoop) -> None:
        self.loop = loop
        self.random = Random(f"world {seed}")
        self.scenario = scenarios.draw(seed, Random(f"scenario {seed}"))
        self.faults = scenarios.Faults(self.scenario.chances, Random(f"faults {seed}"))
        self.wall_offset = 0.0
        self.story: list[str] = []
        self.unexpected: list[BaseException] = []
        self.judge = Judge(self)
        self.log = logging.Logger("simulation")  # noqa: LOG001 -- of this world only
        self.log.addHandler(self.judge)
        uuids = [f"uuid-{number}" for number in range(1, len(self.scenario.natures) + 1)]
        self.erp = ErpServer(self, dict(zip(uuids, self.scenario.natures, strict=True)))
        self.omnitron = OmnitronServer(self)
        self.airflow = Airflow(self)
        self.ledger = _fresh_ledger()
        self._set_clock()
        self._calls = 0

    @property
    def flow(self) -> Flow:
        return self.scenario.flow

    def tell(self, who: Worker | None, what: str) -> None:
        """Add a line to the story."""
        self.story.append(f"{self.loop.time():12.3f} {who.name if who else '-'}: {what}")

    def count(self) -> None:
        """Count one of the ledger's calls."""
        self._calls += 1
        if self._calls > MOST_CALLS:
            raise TooMuch("somebody turns in a circle")

    def jump_clock(self) -> None:
        """Somebody sets the clock of the machines."""
        self.wall_offset += self.random.choice([-3600.0, -30.0, -2.0, 2.0, 30.0, 3600.0])
        self.tell(None, f"the clock jumps to {self.wall_offset:+.0f}s")

    def _set_clock(self) -> None:
        clock = Worker(self, "clock")
        ledger = self.ledger
        for part in (ledger.runs, ledger.intake, ledger.work, ledger.tokens, ledger.traffic):
            part._clock = clock
        self.ledger.queries._clock = clock
        change = LedgerTraffic.change

        def watched(line: Line, how: Any) -> Traffic:
            traffic = change(ledger.traffic, line, how)
            self.judge.traffic_changes(traffic)
            return traffic

        ledger.traffic.change = watched  # type: ignore[method-assign]

    # the life

    async def live(self) -> None:
        """Some runs with faults, then quiet ones."""
        for number in range(1, self.scenario.runs + 1):
            self._arrive(number)
            await self._run_and_more(f"run-{number}")
        await self.airflow.quiet()
        self.judge.look_at_books()
        self.tell(None, "FAULTS OFF")
        self.faults.on = False
        self._arrive(self.scenario.runs + 1)
        await self._quiet_days()
        self.judge.look_at_books()
        self.judge.look_at_end()
        self.judge.look_at_notes()

    def _arrive(self, run: int) -> None:
        for number, arrives in enumerate(self.scenario.arrivals, start=1):
            if number not in self.omnitron.requests and arrives < run:
                self.omnitron.arrive(number, f"uuid-{number}")

    async def _run_and_more(self, run_id: str) -> None:
        running = [asyncio.ensure_future(self.airflow.run(run_id))]
        if self.faults.strikes("overlap"):
            await asyncio.sleep(self.random.uniform(0.0, 5.0))
            running.append(asyncio.ensure_future(self.airflow.run(f"{run_id}-by-hand")))
        reds, *_ = await asyncio.gather(*running)
        if reds and self.faults.strikes("clear"):
            await asyncio.sleep(self.random.uniform(1.0, 200.0))
            reds = await self.airflow.clear(run_id, reds)
        self.judge.look_at_books()
        await asyncio.sleep(self.random.choice([1.0, 60.0, 400.0]))
        if self.faults.strikes("person"):
            await self.airflow.quiet()
            await asyncio.sleep(60.0)
            self._person_acts(thorough=False)

    async def _quiet_days(self) -> None:
        for number in range(POLLS):
            await asyncio.sleep(7200.0)
            await self.airflow.run(f"quiet-{number}")
            await self.airflow.quiet()
            if not self.judge.open_ends():
                return
            if number >= 2:
                self._person_acts(thorough=True)

    def _person_acts(self, *, thorough: bool) -> None:
        """A person looks at the ERP's book, and decides what waits for that."""
        for uuid, row in sorted(self.judge.rows().items()):
            if row.state in ("parked", "in_doubt") and (thorough or self.random.random() < 0.7):
                self._decide(uuid, row)
            elif not thorough and row.state in ("done", "failed") and self.random.random() < 0.2:
                self._redo(uuid)

    def _decide(self, uuid: str, row: Any) -> None:
        if self.erp.booked(uuid):
            self._resolve(uuid, "accepted")
        elif self.random.random() < 0.6:
            self._redo(uuid)
        else:
            self._resolve(uuid, "refused")

    def _redo(self, uuid: str) -> None:
        self.judge.a_person_says(uuid, "redo")
        self.tell(None, f"a person has {uuid} done again")
        people.redo(self.ledger, self.flow.id, [uuid])

    def _resolve(self, uuid: str, as_: Any) -> None:
        self.judge.a_person_says(uuid, as_)
        self.tell(None, f"a person says that {uuid} is {as_}")
        people.resolve(self.ledger, self.flow.id, uuid, as_, why="looked at the book of the ERP")


def live(seed: int) -> Result:
    """Live through one seed.

    Args:
        seed: Which one.
    """
    loop = VirtualLoop()
    world = World(seed, loop)
    try:
        loop.run_until_complete(world.live())
    except Exception as error:  # noqa: BLE001 -- whatever it is, it has to be told with its seed
        world.judge.broken(f"{type(error).__name__}: {error}")
        world.unexpected.append(error)
    finally:
        _end(loop)
    return Result(seed, tuple(world.judge.violations), tuple(world.story), world.scenario.told())


def _end(loop: VirtualLoop) -> None:
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    with suppress(BaseException):  # all of it is thrown away
        if tasks:
            loop.run_until_complete(asyncio.wait(tasks, timeout=60))
    loop.close()


@cache
def _ledger(server: str | None) -> Ledger:
    """Return this process's ledger, which is emptied for each seed: on a server, or one careless file."""
    key = Fernet.generate_key().decode()
    if server is not None:
        return Ledger(_database_on(server), (key,), None)  # type: ignore[arg-type]
    folder = Path(tempfile.mkdtemp(prefix="simulation-"))
    _in_the_end(lambda: shutil.rmtree(folder, ignore_errors=True))
    ledger = Ledger(f"sqlite:///{folder / 'ledger.db'}", (key,), None)  # type: ignore[arg-type]
    ledger.database.engine.dispose()
    event.listen(ledger.database.engine, "connect", _careless)
    return ledger


def _careless(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=MEMORY", "synchronous=OFF", "locking_mode=EXCLUSIVE"):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def _database_on(server: str) -> str:
    """Make a database of this process's own; it is dropped in the end."""
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    name = f"simulation_{uuid4().hex}"

    def say(what: str) -> None:
        with engine.connect() as connection:
            connection.execute(text(what))
        engine.dispose()

    say(f"CREATE DATABASE {name}")
    _in_the_end(lambda: say(f"DROP DATABASE {name} WITH (FORCE)"))
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _in_the_end(clean_up: Callable[[], Any]) -> None:
    """Clean up when this process ends; a pool's processes do not heed ``atexit``."""
    Finalize(None, clean_up, exitpriority=1)


def _fresh_ledger() -> Ledger:
    ledger = _ledger(os.environ.get(ON_POSTGRES))
    names = ", ".join(table.name for table in metadata.sorted_tables)
    with ledger.database.write() as connection:
        if not ledger.database.sqlite:
            connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY"))
            return ledger
        for table in metadata.sorted_tables:
            connection.execute(text(f"DELETE FROM {table.name}"))
        connection.execute(text("DELETE FROM sqlite_sequence"))
    return ledger
