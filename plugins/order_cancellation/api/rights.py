"""Who may do what, in terms of Airflow's own rights; the table stands in ``docs/designer.md``."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.base_user import BaseUser
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.configuration import conf
from airflow.models.dag import DagModel
from pydantic import BaseModel

__all__ = ["Right", "Rights", "may", "rights_of", "visible"]


class Right(StrEnum):
    """What a route asks for."""

    SIGNED_IN = "signed in"
    SEE = "see"
    TEST = "test"
    EDIT = "edit"
    CREATE = "create"
    DELETE = "delete"
    REDO = "redo"
    REVEAL = "reveal"


class Rights(BaseModel):
    """What a user may do with one flow."""

    see: bool
    test: bool
    edit: bool
    redo: bool
    reveal: bool


_DAG_METHODS: dict[Right, Any] = {
    Right.SEE: "GET",
    Right.TEST: "PUT",
    Right.EDIT: "PUT",
    Right.CREATE: "POST",
    Right.DELETE: "DELETE",
    Right.REVEAL: "GET",
}


def may(user: BaseUser, right: Right, dag_id: str | None = None) -> bool:
    """Ask Airflow's auth manager for a right.

    Args:
        user: Who is signed in.
        right: What for.
        dag_id: The flow; None for flows in general.
    """
    if right == Right.SIGNED_IN:
        return True
    manager, details = get_auth_manager(), None if dag_id is None else _details(dag_id)
    if right == Right.REDO:
        entity = DagAccessEntity.RUN
        return manager.is_authorized_dag(method="POST", access_entity=entity, details=details, user=user)
    allowed = manager.is_authorized_dag(method=_DAG_METHODS[right], details=details, user=user)
    if right == Right.REVEAL:
        return allowed and manager.is_authorized_connection(method="GET", user=user)
    return allowed


def _details(dag_id: str) -> DagDetails:
    """Name a DAG as the auth manager wants it; only with several teams there is a team to look up."""
    several = conf.getboolean("core", "multi_team", fallback=False)
    return DagDetails(id=dag_id, team_name=DagModel.get_team_name(dag_id) if several else None)


def rights_of(user: BaseUser, dag_id: str) -> Rights:
    """Return what a user may do with a flow."""
    return Rights(
        see=may(user, Right.SEE, dag_id),
        test=may(user, Right.TEST, dag_id),
        edit=may(user, Right.EDIT, dag_id),
        redo=may(user, Right.REDO, dag_id),
        reveal=may(user, Right.REVEAL, dag_id),
    )


def visible(user: BaseUser, dag_ids: Iterable[str]) -> set[str]:
    """Return those flows that a user may see; a new one, which Airflow does not know yet, is asked for too.

    Args:
        user: Who is signed in.
        dag_ids: The flows in question.
    """
    return {dag_id for dag_id in dag_ids if may(user, Right.SEE, dag_id)}
