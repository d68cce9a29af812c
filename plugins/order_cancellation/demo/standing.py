"""An Airflow of this project, started, healthy and signed in to."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

from order_cancellation.demo.environment import Place, is_taken
from order_cancellation.demo.programs import Program, keep_private, only_one
from order_cancellation.demo.rest import PASSWORDS_FILE, AirflowApi, read_password
from order_cancellation.errors import ConfigurationError

_USERS = "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS"
_START = 180.0


@dataclass(frozen=True)
class Standing:
    """A running Airflow.

    Args:
        place: Where it lives.
        program: Its processes.
        api: Its REST API, signed in.
        user: Who signs in.
        password: With which password.
    """

    place: Place
    program: Program
    api: AirflowApi
    user: str
    password: str


def first_user(users: str) -> str:
    """Return the first name of ``name:role,name:role``, as Airflow's setting has it."""
    return users.split(",", maxsplit=1)[0].partition(":")[0].strip()


def refuse_taken(port: int, variable: str, what: str) -> None:
    """Make sure that nobody listens on a port that is about to be used.

    Raises:
        ConfigurationError: If somebody does.
    """
    if is_taken(port):
        raise ConfigurationError(
            f"Port {port}, for {what}, is taken by another program. Stop that one, or choose another port: "
            f"{variable}={port + 100} make …"
        )


@contextmanager
def standing(place: Place) -> Iterator[Standing]:
    """Start Airflow, wait until its four parts are healthy, and sign in; stop it at the end.

    Args:
        place: Where it is to live.

    Yields:
        The running Airflow.

    Raises:
        ConfigurationError: If the port or the home is in use, or Airflow ends or does not get healthy.
    """
    with only_one(place.home) as lock:
        refuse_taken(place.port, "AIRFLOW_PORT", "Airflow")
        command = [place.program("airflow"), "standalone"]
        log = place.home / "standalone.log"
        with (
            Program("Airflow", command, variables=place.variables, log=log, lock=lock) as program,
            closing(AirflowApi(place.api)) as api,
        ):
            program.wait_until(api.is_healthy, _START, "Airflow's start")
            user = first_user(place.variables[_USERS])
            password = read_password(place.home, user)
            keep_private(place.home / PASSWORDS_FILE)  # an earlier start may have left it open to others
            api.sign_in(user, password)
            yield Standing(place, program, api, user, password)
