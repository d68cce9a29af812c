"""Before anything is fetched: a token for each system, or the words of all that gave none."""

from __future__ import annotations

import asyncio

import pytest

from order_cancellation.errors import ConfigurationError, LoginFailed
from order_cancellation.steps.login import run

REFUSED = LoginFailed("Connection 'omnitron': the password is wrong")
AWAY = LoginFailed("Connection 'erp': nobody answers")
UNSET = ConfigurationError("Connection 'erp': login_url is missing")


class Door:
    def __init__(self, error=None):
        self.error = error
        self.opened = False

    async def log_in(self):
        if self.error is not None:
            raise self.error
        self.opened = True


def log_in(**doors):
    asyncio.run(run(doors))


def test_every_system_is_logged_in_to():
    doors = {"omnitron": Door(), "erp": Door()}
    log_in(**doors)
    assert all(door.opened for door in doors.values())


def test_the_second_is_tried_though_the_first_refuses():
    erp = Door()
    with pytest.raises(LoginFailed):
        log_in(omnitron=Door(REFUSED), erp=erp)
    assert erp.opened


def test_all_that_failed_are_told_at_once():
    with pytest.raises(LoginFailed, match=r"(?s)the password is wrong.*nobody answers"):
        log_in(omnitron=Door(REFUSED), erp=Door(AWAY))


@pytest.mark.parametrize("doors", [(REFUSED, UNSET), (UNSET, REFUSED)], ids=["second", "first"])
def test_no_retry_follows_where_somebody_has_to_act_on_one_of_them(doors):
    first, second = doors
    with pytest.raises(ConfigurationError, match="login_url is missing"):
        log_in(omnitron=Door(first), erp=Door(second))
