from __future__ import annotations

import os
import stat

import pytest

from order_cancellation.errors import ConfigurationError, FlowInvalid
from order_cancellation.flow.store import FlowStore, open_files, revision_of
from unit.flow.flow_files import FILES, files_of, put


def problems_of(store: FlowStore, flow_id: str) -> list[tuple[str, str]]:
    with pytest.raises(FlowInvalid) as caught:
        store.load(flow_id)
    return [(problem.path, problem.message) for problem in caught.value.problems]


@pytest.fixture
def store(tmp_path):
    return FlowStore(tmp_path)


class TestIds:
    def test_flow_folders_are_listed_in_order(self, store, tmp_path):
        for name in ("b", "a", "c-1"):
            put(tmp_path, name)
        assert store.ids() == ["a", "b", "c-1"]

    def test_hidden_and_empty_folders_caches_and_files_are_no_flows(self, store, tmp_path):
        put(tmp_path, ".git")
        put(tmp_path, "__pycache__")
        (tmp_path / "empty").mkdir()
        (tmp_path / "README.md").write_text("x")
        put(tmp_path, "left-behind", {"__pycache__/x.pyc": b""})
        assert store.ids() == []

    def test_a_folder_without_a_flow_file_is_listed_and_broken(self, store, tmp_path):
        put(tmp_path, "draft", {"script.py": b"pass"})
        assert store.ids() == ["draft"]
        assert problems_of(store, "draft") == [("flow.yaml", "is missing from the folder.")]

    @pytest.mark.parametrize("name", ["has blank", "ümlaut", "x" * 61, "dot.ted"])
    def test_a_name_that_is_no_id_is_listed_and_broken(self, store, tmp_path, name):
        put(tmp_path, name)
        assert store.ids() == [name]
        assert "use letters, digits, _ and -" in problems_of(store, name)[0][1]

    def test_an_absent_flows_folder_holds_no_flows(self, tmp_path):
        assert FlowStore(tmp_path / "nowhere").ids() == []

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
    def test_a_forbidden_flows_folder_is_named(self, store, tmp_path):
        tmp_path.chmod(0)
        try:
            with pytest.raises(ConfigurationError, match="can't be read"):
                store.ids()
        finally:
            tmp_path.chmod(stat.S_IRWXU)


class TestRead:
    def test_the_whole_folder_is_read_cases_too(self, store, tmp_path):
        put(tmp_path, "acme", {**files_of(), "cases/one.yaml": b"x", "lib/deep/a.txt": b"y"})
        assert set(store.read("acme")) == {"flow.yaml", *FILES, "cases/one.yaml", "lib/deep/a.txt"}

    @pytest.mark.parametrize(
        "name",
        [
            ".hidden",
            "flow.yaml~",
            ".flow.yaml.swp",
            "script.py.orig",
            "#script.py#",
            "x.tmp",
            "__pycache__/s.pyc",
            ".git/x",
        ],
    )
    def test_what_editors_and_python_leave_behind_is_left_out(self, store, tmp_path, name):
        put(tmp_path, "acme", {**files_of(), name: b"x"})
        assert name not in store.read("acme")

    @pytest.mark.parametrize("name", ["", ".", "..", "nowhere", "../acme", "acme/cases", "/etc"])
    def test_what_is_no_folder_of_the_store_is_no_flow(self, store, tmp_path, name):
        put(tmp_path, "acme", {**files_of(), "cases/a.yaml": b""})
        with pytest.raises(FlowInvalid, match="there is no such flow"):
            store.read(name)

    def test_a_link_out_of_the_folder_is_refused(self, store, tmp_path):
        home = put(tmp_path / "flows", "acme", script={"file": "script.py"})
        (tmp_path / "secret.py").write_text("x")
        (home / "script.py").unlink()
        (home / "script.py").symlink_to(tmp_path / "secret.py")
        found = problems_of(FlowStore(tmp_path / "flows"), "acme")
        assert found == [
            ("script.py", "is a link that leads out of the flow's folder. Put the file itself there.")
        ]

    def test_a_link_inside_the_folder_is_followed(self, store, tmp_path):
        home = put(tmp_path, "acme", script={"file": "same.py"})
        (home / "same.py").symlink_to("script.py")
        assert store.load("acme").text("same.py") == FILES["script.py"].decode()

    def test_a_linked_folder_is_refused(self, store, tmp_path):
        home = put(tmp_path, "acme")
        (home / "lib").symlink_to("/usr/lib")
        assert problems_of(store, "acme")[0][0] == "lib"

    @pytest.mark.parametrize("target", ["nowhere", "loop.py"])
    def test_a_link_to_nothing_and_to_itself_is_refused(self, store, tmp_path, target):
        (put(tmp_path, "acme") / "loop.py").symlink_to(target)
        assert problems_of(store, "acme")[0][0] == "loop.py"

    def test_a_pipe_is_refused_and_never_waited_for(self, store, tmp_path):
        os.mkfifo(put(tmp_path, "acme") / "pipe")
        assert problems_of(store, "acme")[0][0] == "pipe"

    def test_a_file_above_one_mebibyte_is_refused(self, store, tmp_path):
        put(tmp_path, "acme", {**files_of(), "script.py": b"#" * (1024 * 1024 + 1)})
        assert problems_of(store, "acme") == [("script.py", "is larger than 1024 KiB.")]

    def test_a_folder_of_very_many_files_is_refused(self, store, tmp_path):
        put(tmp_path, "acme", {**files_of(), **{f"data/{n}": b"" for n in range(1000)}})
        assert "more than 1000 files" in problems_of(store, "acme")[0][1]

    def test_a_name_that_is_no_utf_8_is_refused(self, store, tmp_path):
        home = put(tmp_path, "acme")
        os.close(os.open(os.fsencode(home) + b"/\xff.py", os.O_CREAT))
        assert problems_of(store, "acme")[0][1] == "has a name that is not UTF-8. Rename it."

    def test_faults_of_files_and_of_the_flow_file_are_named_at_once(self, store, tmp_path):
        home = put(tmp_path, "acme", titel="x", script={"file": "gone.py"}, mapping={"file": "link.json"})
        (home / "link.json").symlink_to("/etc/passwd")
        assert [path for path, _ in problems_of(store, "acme")] == ["link.json", "titel", "script.file"]


class TestLoad:
    def test_a_flow_is_loaded_with_its_files_and_revision(self, store, tmp_path):
        put(tmp_path, "acme", script={"file": "script.py"})
        loaded = store.load("acme")
        assert loaded.flow.id == "acme"
        assert loaded.text("script.py") == FILES["script.py"].decode()
        assert loaded.revision == revision_of(store.read("acme"))

    def test_the_same_comes_from_stored_bytes(self, store, tmp_path):
        put(tmp_path, "acme")
        stored = store.read("acme")
        assert open_files("acme", stored) == store.load("acme")

    def test_files_of_a_loaded_flow_are_immutable(self, store, tmp_path):
        put(tmp_path, "acme")
        with pytest.raises(TypeError):
            store.load("acme").files["x"] = b""

    def test_payloads_of_files_are_not_in_the_repr(self, store, tmp_path):
        put(tmp_path, "acme")
        assert "outputStream" not in repr(store.load("acme"))

    @pytest.mark.parametrize("step", ["script", "custom_response", "post_script", "mapping"])
    def test_a_file_that_is_a_folder_is_named(self, store, tmp_path, step):
        put(tmp_path, "acme", {**files_of(**{step: {"file": "lib"}}), "lib/x.py": b""})
        assert problems_of(store, "acme") == [(f"{step}.file", "the file 'lib' is a folder. Name a file.")]

    def test_a_script_that_is_not_utf_8_is_named_with_its_line(self, store, tmp_path):
        put(tmp_path, "acme", {**files_of(script={"file": "script.py"}), "script.py": b"a\nb\n\xfc"})
        assert problems_of(store, "acme")[0][1].startswith("the file 'script.py' is not UTF-8 (line 3).")

    def test_a_text_that_is_not_there_is_an_error_of_the_flow(self, store, tmp_path):
        put(tmp_path, "acme")
        with pytest.raises(FlowInvalid, match="the file 'gone' is not in the flow's folder"):
            store.load("acme").text("gone")

    def test_a_byte_order_mark_is_no_part_of_a_text(self):
        files = {**files_of(), "script.py": "\ufeffpass".encode()}
        assert open_files("acme", files).text("script.py") == "pass"


class TestRevision:
    def test_it_does_not_depend_on_the_order_of_files(self):
        files = files_of()
        assert revision_of(files) == revision_of(dict(reversed(files.items())))

    @pytest.mark.parametrize(
        "changed",
        [{"a": b"1", "b": b""}, {"a": b"", "b": b"1"}, {"a1": b"", "b": b""}, {"a": b"1b"}, {"ab": b"1"}, {}],
    )
    def test_it_changes_with_every_name_and_every_byte(self, changed):
        assert revision_of(changed) != revision_of({"a": b"1", "b": b"2"})

    def test_it_is_the_same_for_ever(self):
        expected = "be164813255c8fd5"
        assert revision_of({"flow.yaml": b"title: x\n"})[:16] == expected
