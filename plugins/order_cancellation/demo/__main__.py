"""The commands behind ``make airflow`` and ``make demo``."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console

from order_cancellation.demo.display import Progress
from order_cancellation.demo.environment import SANDBOX_PORT, find_place, read_port
from order_cancellation.demo.made_up import Sandbox, connect, start_sandbox
from order_cancellation.demo.morning import FLOW, Morning, first_new_id, list_requests, next_scenario
from order_cancellation.demo.runs import follow, run_url, start_run, wait_for_flow
from order_cancellation.demo.standing import Standing, refuse_taken, standing
from order_cancellation.demo.summary import states_table
from order_cancellation.demo.watch import LOOK_EVERY, Watch
from order_cancellation.errors import ConfigurationError, OrderCancellationError
from order_cancellation.project import project_root

_STEPS = (
    "login",
    "get_data",
    "script",
    "mapping",
    "write_to_erp",
    "custom_response",
    "write_to_omnitron",
    "post_script",
    "report",
)
_PLAIN_WIDTH = 120


def main(arguments: list[str]) -> int:
    """Run ``airflow`` or ``demo`` and return the exit code."""
    commands = {"airflow": run_airflow, "demo": run_demo}
    if len(arguments) != 1 or arguments[0] not in commands:
        sys.stderr.write("Say airflow or demo.\n")
        return 2
    _end_in_order()
    console = Console() if sys.stdout.isatty() else Console(width=_PLAIN_WIDTH)
    try:
        return commands[arguments[0]](console)
    except OrderCancellationError as error:
        console.print(str(error), style="red", markup=False, highlight=False)
        return 1
    except KeyboardInterrupt:
        return 130


def run_airflow(console: Console) -> int:
    """Start Airflow and keep it until Ctrl-C."""
    place = find_place(_root(), os.environ)
    console.print("Starting Airflow …")
    with standing(place) as airflow:
        console.print(f"Airflow   {place.url}")
        _tell_sign_in(console, airflow)
        console.print(f"Its log   {airflow.program.log}", soft_wrap=True, highlight=False)
        _stay(console, airflow)
    return 0


def run_demo(console: Console) -> int:
    """Run the demo's morning; stay up where a person is at a terminal."""
    place = find_place(_root(), os.environ).without_real_systems()
    sandbox_port = read_port("SANDBOX_PORT", SANDBOX_PORT, os.environ)
    console.print("1  Starting Airflow …")
    with standing(place) as airflow:
        refuse_taken(sandbox_port, "SANDBOX_PORT", "the sandbox")
        console.print(f"2  Starting the sandbox, a made-up Omnitron and ERP, on port {sandbox_port} …")
        sandbox = start_sandbox(place, sandbox_port)
        with sandbox.program:
            code = spend_morning(console, airflow, sandbox)
            if console.is_terminal and sys.stdin.isatty():
                _stay(console, airflow)
            else:
                console.print("No terminal: stopping everything.")
    return code


def spend_morning(console: Console, airflow: Standing, sandbox: Sandbox) -> int:
    """Spend a morning and show what became of each request.

    Args:
        console: Where it is told.
        airflow: Where the flow runs; its connections are set to the sandbox.
        sandbox: Begins the morning's scenario.

    Returns:
        The exit code: 0, or 1 where something is not as the scenario says.
    """
    first = first_new_id(list_requests(airflow.place, FLOW))
    sandbox.program.wait_until(sandbox.is_ready, 30, "The sandbox's start")
    sandbox.begin(next_scenario(first))
    connect(airflow.api, sandbox.connections())
    wait_for_flow(airflow, FLOW)
    console.print(f"3  Running the flow {FLOW} over ten requests …")
    run_id = start_run(airflow.api, FLOW)
    with Progress(console, _STEPS) as progress:
        run_state = follow(airflow, FLOW, run_id, progress.show)
    requests = [each for each in list_requests(airflow.place, FLOW) if int(each["id"]) >= first]
    console.print("4  What became of each request")
    console.print(states_table(requests))
    code = tell_verdict(console, Morning(run_state, requests, sandbox.state(), sandbox.writes()))
    console.print(f"Look at   {run_url(airflow, FLOW, run_id)}", soft_wrap=True, highlight=False)
    _tell_sign_in(console, airflow)
    return code


def tell_verdict(console: Console, morning: Morning) -> int:
    """Say whether a morning ended as the scenario says, and return the exit code."""
    wrong = morning.wrong()
    for each in wrong:
        console.print(each, style="red")
    if wrong:
        return 1
    booked = morning.sandbox["booked"]
    console.print(
        f"As the scenario says. The ERP's own book has {booked} bookings, none of them twice. "
        "The run is red because of the refused request.",
        style="green",
    )
    return 0


def _tell_sign_in(console: Console, airflow: Standing) -> None:
    console.print(f"Sign in   {airflow.user} / {airflow.password}", markup=False, highlight=False)


def _stay(console: Console, airflow: Standing) -> None:
    def tell(words: str) -> None:
        console.print(words, style="yellow", markup=False, highlight=False)

    console.print("Ctrl-C stops everything.")
    watch = Watch(airflow.api.silent_parts, tell, airflow.program.log)
    try:
        while True:
            airflow.program.check()
            watch.look()
            time.sleep(LOOK_EVERY)
    except KeyboardInterrupt:
        console.print("Stopping …")


def _root() -> Path:
    root = project_root()
    if root is None:
        raise ConfigurationError("make demo and make airflow work in a checkout of the project only.")
    return root


def _end_in_order() -> None:
    """Treat every way of being told to stop like Ctrl-C, so that what was started is stopped as well."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have it ignored
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    threading.Thread(target=_watch_parent, args=(os.getppid(),), daemon=True).start()


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _watch_parent(parent: int) -> None:
    """Stop when the program that started us (make, as a rule) was killed and cannot tell us."""
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
