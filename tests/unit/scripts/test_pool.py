"""The pool: as many children as the load asks for, never more than its size, and no run lost."""

from __future__ import annotations

import asyncio

import pytest

from order_cancellation.errors import ConfigurationError
from order_cancellation.scripts import ScriptPool
from order_cancellation.scripts.outcome import Outcome
from order_cancellation.scripts.runner import ScriptRunner

SLOW = "import time\ntime.sleep(0.05)\noutputStream.write(input_text)"


def _run(scenario):
    return asyncio.run(scenario)


def test_requests_come_back_each_with_its_own_answer():
    async def scenario():
        async with ScriptPool("outputStream.write(input_text)", size=2) as pool:
            outcomes = await asyncio.gather(*(pool.run(str(n)) for n in range(40)))
            return [outcome.result_data for outcome in outcomes], pool.children

    answers, children = _run(scenario())
    assert answers == [str(n) for n in range(40)]
    assert children <= 2


def test_one_after_another_needs_one_child():
    async def scenario():
        async with ScriptPool("pass", size=4) as pool:
            for _ in range(5):
                await pool.run("")
            return pool.children

    assert _run(scenario()) == 1


def test_load_brings_more_children_up_to_the_size():
    async def scenario():
        async with ScriptPool(SLOW, size=3) as pool:
            await asyncio.gather(*(pool.run("x") for _ in range(9)))
            return pool.children

    assert _run(scenario()) == 3


class Instant(ScriptRunner):
    """A child that is started and through with every run in no time."""

    def start(self) -> None:
        pass

    async def run_async(self, input_text, attributes=None):
        await asyncio.sleep(0)
        return Outcome(result_data=input_text, attributes=dict(attributes or {}))


class PoolOfInstants(ScriptPool):
    def new_runner(self) -> ScriptRunner:
        return Instant("pass")


def test_a_script_that_is_quick_needs_one_child_however_many_wait():
    async def scenario():
        async with PoolOfInstants("pass", size=4) as pool:

            async def one_after_another():
                for n in range(200):
                    await pool.run(str(n))

            await asyncio.gather(*(one_after_another() for _ in range(32)))
            return pool.children

    assert _run(scenario()) == 1


def test_protections_are_known_when_it_is_entered():
    async def scenario():
        async with ScriptPool("pass", size=1) as pool:
            return pool.protections

    assert {one.name for one in _run(scenario())} >= {"files", "network"}


def test_a_cancelled_call_gives_its_child_back():
    async def scenario():
        async with ScriptPool(SLOW, size=1) as pool:
            call = asyncio.ensure_future(pool.run("gone"))
            await asyncio.sleep(0)
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call
            return (await pool.run("next")).result_data

    assert _run(scenario()) == "next"


def test_leaving_ends_runs_that_are_under_way():
    async def scenario():
        async with ScriptPool("import time\ntime.sleep(60)", size=1, timeout=100) as pool:
            call = asyncio.ensure_future(pool.run(""))
            await asyncio.sleep(0.1)
        return (await call).error

    assert "ended" in _run(scenario())


def test_whoever_waits_for_a_child_when_the_pool_is_left_hears_of_it():
    async def scenario():
        async with ScriptPool("import time\ntime.sleep(60)", size=1, timeout=100) as pool:
            calls = [asyncio.ensure_future(pool.run("")) for _ in range(3)]
            await asyncio.sleep(0.1)
        return await asyncio.gather(*calls, return_exceptions=True)

    under_way, *waiting = _run(scenario())
    assert "ended" in under_way.error
    assert [type(error) for error in waiting] == [ConfigurationError] * 2


def test_a_missing_protection_is_found_out_at_the_start():
    async def scenario():
        async with ScriptPool("pass", size=1, required=True, left_out=("seccomp",)):
            pass

    with pytest.raises(ConfigurationError, match="script_isolation is required"):
        _run(scenario())


def test_a_pool_outside_of_its_context_says_so():
    async def scenario():
        await ScriptPool("pass", size=1).run("")

    with pytest.raises(ConfigurationError, match="async with"):
        _run(scenario())


def test_a_pool_of_nobody_is_refused():
    async def scenario():
        ScriptPool("pass", size=0)

    with pytest.raises(ConfigurationError, match="1 or more"):
        _run(scenario())
