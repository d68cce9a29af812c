"""Reads the YAML of a flow: fast, safe, and with words for whoever wrote it.

A flow file may come from anywhere (a paste, a pull request), so what would crash or stall a process is
refused here: very deep nesting overflows the C parser's own stack, and a few nested aliases stand for
millions of values.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from yaml import MappingNode, Node, SequenceNode, YAMLError
from yaml.composer import Composer
from yaml.constructor import SafeConstructor
from yaml.cyaml import CParser  # type: ignore[attr-defined]
from yaml.error import MarkedYAMLError
from yaml.resolver import Resolver

__all__ = ["MOST_BYTES", "Fault", "Unreadable", "join_path", "read_yaml"]

MOST_BYTES = 1024 * 1024
"""The largest file of a flow."""

_DEEPEST = 60
_MOST_VALUES = 100_000
_LONGEST_NUMBER = 400
_BROKEN_SCALARS = (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError)


@dataclass(frozen=True)
class Fault:
    """Something wrong with a file's text.

    Args:
        path: The keys that lead to it (``write_to_erp.method``), or empty.
        line: Its line, counted from 1, or None where none is known.
        message: What is wrong and what to do.
    """

    path: str
    line: int | None
    message: str


class Unreadable(Exception):
    """The text is no YAML that can be read.

    Args:
        fault: Why.
    """

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        super().__init__(fault.message)


def read_yaml(content: bytes) -> tuple[Any, list[Fault]]:
    """Read a YAML file.

    Args:
        content: The file's bytes, UTF-8.

    Returns:
        The value, and what is wrong with the text although it could be read: keys that stand twice.

    Raises:
        Unreadable: There is no value: too large, not UTF-8, empty, no YAML, too deep, or self-containing.
    """
    loader = _Loader(_decoded(content))
    try:
        return _value_of(loader), loader.faults
    except MarkedYAMLError as error:
        raise Unreadable(_syntax_fault(error)) from error
    except YAMLError as error:
        raise Unreadable(Fault("", None, "holds a character that YAML does not allow. Remove it.")) from error
    except _BROKEN_SCALARS as error:
        message = "holds a value that YAML can't read (a date or number out of range?). Put it in quotes."
        raise Unreadable(Fault("", None, message)) from error


def _decoded(content: bytes) -> str:
    if len(content) > MOST_BYTES:
        raise Unreadable(Fault("", None, f"is larger than {MOST_BYTES // 1024} KiB."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise Unreadable(Fault("", line, "is not UTF-8. Save the file as UTF-8.")) from error
    if not text.strip():
        raise Unreadable(
            Fault("", None, "is empty. Write at least get_data, write_to_erp and write_to_omnitron.")
        )
    return text


def _value_of(loader: _Loader) -> Any:
    node = loader.get_single_node()
    if node is None:
        raise Unreadable(Fault("", None, "holds no value, only comments."))
    if _size_of(node, {}) > _MOST_VALUES:
        raise Unreadable(
            Fault("", None, "stands for too many values through its aliases (*name). Write less.")
        )
    return loader.construct_document(node)


def _syntax_fault(error: MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    said = ", ".join(part for part in (error.context, error.problem) if part)
    return Fault("", mark.line + 1 if mark else None, f"is no valid YAML: {said}.")


def _size_of(node: Node, known: dict[int, int]) -> int:
    """Count the values that a node stands for, aliases written out; what contains itself has no end."""
    if id(node) in known:
        return known[id(node)]
    known[id(node)] = _MOST_VALUES + 1
    if isinstance(node, MappingNode):
        size = 1 + sum(_size_of(key, known) + _size_of(value, known) for key, value in node.value)
    elif isinstance(node, SequenceNode):
        size = 1 + sum(_size_of(value, known) for value in node.value)
    else:
        size = 1
    known[id(node)] = size
    return size


class _Loader(Composer, CParser, SafeConstructor, Resolver):
    """The C parser under Python's composer, which can be told how deep to go and sees each key's line."""

    def __init__(self, text: str) -> None:
        CParser.__init__(self, text)
        Composer.__init__(self)
        SafeConstructor.__init__(self)
        Resolver.__init__(self)
        self.faults: list[Fault] = []
        self._trail: list[str] = []

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """Compose one node, unless it lies too deep."""
        if len(self._trail) > _DEEPEST:
            raise Unreadable(Fault("", None, f"is nested more than {_DEEPEST} levels deep."))
        label = str(index.value) if isinstance(index, Node) else f"[{index}]" if index is not None else ""
        self._trail.append(label)
        try:
            return super().compose_node(parent, index)
        finally:
            self._trail.pop()

    def compose_mapping_node(self, anchor: Any) -> MappingNode:
        """Compose a mapping, and note the keys that stand in it twice."""
        node: MappingNode = super().compose_mapping_node(anchor)
        first: dict[tuple[str, str], int] = {}
        for key, _ in node.value:
            line, written = key.start_mark.line + 1, str(key.value)[:80]
            if (key.tag, str(key.value)) in first:
                earlier = first[key.tag, str(key.value)]
                message = f"stands here twice (lines {earlier} and {line}). Keep one of them."
                self.faults.append(Fault(join_path([*self._trail, written]), line, message))
            first[key.tag, str(key.value)] = line
        return node


def _number(loader: _Loader, node: Any) -> int:
    """Read a whole number; one in YAML's base of sixty (``1:00:00``) takes long when it is long."""
    if len(node.value) > _LONGEST_NUMBER:
        raise ValueError("a number of too many digits")
    number: int = loader.construct_yaml_int(node)
    return number


_Loader.add_constructor("tag:yaml.org,2002:int", _number)  # type: ignore[type-var]


def join_path(parts: Sequence[str | int]) -> str:
    """Write the way to a value as people read it: ``write_to_erp.headers``, ``tags[0]``.

    Args:
        parts: Keys, and numbers (or ``[0]``) for places in a list.
    """
    path = ""
    for part in parts:
        text = f"[{part}]" if isinstance(part, int) else part
        path += text if text.startswith("[") or not path else f".{text}"
    return path
