"""Runs, their batches, the flow's pinned revisions, and the notes that tell a person's act from a retry."""

from __future__ import annotations

import json
import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, delete, func, select, update

from order_cancellation.clock import Clock
from order_cancellation.ledger import schema
from order_cancellation.ledger.cipher import Cipher, Under
from order_cancellation.ledger.database import Database
from order_cancellation.ledger.records import Record
from order_cancellation.ledger.states import State
from order_cancellation.ledger.work import RECORDS, record_from

__all__ = ["LAST_AT_WORK", "Batch", "RunRow", "Runs"]

_R = schema.requests.c
_B = schema.batches.c
_N = schema.step_notes.c
LAST_AT_WORK = func.coalesce(schema.runs.c.listed_at, schema.runs.c.started_at)
"""When a run's ``get_data`` last ended; where it is at work, when it first began."""
# Statements that every task needs are made once: making one costs as much as running it.
_RUN = select(schema.runs).where(
    schema.runs.c.flow == bindparam("at_flow"), schema.runs.c.run_id == bindparam("at_run")
)
_OF_RUN = (_B.flow == bindparam("at_flow"), _B.run_id == bindparam("at_run"))
_ONE_BATCH = select(schema.batches).where(*_OF_RUN, _B.batch == bindparam("at_batch"))
_BATCH_COUNT = select(func.count()).select_from(schema.batches).where(*_OF_RUN)
_NOTE = select(_N.red_at).where(
    _N.flow == bindparam("at_flow"),
    _N.run_id == bindparam("at_run"),
    _N.batch == bindparam("at_batch"),
    _N.step == bindparam("at_step"),
)


@dataclass(frozen=True)
class Batch:
    """One batch of a run.

    Args:
        number: Its number, which is Airflow's map index.
        revision: The revision of the flow that it works with.
        label: Its name in Airflow's grid.
        size: How many requests it began with.
    """

    number: int
    revision: str
    label: str
    size: int


@dataclass(frozen=True)
class RunRow:
    """One run of a flow.

    Args:
        flow: The flow's id.
        run_id: Airflow's name of the run.
        revision: The revision pinned by ``get_data``.
        dry_run: Whether nothing may leave.
        listed: Whether ``get_data`` was through.
        lines: What the reading found, for people.
        problems: What went wrong with the run itself.
    """

    flow: str
    run_id: str
    revision: str
    dry_run: bool
    listed: bool
    lines: tuple[str, ...]
    problems: tuple[str, ...]


class Runs:
    """What the ledger keeps of runs.

    Args:
        database: Where.
        cipher: For revisions: a flow's files are the merchant's own.
        clock: For times.
    """

    def __init__(self, database: Database, cipher: Cipher, clock: Clock) -> None:
        self._database = database
        self._cipher = cipher
        self._clock = clock

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def keep_revision(
        self, flow: str, revision: str, files: Mapping[str, bytes], *, author: str = "", note: str = ""
    ) -> None:
        """Keep a flow's folder as it is now; a revision that is there already stays as it is.

        Only what it is encrypted with does not: the newest key takes the place of another, so that a flow
        goes on with the newest alone, even where the one before is gone.
        """
        r = schema.revisions.c
        with self._database.read() as connection:
            found = connection.execute(select(r.files).where(r.flow == flow, r.revision == revision)).scalar()
        under = None if found is None else self._cipher.under(found)
        if under == Under.NEWEST:
            return
        packed = {name: b64encode(zlib.compress(data)).decode() for name, data in files.items()}
        row = {
            "flow": flow,
            "revision": revision,
            "files": self._cipher.pack(packed),
            "created_at": self._now(),
            "author": author,
            "note": note,
        }
        with self._database.write() as connection:
            self._database.insert_missing(connection, schema.revisions, [row])
            if found is not None:
                under_newest = self._cipher.renewed(found) if under == Under.OLDER else row["files"]
                connection.execute(
                    update(schema.revisions)
                    .where(r.flow == flow, r.revision == revision)
                    .values(files=under_newest)
                )

    def revision(self, flow: str, revision: str) -> dict[str, bytes]:
        """Return a kept folder: relative path → content.

        Raises:
            KeyError: It was never kept.
        """
        r = schema.revisions.c
        with self._database.read() as connection:
            data = connection.execute(select(r.files).where(r.flow == flow, r.revision == revision)).scalar()
        if data is None:
            raise KeyError(f"Flow '{flow}': the ledger has no revision {revision[:12]}")
        return {name: zlib.decompress(b64decode(text)) for name, text in self._cipher.unpack(data).items()}

    def flows(self) -> list[str]:
        """Return the flows that ever ran."""
        with self._database.read() as connection:
            return list(connection.execute(select(schema.runs.c.flow).distinct().order_by("flow")).scalars())

    def newest_revision(self, flow: str) -> str | None:
        """Return the revision that the flow's newest run pinned, or None where it never ran."""
        r = schema.runs.c
        query = select(r.revision).where(r.flow == flow).order_by(LAST_AT_WORK.desc()).limit(1)
        with self._database.read() as connection:
            return connection.execute(query).scalar()

    def start(self, flow: str, run_id: str, revision: str, *, dry_run: bool) -> None:
        """Enter a run, or enter it again with the revision of now: it has begun when it first did."""
        row = {
            "flow": flow,
            "run_id": run_id,
            "revision": revision,
            "dry_run": dry_run,
            "started_at": self._now(),
            "listed_at": None,
            "lines": "[]",
            "problems": "[]",
        }
        r = schema.runs.c
        with self._database.write() as connection:
            begun = connection.execute(
                select(r.started_at).where(r.flow == flow, r.run_id == run_id)
            ).scalar()
            if begun is not None:
                row["started_at"] = begun
            self._database.upsert(connection, schema.runs, [row])

    def listed(
        self,
        flow: str,
        run_id: str,
        batches: Sequence[Batch],
        *,
        lines: Sequence[str],
        problems: Sequence[str],
    ) -> None:
        """Note that ``get_data`` is through, with what it found."""
        r, b = schema.runs.c, schema.batches.c
        values = {
            "listed_at": self._now(),
            "lines": json.dumps(list(lines)),
            "problems": json.dumps(list(problems)),
        }
        rows = [
            {
                "flow": flow,
                "run_id": run_id,
                "batch": one.number,
                "revision": one.revision,
                "label": one.label[:200],
                "size": one.size,
            }
            for one in batches
        ]
        with self._database.write() as connection:
            connection.execute(update(schema.runs).where(r.flow == flow, r.run_id == run_id).values(values))
            connection.execute(delete(schema.batches).where(b.flow == flow, b.run_id == run_id))
            self._database.add(connection, schema.batches, rows)

    def get(self, flow: str, run_id: str) -> RunRow | None:
        """Return a run, or None where its ``get_data`` never began."""
        with self._database.read() as connection:
            row = connection.execute(_RUN, {"at_flow": flow, "at_run": run_id}).one_or_none()
        if row is None:
            return None
        return RunRow(
            flow=flow,
            run_id=run_id,
            revision=row.revision,
            dry_run=row.dry_run,
            listed=row.listed_at is not None,
            lines=tuple(json.loads(row.lines)),
            problems=tuple(json.loads(row.problems)),
        )

    def batch(self, flow: str, run_id: str, number: int) -> Batch | None:
        """Return one batch, or None where there is no such batch."""
        here = {"at_flow": flow, "at_run": run_id, "at_batch": number}
        with self._database.read() as connection:
            row = connection.execute(_ONE_BATCH, here).one_or_none()
        return None if row is None else Batch(row.batch, row.revision, row.label, row.size)

    def pin(self, flow: str, run_id: str, number: int, revision: str) -> None:
        """Let a batch go on with another revision: a person repaired the flow and cleared the tasks."""
        with self._database.write() as connection:
            connection.execute(
                update(schema.batches)
                .where(_B.flow == flow, _B.run_id == run_id, _B.batch == number)
                .values(revision=revision)
            )

    def note_red(self, flow: str, run_id: str, number: int, step: str) -> None:
        """Note that a step ended red for good: a new execution over this note is a person's act."""
        row = {"flow": flow, "run_id": run_id, "batch": number, "step": step, "red_at": self._now()}
        with self._database.write() as connection:
            self._database.upsert(connection, schema.step_notes, [row])

    def take_note(self, flow: str, run_id: str, number: int, step: str, following: Sequence[str]) -> bool:
        """Say whether a step runs by a person's act, and take the note away.

        The notes of the following steps go with it: they are cleared by the same act and shall work with the
        same revision, not with what is edited in between.
        """
        noted = {"at_flow": flow, "at_run": run_id, "at_batch": number, "at_step": step}
        with self._database.read() as connection:
            if connection.execute(_NOTE, noted).first() is None:
                return False
        here = (_N.flow == flow, _N.run_id == run_id, _N.batch == number)
        with self._database.write() as connection:
            taken = connection.execute(delete(schema.step_notes).where(*here, _N.step == step)).rowcount
            if taken:  # else another execution was faster
                connection.execute(delete(schema.step_notes).where(*here, _N.step.in_(following)))
        return bool(taken)

    def unfinished(
        self, flow: str, run_id: str, number: int | None = None, *, steps: Sequence[str] | None = None
    ) -> list[Record]:
        """Return the requests of a run that are not through or postponed.

        Args:
            flow: The flow's id.
            run_id: The run.
            number: Only those of this batch.
            steps: Only those that wait at one of these steps.
        """
        here = {"at_flow": flow, "at_run": run_id, "at_batch": number, "at_steps": steps}
        query = _unfinished(of_batch=number is not None, at_steps=steps is not None)
        with self._database.read() as connection:
            rows = connection.execute(query, here).all()
        return [record_from(row) for row in rows]

    def counts(self, flow: str, run_id: str, number: int | None = None) -> dict[str, int]:
        """Return how many requests of a run (or of one batch of it) are in which state."""
        here = {"at_flow": flow, "at_run": run_id, "at_batch": number}
        query = _counts(of_batch=number is not None)
        with self._database.read() as connection:
            rows = connection.execute(query, here).all()
        return {row[0]: row[1] for row in rows}

    def waiting(self, flow: str, run_id: str) -> dict[str, int]:
        """Return how many requests of other runs wait for a person, by state."""
        r = schema.requests.c
        with self._database.read() as connection:
            rows = connection.execute(
                select(r.state, func.count())
                .where(r.flow == flow, r.run_id != run_id, r.state.in_((State.PARKED, State.IN_DOUBT)))
                .group_by(r.state)
            ).all()
        return {row[0]: row[1] for row in rows}

    def batch_count(self, flow: str, run_id: str) -> int:
        """Return how many batches a run has."""
        with self._database.read() as connection:
            return int(connection.execute(_BATCH_COUNT, {"at_flow": flow, "at_run": run_id}).scalar_one())


@cache
def _unfinished(*, of_batch: bool, at_steps: bool) -> Select[Any]:
    query = _within(RECORDS.where(_R.step != ""), of_batch=of_batch)
    if at_steps:
        query = query.where(_R.step.in_(bindparam("at_steps", expanding=True)))
    return query.order_by(_R.batch, _R.position, _R.uuid)


@cache
def _counts(*, of_batch: bool) -> Select[Any]:
    return _within(select(_R.state, func.count()).group_by(_R.state), of_batch=of_batch)


def _within(query: Select[Any], *, of_batch: bool) -> Select[Any]:
    """Keep to a run's requests, or to those of one batch of it."""
    query = query.where(_R.flow == bindparam("at_flow"), _R.run_id == bindparam("at_run"))
    return query.where(_R.batch == bindparam("at_batch")) if of_batch else query
