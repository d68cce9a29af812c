"""A flow's versions: who made them, what differs between them, and going back to one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from order_cancellation.errors import ConfigurationError, FlowInvalid
from order_cancellation.ledger import Save
from order_cancellation.service.diffs import FileDiff, diff_files
from order_cancellation.service.saving import Saved, Workshop, create, notice, save

__all__ = ["Version", "diff", "restore", "versions"]


@dataclass(frozen=True)
class Version:
    """One version of a flow's folder.

    Args:
        id: Its number.
        revision: Its content's digest.
        at: When it was saved, or first seen.
        author: Who saved it.
        note: Why.
        is_current: Whether it is the folder as it is now.
    """

    id: int
    revision: str
    at: datetime
    author: str
    note: str
    is_current: bool


def versions(shop: Workshop, flow_id: str) -> list[Version]:
    """Return a flow's versions, newest first; what was changed from outside is noticed here.

    Args:
        shop: Where.
        flow_id: The flow, or one that was deleted.

    Raises:
        FlowInvalid: There is no such flow, and never was.
    """
    present = _present(shop, flow_id)
    current = None if present is None else notice(shop, flow_id, present)
    saves = shop.ledger.history.list(flow_id)
    newest = next((one.id for one in saves if one.revision == current), None)
    return [_version(one, is_current=one.id == newest) for one in saves]


def diff(shop: Workshop, flow_id: str, before: int, after: int | None = None) -> list[FileDiff]:
    """Return what differs between two versions.

    Args:
        shop: Where.
        flow_id: The flow.
        before: A version's number.
        after: Another's; None for the folder as it is now.

    Raises:
        ConfigurationError: There is no such version.
    """
    now: Mapping[str, bytes] = (
        _present(shop, flow_id) or {} if after is None else _files(shop, flow_id, after)
    )
    return diff_files(_files(shop, flow_id, before), now)


def restore(
    shop: Workshop, flow_id: str, version: int, *, base: str | None, author: str, note: str = ""
) -> Saved:
    """Give a flow's folder the files of one of its versions; a deleted flow is there again.

    Args:
        shop: Where.
        flow_id: The flow.
        version: The version's number.
        base: The revision that was looked at; None for whatever is there now.
        author: Who goes back.
        note: Why.

    Raises:
        ConfigurationError: There is no such version.
        FlowInvalid: That version is no valid flow.
        SaveRefused: The folder was changed meanwhile, or can't be written.
    """
    files = _files(shop, flow_id, version)
    note = note or f"Back to version {version}"
    if _present(shop, flow_id) is None:
        return create(shop, flow_id, files, author=author, note=note)
    return save(shop, flow_id, files, base=base, author=author, note=note, despite=True)


def _present(shop: Workshop, flow_id: str) -> dict[str, bytes] | None:
    """Return a flow's folder, or None of one that was deleted."""
    try:
        return shop.store.look(flow_id)[0]
    except FlowInvalid:
        if not shop.ledger.history.list(flow_id, limit=1):
            raise
        return None


def _files(shop: Workshop, flow_id: str, number: int) -> dict[str, bytes]:
    found = shop.ledger.history.get(flow_id, number)
    if found is None:
        raise ConfigurationError(f"Flow '{flow_id}' has no version {number}.")
    try:
        return shop.ledger.runs.revision(flow_id, found.revision)
    except KeyError as error:
        raise ConfigurationError(
            f"Flow '{flow_id}': the ledger has no files of version {number} any more. Take another version."
        ) from error


def _version(save: Save, *, is_current: bool) -> Version:
    at = datetime.fromtimestamp(save.at, UTC)
    return Version(save.id, save.revision, at, save.author, save.note, is_current)
