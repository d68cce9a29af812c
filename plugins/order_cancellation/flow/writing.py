"""Writing a flow's folder: each file is the old one or the new one, also after a crash or a power cut.

What is new is written whole beside its place first, so that a full disk or a missing right changes nothing;
then the files are moved to their places one after the other, ``flow.yaml`` last, and only then others go.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, flock
from pathlib import Path

from order_cancellation.flow.names import FLOW_FILE

__all__ = ["alone_in", "change_folder", "make_folder", "remove_folder", "write_atomically"]


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
    _put(_staged(target, content), target)
    _sync_folder(target.parent)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Hold back every other change of the flows on this machine; readers are not held back.

    Args:
        folder: The flows folder.

    Raises:
        OSError: There is no such folder.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flock(handle, LOCK_EX)
        yield
    finally:
        os.close(handle)


def change_folder(home: Path, before: Mapping[str, bytes], after: Mapping[str, bytes]) -> None:
    """Give a flow's folder other files; those in neither of both lists stay.

    Args:
        home: The folder.
        before: What it holds: relative path to content.
        after: What it is to hold.

    Raises:
        OSError: It can't be written; it holds what it held before.
    """
    new = {name: content for name, content in after.items() if before.get(name) != content}
    gone = [name for name in before if name not in after]
    staged = _stage_all(home, new)
    moved: list[str] = []
    try:
        for name in sorted(staged, key=lambda name: (name == FLOW_FILE, name)):
            _put(*staged[name])
            moved.append(name)
        for name in gone:
            (home / name).unlink()
            moved.append(name)
    except OSError:
        _put_back(home, before, moved)
        raise
    finally:
        for temporary, _ in staged.values():
            temporary.unlink(missing_ok=True)
    _remove_empty(home, gone)
    for folder in {(home / name).parent for name in (*new, *gone)} | {home}:
        with suppress(FileNotFoundError):
            _sync_folder(folder)


def make_folder(home: Path, files: Mapping[str, bytes]) -> None:
    """Make a new flow's folder: there is none of it, or all.

    Args:
        home: The folder; it must not exist.
        files: What it is to hold.

    Raises:
        FileExistsError: It exists.
        OSError: It can't be made.
    """
    if home.exists():
        raise FileExistsError(f"{home} exists")
    hidden = Path(tempfile.mkdtemp(prefix=f".{home.name}.", dir=home.parent))
    try:
        hidden.chmod(home.parent.stat().st_mode & 0o777)
        change_folder(hidden, {}, files)
        hidden.rename(home)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise
    _sync_folder(home.parent)


def remove_folder(home: Path) -> None:
    """Remove a flow's folder at once, hidden files and all.

    Args:
        home: The folder.

    Raises:
        OSError: It can't be removed; it is as it was.
    """
    hidden = Path(tempfile.mkdtemp(prefix=f".{home.name}.", dir=home.parent))
    try:
        home.rename(hidden / home.name)
    finally:
        shutil.rmtree(hidden, ignore_errors=True)
    _sync_folder(home.parent)


def _stage_all(home: Path, files: Mapping[str, bytes]) -> dict[str, tuple[Path, Path]]:
    """Write files beside their places; where one can't be written, none is left.

    Returns:
        The temporary file and the place of each.
    """
    staged: dict[str, tuple[Path, Path]] = {}
    try:
        for name, content in files.items():
            target = _inside(home, name)
            target.parent.mkdir(parents=True, exist_ok=True)
            staged[name] = _staged(target, content), target
    except BaseException:
        for temporary, _ in staged.values():
            temporary.unlink(missing_ok=True)
        _remove_empty(home, files)
        raise
    return staged


def _inside(home: Path, name: str) -> Path:
    target = (home / name).resolve()
    if not target.is_relative_to(home.resolve()):
        raise PermissionError(1, "a link leads out of the flow's folder", name)
    return target


def _staged(target: Path, content: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix=".", suffix=".tmp", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fchmod(file.fileno(), _mode_of(target))
            os.fsync(file.fileno())
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _put(temporary: Path, target: Path) -> None:
    try:
        temporary.replace(target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _put_back(home: Path, before: Mapping[str, bytes], names: Iterable[str]) -> None:
    for name in names:
        with suppress(OSError):
            if name in before:
                write_atomically(home / name, before[name])
            else:
                (home / name).unlink()
    _remove_empty(home, names)


def _remove_empty(home: Path, names: Iterable[str]) -> None:
    """Remove the folders that files left empty."""
    folders = {parent for name in names for parent in (home / name).parents if home in parent.parents}
    for folder in sorted(folders, key=lambda folder: -len(folder.parts)):
        with suppress(OSError):
            folder.rmdir()


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
