"""The command line ``order-cancellation``: the calls of the contract's table.

What each call does stands in ``commands``.

Standard output holds the result and nothing else; whatever libraries print or log goes to standard error.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TextIO

from rich_argparse import RichHelpFormatter

from order_cancellation import commands, flow_commands
from order_cancellation.errors import OrderCancellationError
from order_cancellation.output import Output

__all__ = ["main", "make_parser"]

_PROGRAM = "order-cancellation"
_INTERRUPTED = 130
_PORT = 8090
_MOST_DIGITS = 18
"""Of a number: what both databases hold in an integer."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one call.

    Args:
        arguments: The words behind the program's name; None for those of this process.

    Returns:
        The exit code: 0, or 1 where something is wrong.
    """
    parsed = make_parser().parse_args(arguments)
    out = _tolerant(sys.stdout)
    _tolerant(sys.stderr)
    with contextlib.redirect_stdout(sys.stderr):
        logging.basicConfig(stream=sys.stderr, level=logging.WARNING)
        try:
            return _run(parsed, Output(out, as_json=getattr(parsed, "format", "text") == "json"))
        except BrokenPipeError:
            _silence(out)
            return 1


def _run(parsed: argparse.Namespace, output: Output) -> int:
    try:
        code: int = parsed.command(parsed, output)
    except OrderCancellationError as error:
        print(f"{_PROGRAM}: {error}", file=sys.stderr)  # noqa: T201 (a command line speaks)
        return 1
    except KeyboardInterrupt:
        return _INTERRUPTED
    return code


def _tolerant(stream: TextIO) -> TextIO:
    """Make a stream take every text; what UTF-8 lacks becomes an escape, which JSON reads back."""
    with contextlib.suppress(AttributeError, ValueError):
        stream.reconfigure(encoding="utf-8", errors="backslashreplace")  # type: ignore[attr-defined]
    return stream


def _silence(stream: TextIO) -> None:
    """Keep Python from complaining at exit that nobody reads our output any more."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class _Parser(argparse.ArgumentParser):
    """Argparse with this program's exit code for usage errors."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all calls."""
    parser = _Parser(
        prog=_PROGRAM, description="Order cancellation requests.", formatter_class=RichHelpFormatter
    )
    calls = parser.add_subparsers(required=True, metavar="CALL", parser_class=_Parser)
    _add_flow_calls(calls)
    _add_designer_calls(calls)
    _add_request_calls(calls)
    _add_other_calls(calls)
    return parser


_Command = Callable[[argparse.Namespace, Output], int]


def _call(calls: argparse._SubParsersAction[_Parser], name: str, command: _Command, text: str) -> _Parser:
    parser = calls.add_parser(name, help=text, description=text, formatter_class=RichHelpFormatter)
    parser.set_defaults(command=command)
    return parser


def _with_format(parser: _Parser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="json: for programs")


def _add_flow_calls(calls: argparse._SubParsersAction[_Parser]) -> None:
    validate = _call(calls, "validate", commands.validate, "Check flows, and name everything that is wrong.")
    validate.add_argument("flows", metavar="FLOW", nargs="*", help="the flows; all, if none is named")
    _with_format(validate)

    attempt = _call(calls, "try", commands.try_step, "Try one step of a flow on one input.")
    attempt.add_argument("flow", metavar="FLOW")
    attempt.add_argument("step", metavar="STEP", help="script, mapping, custom_response or post_script")
    attempt.add_argument(
        "--input", metavar="FILE", required=True, help="what the step gets; - is standard input"
    )
    attempt.add_argument(
        "--attribute", metavar="K=V", action="append", default=[], help="an attribute at hand"
    )
    attempt.add_argument("--explain", action="store_true", help="tell how the result came about")

    test = _call(calls, "test", commands.test, "Run the saved test cases of flows.")
    test.add_argument("flows", metavar="FLOW", nargs="*", help="the flows; all, if none is named")
    _with_format(test)

    schedule = _call(calls, "schedule", commands.schedule, "Write a flow's schedule.")
    schedule.add_argument("flow", metavar="FLOW")
    kind = schedule.add_mutually_exclusive_group(required=True)
    kind.add_argument("--every", metavar="5m", help="again and again after this length of time")
    kind.add_argument("--cron", metavar="EXPRESSION", help="at the times of this cron expression")
    kind.add_argument("--after", metavar="FLOW", nargs="+", help="when these flows' runs have ended well")
    kind.add_argument("--none", action="store_true", help="by hand only")
    schedule.add_argument("--timezone", metavar="ZONE", help="such as Europe/Istanbul")


def _add_designer_calls(calls: argparse._SubParsersAction[_Parser]) -> None:
    text = "Make, change, compare and restore flows, as the pages do."
    flows = calls.add_parser("flows", help=text, description=text, formatter_class=RichHelpFormatter)
    inner = flows.add_subparsers(required=True, metavar="CALL", parser_class=_Parser)

    _with_format(_call(inner, "list", flow_commands.listing, "List flows."))

    new = _of_flow(inner, "new", flow_commands.create, "Make a flow from a template.", note=True)
    new.add_argument("--template", metavar="NAME", default="empty", help="empty, returns_to_erp or nifi")
    new.add_argument("--title", metavar="TEXT", help="what the flow is called")

    copy = _of_flow(inner, "copy", flow_commands.copy, "Make a flow as a copy of another.", note=True)
    copy.add_argument("new", metavar="NEW")
    copy.add_argument("--title", metavar="TEXT", help="what the copy is called")

    taken = _of_flow(inner, "import", flow_commands.import_archive, "Make a flow out of a zip.", note=True)
    taken.add_argument("file", metavar="FILE", help="- is standard input")

    export = _of_flow(inner, "export", flow_commands.export, "Write a flow's folder as a zip.")
    export.add_argument("file", metavar="FILE", nargs="?", help="FLOW.zip, if none is named")

    _of_flow(inner, "delete", flow_commands.delete, "Delete a flow; its history stays.")
    _of_flow(inner, "enable", flow_commands.enable, "Let a flow run by its schedule.", note=True)
    _of_flow(inner, "disable", flow_commands.disable, "Keep a flow from running by itself.", note=True)

    _with_format(_of_flow(inner, "history", flow_commands.history, "List a flow's versions."))
    diff = _of_flow(inner, "diff", flow_commands.diff, "Show what differs between versions.")
    diff.add_argument("before", metavar="VERSION", type=_positive)
    diff.add_argument("after", metavar="VERSION", type=_positive, nargs="?", help="now, if none is named")
    _with_format(diff)
    restore = _of_flow(inner, "restore", flow_commands.restore, "Go back to a version.", note=True)
    restore.add_argument("version", metavar="VERSION", type=_positive)

    chain = _of_flow(inner, "chain", flow_commands.chain, "Walk a request through a flow; nothing is sent.")
    chain.add_argument("--input", metavar="FILE", required=True, help="the request; - is standard input")
    chain.add_argument("--attribute", metavar="K=V", action="append", default=[], help="an attribute at hand")
    chain.add_argument("--status", metavar="N", type=_status, default=200, help="what the ERP answers (200)")
    chain.add_argument("--body", metavar="FILE", help="the answer's body")
    example = _of_flow(inner, "example", flow_commands.example, "Read one request from Omnitron, masked.")
    example.add_argument("--id", metavar="N", type=_positive, help="Omnitron's number of the request")


def _of_flow(
    calls: argparse._SubParsersAction[_Parser], name: str, command: _Command, text: str, *, note: bool = False
) -> _Parser:
    parser = _call(calls, name, command, text)
    parser.add_argument("flow", metavar="FLOW")
    if note:
        parser.add_argument("--note", metavar="TEXT", help="why, kept in the flow's history")
    return parser


def _add_request_calls(calls: argparse._SubParsersAction[_Parser]) -> None:
    text = "List requests, show their life, and decide on them."
    requests = calls.add_parser("requests", help=text, description=text, formatter_class=RichHelpFormatter)
    inner = requests.add_subparsers(required=True, metavar="CALL", parser_class=_Parser)

    listed = _call(inner, "list", commands.requests_list, "List requests.")
    listed.add_argument("--flow", metavar="FLOW", help="only this flow's")
    listed.add_argument("--state", metavar="STATE", help="only those in this state")
    listed.add_argument("--run", metavar="RUN_ID", help="only those that this run took up last")
    listed.add_argument(
        "--text",
        metavar="TEXT",
        help="the number, or how the uuid, order number or SKU begins; with it or --run, newest change first",
    )
    listed.add_argument("--limit", metavar="N", type=_positive, default=1000, help="at most so many (1000)")
    listed.add_argument("--after", metavar="CURSOR", help="go on behind this place")
    _with_format(listed)

    show = _call(
        inner, "show", commands.requests_show, "Show a request's whole life; personal data is masked."
    )
    show.add_argument("flow", metavar="FLOW")
    show.add_argument("request", metavar="UUID_OR_ID")
    _with_format(show)

    redo = _call(inner, "redo", commands.requests_redo, "Have requests done again at the next run.")
    redo.add_argument("flow", metavar="FLOW")
    redo.add_argument("requests", metavar="UUID_OR_ID", nargs="+")
    redo.add_argument("--why", metavar="TEXT", default="", help="the reason, kept in the requests' history")
    _with_format(redo)

    resolve = _call(inner, "resolve", commands.requests_resolve, "Decide on a request in doubt or parked.")
    resolve.add_argument("flow", metavar="FLOW")
    resolve.add_argument("request", metavar="UUID_OR_ID")
    decisions = ("accepted", "refused")
    resolve.add_argument(
        "--as", dest="as_", choices=decisions, required=True, help="whether the ERP has booked it"
    )
    resolve.add_argument(
        "--why", metavar="TEXT", required=True, help="the reason, kept in the request's history"
    )
    _with_format(resolve)

    text = "Erase a customer's data from requests that are at their end; the rows stay."
    erase = _call(inner, "erase", commands.requests_erase, text)
    erase.add_argument("flow", metavar="FLOW", nargs="?", help="the flow; with --customer: only this flow's")
    erase.add_argument("requests", metavar="UUID_OR_ID", nargs="*")
    erase.add_argument("--customer", metavar="ID", type=_positive, help="Omnitron's number of the customer")
    _with_format(erase)


def _add_other_calls(calls: argparse._SubParsersAction[_Parser]) -> None:
    doctor = _call(
        calls, "doctor", commands.doctor, "Say which protections, services and settings are in force."
    )
    _with_format(doctor)

    upgrade = _call(
        calls,
        "upgrade-script",
        commands.upgrade_script,
        "Rewrite a Python 2 script for today's Python, and show the diff; the old one is kept as FILE.orig.",
    )
    upgrade.add_argument("file", metavar="FILE", help="- takes standard input and writes to standard output")

    _call(calls, "schema", commands.schema, "Print the JSON schema of flow.yaml.")

    sandbox = _call(calls, "sandbox", commands.sandbox, "Run the fake Omnitron and the fake ERP.")
    sandbox.add_argument("--port", metavar="N", type=_port, default=os.environ.get("SANDBOX_PORT", _PORT))


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not text.strip("0"):
        raise argparse.ArgumentTypeError(f"'{text}' is no number above 0")
    if len(text) > _MOST_DIGITS:
        raise argparse.ArgumentTypeError(f"'{text}' has more than {_MOST_DIGITS} digits")
    return int(text)


def _status(text: str) -> int:
    number = _positive(text)
    if not 100 <= number <= 599:  # noqa: PLR2004 (HTTP's own bounds)
        raise argparse.ArgumentTypeError(f"'{text}' is no HTTP status")
    return number


def _port(text: str) -> int:
    number = _positive(text) if text != "0" else 0
    if number > 65535:  # noqa: PLR2004 (the last port there is)
        raise argparse.ArgumentTypeError(f"'{text}' is no port")
    return number


if __name__ == "__main__":
    sys.exit(main())
