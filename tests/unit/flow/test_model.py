from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta

import pytest
from pydantic import ValidationError

from order_cancellation.flow.model import Flow, Status
from unit.flow.flow_files import a_document


def a_flow(**changes) -> Flow:
    return Flow.model_validate({"id": "acme", **a_document(**changes)})


CONTRACT_DEFAULTS = {
    "title": None,
    "description": None,
    "owner": None,
    "tags": (),
    "enabled": True,
    "schedule": None,
    "get_data.channel_id": None,
    "get_data.page_size": 100,
    "get_data.max_requests": 10_000,
    "script": None,
    "mapping": None,
    "write_to_erp.headers": {},
    "write_to_erp.timeout": 30.0,
    "write_to_erp.concurrency": 16,
    "write_to_erp.rate_per_second": None,
    "write_to_erp.idempotency_header": None,
    "write_to_erp.look_up": None,
    "write_to_erp.duplicates_accepted": False,
    "write_to_erp.check_status": False,
    "write_to_erp.nested": "refuse",
    "custom_response": None,
    "write_to_omnitron.on_failure": None,
    "post_script": None,
    "delivery.max_attempts": 5,
    "delivery.max_age": timedelta(days=7),
    "delivery.retry_pause": timedelta(minutes=5),
    "delivery.task_retries": 2,
    "delivery.task_retry_delay": timedelta(seconds=10),
    "delivery.parallel_batches": 4,
    "delivery.lease": timedelta(seconds=60),
    "delivery.keep_payloads_days": 30,
}


@pytest.mark.parametrize("path", CONTRACT_DEFAULTS)
def test_what_is_not_written_has_the_contracts_default(path):
    value = a_flow()
    for key in path.split("."):
        value = getattr(value, key)
    assert value == CONTRACT_DEFAULTS[path]


@pytest.mark.parametrize("step", ["script", "custom_response", "post_script"])
def test_scripts_have_the_contracts_defaults(step):
    settings = getattr(a_flow(**{step: {"file": "x.py"}}), step)
    assert (settings.network, settings.timeout, settings.isolation) == (False, 30.0, "shared")


def test_the_response_script_does_not_decide_the_unknown_by_itself():
    assert a_flow(custom_response={"file": "x.py"}).custom_response.decides_unknown is False


def test_a_mapping_is_strict_and_a_look_up_waits_ten_seconds_by_default():
    flow = a_flow(mapping={"file": "m.json"}, write_to_erp__look_up={"url": "/x", "found": "$.found"})
    assert flow.mapping.strict is True
    assert flow.write_to_erp.look_up.after == timedelta(seconds=10)


def test_every_key_of_the_contracts_example_is_taken():
    flow = a_flow(
        title="Acme",
        description="d",
        owner="o",
        tags=["sap"],
        enabled=False,
        schedule={"every": "5m", "timezone": "Europe/Istanbul"},
        get_data__channel_id=2,
        script={"file": "script.py", "network": False, "timeout": 30, "isolation": "per_request"},
        mapping={"file": "mapping.json", "strict": False},
        write_to_erp__headers={"X-Id": "{{ request.id }}"},
        write_to_erp__rate_per_second=50,
        write_to_erp__idempotency_header="Idempotency-Key",
        write_to_erp__look_up={"url": "/c/{{ request.id }}", "found": "$.found", "after": "10s"},
        custom_response={"file": "response.py", "decides_unknown": True},
        write_to_omnitron__on_failure={"action": "reject"},
        post_script={"file": "post.py", "network": True},
        delivery={"max_age": "7d", "lease": "60s"},
    )
    assert flow.steps == (
        "script",
        "mapping",
        "write_to_erp",
        "custom_response",
        "write_to_omnitron",
        "post_script",
    )
    assert flow.files == {
        "script": "script.py",
        "mapping": "mapping.json",
        "custom_response": "response.py",
        "post_script": "post.py",
    }


def test_absent_steps_are_not_among_the_steps():
    assert a_flow().steps == ("write_to_erp", "write_to_omnitron")


def test_the_name_is_the_title_or_the_id():
    assert (a_flow().name, a_flow(title="Acme").name) == ("acme", "Acme")


@pytest.mark.parametrize(
    "told",
    [
        {"status": "completed"},
        {"action": "reject"},
        {"tag": "sent"},
        {"request": {"method": "PATCH", "path": "/api/v1/x/", "body": {"a": ["{{ request.id }}"]}}},
        None,
    ],
)
def test_omnitron_may_be_told_in_each_of_the_contracts_ways(told):
    flow = a_flow(write_to_omnitron={"on_success": told, "on_failure": told})
    assert (flow.write_to_omnitron.on_success is None) == (told is None)


@pytest.mark.parametrize("status", Status.__args__)
def test_each_of_the_documents_ten_statuses_is_known(status):
    assert a_flow(get_data__status=status).get_data.status == status


def test_a_time_limit_may_be_written_with_its_unit():
    assert a_flow(write_to_erp__timeout="2m").write_to_erp.timeout == 120.0


@pytest.mark.parametrize("change", ["write_to_erp", "title", "id"])
def test_a_flow_is_immutable(change):
    with pytest.raises(ValidationError, match="frozen"):
        setattr(a_flow(), change, None)


def test_headers_are_immutable():
    with pytest.raises(TypeError):
        a_flow(write_to_erp__headers={"A": "b"}).write_to_erp.headers["A"] = "c"


def test_a_flow_survives_json():
    flow = a_flow(
        schedule={"after": ["a", "b"]}, write_to_erp__headers={"A": "b"}, delivery={"max_age": "90m"}
    )
    assert Flow.model_validate_json(flow.model_dump_json()) == flow
    assert json.loads(flow.model_dump_json())["delivery"]["max_age"] == "90m"


def test_the_models_import_neither_airflow_nor_croniter():
    code = (
        "import sys, order_cancellation.flow.model, order_cancellation.flow.store;"
        "print([m for m in ('airflow', 'croniter', 'jinja2', 'ruamel', 'sqlalchemy') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
