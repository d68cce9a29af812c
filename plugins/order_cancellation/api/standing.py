"""What Airflow itself knows of flows (paused, runs, when it parsed them), and asking it to parse."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import PurePosixPath

from airflow.configuration import conf
from airflow.models.dag import DagModel
from airflow.models.dagbag import DagPriorityParsingRequest
from airflow.models.dagrun import DagRun
from airflow.models.errors import ParseImportError
from airflow.models.serialized_dag import SerializedDagModel
from airflow.utils.session import create_session
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

__all__ = ["Run", "Standing", "ask_for_parse", "import_errors", "is_anothers", "standings"]

FACTORY = "flows.py"
"""The file that makes the flows' DAGs."""
_MAINTENANCE = "maintenance"
"""A DAG of ours that is there also before the first flow; its file lies beside the factory."""


@dataclass(frozen=True)
class Run:
    """One run: its id, how it stands, and when it began."""

    run_id: str
    state: str
    at: datetime | None


@dataclass(frozen=True)
class Standing:
    """What Airflow knows of a flow.

    Args:
        paused: Whether its DAG is switched off.
        next_run: When it runs next by itself.
        last_run: Its newest run.
        parsed_at: When Airflow read it last.
        parse_began_at: When that reading began: what was saved after it is not in it.
        stored_at: When Airflow stored its DAG last. A reading soon after that is not stored.
    """

    paused: bool
    next_run: datetime | None
    last_run: Run | None
    parsed_at: datetime | None
    parse_began_at: datetime | None
    stored_at: datetime | None

    def holds(self, since: datetime) -> bool:
        """Say whether what was saved at a moment is in force: read since then, and not passed over.

        Args:
            since: When it was saved.
        """
        if self.parse_began_at is None or self.parsed_at is None or self.parse_began_at <= since:
            return False
        if self.stored_at is None or self.stored_at > since:
            return True
        pause = conf.getint("core", "min_serialized_dag_update_interval", fallback=0)
        return self.parsed_at >= self.stored_at + timedelta(seconds=pause)


def standings(dag_ids: Iterable[str]) -> dict[str, Standing]:
    """Return what Airflow knows of flows; those that it does not know are left out.

    Args:
        dag_ids: The flows.
    """
    wanted = list(dag_ids)
    with create_session(scoped=False) as session:
        models = session.scalars(
            select(DagModel).where(DagModel.dag_id.in_(wanted), DagModel.is_stale.is_(False))
        ).all()
        runs, stored = _last_runs(session, wanted), _stored(session, wanted)
        return {
            model.dag_id: _standing(model, runs.get(model.dag_id), stored.get(model.dag_id))
            for model in models
        }


def _stored(session: Session, dag_ids: Sequence[str]) -> dict[str, datetime]:
    columns = (SerializedDagModel.dag_id, func.max(SerializedDagModel.last_updated))
    query = select(*columns).where(SerializedDagModel.dag_id.in_(dag_ids)).group_by(SerializedDagModel.dag_id)
    return {dag_id: _aware(at) for dag_id, at in session.execute(query) if at is not None}


def _aware(at: datetime) -> datetime:
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _last_runs(session: Session, dag_ids: Sequence[str]) -> dict[str, Run]:
    newest = select(func.max(DagRun.id)).where(DagRun.dag_id.in_(dag_ids)).group_by(DagRun.dag_id)
    columns = (DagRun.dag_id, DagRun.run_id, DagRun.state, DagRun.start_date, DagRun.run_after)
    rows = session.execute(select(*columns).where(DagRun.id.in_(newest)))
    return {
        row.dag_id: Run(
            row.run_id, str(getattr(row.state, "value", row.state)), row.start_date or row.run_after
        )
        for row in rows
    }


def _standing(model: DagModel, last_run: Run | None, stored_at: datetime | None) -> Standing:
    parsed = model.last_parsed_time
    began = None if parsed is None else parsed - timedelta(seconds=model.last_parse_duration or 0)
    following = None if model.is_paused else model.next_dagrun_create_after
    return Standing(bool(model.is_paused), following, last_run, parsed, began, stored_at)


def is_anothers(dag_id: str) -> bool:
    """Say whether Airflow has a DAG of this name that is no flow; a flow that was just deleted is none."""
    with create_session(scoped=False) as session:
        query = select(DagModel.relative_fileloc).where(
            DagModel.dag_id == dag_id, DagModel.is_stale.is_(False)
        )
        return any(PurePosixPath(path or "").name != FACTORY for path in session.scalars(query))


def ask_for_parse(dag_ids: Iterable[str]) -> bool:
    """Ask Airflow to read the flows' DAG file at once, as its own "reparse" does.

    Args:
        dag_ids: Flows; the file of any of them is that of all. A new flow's DAG is not known yet.

    Returns:
        Whether there is a file to ask for; where not, the next regular parse takes it up.
    """
    try:
        with create_session(scoped=False) as session:
            place = _factory(session, list(dag_ids))
            if place is None:
                return False
            bundle, path = place
            asked = select(DagPriorityParsingRequest.id).where(
                DagPriorityParsingRequest.bundle_name == bundle,
                DagPriorityParsingRequest.relative_fileloc == path,
            )
            if session.scalar(asked) is None:
                session.add(DagPriorityParsingRequest(bundle_name=bundle, relative_fileloc=path))
    except SQLAlchemyError:  # somebody else asked at this moment, or the next regular parse has to do
        return False
    return True


def _factory(session: Session, dag_ids: Sequence[str]) -> tuple[str, str] | None:
    """Return the bundle and the path of the file that makes the flows' DAGs."""
    columns = (DagModel.dag_id, DagModel.bundle_name, DagModel.relative_fileloc)
    query = select(*columns).where(
        DagModel.dag_id.in_([*dag_ids, _MAINTENANCE]), DagModel.is_stale.is_(False)
    )
    rows = [row for row in session.execute(query) if row.relative_fileloc]
    for row in rows:
        path = PurePosixPath(row.relative_fileloc)
        if path.name == FACTORY:
            return row.bundle_name, str(path)
    for row in rows:
        if row.dag_id == _MAINTENANCE:
            return row.bundle_name, str(PurePosixPath(row.relative_fileloc).with_name(FACTORY))
    return None


def import_errors() -> list[str]:
    """Return why Airflow can't read the file that makes the flows' DAGs, in one line each."""
    with create_session(scoped=False) as session:
        rows = session.execute(select(ParseImportError.filename, ParseImportError.stacktrace)).all()
    ours = [(name, trace) for name, trace in rows if name and PurePosixPath(name).name == FACTORY]
    return [f"{name}: {(trace or '?').strip().splitlines()[-1]}" for name, trace in ours]
