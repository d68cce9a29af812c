"""The command ``order-cancellation sandbox``: both servers until they are told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Any

from order_cancellation.sandbox.exchange import Asked, Reply
from order_cancellation.sandbox.server import DEFAULT_PORT, Sandbox


def main(
    port: int = DEFAULT_PORT,
    *,
    scenario: Any = "demo",
    erp_port: int | None = None,
    host: str = "127.0.0.1",
) -> int:
    """Serve until SIGINT or SIGTERM, with one line on standard output for each call.

    Args:
        port: The port of both servers; 0 takes a free one.
        scenario: A scenario, its name or its data.
        erp_port: A port for the ERP alone, besides; 0 takes a free one.
        host: The address to listen on. The controls answer this machine only, whatever it is.

    Returns:
        The exit code: 0, or 1 if the port is taken or the scenario cannot be followed.
    """
    try:
        sandbox = Sandbox(port, scenario=scenario, erp_port=erp_port, host=host, on_call=_tell)
        asyncio.run(_serve(sandbox))
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The sandbox cannot start on {host}:{port}: {error}\n")
        return 1
    return 0


async def _serve(sandbox: Sandbox) -> None:
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    async with sandbox:
        _say(
            f"Omnitron  {sandbox.omnitron_url}   user omnitron, password omnitron-secret",
            f"ERP       {sandbox.erp_url}   user erp, password erp-secret, login at /login",
            f"Controls  {sandbox.url}/sandbox/state   scenario {sandbox.world.scenario.name}",
        )
        await stopped.wait()


def _tell(asked: Asked, reply: Reply) -> None:
    # no query, headers or bodies: even made-up personal data is no good example in a log
    rule = f"  [{reply.rule}]" if reply.rule else ""
    cut = f"  cut {reply.cut}" if reply.cut else ""
    _say(f"{asked.method:5} {asked.path}  {reply.status}{cut}{rule}")


def _say(*lines: str) -> None:
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    sys.stdout.flush()
