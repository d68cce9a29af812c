"""What the calls below ``order-cancellation flows`` do: what the designer does, for who has no page."""

from __future__ import annotations

import asyncio
import sys
from argparse import Namespace
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from order_cancellation.commands import attributes_in, open_workshop, read_input
from order_cancellation.errors import ConfigurationError
from order_cancellation.output import Output

if TYPE_CHECKING:
    from order_cancellation.service.catalogue import Listed

__all__ = [
    "chain",
    "copy",
    "create",
    "delete",
    "diff",
    "disable",
    "enable",
    "example",
    "export",
    "history",
    "import_archive",
    "listing",
    "restore",
]

_LISTED = ("id", "title", "state", "schedule", "problems")
_VERSION = ("id", "at", "author", "note", "is_current", "revision")
_MOST_BYTES = 64 * 1024 * 1024


def listing(_arguments: Namespace, output: Output) -> int:
    """List flows with what is wrong with each."""
    from order_cancellation.service.catalogue import Catalogue  # noqa: PLC0415 (each call imports its own)

    with open_workshop() as shop:
        rows = [_listed(one) for one in Catalogue().list(shop.store)]
    if output.as_json:
        output.json(rows)
    else:
        output.table([{**row, "problems": len(row["problems"])} for row in rows], _LISTED)
    return 0


def _listed(one: Listed) -> dict[str, Any]:
    from order_cancellation.service.calendar import calendar_of  # noqa: PLC0415

    enabled = one.flow is not None and one.flow.enabled
    return {
        "id": one.id,
        "title": one.title,
        "state": "broken" if one.is_broken else "enabled" if enabled else "disabled",
        "schedule": "" if one.flow is None else calendar_of(one.flow, datetime.now(UTC)).words,
        "problems": [str(problem) for problem in one.problems],
    }


def create(arguments: Namespace, output: Output) -> int:
    """Make a flow from a template."""
    from order_cancellation.service.making import make_from_template  # noqa: PLC0415

    with open_workshop() as shop:
        make_from_template(
            shop, arguments.flow, arguments.template, **_said(arguments), title=arguments.title
        )
    return _done(output, f"Flow '{arguments.flow}' is made, from the template {arguments.template}.")


def copy(arguments: Namespace, output: Output) -> int:
    """Make a flow as a copy of another."""
    from order_cancellation.service.making import copy as make_copy  # noqa: PLC0415

    with open_workshop() as shop:
        make_copy(shop, arguments.new, arguments.flow, **_said(arguments), title=arguments.title)
    return _done(output, f"Flow '{arguments.new}' is made, as a copy of '{arguments.flow}'.")


def import_archive(arguments: Namespace, output: Output) -> int:
    """Make a flow out of a zip archive."""
    from order_cancellation.service.making import import_archive as make_from_archive  # noqa: PLC0415

    with open_workshop() as shop:
        make_from_archive(shop, arguments.flow, _bytes_of(arguments.file), **_said(arguments))
    return _done(output, f"Flow '{arguments.flow}' is made, out of {arguments.file}.")


def export(arguments: Namespace, output: Output) -> int:
    """Write a flow's folder as a zip archive."""
    from order_cancellation.service.archives import write_archive  # noqa: PLC0415

    with open_workshop() as shop:
        content = write_archive(arguments.flow, shop.store.read(arguments.flow))
    path = Path(arguments.file or f"{arguments.flow}.zip")
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigurationError(f"{path} can't be written ({error.strerror}).") from error
    return _done(output, f"{path} holds flow '{arguments.flow}'.")


def delete(arguments: Namespace, output: Output) -> int:
    """Delete a flow; its history stays."""
    from order_cancellation.service.saving import delete as remove  # noqa: PLC0415
    from order_cancellation.service.whoami import who_runs_this  # noqa: PLC0415

    with open_workshop() as shop:
        remove(shop, arguments.flow, base=None, author=who_runs_this())
    return _done(output, f"Flow '{arguments.flow}' is deleted. 'flows restore' brings a version back.")


def enable(arguments: Namespace, output: Output) -> int:
    """Let a flow run by its schedule."""
    return _set_enabled(arguments, output, enabled=True)


def disable(arguments: Namespace, output: Output) -> int:
    """Keep a flow from running by its schedule."""
    return _set_enabled(arguments, output, enabled=False)


def history(arguments: Namespace, output: Output) -> int:
    """List a flow's versions."""
    from order_cancellation.service.history import versions  # noqa: PLC0415

    with open_workshop() as shop:
        rows = [{**asdict(one), "at": one.at.isoformat()} for one in versions(shop, arguments.flow)]
    if output.as_json:
        output.json(rows)
    else:
        output.table([{**row, "revision": row["revision"][:12]} for row in rows], _VERSION)
    return 0


def diff(arguments: Namespace, output: Output) -> int:
    """Show what differs between two versions."""
    from order_cancellation.service.history import diff as differences  # noqa: PLC0415

    with open_workshop() as shop:
        found = differences(shop, arguments.flow, arguments.before, arguments.after)
    if output.as_json:
        output.json([asdict(one) for one in found])
    else:
        output.text("\n".join(one.diff for one in found) or "Nothing differs.")
    return 0


def restore(arguments: Namespace, output: Output) -> int:
    """Go back to a version of a flow."""
    from order_cancellation.service.history import restore as go_back  # noqa: PLC0415

    with open_workshop() as shop:
        go_back(shop, arguments.flow, arguments.version, base=None, **_said(arguments))
    return _done(output, f"Flow '{arguments.flow}' is version {arguments.version} again.")


def chain(arguments: Namespace, output: Output) -> int:
    """Walk a request through a flow without sending anything."""
    from order_cancellation.service.chain import walk  # noqa: PLC0415

    with open_workshop() as shop:
        answer = (arguments.status, "" if arguments.body is None else read_input(arguments.body))
        loaded = shop.store.load(arguments.flow)
        told = walk(
            loaded,
            read_input(arguments.input),
            attributes_in(arguments.attribute),
            answer,
            packages=shop.packages,
            required=shop.required,
        )
    output.json(asdict(told))
    return 0


def example(arguments: Namespace, output: Output) -> int:
    """Read one request from Omnitron; personal data is masked."""
    from order_cancellation.hooks.looking_up import look_up_endpoint  # noqa: PLC0415
    from order_cancellation.http.masking import redact  # noqa: PLC0415
    from order_cancellation.service.example import read_example  # noqa: PLC0415

    with open_workshop() as shop:
        flow = shop.store.load(arguments.flow).flow
        endpoint = look_up_endpoint(flow.get_data.connection)
        request = asyncio.run(read_example(flow, endpoint, shop.ledger, arguments.id))
    output.json(redact(request))
    return 0


def _set_enabled(arguments: Namespace, output: Output, *, enabled: bool) -> int:
    from order_cancellation.service.schedule import set_enabled  # noqa: PLC0415

    with open_workshop() as shop:
        set_enabled(shop, arguments.flow, enabled=enabled, **_said(arguments))
    return _done(output, f"Flow '{arguments.flow}' is {'enabled' if enabled else 'disabled'}.")


def _said(arguments: Namespace) -> dict[str, Any]:
    from order_cancellation.service.whoami import who_runs_this  # noqa: PLC0415

    return {"author": who_runs_this(), "note": arguments.note or ""}


def _done(output: Output, text: str) -> int:
    output.text(text)
    return 0


def _bytes_of(name: str) -> bytes:
    try:
        if name == "-":
            return sys.stdin.buffer.read(_MOST_BYTES)
        with Path(name).open("rb") as file:
            return file.read(_MOST_BYTES)
    except OSError as error:
        raise ConfigurationError(f"{name} can't be read ({error.strerror}).") from error
