"""What ``airflow.env`` says, and how it becomes the environment of Airflow's commands."""

from __future__ import annotations

import pytest

from order_cancellation.errors import ConfigurationError
from order_cancellation.project import prepare_environment, read_environment


def test_pwd_stands_for_the_root_and_remarks_say_nothing(tmp_path) -> None:
    (tmp_path / "airflow.env").write_text(
        "# a remark\n\nAIRFLOW_HOME=$PWD/.airflow\nLOGS=${PWD}/logs\nEMPTY=\nURL=sqlite:///x?a=b\n"
    )
    assert read_environment(tmp_path) == {
        "AIRFLOW_HOME": f"{tmp_path}/.airflow",
        "LOGS": f"{tmp_path}/logs",
        "EMPTY": "",
        "URL": "sqlite:///x?a=b",
    }


def test_a_value_in_single_quotes_is_taken_as_it_stands(tmp_path) -> None:
    (tmp_path / "airflow.env").write_text("""A='{"key": "$PWD # value"}'\n""")
    assert read_environment(tmp_path) == {"A": '{"key": "$PWD # value"}'}


@pytest.mark.parametrize("line", ["AIRFLOW_HOME", "export A=1", "A B=1", "=1"])
def test_a_line_that_means_nothing_is_refused_with_its_number(tmp_path, line) -> None:
    (tmp_path / "airflow.env").write_text(f"A=1\n{line}\n")
    with pytest.raises(ConfigurationError, match="line 2"):
        read_environment(tmp_path)


def test_the_projects_environment_file_is_given_to_airflow_where_nothing_is_set(tmp_path) -> None:
    (tmp_path / "airflow.env").write_text("# comment\nAIRFLOW__A__B=$PWD/x\nAIRFLOW__A__C=file\n\n")
    environment = {"AIRFLOW__A__C": "set"}
    prepare_environment(tmp_path, environment)
    assert environment == {
        "AIRFLOW__A__C": "set",
        "AIRFLOW_HOME": f"{tmp_path}/.airflow",
        "AIRFLOW__A__B": f"{tmp_path}/x",
    }


def test_outside_a_checkout_the_environment_is_left_alone() -> None:
    environment: dict[str, str] = {}
    prepare_environment(None, environment)
    assert environment == {}
