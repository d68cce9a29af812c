"""What tests need of the machine, and how it is found.

They are skipped where it is missing, with the reason, and fail with ``REQUIRE_ALL=1``.
"""

from __future__ import annotations

import functools
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL", "postgresql+psycopg2://postgres@/postgres")
"""Where tests may make databases of their own; .ci/run sets it."""

REDIS_URL = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/0")
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
"""The first that is there; the shell is the same browser without windows, at a third of the CPU time."""

NODE_AT_LEAST = 20


@functools.cache
def missing_postgres() -> str:
    """Return why there is no Postgres, or an empty text."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    engine = create_engine(POSTGRES_URL)
    try:
        with engine.connect():
            return ""
    except SQLAlchemyError:
        return "no Postgres answers (set TEST_POSTGRES_URL to one where databases may be made)"
    finally:
        engine.dispose()


@functools.cache
def missing_redis() -> str:
    """Return why there is no Redis, or an empty text."""
    at = urlsplit(REDIS_URL)
    try:
        with socket.create_connection((at.hostname or "127.0.0.1", at.port or 6379), timeout=2) as connection:
            connection.sendall(b"PING\r\n")
            answered = connection.recv(7) == b"+PONG\r\n"
    except OSError:
        answered = False
    return "" if answered else "no Redis answers (set TEST_REDIS_URL)"


@functools.cache
def missing_browser() -> str:
    """Return why there is no browser, or an empty text."""
    return "" if find_browser() else "no Chromium is installed"


@functools.cache
def missing_node() -> str:
    """Return why the pages can't be built here, or an empty text."""
    npm = shutil.which("npm")
    if npm is None:
        return f"no npm is installed (Node.js {NODE_AT_LEAST} or newer)"
    answer = subprocess.run(["node", "--version"], capture_output=True, text=True, check=False)
    major = answer.stdout.removeprefix("v").partition(".")[0]
    if not major.isdigit() or int(major) < NODE_AT_LEAST:
        return f"Node.js {NODE_AT_LEAST} or newer is needed, not {answer.stdout.strip() or 'none'}"
    return ""


MISSING: dict[str, Callable[[], str]] = {
    "postgres": missing_postgres,
    "redis": missing_redis,
    "browser": missing_browser,
    "node": missing_node,
}


def find_browser() -> str | None:
    """Return the path of an installed Chromium."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def demand(need: str) -> None:
    """Skip the test where something is missing, or fail it where nothing may be."""
    reason = MISSING[need]()
    if reason and os.environ.get("REQUIRE_ALL") == "1":
        pytest.fail(f"REQUIRE_ALL=1, and {reason}", pytrace=False)
    if reason:
        pytest.skip(reason)
