"""A test that lacks something is skipped with the reason, and fails where nothing may be skipped."""

from __future__ import annotations

import pytest
from _pytest.outcomes import Failed, Skipped

import needs


@pytest.fixture
def without_redis(monkeypatch):
    monkeypatch.setitem(needs.MISSING, "redis", lambda: "no Redis answers")


def test_what_is_missing_skips(without_redis, monkeypatch):
    monkeypatch.delenv("REQUIRE_ALL", raising=False)
    with pytest.raises(Skipped, match="no Redis answers"):
        needs.demand("redis")


def test_what_is_missing_fails_when_all_is_required(without_redis, monkeypatch):
    monkeypatch.setenv("REQUIRE_ALL", "1")
    with pytest.raises(Failed, match="no Redis answers"):
        needs.demand("redis")


def test_what_is_there_is_no_hindrance(monkeypatch):
    monkeypatch.setitem(needs.MISSING, "redis", str)
    needs.demand("redis")
