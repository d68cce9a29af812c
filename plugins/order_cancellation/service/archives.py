"""Flows as zip archives, going out and coming in; what comes in may be anybody's."""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from order_cancellation.errors import FlowInvalid, Problem
from order_cancellation.flow.names import FLOW_FILE, is_inside, is_visible
from order_cancellation.flow.reading import MOST_BYTES

__all__ = ["read_archive", "write_archive"]

_MOST_FILES = 1000
_MOST_BYTES = 16 * MOST_BYTES
_PLAIN = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
"""Of the others, Python unpacks whole pieces at once: a piece of 50 bytes can hold 45 MB."""
_FIXED_TIME = (2020, 1, 1, 0, 0, 0)
_FROM_FINDER = "__MACOSX"
_BROKEN = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError, zlib.error, ValueError)


def write_archive(flow_id: str, files: Mapping[str, bytes]) -> bytes:
    """Return a flow's folder as a zip archive; the same files give the same bytes.

    Args:
        flow_id: The flow's id, which is the folder's name in it.
        files: Relative path to content.
    """
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(_entry(f"{flow_id}/{name}"), content)
    return stream.getvalue()


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _FIXED_TIME)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


def read_archive(flow_id: str, content: bytes) -> dict[str, bytes]:
    """Return the files of a flow that lies in a zip archive, at its top or in the one folder there.

    Args:
        flow_id: What the flow is to be called, for messages.
        content: The archive.

    Raises:
        FlowInvalid: It is no archive, holds not exactly one flow, or something in it leads out of its folder,
            is no plain file, or is too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = list(_files_in(flow_id, archive))
            home = _home(flow_id, [name for name, _ in entries])
            return dict(_contents(flow_id, archive, [(n.removeprefix(home), i) for n, i in entries]))
    except _BROKEN as error:
        raise _refusal(
            flow_id, "", f"is no zip archive that can be read ({type(error).__name__})."
        ) from error


def _files_in(flow_id: str, archive: zipfile.ZipFile) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Yield the entries that count, refusing what is no plain file in its own folder."""
    seen: set[str] = set()
    infos = archive.infolist()
    if len(infos) > 2 * _MOST_FILES:
        raise _refusal(flow_id, "", f"holds more than {_MOST_FILES} files.")
    for info in infos:
        name = info.filename
        kind = stat.S_IFMT(info.external_attr >> 16)
        if "\\" in name or name.startswith("/") or ".." in name.split("/") or ":" in name or "\0" in name:
            raise _refusal(flow_id, name, "leads out of the flow's folder.")
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise _refusal(flow_id, name, "is a link or something else that is no file.")
        if info.is_dir() or not all(is_visible(part) for part in name.split("/")) or _FROM_FINDER in name:
            continue
        if info.compress_type not in _PLAIN:
            raise _refusal(
                flow_id, name, "is packed in a way that can't be unpacked bit by bit. Use deflate."
            )
        if name in seen:
            raise _refusal(flow_id, name, "stands in the archive twice.")
        seen.add(name)
        yield name, info
    folders = {str(parent) for name in seen for parent in PurePosixPath(name).parents}
    for name in sorted(seen & folders):
        raise _refusal(flow_id, name, "is a file, and other files of the archive lie in it as a folder.")


def _home(flow_id: str, names: list[str]) -> str:
    """Return the folder that the flow lies in, with a slash behind it; empty for the archive's top."""
    if FLOW_FILE in names:
        return ""
    tops = {name.partition("/")[0] for name in names}
    homes = {
        name.removesuffix(FLOW_FILE)
        for name in names
        if name.count("/") == 1 and name.endswith(f"/{FLOW_FILE}")
    }
    if len(homes) != 1 or len(tops) != 1:
        message = f"must hold exactly one flow: {FLOW_FILE} and its files, at the top or in one folder."
        raise _refusal(flow_id, "", message)
    return homes.pop()


def _contents(
    flow_id: str, archive: zipfile.ZipFile, entries: list[tuple[str, zipfile.ZipInfo]]
) -> Iterator[tuple[str, bytes]]:
    """Unpack, counting what comes out and not what the archive says of itself."""
    total = 0
    for name, info in entries:
        if not is_inside(name):
            raise _refusal(flow_id, name, "can't be a file of a flow.")
        with archive.open(info) as file:
            content = file.read(MOST_BYTES + 1)
        total += len(content)
        if len(content) > MOST_BYTES or total > _MOST_BYTES:
            raise _refusal(flow_id, name, "is too large: 1 MiB a file, 16 MiB in all.")
        yield name, content


def _refusal(flow_id: str, name: str, message: str) -> FlowInvalid:
    shown = name.encode("utf-8", "replace").decode()[:80]
    return FlowInvalid([Problem(flow_id, f"archive: {shown}".rstrip(": "), message)])
