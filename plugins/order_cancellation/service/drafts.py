"""Drafts: a flow as a page holds it while somebody works on it, and what is wrong with it.

A draft has every text file of the folder, and beside them what ``flow.yaml`` says as plain values. Where it
has these, they win: they are merged into the text, so that comments, order and quoting survive.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from order_cancellation.errors import FlowInvalid, Problem
from order_cancellation.flow.edits import merge_document
from order_cancellation.flow.model import Flow, FlowDocument
from order_cancellation.flow.names import FLOW_FILE, is_inside
from order_cancellation.flow.reading import Unreadable, read_yaml
from order_cancellation.flow.store import FlowStore, size_problems
from order_cancellation.service.flows import check, opened
from order_cancellation.service.order import place_problems

__all__ = ["Checked", "Draft", "Place", "check_draft", "draft_of", "files_of", "place_of"]

_LARGEST_TEXT = 512 * 1024
_LARGEST_MERGED = 128 * 1024
"""What is merged is read by a slow reader, while somebody types."""
_ORDER = tuple(FlowDocument.model_fields)
_NAMED_FILE = re.compile(r"^(?P<file>[^\s:,]+\.[A-Za-z]+)(?:,? line (?P<line>\d+))?")
_LINE = re.compile(r"\bline (\d+)")


@dataclass(frozen=True)
class Draft:
    """A flow's text files, and what its ``flow.yaml`` says.

    Args:
        files: Relative path to text, of every text file.
        document: What ``flow.yaml`` says, only the keys that are written; None: its text is taken as it is.
    """

    files: Mapping[str, str] = field(repr=False)
    document: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Checked:
    """What a draft amounts to.

    Args:
        flow_yaml: The text of ``flow.yaml``, as a save would write it.
        document: What that text says, or None where it can't be read as keys and values.
        flow: The flow, or None where it is not valid.
        files: All files of the folder after a save; empty where they could not be made.
        problems: All that is wrong.
    """

    flow_yaml: str
    document: Mapping[str, Any] | None
    flow: Flow | None
    files: Mapping[str, bytes] = field(repr=False)
    problems: list[Problem]


@dataclass(frozen=True)
class Place:
    """Where in a flow's files a problem is: the file and its line, as far as they are known."""

    file: str | None
    line: int | None


def draft_of(files: Mapping[str, bytes]) -> tuple[Draft, list[str]]:
    """Return a folder as a draft.

    Args:
        files: Relative path to content.

    Returns:
        The draft, and the names of the files that are not in it since they are no texts, or very long ones.
    """
    texts = {
        name: text
        for name, text in ((name, _text(content)) for name, content in files.items())
        if text is not None
    }
    others = [name for name in files if name not in texts]
    return Draft(texts, _document(texts.get(FLOW_FILE, ""))), others


def files_of(flow_id: str, draft: Draft, present: Mapping[str, bytes]) -> dict[str, bytes]:
    """Return all files that a folder holds after a draft is saved.

    Args:
        flow_id: The flow's id.
        draft: The draft.
        present: The folder's files now; those that a draft never holds stay.

    Raises:
        FlowInvalid: A name can't be a file's, or the document can't be merged into the text.
    """
    problems = _name_problems(flow_id, draft.files)
    if problems:
        raise FlowInvalid(problems)
    files = {name: content for name, content in present.items() if _text(content) is None}
    files |= {name: _encoded(flow_id, name, text) for name, text in draft.files.items() if name != FLOW_FILE}
    files[FLOW_FILE] = _encoded(flow_id, FLOW_FILE, _flow_yaml(flow_id, draft))
    return dict(sorted(files.items()))


def check_draft(store: FlowStore, flow_id: str, draft: Draft, present: Mapping[str, bytes]) -> Checked:
    """Say all that is wrong with a draft; nothing is written, and no draft makes it fail.

    Args:
        store: The other flows, for the order among them.
        flow_id: The flow's id.
        draft: The draft.
        present: The folder's files now.
    """
    try:
        files = files_of(flow_id, draft, present)
    except FlowInvalid as error:
        text = draft.files.get(FLOW_FILE, "")
        return Checked(text, _document(text), None, {}, list(error.problems))
    text = files[FLOW_FILE].decode()
    try:
        loaded = opened(flow_id, files)
    except FlowInvalid as error:
        problems = [*error.problems, *size_problems(flow_id, files)]
        return Checked(text, _document(text), None, files, problems)
    problems = [*size_problems(flow_id, files), *check(loaded), *place_problems(store, loaded.flow)]
    return Checked(text, _document(text), loaded.flow, files, problems)


def place_of(problem: Problem, files: Mapping[str, bytes]) -> Place:
    """Find the file and the line that a problem is about.

    Args:
        problem: The problem.
        files: The flow's files.
    """
    for text in (problem.path, problem.message):
        named = _NAMED_FILE.match(text)
        if named and (named["file"] in files or named["file"] == FLOW_FILE):
            line = named["line"] or next(iter(_LINE.findall(problem.message)), None)
            return Place(named["file"], int(line) if line else None)
    top = problem.path.partition(".")[0].partition("[")[0]
    if top in _ORDER:
        return Place(FLOW_FILE, _line_of(files.get(FLOW_FILE, b""), problem.path))
    return Place(problem.path if problem.path in files else None, None)


def _line_of(content: bytes, path: str) -> int | None:
    """Find the line of a key in a YAML text by its path, or of the deepest key on the way that is there."""
    from yaml import MappingNode, YAMLError, compose  # noqa: PLC0415 (only where something is wrong)
    from yaml.cyaml import CSafeLoader  # noqa: PLC0415

    try:
        node = compose(content.decode("utf-8-sig"), Loader=CSafeLoader)
    except (YAMLError, UnicodeDecodeError, ValueError):
        return None
    line = None
    for key in path.split("."):
        pairs = node.value if isinstance(node, MappingNode) else []
        found = next((pair for pair in pairs if str(pair[0].value) == key.partition("[")[0]), None)
        if found is None:
            break
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _text(content: bytes) -> str | None:
    """Return a file's content as text, with its byte order mark and line ends; None where it is none."""
    if len(content) > _LARGEST_TEXT or b"\0" in content:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None


def _document(text: str) -> dict[str, Any] | None:
    """Return what a ``flow.yaml`` says, where JSON knows how to say it too."""
    try:
        values, faults = read_yaml(text.encode())
        if faults or not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
            return None
        if json.loads(json.dumps(values, allow_nan=False)) != values:
            return None
    except (Unreadable, TypeError, ValueError, RecursionError):
        return None
    return values


def _name_problems(flow_id: str, files: Mapping[str, str]) -> list[Problem]:
    problems = []
    for name in files:
        if not is_inside(name):
            message = (
                "can't be a file of a flow. Use a name inside the folder without .., such as script.py or "
                "cases/one.yaml."
            )
            problems.append(Problem(flow_id, name[:80], message))
        elif any(other.startswith(f"{name}/") for other in files):
            problems.append(Problem(flow_id, name, "is a file and a folder at once. Rename one of them."))
    return problems


def _encoded(flow_id: str, name: str, text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        message = "holds a character that is no valid Unicode. Remove it."
        raise FlowInvalid([Problem(flow_id, name, message)]) from error


def _flow_yaml(flow_id: str, draft: Draft) -> str:
    text = draft.files.get(FLOW_FILE, "")
    if draft.document is None:
        return text
    if max(len(text), len(json.dumps(draft.document))) > _LARGEST_MERGED:
        message = f"is too long for the form: at most {_LARGEST_MERGED // 1024} KiB. Edit its text itself."
        raise FlowInvalid([Problem(flow_id, FLOW_FILE, message)])
    try:
        return merge_document(text, draft.document, _ORDER)
    except (ValueError, RecursionError) as error:
        message = f"{error}. Edit the text of {FLOW_FILE} itself."
        raise FlowInvalid([Problem(flow_id, FLOW_FILE, message)]) from error
