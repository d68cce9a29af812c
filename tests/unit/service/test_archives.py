"""Archives: what comes in may be anybody's."""

from __future__ import annotations

import io
import stat
import zipfile
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_cancellation.errors import FlowInvalid
from order_cancellation.service.archives import read_archive, write_archive
from unit.flow.flow_files import files_of


def zipped(files, *, kind: int = stat.S_IFREG | 0o644) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            info = zipfile.ZipInfo(name)
            info.external_attr = kind << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content)
    return stream.getvalue()


def test_what_goes_out_comes_in_again_and_is_the_same_each_time():
    files = files_of()
    assert read_archive("x", write_archive("acme", files)) == files
    assert write_archive("acme", files) == write_archive("acme", dict(reversed(files.items())))


def test_a_flow_may_lie_at_the_top_and_what_systems_leave_is_passed_over():
    content = zipped([("flow.yaml", b"a"), ("__MACOSX/x", b"x"), (".DS_Store", b"x"), ("cases/", b"")])
    assert read_archive("x", content) == {"flow.yaml": b"a"}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ([("flow.yaml", b""), ("../evil", b"")], "leads out"),
        ([("flow.yaml", b""), ("/etc/passwd", b"")], "leads out"),
        ([("flow.yaml", b""), ("a/../../x", b"")], "leads out"),
        ([("flow.yaml", b""), ("C:/x", b"")], "leads out"),
        ([("a/flow.yaml", b""), ("b/flow.yaml", b"")], "exactly one flow"),
        ([("a/flow.yaml", b""), ("b/x.py", b"")], "exactly one flow"),
        ([("a/b/flow.yaml", b"")], "exactly one flow"),
        ([("x.py", b"")], "exactly one flow"),
        ([], "exactly one flow"),
        ([("flow.yaml", b"0" * (2 * 1024**2))], "too large"),
        ([(f"x{n}", b"") for n in range(2500)], "more than 1000"),
        ([("flow.yaml", b"")] + [(f"x{n}", b"0" * 1024**2) for n in range(17)], "too large"),
    ],
)
def test_what_is_not_one_flow_or_leaves_its_folder_is_refused(files, words):
    with pytest.raises(FlowInvalid, match=words):
        read_archive("x", zipped(files))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFSOCK])
def test_links_and_devices_are_refused(kind):
    with pytest.raises(FlowInvalid, match="is a link"):
        read_archive("x", zipped([("flow.yaml", b"/etc/passwd")], kind=kind | 0o777))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_packing_of_which_a_piece_may_hold_gigabytes_is_refused(method):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("flow.yaml", b"title: x")
    with pytest.raises(FlowInvalid, match="Use deflate"):
        read_archive("x", stream.getvalue())


def test_a_name_that_stands_twice_is_refused():
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped([("flow.yaml", b"a"), ("flow.yaml", b"b")])
    with pytest.raises(FlowInvalid, match="twice"):
        read_archive("x", content)


def test_a_name_that_is_a_file_and_a_folder_is_refused():
    with pytest.raises(FlowInvalid, match=r"archive: cases: is a file, and other files .* lie in it"):
        read_archive("x", zipped([("flow.yaml", b"a"), ("cases", b"b"), ("cases/one.yaml", b"c")]))


def test_a_size_that_lies_is_not_believed():
    content = zipped([("flow.yaml", b"0" * (3 * 1024**2))])
    lying = content.replace((3 * 1024**2).to_bytes(4, "little"), (10).to_bytes(4, "little"))
    with pytest.raises(FlowInvalid):
        read_archive("x", lying)


@given(st.binary(max_size=300), st.integers(0, 200), st.integers(0, 255))
def test_no_damaged_archive_makes_more_than_a_refusal(noise, place, byte):
    good = bytearray(write_archive("acme", {"flow.yaml": b"title: x" * 10}))
    good[place % len(good)] = byte
    for content in (noise, bytes(good), bytes(good) + noise):
        with suppress(FlowInvalid):
            assert isinstance(read_archive("x", content), dict)
