"""A client that talks to a ``World`` without a network."""

from __future__ import annotations

import json
from urllib.parse import parse_qsl, urlsplit

import pytest

from order_cancellation.sandbox import World
from order_cancellation.sandbox.exchange import Asked

MOMENT = 1_800_000_000.0


class Caller:
    """Calls the world as a client that has logged in to both sides; the clock stands until it is moved."""

    def __init__(self, scenario="all_fine", **settings):
        self.now = MOMENT
        self.world = World(scenario, settings, lambda: self.now)
        self.log_in()

    def log_in(self):
        omnitron = {"username": "omnitron", "password": "omnitron-secret"}
        erp = {"username": "erp", "password": "erp-secret"}
        self.omnitron = {"authorization": "Token " + data(self.post("/api/v1/auth/login/", omnitron))["key"]}
        self.erp = {"authorization": "Bearer " + data(self.post("/erp/login", erp)).get("token", "")}

    def send(self, method, url, body=None, headers=None):
        parts = urlsplit(url)
        signed = {} if "login" in parts.path else self.erp if parts.path.startswith("/erp") else self.omnitron
        raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"content-type": "application/json", **signed, **(headers or {})}
        pairs = tuple(parse_qsl(parts.query))
        return self.world.answer(Asked(method, parts.path, pairs, sent, raw, self.now))

    def get(self, url, **kwargs):
        return self.send("GET", url, **kwargs)

    def post(self, url, body=None, **kwargs):
        return self.send("POST", url, body, **kwargs)

    def book(self, number, **kwargs):
        return self.post("/erp/cancellations", {"request_id": number}, **kwargs)

    def page(self, query=""):
        return self.get("/api/v1/cancellation_requests/detailed/?" + query)

    def update(self, number, values, channel=None):
        pk = channel or self.world.store.get(number).document["channel"]["pk"]
        return self.send("PATCH", f"/api/v1/channel/{pk}/cancellation_requests/{number}/", values)

    @property
    def booked(self):
        return [entry.id for entry in self.world.book.entries]


def data(reply):
    return json.loads(reply.body)


@pytest.fixture
def call():
    """Makes a ``Caller`` for a scenario and settings."""
    return Caller


@pytest.fixture
def read():
    """Reads an answer's JSON."""
    return data
