"""Every fault that a flow file can have, with its path and the words that the person reads."""

from __future__ import annotations

import pytest

from order_cancellation.errors import FlowInvalid, Problem
from order_cancellation.flow.store import open_files
from unit.flow.flow_files import FILES, REMOVED, files_of


def problems_of(**changes) -> list[Problem]:
    with pytest.raises(FlowInvalid) as caught:
        open_files("acme", files_of(**changes))
    return caught.value.problems


LONG = "x" * 201
NO_NUMBER = "is not a whole number."
NO_BOOLEAN = "is not true or false."
SCRIPT = {"file": "script.py"}
LOOK_UP = {"url": "/x", "found": "$.found"}

FAULTS = [
    ("title", 7, "title", "'7' is not text. Put it in quotes."),
    ("title", LONG, "title", "is too long: at most 200 characters."),
    ("description", ["x"], "description", "A list is not text."),
    ("owner", True, "owner", "true is not text."),
    ("tags", "x", "tags", "'x' is not a list. Write it as [one, two]."),
    ("tags", [""], "tags[0]", "is empty."),
    ("tags", ["a", 1], "tags[1]", "'1' is not text."),
    ("enabled", "yes", "enabled", f"'yes' {NO_BOOLEAN}"),
    ("enabled", 1, "enabled", NO_BOOLEAN),
    ("schedule", "5m", "schedule", "'5m' is not a block of keys"),
    ("schedule", {}, "schedule", "has none of every, cron and after. Write exactly one of"),
    ("schedule", {"timezone": "UTC"}, "schedule", "has none of every, cron and after"),
    (
        "schedule",
        {"every": "5m", "cron": "* * * * *"},
        "schedule",
        "has every and cron. Write exactly one of",
    ),
    (
        "schedule",
        {"every": "often"},
        "schedule.every",
        "'often' is no length of time. Write a number with s, m, h or d",
    ),
    ("schedule", {"every": "0s"}, "schedule.every", "every must be at least 1s."),
    ("schedule", {"cron": "* * *"}, "schedule.cron", "it has 3 fields. Write five fields"),
    ("schedule", {"cron": "* * * * * *"}, "schedule.cron", "it has 6 fields"),
    ("schedule", {"cron": "61 * * * *"}, "schedule.cron", "is no cron expression: "),
    ("schedule", {"cron": "0 0 30 2 *"}, "schedule.cron", "is no cron expression: "),
    ("schedule", {"cron": "R * * * *"}, "schedule.cron", "R and H stand for a random time"),
    ("schedule", {"cron": 5}, "schedule.cron", "'5' is not text"),
    ("schedule", {"after": []}, "schedule.after", "is an empty list"),
    ("schedule", {"after": "a"}, "schedule.after", "is not a list"),
    ("schedule", {"after": ["a b"]}, "schedule.after[0]", "'a b' can't be a flow's name"),
    ("schedule", {"after": ["a", "a"]}, "schedule.after", "names a flow twice."),
    (
        "schedule",
        {"every": "5m", "timezone": "Istanbul"},
        "schedule.timezone",
        "'Istanbul' is no known time zone.",
    ),
    ("schedule", {"every": "5m", "timezone": "../UTC"}, "schedule.timezone", "is no known time zone"),
    ("schedule", {"evry": "5m"}, "schedule.evry", "unknown key 'evry'. Did you mean 'every'?"),
    ("get_data", REMOVED, "get_data", "is missing. Which cancellation requests are fetched from Omnitron."),
    ("get_data", None, "get_data", "Nothing is not a block of keys"),
    (
        "get_data__connection",
        REMOVED,
        "get_data.connection",
        "Write for example `connection: omnitron_default`.",
    ),
    ("get_data__connection", "a b", "get_data.connection", "'a b' is no connection's name."),
    ("get_data__cancel_type", REMOVED, "get_data.cancel_type", "Write for example `cancel_type: all`."),
    (
        "get_data__cancel_type",
        "Refund",
        "get_data.cancel_type",
        "'Refund' is not one of cancel, refund, all. Did you mean refund?",
    ),
    ("get_data__status", REMOVED, "get_data.status", "Write for example `status: approved`."),
    ("get_data__status", "aproved", "get_data.status", "Did you mean approved?"),
    ("get_data__channel_id", "2", "get_data.channel_id", f"'2' {NO_NUMBER}"),
    ("get_data__channel_id", 0, "get_data.channel_id", "'0' is out of range: it must be at least 1."),
    ("get_data__channel_id", True, "get_data.channel_id", f"true {NO_NUMBER}"),
    ("get_data__page_size", 1001, "get_data.page_size", "it must be at most 1000."),
    ("get_data__page_size", 1.5, "get_data.page_size", f"1.5 {NO_NUMBER}"),
    ("get_data__max_requests", 0, "get_data.max_requests", "it must be at least 1."),
    ("get_data__pagesize", 5, "get_data.pagesize", "unknown key 'pagesize'. Did you mean 'page_size'?"),
    ("script", {}, "script.file", "is missing. The script's file in the flow's folder."),
    ("script", {"file": "../x.py"}, "script.file", "'../x.py' is no file of the flow's folder."),
    ("script", {"file": "/etc/passwd"}, "script.file", "is no file of the flow's folder."),
    ("script", {"file": "a/../b"}, "script.file", "is no file of the flow's folder."),
    ("script", {"file": "..\\x"}, "script.file", "is no file of the flow's folder."),
    ("script", {"file": ".hidden"}, "script.file", "is no file of the flow's folder."),
    ("script", {"file": ""}, "script.file", "is no file of the flow's folder."),
    ("script", {"file": "gone.py"}, "script.file", "the file 'gone.py' is not in the flow's folder."),
    ("script", {**SCRIPT, "network": "no"}, "script.network", f"'no' {NO_BOOLEAN}"),
    ("script", {**SCRIPT, "timeout": 301}, "script.timeout", "301 is out of range: it must be at most 300."),
    ("script", {**SCRIPT, "timeout": 0}, "script.timeout", "it must be more than 0."),
    ("script", {**SCRIPT, "timeout": "soon"}, "script.timeout", "'soon' is no length of time."),
    ("script", {**SCRIPT, "isolation": "none"}, "script.isolation", "is not one of shared, per_request."),
    ("script", {**SCRIPT, "decides_unknown": True}, "script.decides_unknown", "unknown key"),
    ("mapping", {"file": "mapping.json", "strict": 1}, "mapping.strict", NO_BOOLEAN),
    ("mapping", {"file": "mapping.json", "network": True}, "mapping.network", "Known keys are file, strict."),
    ("write_to_erp", REMOVED, "write_to_erp", "is missing. How a request is sent to the ERP."),
    ("write_to_erp__connection", REMOVED, "write_to_erp.connection", "`connection: erp_default`"),
    ("write_to_erp__url", REMOVED, "write_to_erp.url", "Write for example `url: /cancellations`."),
    ("write_to_erp__url", "", "write_to_erp.url", "is empty."),
    ("write_to_erp__url", "ftp://x/y", "write_to_erp.url", "'ftp:' is not supported. Write https://"),
    ("write_to_erp__url", "https://u:p@x/y", "write_to_erp.url", "Put these into the connection."),
    ("write_to_erp__url", "/a\nb", "write_to_erp.url", "holds a line break"),
    ("write_to_erp__method", REMOVED, "write_to_erp.method", "Write for example `method: POST`."),
    (
        "write_to_erp__method",
        "DELETE",
        "write_to_erp.method",
        "'DELETE' is not one of POST, GET, PUT, PATCH.",
    ),
    ("write_to_erp__method", "post", "write_to_erp.method", "Did you mean POST?"),
    ("write_to_erp__headers", ["a"], "write_to_erp.headers", "A list is not a block of keys"),
    ("write_to_erp__headers", {"X": 1}, "write_to_erp.headers.X", "'1' is not text. Put it in quotes."),
    ("write_to_erp__headers", {"X Y": "1"}, "write_to_erp.headers.X Y", "'X Y' can't be a header's name."),
    (
        "write_to_erp__headers",
        {"Host": "x"},
        "write_to_erp.headers.Host",
        "is set by the HTTP client itself.",
    ),
    ("write_to_erp__headers", {"X": "a\nb"}, "write_to_erp.headers.X", "has a line break in its value."),
    ("write_to_erp__headers", {"X": "1", "x": "2"}, "write_to_erp.headers.x", "stands here twice"),
    ("write_to_erp__timeout", 601, "write_to_erp.timeout", "it must be at most 600."),
    ("write_to_erp__concurrency", 0, "write_to_erp.concurrency", "it must be at least 1."),
    ("write_to_erp__rate_per_second", 0, "write_to_erp.rate_per_second", "it must be more than 0."),
    ("write_to_erp__rate_per_second", float("inf"), "write_to_erp.rate_per_second", "is not a number."),
    ("write_to_erp__rate_per_second", "fast", "write_to_erp.rate_per_second", "'fast' is not a number."),
    (
        "write_to_erp__idempotency_header",
        "a b",
        "write_to_erp.idempotency_header",
        "can't be a header's name.",
    ),
    (
        "write_to_erp__look_up",
        {"url": "/x"},
        "write_to_erp.look_up.found",
        "Write for example `found: $.found`.",
    ),
    (
        "write_to_erp__look_up",
        {**LOOK_UP, "found": "found"},
        "write_to_erp.look_up.found",
        "it must begin with $",
    ),
    (
        "write_to_erp__look_up",
        {**LOOK_UP, "after": "x"},
        "write_to_erp.look_up.after",
        "is no length of time.",
    ),
    ("write_to_erp__duplicates_accepted", "true", "write_to_erp.duplicates_accepted", NO_BOOLEAN),
    ("write_to_erp__check_status", None, "write_to_erp.check_status", f"Nothing {NO_BOOLEAN}"),
    ("write_to_erp__nested", "xml", "write_to_erp.nested", "'xml' is not one of refuse, json."),
    (
        "write_to_erp__nested",
        "json",
        "write_to_erp.nested",
        "nested is for method GET only, and method is POST.",
    ),
    (
        "custom_response",
        {"file": "response.py", "decides_unknown": 1},
        "custom_response.decides_unknown",
        NO_BOOLEAN,
    ),
    ("write_to_omnitron", REMOVED, "write_to_omnitron", "is missing. What Omnitron is told of the outcome."),
    ("write_to_omnitron", {}, "write_to_omnitron.on_success", "(or null, to tell Omnitron nothing)."),
    (
        "write_to_omnitron__on_success",
        {},
        "write_to_omnitron.on_success",
        "has none of status, action, tag and request.",
    ),
    (
        "write_to_omnitron__on_success",
        {"status": "x"},
        "write_to_omnitron.on_success.status",
        "is not one of open,",
    ),
    (
        "write_to_omnitron__on_success",
        {"status": "open", "tag": "x"},
        "write_to_omnitron.on_success",
        "has status and tag.",
    ),
    (
        "write_to_omnitron__on_success",
        {"action": "approve"},
        "write_to_omnitron.on_success.action",
        "is not one of reject.",
    ),
    ("write_to_omnitron__on_success", {"tag": ""}, "write_to_omnitron.on_success.tag", "is empty."),
    (
        "write_to_omnitron__on_failure",
        {"request": {"method": "PATCH"}},
        "write_to_omnitron.on_failure.request.path",
        "is missing.",
    ),
    (
        "write_to_omnitron__on_failure",
        {"request": {"method": "PATCH", "path": "https://elsewhere/"}},
        "write_to_omnitron.on_failure.request.path",
        "must be a path of Omnitron",
    ),
    (
        "write_to_omnitron__on_failure",
        {"request": {"method": "DELETE", "path": "/x"}},
        "write_to_omnitron.on_failure.request.method",
        "'DELETE' is not one of POST, PUT, PATCH.",
    ),
    ("post_script", {"file": "post.py", "mapping": 1}, "post_script.mapping", "unknown key 'mapping'."),
    ("delivery", {"max_attempts": 0}, "delivery.max_attempts", "it must be at least 1."),
    ("delivery", {"max_age": "week"}, "delivery.max_age", "is no length of time."),
    ("delivery", {"retry_pause": -5}, "delivery.retry_pause", "is not between 0s and 3650d."),
    ("delivery", {"task_retries": -1}, "delivery.task_retries", "it must be at least 0."),
    ("delivery", {"task_retry_delay": None}, "delivery.task_retry_delay", "is no length of time."),
    ("delivery", {"parallel_batches": 101}, "delivery.parallel_batches", "it must be at most 100."),
    ("delivery", {"lease": "0s"}, "delivery.lease", "lease must be at least 1s."),
    ("delivery", {"keep_payloads_days": "30d"}, "delivery.keep_payloads_days", NO_NUMBER),
    ("titel", "x", "titel", "unknown key 'titel'. Did you mean 'title'?"),
    ("id", "acme", "id", "unknown key 'id'. Known keys are title,"),
    (1, "x", "[1]", "is a key that is no text."),
]


@pytest.mark.parametrize(
    ("key", "value", "path", "words"), FAULTS, ids=[f"{path}={value!r:.40}" for _, value, path, _ in FAULTS]
)
def test_a_fault_is_named_with_its_path_and_what_to_do(key, value, path, words):
    found = problems_of(**{key: value}) if isinstance(key, str) else _with_number_as_key(key, value)
    assert [problem.path for problem in found] == [path]
    assert words in found[0].message
    assert found[0].flow == "acme"


@pytest.mark.parametrize(
    ("written", "paths"),
    [
        (
            {"schedule": {"every": "5m", "cron": "x", "timezone": "Mars/Base"}},
            ["schedule.cron", "schedule.timezone", "schedule"],
        ),
        (
            {"schedule": {"every": "often", "after": ["a", "a"]}},
            ["schedule.every", "schedule.after", "schedule"],
        ),
        (
            {"write_to_omnitron": {"on_success": {"status": "shut", "action": "x", "tag": ""}}},
            [f"write_to_omnitron.on_success{key}" for key in (".status", ".action", ".tag", "")],
        ),
    ],
)
def test_two_keys_of_which_one_is_wanted_hide_no_fault_and_no_fault_hides_them(written, paths):
    found = {problem.path: problem.message for problem in problems_of(**written)}
    assert list(found) == paths
    assert "Write exactly one of" in found[paths[-1]]


def _with_number_as_key(key: int, value: str) -> list[Problem]:
    files = files_of()
    with pytest.raises(FlowInvalid) as caught:
        open_files("acme", {**files, "flow.yaml": files["flow.yaml"] + f"{key}: {value}\n".encode()})
    return caught.value.problems


def test_all_faults_are_named_at_once():
    found = problems_of(titel=1, get_data__status="x", write_to_erp__method="x", script={"file": "gone.py"})
    assert [problem.path for problem in found] == [
        "get_data.status",
        "write_to_erp.method",
        "titel",
        "script.file",
    ]


@pytest.mark.parametrize(
    ("written", "paths"),
    [
        (
            {"write_to_erp__headers": {"X Y": "1", "Host": "x", "X-A": "a\nb", "Key": "1", "key": "2"}},
            [f"write_to_erp.headers.{name}" for name in ("X Y", "Host", "X-A", "key")],
        ),
        ({"delivery": {"lease": "0s", "max_age": "x"}}, ["delivery.max_age", "delivery.lease"]),
        (
            {
                "write_to_erp__nested": "json",
                "write_to_erp__headers": {"key": "x"},
                "write_to_erp__idempotency_header": "Key",
                "write_to_erp__timeout": 0,
            },
            ["write_to_erp.timeout", "write_to_erp.nested", "write_to_erp.headers.key"],
        ),
        ({"schedule": {"every": "0s", "after": ["a"]}}, ["schedule.every", "schedule"]),
    ],
    ids=["headers", "delivery", "write_to_erp", "schedule"],
)
def test_a_rule_of_a_block_hides_no_fault_of_its_keys_and_none_hides_it(written, paths):
    assert [problem.path for problem in problems_of(**written)] == paths


def test_a_header_of_the_idempotency_key_stands_in_one_place_only():
    found = problems_of(write_to_erp__headers={"key": "x"}, write_to_erp__idempotency_header="Key")
    assert "stands in headers as well as in idempotency_header" in found[0].message


def test_no_message_shows_more_of_a_value_than_a_lines_worth():
    found = problems_of(get_data__status="s" * 5000, write_to_erp__method=LONG, schedule={"cron": "c" * 5000})
    assert all(len(problem.message) < 400 for problem in found)


def test_the_builders_own_flow_is_valid():
    assert open_files("acme", files_of()).files.keys() == {"flow.yaml", *FILES}
