"""Writing folders: old or new, and nothing half."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from order_cancellation.flow import writing
from order_cancellation.flow.writing import change_folder, make_folder, remove_folder

OLD = {"flow.yaml": b"old", "script.py": b"old", "cases/a.yaml": b"old", "gone/x.txt": b"old"}
NEW = {"flow.yaml": b"new", "script.py": b"new", "cases/a.yaml": b"old", "cases/b.yaml": b"new"}

DYING = """
import ast, os, sys
from pathlib import Path
from order_cancellation.flow import writing
put, count = writing._put, iter(range(10))
def dying(temporary, target):
    if next(count) == int(sys.argv[2]):
        os._exit(9)
    put(temporary, target)
writing._put = dying
writing.change_folder(Path(sys.argv[1]), ast.literal_eval(sys.argv[3]), ast.literal_eval(sys.argv[4]))
"""


def content(home: Path) -> dict[str, bytes]:
    return {
        path.relative_to(home).as_posix(): path.read_bytes() for path in home.rglob("*") if path.is_file()
    }


@pytest.fixture
def home(tmp_path) -> Path:
    make_folder(tmp_path / "acme", OLD)
    return tmp_path / "acme"


def test_a_folder_is_made_changed_and_removed(home):
    assert content(home) == OLD
    change_folder(home, OLD, NEW)
    assert content(home) == NEW
    assert not (home / "gone").exists()
    remove_folder(home)
    assert list(home.parent.iterdir()) == []


def test_files_that_nobody_named_stay(home):
    (home / ".hidden").write_bytes(b"x")
    change_folder(home, OLD, NEW)
    assert content(home) == {**NEW, ".hidden": b"x"}


def test_flow_yaml_is_moved_last_and_nothing_goes_before(home, monkeypatch):
    order: list[str] = []
    put = writing._put

    def watched(temporary, target):
        assert (home / "gone" / "x.txt").exists()
        order.append(target.name)
        put(temporary, target)

    monkeypatch.setattr(writing, "_put", watched)
    change_folder(home, OLD, NEW)
    assert order[-1] == "flow.yaml"
    assert sorted(order) == ["b.yaml", "flow.yaml", "script.py"]


@pytest.mark.parametrize("at", range(3))
def test_where_a_file_can_not_be_prepared_nothing_changes(home, monkeypatch, at):
    staged, count = writing._staged, iter(range(10))

    def full(target, data):
        if next(count) == at:
            raise OSError(28, "No space left on device")
        return staged(target, data)

    monkeypatch.setattr(writing, "_staged", full)
    with pytest.raises(OSError, match="No space"):
        change_folder(home, OLD, NEW)
    assert content(home) == OLD


@pytest.mark.parametrize("at", range(3))
def test_where_a_file_can_not_be_moved_the_old_ones_are_put_back(home, monkeypatch, at):
    put, count = writing._put, iter(range(10))

    def failing(temporary, target):
        if next(count) == at:
            raise OSError(5, "Input/output error")
        put(temporary, target)

    monkeypatch.setattr(writing, "_put", failing)
    with pytest.raises(OSError, match="Input/output"):
        change_folder(home, OLD, NEW)
    monkeypatch.undo()
    assert content(home) == OLD


@pytest.mark.parametrize("at", range(4))
def test_a_process_that_dies_leaves_each_file_old_or_new(home, at):
    """A real process, ended at its n-th move."""
    command = [sys.executable, "-c", DYING, str(home), str(at), repr(OLD), repr(NEW)]
    assert subprocess.run(command, check=False, timeout=60).returncode == (9 if at < 3 else 0)
    left = {name: data for name, data in content(home).items() if not Path(name).name.startswith(".")}
    for name, data in left.items():
        assert data in (OLD.get(name), NEW.get(name)), name
    if left["flow.yaml"] == b"new":
        assert {name: left[name] for name in NEW} == NEW
    else:
        assert set(OLD) <= set(left)


def test_a_link_that_leads_out_is_not_followed(home, tmp_path):
    (tmp_path / "outside").mkdir()
    (home / "more").symlink_to(tmp_path / "outside")
    with pytest.raises(PermissionError):
        change_folder(home, OLD, {**OLD, "more/x.txt": b"x"})
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_folder_that_exists_is_not_made_again(home):
    with pytest.raises(FileExistsError):
        make_folder(home, NEW)
    assert content(home) == OLD


def test_a_folder_that_can_not_be_filled_is_not_there(tmp_path, monkeypatch):
    def full(*_args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_staged", full)
    with pytest.raises(OSError, match="No space"):
        make_folder(tmp_path / "new", NEW)
    assert list(tmp_path.iterdir()) == []
