"""From a flow to its DAG: ``login → get_data → requests[…] → report``.

Task ids are the document's step names. The steps of a batch form one mapped task group, so that ``all_done``
looks at the batch's own row only, and *Clear → only failed* clears exactly what the failed requests still
need.

The group is made of ``MappedTaskGroup`` itself. The decorator ``@task_group`` would make the same of it, but
its import makes the providers manager scan every installed provider, in each task process.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from airflow.sdk import (
    DAG,
    Asset,
    CronDataIntervalTimetable,
    DeltaDataIntervalTimetable,
    TriggerRule,
    get_parsing_context,
)
from airflow.sdk.definitions._internal.expandinput import DictOfListsExpandInput
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.definitions.taskgroup import MappedTaskGroup, TaskGroup

from order_cancellation.airflow_settings import read_settings
from order_cancellation.dag_words import broken_in_words, flow_in_words
from order_cancellation.errors import ConfigurationError, FlowInvalid, Problem
from order_cancellation.flow.model import Flow
from order_cancellation.flow.names import RESERVED
from order_cancellation.flow.store import FlowStore, LoadedFlow
from order_cancellation.operators.base import FlowOperator
from order_cancellation.operators.batch import BatchOperator
from order_cancellation.operators.broken import BrokenFlowOperator
from order_cancellation.operators.custom_response import CustomResponseOperator
from order_cancellation.operators.get_data import GetDataOperator
from order_cancellation.operators.login import LoginOperator
from order_cancellation.operators.mapping import MappingOperator
from order_cancellation.operators.params import run_params
from order_cancellation.operators.post_script import PostScriptOperator
from order_cancellation.operators.report import ReportOperator
from order_cancellation.operators.script import ScriptOperator
from order_cancellation.operators.write_to_erp import WriteToErpOperator
from order_cancellation.operators.write_to_omnitron import WriteToOmnitronOperator
from order_cancellation.service.flows import load_checked
from order_cancellation.service.order import order_problems

__all__ = ["TAG", "broken_dag", "build_dag", "ended_well", "flow_dags"]

TAG = "order-cancellation"
BROKEN_TASK = "broken_flow"
BATCHES = "requests"
"""The mapped group; its tasks' ids begin with it."""
FIRST_DAY = (2020, 1, 1)
"""The earliest that a backfill can reach; no run is caught up on."""

STEP_OPERATORS: dict[str, type[BatchOperator]] = {
    operator.step: operator
    for operator in (
        ScriptOperator,
        MappingOperator,
        WriteToErpOperator,
        CustomResponseOperator,
        WriteToOmnitronOperator,
        PostScriptOperator,
    )
}


def build_dag(loaded: LoadedFlow) -> DAG:
    """Build a flow's DAG.

    Args:
        loaded: The flow, as its folder holds it now; a run's tasks use the revision that it pinned.

    Raises:
        ValueError: Airflow refuses the DAG, as it does with a cron expression that it can't read.
    """
    flow = loaded.flow
    with DAG(
        flow.id,
        dag_display_name=flow.name,
        description=(flow.description or "").partition("\n")[0] or None,
        schedule=_timetable(flow),
        start_date=datetime(*FIRST_DAY, tzinfo=_zone(flow)),
        catchup=False,
        max_active_runs=1,
        tags=_tags(flow),
        doc_md=flow_in_words(flow),
        default_args=_task_defaults(flow),
    ) as dag:
        login = LoginOperator(task_id="login", flow_id=flow.id)
        get_data = GetDataOperator(task_id="get_data", flow_id=flow.id)
        report = ReportOperator(
            task_id="report",
            flow_id=flow.id,
            trigger_rule=TriggerRule.ALL_DONE,
            outlets=[ended_well(flow.id)],
        )
        login >> get_data >> _requests(flow, get_data) >> report
    dag.params = ParamsDict(run_params())  # set last: tasks would copy them, and Airflow serialise each copy
    dag.validate()  # type: ignore[no-untyped-call]
    return dag


def _requests(flow: Flow, get_data: FlowOperator) -> TaskGroup:
    batches = DictOfListsExpandInput({"batch": get_data.output})
    with MappedTaskGroup(group_id=BATCHES, expand_input=batches) as group:
        previous: BatchOperator | None = None
        for step in flow.steps:
            task = STEP_OPERATORS[step](
                task_id=step,
                flow_id=flow.id,
                trigger_rule=TriggerRule.ALL_DONE if previous else TriggerRule.ALL_SUCCESS,
            )
            if previous:
                previous >> task
            previous = task
    return group


def broken_dag(flow_id: str, problems: Sequence[Problem]) -> DAG:
    """Build the DAG that stands for a flow which can't be read: same id, tag, and errors instead of steps.

    So one broken flow never hides another, and its history stays where it was.

    Args:
        flow_id: The folder's name; what a DAG id can't hold is replaced.
        problems: All that is wrong with it.
    """
    lines = [str(problem) for problem in problems]
    with DAG(
        _dag_id(flow_id),
        dag_display_name=flow_id,
        schedule=None,
        catchup=False,
        max_active_runs=1,
        tags=["broken", TAG],
        doc_md=broken_in_words(flow_id, problems),
    ) as dag:
        BrokenFlowOperator(task_id=BROKEN_TASK, problems=lines)
    return dag


def flow_dags() -> Iterator[DAG]:
    """Build the DAG of every flow, or in a task's process only its own; never raises for what a flow is.

    A task's process does not look at the other flows: its run goes on with the revision that it pinned.
    """
    context = get_parsing_context()
    if context.dag_id is None or context.task_id == BROKEN_TASK:
        yield from _all_dags()
        return
    store = FlowStore(read_settings().flows_folder)
    for flow_id in store.ids():
        if _dag_id(flow_id) == context.dag_id:
            dag = build_dag(_as_it_ran(store, flow_id))
            if (context.task_id or "").startswith(f"{BATCHES}."):
                # the run's first tasks have checked its parameters; Airflow would check them against their
                # schemas in every task, for some 5 ms of processor time
                dag.params = ParamsDict()
            yield dag


def _as_it_ran(store: FlowStore, flow_id: str) -> LoadedFlow:
    """Return a flow for a task's process; where its folder is broken now, as its newest run pinned it.

    An edit that breaks a flow shall not stop the run under way: its steps use the pinned revision anyway.
    """
    try:
        return store.load(flow_id)
    except FlowInvalid:
        from order_cancellation.service.runs import newest_revision  # noqa: PLC0415 (slow, and seldom needed)

        kept = newest_revision(read_settings(), flow_id)
        if kept is None:
            raise
        return kept


def _all_dags() -> Iterator[DAG]:
    try:
        store = FlowStore(read_settings().flows_folder)
    except ConfigurationError as error:
        yield broken_dag("order_cancellation_settings", [Problem("all", "settings", str(error))])
        return
    taken = set(RESERVED)
    for flow_id, checked in _checked(store).items():
        dag = _dag_of(flow_id, checked, taken)
        taken.add(dag.dag_id)
        yield dag


def _checked(store: FlowStore) -> dict[str, LoadedFlow | list[Problem]]:
    """Load all flows; those that are not valid, alone or among the others, are their problems."""
    found: dict[str, LoadedFlow | list[Problem]] = {}
    for flow_id in store.ids():
        try:
            found[flow_id] = load_checked(store, flow_id)
        except FlowInvalid as error:
            found[flow_id] = error.problems
    flows = {flow_id: one.flow for flow_id, one in found.items() if isinstance(one, LoadedFlow)}
    for problem in order_problems(flows, found):
        found[problem.flow] = [problem]
    return found


def _dag_of(flow_id: str, checked: LoadedFlow | list[Problem], taken: set[str]) -> DAG:
    if _dag_id(flow_id) in taken:
        problem = Problem(flow_id, "", "another DAG has this name. Rename the folder.")
        return broken_dag(_free_id(flow_id, taken), [problem])
    if not isinstance(checked, LoadedFlow):
        return broken_dag(flow_id, checked)
    try:
        return build_dag(checked)
    except Exception as error:  # noqa: BLE001 (whatever it is, it must not take the other flows' DAGs along)
        why = f"Airflow can't build its DAG: {type(error).__name__}: {error}"
        return broken_dag(flow_id, [Problem(flow_id, "", why)])


def _free_id(flow_id: str, taken: set[str]) -> str:
    while _dag_id(flow_id) in taken:
        flow_id += "_"
    return flow_id


def ended_well(flow_id: str) -> Asset:
    """Return the asset that a flow's ``report`` touches when a run ended well, and ``after`` waits for.

    Args:
        flow_id: The flow.
    """
    return Asset(name=f"{TAG}/{flow_id}", uri=f"{TAG}://flow/{flow_id}", group=TAG)


def _timetable(flow: Flow) -> Any:
    schedule = flow.schedule
    if schedule is None or not flow.enabled:
        return None
    if schedule.after is not None:
        return [ended_well(other) for other in schedule.after]
    if schedule.every is not None:
        return DeltaDataIntervalTimetable(schedule.every)
    if get_parsing_context().dag_id is not None:  # a task asks for no next run, and the import takes 20 ms
        return CronDataIntervalTimetable(schedule.cron or "", timezone=schedule.timezone)
    from order_cancellation.airflow_timetable import CronDataIntervalTimetable as Cron  # noqa: PLC0415

    return Cron(schedule.cron or "", timezone=schedule.timezone)


def _zone(flow: Flow) -> ZoneInfo:
    return ZoneInfo(flow.schedule.timezone if flow.schedule else "UTC")


def _tags(flow: Flow) -> list[str]:
    return [*flow.tags, *([] if flow.enabled else ["disabled"]), TAG]


def _task_defaults(flow: Flow) -> dict[str, Any]:
    delivery = flow.delivery
    return {
        "owner": flow.owner or "airflow",
        "retries": delivery.task_retries,
        "retry_delay": delivery.task_retry_delay,
    }


def _dag_id(flow_id: str) -> str:
    """Return the id itself where it is one, else something like it that Airflow accepts."""
    return re.sub(r"[^\w.-]", "_", flow_id, flags=re.ASCII)[:200] or "_"
