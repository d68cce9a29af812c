"""What tests of more than one of these modules use."""

from __future__ import annotations

import asyncio

import pytest


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do at once what would be done in a thread: that takes real time, and these tests' clock is made up."""

    async def at_once(act, *args, **named):
        return act(*args, **named)

    monkeypatch.setattr(asyncio, "to_thread", at_once)
