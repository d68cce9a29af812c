"""Airflow's environment: what airflow.env says, what is set already, what the port decides."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from order_cancellation.demo.environment import find_place, read_port
from order_cancellation.errors import ConfigurationError
from order_cancellation.project import read_environment

ROOT = Path(__file__).resolve().parents[2]


class TestReadPort:
    def test_an_empty_variable_means_the_usual_port(self):
        assert read_port("AIRFLOW_PORT", 8080, {"AIRFLOW_PORT": ""}) == 8080

    @pytest.mark.parametrize("text", ["0", "65536", "-1", "http", "80 "])
    def test_what_is_no_port_is_refused_by_name(self, text):
        with pytest.raises(ConfigurationError, match="AIRFLOW_PORT"):
            read_port("AIRFLOW_PORT", 8080, {"AIRFLOW_PORT": text})


class TestFindPlace:
    def test_every_address_follows_from_the_port(self):
        variables = find_place(ROOT, {"AIRFLOW_PORT": "9000"}).variables
        assert variables["AIRFLOW__API__PORT"] == "9000"
        assert variables["AIRFLOW__API__BASE_URL"] == "http://localhost:9000"
        assert variables["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == "http://127.0.0.1:9000/execution/"

    def test_two_places_get_different_log_ports(self):
        places = [find_place(ROOT, {}).variables for _ in range(2)]
        ports = [
            p[f"AIRFLOW__LOGGING__{kind}_LOG_SERVER_PORT"] for p in places for kind in ("WORKER", "TRIGGER")
        ]
        assert ports[0] != ports[1]
        assert ports[2] != ports[3]

    def test_a_variable_that_is_set_wins(self):
        given = {"AIRFLOW_HOME": "/srv/af", "AIRFLOW__CORE__PARALLELISM": "32"}
        place = find_place(ROOT, given)
        assert place.home == Path("/srv/af")
        assert place.variables["AIRFLOW__CORE__PARALLELISM"] == "32"

    def test_the_home_is_in_the_project_unless_set(self):
        assert find_place(ROOT, {}).home == ROOT / ".airflow"

    def test_the_projects_own_programs_come_first(self):
        assert find_place(ROOT, {"PATH": "/usr/bin"}).variables["PATH"] == f"{ROOT}/.venv/bin:/usr/bin"

    def test_a_proxy_is_not_asked_for_this_machine(self):
        variables = find_place(ROOT, {"NO_PROXY": "intranet"}).variables
        assert variables["NO_PROXY"] == variables["no_proxy"] == "intranet,127.0.0.1,localhost"

    def test_what_a_crash_interrupts_is_looked_for_within_a_minute(self):
        """The scheduler's silence, and then the pause between two looks; a task's own silence."""
        variables = find_place(ROOT, {}).variables
        dead, look, task = (
            int(variables[f"AIRFLOW__SCHEDULER__{name}"])
            for name in (
                "SCHEDULER_HEALTH_CHECK_THRESHOLD",
                "ORPHANED_TASKS_CHECK_INTERVAL",
                "TASK_INSTANCE_HEARTBEAT_TIMEOUT",
            )
        )
        assert dead + look < 60
        assert task < 60

    @pytest.mark.parametrize(
        "name", ["AIRFLOW_CONN_OMNITRON_DEFAULT", "AIRFLOW_CONN_ERP_DEFAULT", "AIRFLOW__SECRETS__BACKEND"]
    )
    def test_a_demo_cannot_reach_the_real_systems_of_the_environment(self, name):
        place = find_place(ROOT, {name: "https://erp.example.com"})
        assert name in place.variables
        assert name not in place.without_real_systems().variables


class TestTheProjectsOwnFile:
    NAMES = frozenset(read_environment(ROOT))

    def test_holds_no_key_password_or_address(self):
        forbidden = ("PORT", "KEY", "SECRET", "PASSWORD", "URL", "SQL_ALCHEMY_CONN")
        assert {name for name in self.NAMES if name.endswith(forbidden)} == set()

    def test_gives_a_reason_above_each_block_of_settings(self):
        blocks = (ROOT / "airflow.env").read_text().strip().split("\n\n")
        assert [block for block in blocks if not block.startswith("#")] == []

    def test_says_the_same_to_a_shell(self):
        names = " ".join(sorted(self.NAMES))
        script = (
            f'set -a; . ./airflow.env; for name in {names}; do printf "%s=%s\\0" $name "${{!name}}"; done'
        )
        said = subprocess.run(
            ["bash", "-c", script], cwd=ROOT, env={}, capture_output=True, text=True, check=True
        ).stdout
        assert dict(each.split("=", 1) for each in said.split("\0")[:-1]) == read_environment(ROOT)
