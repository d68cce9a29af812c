"""Edits of flow files that leave everything else as its author wrote it, comments included.

A round trip through ruamel.yaml keeps comments, but not every blank and quotation mark. So only the block
that changes takes that way, cut out of the text and put back; the whole file takes it only where a block
can't be cut out (a file in JSON style, a block with an anchor). Whatever way was taken, the result is read
again, and must hold the very values that were meant.
"""

from __future__ import annotations

import os
import re
import tempfile
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError

from order_cancellation.flow.reading import Unreadable, read_yaml

__all__ = ["replace_block", "write_atomically"]

Block = dict[str, Any]

_BOM = "\ufeff"


def replace_block(text: str, key: str, value: Block | None, *, behind: tuple[str, ...] = ()) -> str:
    """Replace one top-level block of a YAML document.

    Args:
        text: The document, a mapping at its top.
        key: The block's key.
        value: The new block, its keys in order, or None to remove it; comments in it stay.
        behind: Keys behind which a new block belongs.

    Returns:
        The new text, with the line ends and byte order mark of the old one.

    Raises:
        ValueError: The text is no such document, or can't be changed without changing more.
    """
    plain = text.removeprefix(_BOM).replace("\r\n", "\n")
    wanted = dict(_values(plain))
    wanted.pop(key, None)
    if value is not None:
        wanted[key] = value
    for edit in (_by_lines, _by_round_trip):
        try:
            changed = edit(plain, key, value, behind)
            if _values(changed) == wanted:
                return _as_before(text, changed)
        except (YAMLError, ValueError, IndexError, AttributeError, TypeError):
            continue
    raise ValueError(f"the block {key} can't be changed without changing other parts of the file")


def write_atomically(path: Path, content: bytes) -> None:
    """Replace a file's content so that readers see the old one or the new one, also after a power cut.

    The file keeps its mode; a link keeps being a link.

    Args:
        path: The file; it may be new.
        content: What it holds afterwards.

    Raises:
        OSError: The folder can't be written; the file is as it was.
    """
    target = path.resolve()
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), _mode_of(target))
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(target.parent)


def _mode_of(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o7777
    except FileNotFoundError:
        return 0o644


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _values(text: str) -> Block:
    try:
        values, _ = read_yaml(text.encode())
    except Unreadable as error:
        raise ValueError(f"the file {error.fault.message}") from error
    if not isinstance(values, dict):
        raise ValueError("the file does not hold keys at its top")  # noqa: TRY004 (the text is wrong, no type)
    return values


def _as_before(old: str, new: str) -> str:
    ends = new.replace("\n", "\r\n") if "\r\n" in old else new
    return (_BOM if old.startswith(_BOM) else "") + ends


def _by_lines(text: str, key: str, value: Block | None, behind: tuple[str, ...]) -> str:
    """Cut the block's lines out, change them, and put them back; all other lines stay byte for byte."""
    lines = text.splitlines(keepends=True)
    starts = _top_level_lines(text)
    if key not in starts:
        return "".join(_with_new_block(lines, starts, key, value, behind))
    begin = starts[key]
    end = min((line for line in starts.values() if line > begin), default=len(lines))
    while end > begin + 1 and _belongs_to_next(lines[end - 1]):
        end -= 1
    block = lines[begin:end]
    if value is None:
        new = [line for line in block[1:] if line.lstrip().startswith("#")]
    else:
        new = [_by_round_trip("".join(block), key, value, ())]
    if new and lines[end:] and not new[-1].endswith("\n"):
        new[-1] += "\n"
    return "".join(lines[:begin] + new + lines[end:])


def _top_level_lines(text: str) -> dict[str, int]:
    top = _yaml().load(text)
    if not isinstance(top, CommentedMap) or top.fa.flow_style() or top.merge:
        raise ValueError("the file's top level can't be cut into blocks")
    return {str(key): top.lc.key(key)[0] for key in top}


def _belongs_to_next(line: str) -> bool:
    """Tell whether a line at a block's end is about what follows: blank, a comment at the margin, a mark."""
    return not line.strip() or line.startswith(("#", "---", "..."))


def _with_new_block(
    lines: list[str], starts: dict[str, int], key: str, value: Block | None, behind: tuple[str, ...]
) -> list[str]:
    if value is None:
        return lines
    place = _place_behind(lines, starts, behind)
    if place and not lines[place - 1].endswith("\n"):
        lines[place - 1] += "\n"
    return [*lines[:place], _dumped(CommentedMap({key: _commented(value)})), *lines[place:]]


def _place_behind(lines: list[str], starts: dict[str, int], behind: tuple[str, ...]) -> int:
    """Find the line before which a new block goes: the first key's that it need not stand behind."""
    later = [line for name, line in starts.items() if name not in behind]
    place = min(later, default=len(lines))
    while place and lines[place - 1].startswith("#"):
        place -= 1
    return place


def _by_round_trip(text: str, key: str, value: Block | None, behind: tuple[str, ...]) -> str:
    top = _yaml(_indents(text)).load(text)
    if value is None:
        del top[key]
    elif isinstance(top.get(key), CommentedMap):
        _change(top[key], value)
    elif key in top:
        top[key] = _commented(value)
    else:
        place = 1 + max((place for place, name in enumerate(top) if name in behind), default=-1)
        top.insert(place, key, _commented(value))
    return _dumped(top, _indents(text))


def _change(block: CommentedMap, value: Block) -> None:
    """Give a block new values; a key that takes another's place takes its comment too."""
    gone = [name for name in block if name not in value]
    for name, new in value.items():
        if name in block:
            if block[name] != new:
                block[name] = _commented(new)
            continue
        place = list(block).index(gone[0]) if gone else len(block)
        comment = block.ca.items.get(gone[0]) if gone else None
        if gone:
            del block[gone.pop(0)]
        block.insert(place, name, _commented(new))
        if comment is not None:
            block.ca.items[name] = comment
    for name in gone:
        del block[name]


def _commented(value: Any) -> Any:
    if isinstance(value, dict):
        return CommentedMap({name: _commented(item) for name, item in value.items()})
    if isinstance(value, list | tuple):
        items = CommentedSeq(value)
        items.fa.set_flow_style()
        return items
    return value


def _indents(text: str) -> int:
    """Take the indentation of the first indented line, so that a block keeps the look of its file."""
    found = re.search(r"^( +)[^\s#]", text, re.MULTILINE)
    return len(found[1]) if found else 2


def _dumped(value: Any, indent: int = 2) -> str:
    stream = StringIO()
    _yaml(indent).dump(value, stream)
    return stream.getvalue()


def _yaml(indent: int = 2) -> YAML:
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 2**16
    yaml.map_indent = max(indent, 2)
    yaml.allow_duplicate_keys = False
    return yaml
