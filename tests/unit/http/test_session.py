"""One login serves all who notice that a token ended, in one process and in many."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from order_cancellation.errors import InDoubt, LeaseLost, LoginFailed, NotSent
from order_cancellation.http.login import token_key
from order_cancellation.http.messages import Answer, Call
from order_cancellation.http.tokens import MemoryTokenStore, Token
from unit.http.fakes import START, FakeClock, FakeTransport, a_session, an_endpoint, in_turn, json_answer

CALL = Call("POST", "https://erp.test/api/x", {"X-Own": "1"})
ENDPOINT = an_endpoint("jwt", options={"login_url": "/auth"})


class Erp:
    """Counts logins; a token is good until ``revoke``."""

    def __init__(self):
        self.logins = 0
        self.good = ""
        self.broken = False

    def __call__(self, call):
        if call.url.endswith("/auth"):
            self.logins += 1
            self.good = f"token-{self.logins}"
            return Answer(401) if self.broken else json_answer({"token": self.good})
        return Answer(200 if call.headers.get("Authorization") == f"Bearer {self.good}" else 401)

    def revoke(self):
        self.good = "nobody's"


class SlowErp:
    """Takes its time for a login, second by second."""

    def __init__(self, seconds):
        self.clock = FakeClock()
        self.seconds = seconds
        self.logins = 0
        self.asked = asyncio.Event()

    def sessions(self, count):
        """Sessions as in several processes."""
        store = MemoryTokenStore(self.clock)
        return [a_session(self, ENDPOINT, clock=self.clock, tokens=store)[0] for _ in range(count)]

    async def send(self, call, *, before_write=None):
        self.logins += 1
        self.asked.set()
        for _ in range(self.seconds):
            await self.clock.sleep(1)
            await asyncio.to_thread(int)  # what the others had asked the store is answered by then
        return json_answer({"token": "t"})


def several(count, *, shared_store=True):
    """Sessions as in several processes: one store, one ERP, one clock."""
    clock, erp = FakeClock(), Erp()
    transport, store = FakeTransport(erp), MemoryTokenStore(clock)
    return erp, [a_session(transport, ENDPOINT, clock=clock, tokens=store)[0] for _ in range(count)]


class TestSending:
    def test_the_first_call_logs_in_and_the_next_ones_do_not(self):
        erp, [session] = several(1)

        async def story():
            return [(await session.send(CALL)) for _ in range(3)]

        answers = asyncio.run(story())
        assert [answer.status for answer in answers] == [200] * 3
        assert [answer.token_generation for answer in answers] == [1] * 3
        assert erp.logins == 1

    def test_the_tokens_header_wins_over_the_flows_whatever_its_case(self):
        session, transport = a_session(in_turn(Answer(200)), an_endpoint("permanent_token"))
        call = Call("POST", "https://erp.test/x", {"authorization": "other", "X-Own": "1"})
        asyncio.run(session.send(call))
        assert transport.calls[0].headers == {"X-Own": "1", "Authorization": "Bearer s3cret-pass"}

    def test_a_401_is_handed_back_and_not_repeated(self):
        session, transport = a_session(in_turn(Answer(401)), an_endpoint("basic"))
        assert asyncio.run(session.send(CALL)).status == 401
        assert len(transport.calls) == 1

    @pytest.mark.parametrize("error", [NotSent("a"), InDoubt("b")])
    def test_a_failure_is_never_repeated(self, error):
        session, transport = a_session(in_turn(error))
        with pytest.raises(type(error)):
            asyncio.run(session.send(CALL))
        assert len(transport.calls) == 1

    def test_the_check_before_writing_is_for_the_call_and_not_for_its_login(self):
        erp, [session] = several(1)

        def lost():
            raise LeaseLost("taken over")

        with pytest.raises(LeaseLost):
            asyncio.run(session.send(CALL, before_write=lost))
        assert erp.logins == 1

    def test_nothing_secret_is_shown(self):
        session, _ = a_session(in_turn(Answer(200)), ENDPOINT)
        assert "s3cret-pass" not in repr(session.endpoint) + repr(session) + repr(
            Token({"Authorization": "s3cret"})
        )


class TestRenewal:
    @pytest.mark.parametrize(("sessions", "coroutines"), [(1, 30), (5, 1), (4, 10)])
    def test_one_login_however_many_notice(self, sessions, coroutines):
        erp, all_of_them = several(sessions)

        async def notice(session):
            answer = await session.send(CALL)
            if answer.status == 401:
                await session.renew(answer.token_generation)
                answer = await session.send(CALL)
            return answer.status

        async def story():
            await asyncio.gather(*(session.log_in() for session in all_of_them))
            erp.revoke()
            return await asyncio.gather(
                *(notice(session) for session in all_of_them for _ in range(coroutines))
            )

        assert set(asyncio.run(story())) == {200}
        assert erp.logins == 2

    def test_a_late_notice_of_an_old_token_does_not_log_in_again(self):
        erp, [session] = several(1)

        async def story():
            await session.log_in()
            await session.renew(1)
            await session.renew(1)

        asyncio.run(story())
        assert erp.logins == 2

    def test_a_failed_login_fails_for_all_who_waited_for_it(self):
        erp, [session] = several(1)

        async def story():
            await session.log_in()
            erp.broken = True
            return await asyncio.gather(*(session.renew(1) for _ in range(20)), return_exceptions=True)

        results = asyncio.run(story())
        assert all(isinstance(result, LoginFailed) for result in results)
        assert erp.logins == 2

    def test_after_a_failed_login_another_process_need_not_wait(self):
        erp, [first, second] = several(2)

        async def story():
            erp.broken = True
            with pytest.raises(LoginFailed):
                await first.log_in()
            erp.broken = False
            await second.log_in()
            return second.clock.passed

        assert asyncio.run(story()) < 1

    def test_a_claim_of_a_process_that_died_ends(self):
        clock = FakeClock()
        store = MemoryTokenStore(clock)
        session, _ = a_session(Erp(), ENDPOINT, clock=clock, tokens=store)
        store.claim_renewal(token_key(ENDPOINT), owner="died", seen_generation=0, seconds=60)
        asyncio.run(session.log_in())
        assert 60 <= clock.passed < 65

    def test_the_pauses_between_two_looks_grow(self):
        clock = FakeClock()
        store = MemoryTokenStore(clock)
        session, _ = a_session(Erp(), ENDPOINT, clock=clock, tokens=store)
        store.claim_renewal(token_key(ENDPOINT), owner="died", seen_generation=0, seconds=60)
        asyncio.run(session.log_in())
        *between, _its_own_claim = clock.slept
        assert between[0] < 0.2
        assert 1 <= between[-1] <= 3

    def test_a_login_that_takes_long_is_waited_for(self):
        erp = SlowErp(seconds=200)
        first, second = erp.sessions(2)

        async def story():
            asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))
            await asyncio.gather(first.log_in(), second.log_in())

        asyncio.run(story())
        assert erp.logins == 1

    def test_a_process_that_dies_in_its_login_holds_nobody_up_for_long(self):
        erp = SlowErp(seconds=200)
        first, second = erp.sessions(2)

        async def story():
            dying = asyncio.create_task(first.log_in())
            await erp.asked.wait()
            dying.cancel()
            erp.seconds = 0
            await second.log_in()

        asyncio.run(story())
        assert erp.logins == 2
        assert erp.clock.passed < 20

    def test_a_token_with_a_known_end_is_renewed_ahead_of_it(self):
        clock, logins = FakeClock(), []

        def erp(call):
            if call.url.endswith("/auth"):
                logins.append(clock.passed)
                return json_answer({"access_token": f"t{len(logins)}", "expires_in": 600})
            return Answer(200)

        endpoint = an_endpoint("oauth2", options={"oauth_url": "/auth", "client_id": "c"})
        session, _ = a_session(erp, endpoint, clock=clock)

        async def story():
            for _ in range(12):
                await session.send(CALL)
                await clock.sleep(100)

        asyncio.run(story())
        assert logins == [0, 600]

    def test_a_refresh_token_that_changes_is_shown_at_the_next_login(self):
        shown = []

        def erp(call):
            shown.append(parse_qs(call.body.decode())["refresh_token"][0])
            return json_answer({"access_token": "a", "refresh_token": f"r{len(shown)}"})

        options = {"oauth_url": "/auth", "grant_type": "refresh_token", "refresh_token": "r0"}
        session, _ = a_session(erp, an_endpoint("oauth2", options=options))

        async def story():
            for generation in range(3):
                await session.renew(generation)

        asyncio.run(story())
        assert shown == ["r0", "r1", "r2"]

    def test_many_that_begin_at_once_look_into_the_store_once(self):
        class Counting(MemoryTokenStore):
            loads = 0

            def load(self, key):
                self.loads += 1
                return super().load(key)

        clock = FakeClock()
        store = Counting(clock)
        store.save(token_key(ENDPOINT), Token({}, 1))
        session, _ = a_session(in_turn(Answer(200)), ENDPOINT, clock=clock, tokens=store)

        async def story():
            await asyncio.gather(*(session.send(CALL) for _ in range(20)))

        asyncio.run(story())
        assert store.loads == 1

    def test_a_stored_token_at_its_end_is_replaced(self):
        clock = FakeClock()
        store, erp = MemoryTokenStore(clock), Erp()
        store.save(token_key(ENDPOINT), Token({"Authorization": "old"}, 7, START - timedelta(seconds=1)))
        session, _ = a_session(erp, ENDPOINT, clock=clock, tokens=store)
        assert asyncio.run(session.send(CALL)).token_generation == 8

    def test_another_process_left_a_token_that_is_at_its_end_as_well(self):
        clock = FakeClock()
        store, erp = MemoryTokenStore(clock), Erp()
        session, _ = a_session(erp, ENDPOINT, clock=clock, tokens=store)

        async def story():
            await session.log_in()
            store.save(token_key(ENDPOINT), Token({}, 5, START - timedelta(seconds=1)))
            await session.renew(1)
            return (await session.send(CALL)).token_generation

        assert asyncio.run(story()) == 6

    def test_credentials_that_stand_in_the_connection_are_not_renewed(self):
        session, transport = a_session(in_turn(Answer(200)), an_endpoint("basic"))
        asyncio.run(session.renew(0))
        assert transport.calls == []


class TestAsking:
    def test_a_401_leads_to_one_login_and_one_repeat(self):
        erp, [session] = several(1)

        async def story():
            await session.log_in()
            erp.revoke()
            return await session.ask(CALL)

        assert asyncio.run(story()).status == 200
        assert erp.logins == 2

    def test_a_second_401_is_the_answer(self):
        session, transport = a_session(
            lambda call: json_answer({"token": "x"}) if call.url.endswith("/auth") else Answer(401), ENDPOINT
        )
        assert asyncio.run(session.ask(CALL)).status == 401
        assert len(transport.calls) == 4

    @pytest.mark.parametrize(
        "trouble", [Answer(500), NotSent("a"), InDoubt("b")], ids=["5xx", "not sent", "doubt"]
    )
    def test_trouble_is_repeated_three_times_with_growing_pauses(self, trouble):
        session, transport = a_session(in_turn(trouble, trouble, trouble, Answer(200)))
        assert asyncio.run(session.ask(CALL)).status == 200
        assert len(transport.calls) == 4
        first, second, third = session.clock.slept
        assert 0.25 <= first <= 0.75
        assert 0.5 <= second <= 1.5
        assert 1 <= third <= 3

    def test_the_last_failure_is_told(self):
        session, transport = a_session(in_turn(InDoubt("cut")))
        with pytest.raises(InDoubt):
            asyncio.run(session.ask(CALL))
        assert len(transport.calls) == 4

    def test_who_says_when_to_come_back_is_not_pressed(self):
        session, transport = a_session(in_turn(Answer(503, headers={"retry-after": "5"})))
        assert asyncio.run(session.ask(CALL)).status == 503
        assert len(transport.calls) == 1
