"""The calls below ``flows``: what the pages do, for who has no page."""

from __future__ import annotations

import json

import pytest

from unit.flow.flow_files import put

REQUEST = b'{"id": 7, "uuid": "u-7", "channel": {"pk": 2}}'


@pytest.fixture
def flows(installed):
    put(installed.flows_folder, "acme", title="Acme")
    return installed.flows_folder


@pytest.fixture
def ask(call):
    """Run a call below ``flows``, and return its exit code and what it says."""

    def run(*words: str, stdin: bytes = b"") -> tuple[int, str]:
        code, out, err = call("flows", *words, stdin=stdin)
        return code, out or err

    return run


def test_flows_are_listed_with_what_is_wrong(flows, ask):
    put(flows, "bad", titel="x")
    rows = json.loads(ask("list", "--format", "json")[1])
    assert [(row["id"], row["state"], len(row["problems"])) for row in rows] == [
        ("acme", "enabled", 0),
        ("bad", "broken", 1),
    ]
    assert "Acme" in ask("list")[1]


def test_a_flow_is_made_copied_exported_imported_and_deleted(flows, ask):
    assert ask("new", "one", "--template", "returns_to_erp", "--title", "One")[0] == 0
    assert ask("copy", "one", "two", "--note", "to try")[0] == 0
    assert ask("export", "two")[0] == 0
    assert ask("import", "three", "two.zip")[0] == 0
    assert ask("delete", "two")[0] == 0
    assert sorted(path.name for path in flows.iterdir()) == ["acme", "one", "three"]
    assert (flows / "one" / "script.py").read_bytes() == (flows / "three" / "script.py").read_bytes()
    version = json.loads(ask("history", "two", "--format", "json")[1])[0]["id"]
    assert ask("restore", "two", str(version))[0] == 0
    assert (flows / "two").is_dir()


def test_a_flow_is_disabled_and_its_history_says_who_and_why(flows, ask):
    assert ask("disable", "acme", "--note", "the ERP is down") == (0, "Flow 'acme' is disabled.\n")
    assert b"enabled: false" in (flows / "acme" / "flow.yaml").read_bytes()
    assert ask("enable", "acme")[0] == 0
    versions = json.loads(ask("history", "acme", "--format", "json")[1])
    assert [one["note"] for one in versions] == ["Enabled", "the ERP is down", "As it was found"]
    assert versions[0]["author"].endswith("(command line)")
    assert "-enabled: false" in ask("diff", "acme", str(versions[1]["id"]), str(versions[0]["id"]))[1]
    assert ask("diff", "acme", str(versions[0]["id"])) == (0, "Nothing differs.\n")


def test_the_whole_way_is_walked_without_sending(flows, ask):
    code, out = ask("chain", "acme", "--input", "-", "--status", "422", stdin=REQUEST)
    told = json.loads(out)
    assert (code, told["call"]["method"], told["write_back"]["outcome"]) == (0, "POST", "failure")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("new", "acme"), "is taken"),
        (("new", "../x"), "can't be a flow's name"),
        (("new", "x", "--template", "gone"), "is no template"),
        (("copy", "gone", "x"), "there is no such flow"),
        (("import", "x", "gone.zip"), "gone.zip can't be read"),
        (("restore", "acme", "9"), "has no version 9"),
        (("delete", "gone"), "there is no such flow"),
        (("history", "gone"), "there is no such flow"),
        (("chain", "acme", "--input", "-"), "is no JSON"),
        (("diff", "acme", "x"), "is no number"),
    ],
)
def test_what_can_not_be_done_is_told_and_exits_1(flows, ask, words, said):
    code, text = ask(*words)
    assert code == 1
    assert said in text
    assert [path.name for path in flows.iterdir()] == ["acme"]
