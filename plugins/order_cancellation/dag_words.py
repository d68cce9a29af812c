"""What a flow's page in Airflow says of it: its way, its schedule, and what happens in doubt, in words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from order_cancellation.errors import Problem
from order_cancellation.flow.model import Flow, WriteBack
from order_cancellation.flow.schedule import describe
from order_cancellation.service.doubt import lost_answer

__all__ = ["broken_in_words", "flow_in_words"]

MARKS = re.compile(r"[\\`*{}\[\]()<>!|~&]|^[#+-]|(?<![^\W_])_|_(?![^\W_])")
"""What Markdown would take for a mark; an underscore within a word is none."""


def flow_in_words(flow: Flow) -> str:
    """Tell a flow in Markdown, for whoever opens its DAG.

    Headers, bodies and scripts are left out: they may hold what not everybody should see.

    Args:
        flow: The flow.
    """
    head = [f"### {_plain(flow.name)}", *([flow.description] if flow.description else []), "#### Steps"]
    steps = [f"{number}. {sentence}" for number, sentence in enumerate(_steps(flow), start=1)]
    tail = [
        "#### Schedule and doubt",
        f"**Runs** {_schedule(flow)}.",
        f"**In doubt** (the ERP's answer got lost): {_plain(lost_answer(flow).sentence)}",
    ]
    return "\n\n".join([*head, "\n".join(steps), *tail])


def _schedule(flow: Flow) -> str:
    words = describe(flow.schedule)
    return (
        words
        if flow.enabled or flow.schedule is None
        else f"not by itself, since it is disabled (else {words})"
    )


def _steps(flow: Flow) -> Iterator[str]:
    source = flow.get_data
    kinds = {"cancel": "cancellations", "refund": "refunds", "all": "cancellations and refunds"}[
        source.cancel_type
    ]
    channel = f" of channel {source.channel_id}" if source.channel_id else ""
    which = f"{kinds} with status {_plain(source.status)}{channel}"
    yield f"**get_data** reads {which} from the connection {_plain(source.connection)}."
    if flow.script:
        yield f"**script** runs {_plain(flow.script.file)} over each."
    if flow.mapping:
        yield f"**mapping** applies the Jolt chain of {_plain(flow.mapping.file)}."
    target = flow.write_to_erp
    where = f"{_plain(target.url)} of the connection {_plain(target.connection)}"
    yield f"**write_to_erp** sends each by {target.method} to {where}."
    if flow.custom_response:
        yield f"**custom_response** judges the answers by {_plain(flow.custom_response.file)}."
    back = flow.write_to_omnitron
    yield (
        f"**write_to_omnitron** {_told(back.on_success)} when the ERP said yes, "
        f"and {_told(back.on_failure)} when it said no."
    )
    if flow.post_script:
        yield f"**post_script** runs {_plain(flow.post_script.file)} for each that is done."


def _told(write_back: WriteBack | None) -> str:
    if write_back is None:
        return "tells Omnitron nothing"
    if write_back.status:
        return f"sets the status to {_plain(write_back.status)}"
    if write_back.tag:
        return f"adds the tag {_plain(write_back.tag)}"
    if write_back.action:
        return f"calls the action {_plain(write_back.action)}"
    return "calls Omnitron as the flow says"


def broken_in_words(flow_id: str, problems: Sequence[Problem]) -> str:
    """Tell what is wrong with a flow, in Markdown.

    Args:
        flow_id: The folder's name.
        problems: All that is wrong with it.
    """
    listed = "\n".join(f"- {_in_bold(each.path)}{_plain(each.message)}" for each in problems)
    return f"### Flow {_plain(flow_id)} can't run\n\nPut this right in its folder:\n\n{listed}"


def _in_bold(path: str) -> str:
    return f"**{_plain(path)}**: " if path else ""


def _plain(text: str) -> str:
    """Return a text that Markdown shows as it is.

    Not as code: the boxes that Airflow draws around it cover the lines above and below.
    """
    return MARKS.sub(r"\\\g<0>", " ".join(text.split()))
