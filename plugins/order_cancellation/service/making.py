"""New flows: from a template, as a copy of another, or out of an archive."""

from __future__ import annotations

from order_cancellation.service.archives import read_archive
from order_cancellation.service.drafts import Draft, draft_of, files_of
from order_cancellation.service.saving import Saved, Workshop, create
from order_cancellation.service.templates import template_files

__all__ = ["copy", "import_archive", "make_from_template"]


def make_from_template(
    shop: Workshop, flow_id: str, template: str, *, author: str, title: str | None = None, note: str = ""
) -> Saved:
    """Make a flow from a template.

    Args:
        shop: Where.
        flow_id: The new flow's id.
        template: The template's name.
        author: Who makes it.
        title: What it is called; None keeps the template's title.
        note: Why.

    Raises:
        ConfigurationError: There is no such template, or the flow can't be made (see ``saving.create``).
    """
    return _make(
        shop, flow_id, template_files(template), author, title, note or f"From the template {template}"
    )


def copy(
    shop: Workshop, flow_id: str, other: str, *, author: str, title: str | None = None, note: str = ""
) -> Saved:
    """Make a flow as a copy of another.

    Args:
        shop: Where.
        flow_id: The new flow's id.
        other: The flow that is copied.
        author: Who makes it.
        title: What it is called; None keeps the other's title.
        note: Why.

    Raises:
        ConfigurationError: There is no such flow, or the flow can't be made (see ``saving.create``).
    """
    return _make(shop, flow_id, shop.store.read(other), author, title, note or f"Copy of {other}")


def import_archive(
    shop: Workshop, flow_id: str, archive: bytes, *, author: str, title: str | None = None, note: str = ""
) -> Saved:
    """Make a flow out of a zip archive.

    Args:
        shop: Where.
        flow_id: The new flow's id.
        archive: The archive's bytes.
        author: Who makes it.
        title: What it is called; None keeps the archive's title.
        note: Why.

    Raises:
        ConfigurationError: The archive holds not one flow, or it can't be made (see ``saving.create``).
    """
    return _make(shop, flow_id, read_archive(flow_id, archive), author, title, note or "From an archive")


def _make(  # noqa: PLR0917 (what the three ways above have in common)
    shop: Workshop, flow_id: str, files: dict[str, bytes], author: str, title: str | None, note: str
) -> Saved:
    if title is not None:
        draft, _ = draft_of(files)
        if draft.document is not None:
            files = files_of(flow_id, Draft(draft.files, {**draft.document, "title": title}), files)
    return create(shop, flow_id, files, author=author, note=note)
