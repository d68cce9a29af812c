"""The application that Airflow mounts below ``/order-cancellation``."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles

from order_cancellation.api import flows, history, me, requests, trials
from order_cancellation.api.failures import answer_failures

__all__ = ["BUNDLE", "make_app", "static_version"]

STATIC = Path(__file__).parent / "static"
BUNDLE = STATIC / "main.js"
"""The pages; absent in a checkout that has none yet."""


def make_app() -> FastAPI:
    """Return the application, with nothing opened yet."""
    app = FastAPI(title="Order cancellation", docs_url=None, redoc_url=None, openapi_url=None)
    for routes in (me, requests, flows, trials, history):
        app.include_router(routes.router)
    app.mount("/static", StaticFiles(directory=STATIC, check_dir=False), name="static")
    answer_failures(app)
    return app


def static_version() -> str:
    """Return what changes with the pages, so that no browser keeps old ones."""
    return hashlib.sha256(BUNDLE.read_bytes()).hexdigest()[:12]
