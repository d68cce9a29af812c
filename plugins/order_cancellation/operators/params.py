"""The parameters of a run: what the trigger form shows, and how a run's values are read.

Airflow accepts unknown keys in a run's ``conf`` silently, and a misspelt ``dry_run`` would send refunds. So
the first task refuses them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from airflow.sdk import Param

from order_cancellation.errors import ConfigurationError

if TYPE_CHECKING:
    from order_cancellation.service.runs import RunParams

__all__ = ["read_params", "refuse_unknown", "run_params", "schedule_params"]


def run_params() -> dict[str, Param]:
    """Return the parameters of a flow's DAG; new objects each time, since Airflow keeps values in them."""
    return {
        "dry_run": Param(
            False,
            type="boolean",
            title="Dry run",
            description="Shows in the logs what would be sent; nothing is written to the ERP or to Omnitron.",
        ),
        "limit": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Limit",
            description="The most requests that this run takes up; the others wait for the next one.",
        ),
        "modified_from": _time("Modified from", "Only requests modified at or after this time."),
        "modified_to": _time("Modified to", "Only requests modified before this time."),
        "request_ids": Param(
            None,
            type=["null", "array"],
            items={"type": "integer", "minimum": 1},
            title="Request ids",
            description="Only these cancellation requests, whatever their status: [4711, 4712].",
        ),
        "redo": Param(
            False,
            type="boolean",
            title="Redo",
            description="With request ids: also those that are done, parked or in doubt. "
            "The ERP may then book them a second time.",
        ),
    }


def _time(title: str, description: str) -> Param:
    return Param(
        None,
        type=["null", "string"],
        format="date-time",
        title=title,
        description=f"{description} ISO 8601; without an offset it is UTC.",
    )


def schedule_params(flows: Sequence[str]) -> dict[str, Param]:
    """Return the parameters of the DAG ``change_schedule``.

    Args:
        flows: The flows that there are, as suggestions; one that was added since then is accepted as well.
    """
    return {
        "flow": Param(  # without a value, so that the form asks: a stranger's schedule must not be changed
            type="string",
            minLength=1,
            examples=list(flows),
            title="Flow",
            description="Whose schedule is changed. Give exactly one of every, cron, after and no schedule.",
        ),
        "every": _text("Every", "A length of time: 30s, 5m, 6h or 1d."),
        "cron": _text("Cron", "A cron expression of five fields, such as */5 * * * *."),
        "after": Param(
            None,
            type=["null", "array"],
            items={"type": "string"},
            title="After",
            description="Runs when these flows' runs have ended well; one flow per line.",
        ),
        "none": Param(False, type="boolean", title="No schedule", description="Runs only by hand."),
        "timezone": _text("Time zone", "Of the cron expression, such as Europe/Istanbul; UTC if empty."),
    }


def _text(title: str, description: str) -> Param:
    return Param(None, type=["null", "string"], title=title, description=description)


def refuse_unknown(conf: Mapping[str, Any] | None, known: Iterable[str]) -> None:
    """Refuse a run whose ``conf`` holds what no parameter is called.

    Args:
        conf: What the run was triggered with.
        known: The names of the DAG's parameters.

    Raises:
        ConfigurationError: Names the unknown keys and all known ones.
    """
    known = list(known)
    unknown = sorted(set(conf or {}) - set(known))
    if unknown:
        raise ConfigurationError(
            f"This run was triggered with unknown parameters: {', '.join(unknown)}. "
            f"Known are {', '.join(known)}. Nothing was done."
        )


def read_params(values: Mapping[str, Any]) -> RunParams:
    """Read a run's parameters.

    Args:
        values: Airflow's ``params``: the defaults with the run's ``conf`` over them, checked already.

    Raises:
        ConfigurationError: A time can't be read, the times are the wrong way round, or ``redo`` stands alone.
    """
    from order_cancellation.service.runs import RunParams

    ids = values.get("request_ids")
    params = RunParams(
        request_ids=None if ids is None else tuple(ids),
        modified_from=_moment("modified_from", values.get("modified_from")),
        modified_to=_moment("modified_to", values.get("modified_to")),
        limit=values.get("limit"),
        dry_run=bool(values.get("dry_run")),
        redo=bool(values.get("redo")),
    )
    _refuse_contradictions(params)
    return params


def _refuse_contradictions(params: RunParams) -> None:
    if params.redo and not params.request_ids:
        raise ConfigurationError("redo needs request_ids: name the requests that are to be done again")
    if params.modified_from and params.modified_to and params.modified_from >= params.modified_to:
        raise ConfigurationError("modified_from has to be before modified_to")


def _moment(name: str, text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{name} is no ISO 8601 time: '{text[:40]}'; write it as 2026-01-31T08:00:00+03:00"
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
