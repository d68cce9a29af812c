"""Flow folders on disk: which there are, what is in them, and their revision."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from order_cancellation.errors import ConfigurationError, FlowInvalid, Problem
from order_cancellation.flow.faults import problems_of
from order_cancellation.flow.model import Flow, FlowDocument
from order_cancellation.flow.names import FLOW_FILE, is_flow_id, is_visible
from order_cancellation.flow.parts import valid_parts
from order_cancellation.flow.reading import MOST_BYTES, Fault, Unreadable, read_yaml

__all__ = ["FlowStore", "LoadedFlow", "open_files", "open_valid_parts", "revision_of", "size_problems"]

_MOST_FILES = 1000
_MOST_BYTES_IN_ALL = 16 * MOST_BYTES


@dataclass(frozen=True)
class LoadedFlow:
    """A flow with the very files that it was read from.

    Args:
        flow: The flow.
        files: Relative path, with slashes, to content, of the whole folder.
        revision: What ``revision_of`` says of the files.
    """

    flow: Flow
    files: Mapping[str, bytes] = field(repr=False)
    revision: str

    def text(self, name: str) -> str:
        """Return a file of the flow as text.

        Args:
            name: Its relative path.

        Raises:
            FlowInvalid: There is no such file, or it is not UTF-8.
        """
        problem = _file_problem(self.flow.id, name, name, self.files)
        if problem:
            raise FlowInvalid([problem])
        return self.files[name].decode("utf-8-sig")

    def __reduce__(self) -> tuple[Any, ...]:
        """Let it travel to another process, by its files: read-only mappings can't."""
        return open_files, (self.flow.id, dict(self.files))


@dataclass(frozen=True)
class FlowStore:
    """The flows folder.

    Args:
        folder: Where it is; it need not exist, and then holds no flows.
    """

    folder: Path

    def has(self, flow_id: str) -> bool:
        """Tell whether there is a folder of exactly this name: some systems take ``ACME`` for ``acme``.

        Args:
            flow_id: The folder's name.
        """
        try:
            with os.scandir(self.folder) as entries:
                return any(entry.name == flow_id for entry in entries) and (self.folder / flow_id).is_dir()
        except OSError:
            return False

    def ids(self) -> list[str]:
        """Return the names of all flow folders, sorted; broken ones and impossible names are among them."""
        try:
            with os.scandir(self.folder) as entries:
                return sorted(entry.name for entry in entries if _is_flow_folder(entry))
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise ConfigurationError(
                f"The flows folder {self.folder} can't be read ({error.strerror}). Give this user access."
            ) from error

    def read(self, flow_id: str) -> dict[str, bytes]:
        """Read all files of a flow's folder, its saved cases among them.

        Hidden files, editors' backups and Python's caches are left out, so that they change no revision.

        Args:
            flow_id: The folder's name.

        Returns:
            Relative path, with slashes, to content, in the order of the paths.

        Raises:
            FlowInvalid: There is no such folder, or something in it can't be read or leads out of it.
        """
        files, problems = self._read(flow_id)
        if problems:
            raise FlowInvalid(problems)
        return files

    def load(self, flow_id: str) -> LoadedFlow:
        """Read a flow from its folder.

        Args:
            flow_id: The folder's name.

        Raises:
            FlowInvalid: It is not valid; all problems at once.
        """
        files, problems = self._read(flow_id)
        if not problems:
            return open_files(flow_id, files)
        try:
            open_files(flow_id, files)
        except FlowInvalid as error:
            unreadable = {problem.path for problem in problems}
            problems += [
                one for one in error.problems if not any(f"'{name}'" in one.message for name in unreadable)
            ]
        raise FlowInvalid(problems)

    def look(self, flow_id: str) -> tuple[dict[str, bytes], list[Problem]]:
        """Read what can be read of a flow's folder, for who wants to put the rest right.

        Args:
            flow_id: The folder's name.

        Returns:
            As ``read``, and what can't be read.

        Raises:
            FlowInvalid: There is no such folder.
        """
        return self._read(flow_id)

    def _read(self, flow_id: str) -> tuple[dict[str, bytes], list[Problem]]:
        home = self.folder / flow_id
        if not self.has(flow_id):
            message = f"there is no such flow: {self.folder} has no folder of that name."
            raise FlowInvalid([Problem(flow_id, "", message)])
        files: dict[str, bytes] = {}
        problems: list[Problem] = []
        for path in sorted(_paths_in(home)):
            name = path.relative_to(home).as_posix()
            content = _content_of(path, home)
            if isinstance(content, bytes):
                files[name] = content
            else:
                problems.append(Problem(flow_id, name.encode("utf-8", "replace").decode(), content))
        problems += size_problems(flow_id, files)
        return files, problems


def open_files(flow_id: str, files: Mapping[str, bytes]) -> LoadedFlow:
    """Make a flow of its files, from a folder or from a stored revision.

    Args:
        flow_id: The flow's id.
        files: Relative path to content, of the whole folder.

    Raises:
        FlowInvalid: They make no valid flow; all problems at once.
    """
    if not is_flow_id(flow_id):
        message = "a folder's name is its flow's id: use letters, digits, _ and -, at most 60 characters."
        raise FlowInvalid([Problem(flow_id, "", message)])
    if FLOW_FILE not in files:
        raise FlowInvalid([Problem(flow_id, FLOW_FILE, "is missing from the folder.")])
    document, faults = _document(flow_id, files[FLOW_FILE])
    problems = [_problem_of(flow_id, fault) for fault in faults]
    flow = _flow_of(flow_id, document, problems)
    problems += _missing_files(flow_id, document, files)
    if flow is None or problems:
        raise FlowInvalid(problems)
    return LoadedFlow(flow, MappingProxyType(dict(files)), revision_of(files))


def open_valid_parts(flow_id: str, files: Mapping[str, bytes]) -> LoadedFlow:
    """Make of files that are no valid flow what can be made, to look into the rest of it.

    Args:
        flow_id: The flow's id.
        files: Relative path to content, of the whole folder.

    Returns:
        A flow in which each block that is not valid, or whose file can't be read, is None.
    """
    try:
        document = read_yaml(files.get(FLOW_FILE, b""))[0]
    except Unreadable:
        document = None
    flow = valid_parts(flow_id, document)
    unreadable = {step: None for step, name in flow.files.items() if _file_problem(flow_id, "", name, files)}
    parts = flow.model_copy(update=unreadable)
    return LoadedFlow(parts, MappingProxyType(dict(files)), revision_of(files))


def size_problems(flow_id: str, files: Mapping[str, bytes]) -> list[Problem]:
    """Name what makes a folder larger than a flow may be.

    Args:
        flow_id: The flow's id.
        files: Relative path to content.
    """
    problems = [
        Problem(flow_id, name, f"is larger than {MOST_BYTES // 1024} KiB.")
        for name, content in files.items()
        if len(content) > MOST_BYTES
    ]
    if len(files) > _MOST_FILES or sum(map(len, files.values())) > _MOST_BYTES_IN_ALL:
        message = f"the folder holds more than {_MOST_FILES} files or 16 MiB. Keep only what the flow needs."
        problems.append(Problem(flow_id, "", message))
    return problems


def revision_of(files: Mapping[str, bytes]) -> str:
    """Return the SHA-256 of a folder's content: names and lengths go in too, in the order of the names.

    Args:
        files: Relative path to content.
    """
    digest = hashlib.sha256()
    for name, content in sorted(files.items()):
        encoded = name.encode("utf-8", "surrogateescape")
        digest.update(b"%d %d\n" % (len(encoded), len(content)) + encoded + content)
    return digest.hexdigest()


def _document(flow_id: str, content: bytes) -> tuple[Any, list[Fault]]:
    try:
        return read_yaml(content)
    except Unreadable as error:
        raise FlowInvalid([_problem_of(flow_id, error.fault)]) from error


def _problem_of(flow_id: str, fault: Fault) -> Problem:
    where = FLOW_FILE if fault.line is None else f"{FLOW_FILE} line {fault.line}"
    return Problem(flow_id, fault.path or where, fault.message)


def _flow_of(flow_id: str, document: Any, problems: list[Problem]) -> Flow | None:
    if not isinstance(document, dict):
        problems.append(
            Problem(flow_id, FLOW_FILE, "must hold keys such as get_data: and write_to_erp: at its top.")
        )
        return None
    try:
        plain = FlowDocument.model_validate(document)
    except ValidationError as error:
        problems += problems_of(error, FlowDocument, flow_id)
        return None
    return Flow.model_construct(plain.model_fields_set | {"id"}, id=flow_id, **dict(plain))


def _missing_files(flow_id: str, document: Any, files: Mapping[str, bytes]) -> list[Problem]:
    """Look for the files that the document names, also where the rest of the document is not valid."""
    blocks = document if isinstance(document, dict) else {}
    problems = []
    for step in ("script", "mapping", "custom_response", "post_script"):
        block = blocks.get(step)
        name = block.get("file") if isinstance(block, dict) else None
        if isinstance(name, str):
            name = PurePosixPath(name).as_posix()
            problems.append(_file_problem(flow_id, f"{step}.file", name, files))
    return [problem for problem in problems if problem]


def _file_problem(flow_id: str, path: str, name: str, files: Mapping[str, bytes]) -> Problem | None:
    if name.startswith(("/", ".")) or "\\" in name or ".." in name.split("/"):
        return None  # the model has said so already
    if name not in files:
        is_folder = any(other.startswith(f"{name}/") for other in files)
        what = (
            "is a folder. Name a file."
            if is_folder
            else "is not in the flow's folder. Add it, or correct the name."
        )
        return Problem(flow_id, path, f"the file '{name[:80]}' {what}")
    try:
        files[name].decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = files[name].count(b"\n", 0, error.start) + 1
        return Problem(flow_id, path, f"the file '{name}' is not UTF-8 (line {line}). Save it as UTF-8.")
    return None


def _is_flow_folder(entry: os.DirEntry[str]) -> bool:
    """Tell a flow's folder from what Git and Python leave behind: it holds something visible."""
    if not is_visible(entry.name) or not entry.is_dir():
        return False
    try:
        return any(is_visible(path.name) for path in Path(entry.path).iterdir())
    except OSError:
        return True


def _paths_in(home: Path) -> list[Path]:
    """List the files below a folder; folders that are links are listed too, and then refused as files."""
    found: list[Path] = []
    for folder, names, files in os.walk(home):
        names[:] = [name for name in names if is_visible(name)]
        links = [name for name in names if Path(folder, name).is_symlink()]
        kept = [name for name in files if is_visible(name)]
        found += [Path(folder, name) for name in kept + links]
    return found


def _content_of(path: Path, home: Path) -> bytes | str:
    """Return a file's content, or why there is none."""
    try:
        path.name.encode()
        if path.is_symlink() and not path.resolve().is_relative_to(home.resolve()):
            return "is a link that leads out of the flow's folder. Put the file itself there."
        if not path.is_file():
            return "is neither a file nor a folder of its own (a link to a folder, a pipe?). Remove it."
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except UnicodeEncodeError:
        return "has a name that is not UTF-8. Rename it."
    except (OSError, RuntimeError) as error:
        return f"can't be read ({getattr(error, 'strerror', None) or type(error).__name__})."
    return content if len(content) <= MOST_BYTES else f"is larger than {MOST_BYTES // 1024} KiB."
