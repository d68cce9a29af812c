"""Edits of flow files that leave everything else as its author wrote it, comments included.

A round trip through ruamel.yaml keeps comments, but not every blank and quotation mark. So only the lines of
the keys that change take that way, cut out of the text and put back, however deep they lie; the whole file
takes it only where they can't be cut out (a file in JSON style, a block with an anchor). Whatever way was
taken, the result is read again, and must hold the very values that were meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Any

import yaml as pyyaml
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString, ScalarString
from yaml.resolver import Resolver

from order_cancellation.flow.reading import Unreadable, read_yaml

__all__ = ["merge_document", "replace_block"]

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
    changed = _merged(plain, wanted, (*behind, key))
    if changed is None:
        raise ValueError(f"the block {key} can't be changed without changing other parts of the file")
    return _as_before(text, changed)


def merge_document(text: str, document: Mapping[str, Any], order: Sequence[str] = ()) -> str:
    """Give a YAML document new values; every line that tells nothing else stays byte for byte.

    Args:
        text: The document, a mapping at its top; empty for a new one.
        document: All that it is to hold, as JSON knows it; keys that are not in it go.
        order: Keys in the order in which they belong at the top, for those that are new.

    Returns:
        The new text, with the line ends and byte order mark of the old one.

    Raises:
        ValueError: The text is no such document, or the values can't be written into it.
    """
    plain = text.removeprefix(_BOM).replace("\r\n", "\n")
    if not plain.strip():
        return _as_before(text, _new_document(document, order))
    _values(plain)
    changed = _merged(plain, document, order)
    if changed is None:
        raise ValueError("these values can't be written into the file without changing more of it")
    return _as_before(text, changed)


def _new_document(document: Mapping[str, Any], order: Sequence[str]) -> str:
    names = [*(name for name in order if name in document), *(name for name in document if name not in order)]
    text = _dumped(CommentedMap({_text(name): _commented(document[name]) for name in names}))
    if not _same(_values(text), document):
        raise ValueError("these values can't be written as YAML")
    return text


def _merged(plain: str, wanted: Mapping[str, Any], order: Sequence[str]) -> str | None:
    """Return the text with the wanted values, or None where no way leads to exactly these."""
    for edit in (_by_lines, _by_round_trip):
        try:
            changed = edit(plain, wanted, order)
            if _same(_values(changed), wanted):
                return changed
        except (YAMLError, ValueError, IndexError, AttributeError, TypeError, KeyError, RecursionError):
            continue
    return None


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


def _by_lines(text: str, wanted: Mapping[str, Any], order: Sequence[str]) -> str:
    """Cut the lines of what changes out, change them, and put them back; all others stay byte for byte."""
    top = _yaml().load(text)
    if not isinstance(top, CommentedMap) or top.fa.flow_style() or top.merge:
        raise ValueError("the file's top level can't be cut into blocks")
    lines = text.splitlines(keepends=True)
    cuts = _edits(lines, _Block(top, _values(text), len(lines)), wanted, order)
    edits = sorted(cuts, key=lambda edit: edit[:2])
    if edits and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    for begin, end, new in reversed(edits):
        lines[begin:end] = new
    changed = "".join(lines)
    return changed if text.endswith("\n") else changed.removesuffix("\n")


_Edit = tuple[int, int, list[str]]
"""From which line up to which, and the lines that stand there afterwards."""


@dataclass(frozen=True)
class _Block:
    """A block as it stands in the file, each key on a line of its own.

    Args:
        node: The block with its places, as ruamel.yaml reads it.
        values: The block as everybody else reads it.
        end: The line behind it.
    """

    node: CommentedMap
    values: Mapping[str, Any]
    end: int

    @property
    def starts(self) -> dict[str, int]:
        """The first line of each key."""
        return {key: self.node.lc.key(key)[0] for key in self.node}

    @property
    def column(self) -> int:
        """How far its keys are indented."""
        return min((self.node.lc.key(key)[1] for key in self.node), default=0)

    def inner(self, key: str, end: int) -> _Block | None:
        """Return a key's value as a block that can be cut further, or None."""
        node = self.node[key]
        if not isinstance(node, CommentedMap) or node.fa.flow_style() or node.merge or not node:
            return None
        block = _Block(node, self.values[key], end)
        return block if min(block.starts.values()) > self.starts[key] else None


def _edits(
    lines: list[str], block: _Block, wanted: Mapping[str, Any], order: Sequence[str] | None
) -> Iterator[_Edit]:
    """Find what has to change in a block so that it holds the wanted values.

    Args:
        lines: The whole file.
        block: The block as it is.
        wanted: The values that it is to hold.
        order: Where new keys belong, for the file's top; elsewhere they take the place of those that go.
    """
    starts, column = block.starts, block.column
    new = [key for key in wanted if key not in starts]
    gone = [key for key in starts if key not in wanted]
    followers = dict(zip(gone, new, strict=False)) if order is None else {}
    stop = 0
    for (key, begin), end in zip(starts.items(), [*list(starts.values())[1:], block.end], strict=True):
        stop = _without_tail(lines, begin, end, column)
        name = key if key in wanted else followers.get(key)
        inner = block.inner(key, stop)
        if name is None:
            yield begin, stop, [line for line in lines[begin + 1 : stop] if line.lstrip().startswith("#")]
        elif key == name and _same(block.values[key], wanted[key]):
            continue
        elif key == name and inner is not None and isinstance(wanted[key], Mapping) and wanted[key]:
            yield from _edits(lines, inner, wanted[key], None)
        else:
            yield begin, stop, _rewritten(lines[begin:stop], column, {name: wanted[name]})
    for name in new[len(followers) :]:
        place = stop if order is None else _place_of(lines, starts, name, order)
        yield place, place, _indented(_dumped(CommentedMap({_text(name): _commented(wanted[name])})), column)


def _rewritten(lines: Sequence[str], column: int, value: Mapping[str, Any]) -> list[str]:
    """Return one key's lines with another value, or with another key in its place."""
    text = "".join(line.lstrip() if line[:column].strip() else line[column:] for line in lines)
    top = _yaml(text).load(text)
    _change(top, value)
    return _indented(_dumped(top, text), column)


def _indented(text: str, column: int) -> list[str]:
    return [" " * column + line if line.strip() else line for line in text.splitlines(keepends=True)]


def _without_tail(lines: list[str], begin: int, end: int, column: int) -> int:
    """Leave out of a block's lines what stands at its end and is about what follows."""
    while end > begin + 1 and _belongs_to_next(lines[end - 1], column):
        end -= 1
    return end


def _belongs_to_next(line: str, column: int) -> bool:
    """Tell whether a line is about what follows: blank, a comment no deeper than the keys, a mark."""
    indent = len(line) - len(line.lstrip())
    comment = line.lstrip().startswith("#") and indent <= column
    return not line.strip() or comment or line.startswith(("---", "..."))


def _place_of(lines: list[str], starts: Mapping[str, int], name: str, order: Sequence[str]) -> int:
    """Find the line before which a new key goes: the first key's that it need not stand behind."""
    before = order[: order.index(name)] if name in order else (*order, *starts)
    later = [line for key, line in starts.items() if key not in before]
    place = min(later, default=len(lines))
    while place and lines[place - 1].startswith("#"):
        place -= 1
    return place


def _by_round_trip(text: str, wanted: Mapping[str, Any], order: Sequence[str]) -> str:
    top = _yaml(text).load(text)
    for key in [key for key in top if key not in wanted]:
        del top[key]
    _change(top, {key: wanted[key] for key in top})
    for name in (name for name in wanted if name not in top):
        before = order[: order.index(name)] if name in order else tuple(top)
        place = 1 + max((place for place, key in enumerate(top) if key in before), default=-1)
        top.insert(place, _text(name), _commented(wanted[name]))
    return _dumped(top, text)


def _change(block: CommentedMap, value: Mapping[str, Any]) -> None:
    """Give a block new values; a key that takes another's place takes its comment too."""
    gone = [name for name in block if name not in value]
    for name, new in value.items():
        if name in block:
            block[name] = _changed(block[name], new)
            continue
        place = list(block).index(gone[0]) if gone else len(block)
        comment = block.ca.items.get(gone[0]) if gone else None
        if gone:
            del block[gone.pop(0)]
        block.insert(place, _text(name), _commented(new))
        if comment is not None:
            block.ca.items[name] = comment
    for name in gone:
        del block[name]


def _changed(old: Any, new: Any) -> Any:
    """Return a new value in the looks of the old one."""
    if _same(_plain(old), new):
        return old
    if isinstance(old, CommentedMap) and isinstance(new, Mapping):
        _change(old, new)
        return old
    if isinstance(old, CommentedSeq) and isinstance(new, list | tuple) and new:
        old[len(new) :] = []
        for place, item in enumerate(new):
            if place < len(old):
                old[place] = _changed(old[place], item)
            else:
                old.append(_commented(item))
        return old
    if isinstance(old, ScalarString) and isinstance(new, str):
        return _text(new) if _LINE_ENDS.search(f"{old}{new}") else type(old)(new)
    return _commented(new)


def _commented(value: Any) -> Any:
    if isinstance(value, Mapping):
        return CommentedMap({_text(name): _commented(item) for name, item in value.items()})
    if isinstance(value, list | tuple):
        items = CommentedSeq([_commented(item) for item in value])
        items.fa.set_flow_style()
        return items
    return _text(value) if isinstance(value, str) else value


def _text(value: str) -> Any:
    """Return a text in the style in which it is read again as this text, by older readers too."""
    if "\n" in value and not _NO_LINES.search(value):
        return LiteralScalarString(value)
    tag = Resolver().resolve(pyyaml.ScalarNode, value, (True, False))  # type: ignore[no-untyped-call]
    return value if tag == _TEXT_TAG and not _MARKS.search(value) else DoubleQuotedScalarString(value)


_TEXT_TAG = "tag:yaml.org,2002:str"
_LINE_ENDS = re.compile("[\n\r\x85]")
_NO_LINES = re.compile("^\t|[\r\x85]")
"""What a text can't hold that is written line by line."""
_MARKS = re.compile("^:|[?\n\r\x85]")
"""What readers take for something else, some of them only between brackets."""


def _plain(value: Any) -> Any:
    """Return a value of ruamel's as the plain reader gives it."""
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _same(one: Any, other: Any) -> bool:
    """Compare values: 30 and 30.0 are the same number, true is none."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _dumped(value: Any, like: str = "") -> str:
    stream = StringIO()
    _yaml(like).dump(value, stream)
    return stream.getvalue()


_FIRST_INDENT = re.compile(r"^( +)[^\s#-]", re.MULTILINE)
_FIRST_LIST = re.compile(r"^( *)[^\s#-].*:[ \t]*(?:#.*)?\n(?:[ \t]*(?:#.*)?\n)*( *)- ", re.MULTILINE)


def _yaml(like: str = "") -> YAML:
    """Return a reader and writer that indents as a text does, so that a block keeps the look of its file."""
    indent, items = _FIRST_INDENT.search(like), _FIRST_LIST.search(like)
    offset = max(len(items[2]) - len(items[1]), 0) if items else 0
    yaml = YAML(typ="rt", pure=True)
    yaml.preserve_quotes = True
    yaml.width = 2**16
    yaml.map_indent = max(len(indent[1]) if indent else 2, 2)
    yaml.sequence_indent = offset + 2
    yaml.sequence_dash_offset = offset
    yaml.allow_duplicate_keys = False
    return yaml
