"""The one home of saving: every change of a flow's folder goes through here, whoever asks for it.

The order is: look whether the folder is still what the change was made from, check the new files, run their
cases; keep the new version in the ledger (the intent), write the files (the effect). A save that dies between
the two stands in the history, and the folder as it is then is noticed as a change from outside.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from order_cancellation.errors import FlowInvalid, Problem, SaveRefused
from order_cancellation.flow.cases import read_cases
from order_cancellation.flow.model import Flow
from order_cancellation.flow.names import RESERVED, is_flow_id
from order_cancellation.flow.store import FlowStore, LoadedFlow, revision_of, size_problems
from order_cancellation.flow.writing import alone_in, change_folder, make_folder, remove_folder
from order_cancellation.ledger import Ledger, Save
from order_cancellation.service.apart import apart
from order_cancellation.service.cases import CaseResult, run_cases
from order_cancellation.service.diffs import diff_files
from order_cancellation.service.flows import check, opened
from order_cancellation.service.order import place_problems
from order_cancellation.service.settings import Settings

__all__ = [
    "OUTSIDE",
    "Saved",
    "Workshop",
    "checked_files",
    "create",
    "delete",
    "notice",
    "save",
    "why_not_writable",
    "workshop_of",
]

OUTSIDE = "outside the designer"
"""The author of what Git or an editor changed."""


@dataclass(frozen=True)
class Workshop:
    """Where flows are changed and tried.

    Args:
        store: The flows folder.
        ledger: Keeps every version.
        packages: Packages that scripts may import when cases are run.
        required: Whether scripts must not run where an essential protection is missing.
    """

    store: FlowStore
    ledger: Ledger
    packages: tuple[str, ...] = ()
    required: bool = False


@dataclass(frozen=True)
class Saved:
    """What came of a save.

    Args:
        flow: The flow as it is now.
        revision: Its folder as it is now.
        at: When it was saved; where nothing had changed, when it was saved last.
        cases: What the saved cases gave; empty where they were not run.
    """

    flow: Flow
    revision: str
    at: datetime
    cases: Sequence[CaseResult] = field(default_factory=tuple)


def workshop_of(settings: Settings, ledger: Ledger) -> Workshop:
    """Return the workshop that the settings describe."""
    return Workshop(
        FlowStore(settings.flows_folder), ledger, settings.script_packages, settings.isolation_required
    )


def save(
    shop: Workshop,
    flow_id: str,
    files: Mapping[str, bytes],
    *,
    base: str | None,
    author: str,
    note: str = "",
    despite: bool = False,
    try_cases: bool = True,
) -> Saved:
    """Give a flow's folder other files.

    Args:
        shop: Where.
        flow_id: The flow.
        files: All that the folder is to hold: relative path to content.
        base: The revision that the change was made from; None for whatever is there now.
        author: Who saves.
        note: Why.
        despite: Whether to save although saved cases fail.
        try_cases: Whether to run them at all; a change of the schedule touches none.

    Raises:
        FlowInvalid: The files make no valid flow.
        SaveRefused: ``changed``, ``cases`` or ``read_only``; nothing was written.
        LedgerUnavailable: The history can't be written, so nothing was.
    """
    before, _ = shop.store.look(flow_id)
    _refuse_changed(shop, flow_id, before, base)
    loaded = checked_files(shop.store, flow_id, files)
    cases = _cases(shop, loaded, despite=despite) if try_cases else []
    with _changing(shop.store.folder):
        now, _ = shop.store.look(flow_id)
        _refuse_changed(shop, flow_id, now, base if base is not None else revision_of(before))
        entered = _write(shop, now, loaded, author, note)
    return Saved(loaded.flow, loaded.revision, _moment(entered), cases)


def create(shop: Workshop, flow_id: str, files: Mapping[str, bytes], *, author: str, note: str = "") -> Saved:
    """Make a new flow.

    Args:
        shop: Where.
        flow_id: Its id.
        files: What its folder is to hold.
        author: Who makes it.
        note: Why.

    Raises:
        FlowInvalid: The name can't be a flow's, or the files make no valid flow.
        SaveRefused: ``taken`` or ``read_only``.
        LedgerUnavailable: The history can't be written, so nothing was.
    """
    _refuse_name(shop.store, flow_id)
    loaded = checked_files(shop.store, flow_id, files)
    with _changing(shop.store.folder):
        _refuse_name(shop.store, flow_id)
        entered = _entered(shop, loaded, author, note or "Created")
        try:
            make_folder(shop.store.folder / flow_id, loaded.files)
        except BaseException:
            shop.ledger.history.take_back(entered)
            raise
    return Saved(loaded.flow, loaded.revision, _moment(entered))


def delete(shop: Workshop, flow_id: str, *, base: str | None, author: str) -> None:
    """Delete a flow's folder; its last version stays in the history.

    Args:
        shop: Where.
        flow_id: The flow.
        base: The revision that was looked at; None for whatever is there now.
        author: Who deletes it.

    Raises:
        FlowInvalid: There is no such flow.
        SaveRefused: ``changed`` or ``read_only``.
    """
    with _changing(shop.store.folder):
        now, _ = shop.store.look(flow_id)
        _refuse_changed(shop, flow_id, now, base)
        notice(shop, flow_id, now)
        entered = shop.ledger.history.add(flow_id, revision_of(now), author=author, note="Deleted")
        try:
            remove_folder(shop.store.folder / flow_id)
        except BaseException:
            shop.ledger.history.take_back(entered)
            raise


def notice(shop: Workshop, flow_id: str, files: Mapping[str, bytes]) -> str:
    """Enter a folder into the history unless its newest entry says the same: Git or an editor changed it.

    Args:
        shop: Where.
        flow_id: The flow.
        files: What the folder holds.

    Returns:
        The folder's revision.
    """
    revision, history = revision_of(files), shop.ledger.history
    newest = history.list(flow_id, limit=1)
    if not newest or newest[0].revision != revision:
        shop.ledger.runs.keep_revision(flow_id, revision, files)
        note = "Changed from outside; first seen now" if newest else "As it was found"
        history.see(flow_id, revision, author=OUTSIDE, note=note)
    return revision


def checked_files(store: FlowStore, flow_id: str, files: Mapping[str, bytes]) -> LoadedFlow:
    """Make a flow of files with all checks, as ``load_checked`` does with a folder.

    Args:
        store: The other flows, for the order among them.
        flow_id: The flow's id.
        files: Relative path to content.

    Raises:
        FlowInvalid: Something is wrong; all of it at once.
    """
    too_large = size_problems(flow_id, files)
    if too_large:
        raise FlowInvalid(too_large)
    loaded = opened(flow_id, files)
    problems = [*check(loaded), *place_problems(store, loaded.flow)]
    if problems:
        raise FlowInvalid(problems)
    return loaded


def why_not_writable(folder: Path) -> str | None:
    """Say why nothing can be saved in a folder, or None where it can."""
    if not folder.is_dir():
        return f"{folder} does not exist. Create it, or correct the setting flows_folder."
    if os.access(folder, os.W_OK | os.X_OK):
        return None
    return f"{folder} can't be written by this server. Change the flows where they come from (Git?)."


def _write(shop: Workshop, now: Mapping[str, bytes], loaded: LoadedFlow, author: str, note: str) -> Save:
    flow_id = loaded.flow.id
    notice(shop, flow_id, now)
    if revision_of(now) == loaded.revision:
        return shop.ledger.history.list(flow_id, limit=1)[0]
    entered = _entered(shop, loaded, author, note)
    try:
        change_folder(shop.store.folder / flow_id, now, loaded.files)
    except BaseException:
        shop.ledger.history.take_back(entered)
        raise
    return entered


def _entered(shop: Workshop, loaded: LoadedFlow, author: str, note: str) -> Save:
    shop.ledger.runs.keep_revision(
        loaded.flow.id, loaded.revision, loaded.files, author=author[:200], note=note
    )
    return shop.ledger.history.add(loaded.flow.id, loaded.revision, author=author, note=note)


def _cases(shop: Workshop, loaded: LoadedFlow, *, despite: bool) -> list[CaseResult]:
    if not read_cases(loaded.flow.id, loaded.files)[0]:
        return []
    cases = apart(run_cases, loaded, packages=shop.packages, required=shop.required)
    failed = [case.case for case in cases if not case.passed]
    if failed and not despite:
        raise SaveRefused(
            f"Saved cases fail: {', '.join(failed)}. Put the flow or the cases right, or save despite them.",
            code="cases",
            cases=[{**asdict(case), "passed": case.passed} for case in cases],
        )
    return cases


def _refuse_changed(shop: Workshop, flow_id: str, now: Mapping[str, bytes], base: str | None) -> None:
    if base is None or revision_of(now) == base:
        return
    revision = notice(shop, flow_id, now)
    last = shop.ledger.history.list(flow_id, limit=1)[0]
    try:
        before: Mapping[str, bytes] = shop.ledger.runs.revision(flow_id, base)
    except KeyError:
        before = {}
    raise SaveRefused(
        f"Flow '{flow_id}' was changed meanwhile by {last.author}. Nothing was saved: look at what differs.",
        code="changed",
        revision=revision,
        author=last.author,
        at=_moment(last),
        diffs=[asdict(diff) for diff in diff_files(before, now)],
    )


def _refuse_name(store: FlowStore, flow_id: str) -> None:
    if not is_flow_id(flow_id):
        message = "can't be a flow's name. Use letters, digits, _ and -, at most 60 characters."
        raise FlowInvalid([Problem(flow_id, "id", message)])
    taken = {name.lower() for name in (*store.ids(), *RESERVED)}
    if flow_id.lower() in taken or (store.folder / flow_id).exists():
        raise SaveRefused(f"The name '{flow_id}' is taken. Choose another.", code="taken")


@contextmanager
def _changing(folder: Path) -> Iterator[None]:
    """Change something below the flows folder: alone on this machine, and with words for what can't be."""
    try:
        with alone_in(folder):
            yield
    except FileExistsError as error:
        raise SaveRefused("The name is taken. Choose another.", code="taken") from error
    except OSError as error:
        raise SaveRefused(
            f"{folder} can't be written ({error.strerror}). Give this server the right to "
            "write there, or change the flow where the flows come from.",
            code="read_only",
        ) from error


def _moment(entered: Save) -> datetime:
    return datetime.fromtimestamp(entered.at, UTC)
