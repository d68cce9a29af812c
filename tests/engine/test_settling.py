"""How doubt is settled: what the simulation once found, each as a small scenario of its own."""

from __future__ import annotations

import pytest

from engine_harness import a_flow

LOOK_UP = {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"}


class TestLookUp:
    def test_it_needs_no_second_slot(self, engine, sandbox):
        """With one call in flight at most, a look-up takes that one place and does not wait for itself."""
        engine.write(a_flow(write_to_erp={"look_up": LOOK_UP, "concurrency": 1}))
        rule = {"match": {"route": "erp.book", "attempt": 1}, "then": {"close": "before", "book": "before"}}
        sandbox.use({"name": "cut", "requests": {"count": 2}, "rules": [rule]})

        assert engine.run().counts == {"done": 2}
        assert engine.booked() == [1, 2]

    def test_it_counts_from_the_answer_and_not_from_the_intent(self, engine, sandbox):
        """The ERP books a moment after its 504: a second after that answer the look-up finds it."""
        look_up = {**LOOK_UP, "after": "1s"}
        engine.write(a_flow(write_to_erp={"look_up": look_up}, custom_response=None))
        slow = {"status": 504, "delay": 1.2, "book": "after", "book_delay": 0.2}
        rule = {"match": {"route": "erp.book", "attempt": 1}, "then": slow}
        sandbox.use({"name": "slow", "requests": {"count": 1}, "rules": [rule]})

        assert engine.run().counts == {"done": 1}
        assert engine.booked() == [1]
        assert [call["route"] for call in sandbox.calls].count("erp.book") == 1


SCRIPT_SAYS = """
status = get_attribute("invokehttp.status.code")
relation = {"201": "continue", "200": "continue"}.get(status, "%s")
session.putAttribute("relation", relation)
"""
BOOKED_500 = {
    "match": {"route": "erp.book", "position": 2, "attempt": 1},
    "then": {"status": 500, "book": "before"},
}


class TestWordsOnAServerError:
    """A 5xx proves nothing, whatever the response script calls it: it may have been booked."""

    def run(self, engine, sandbox, said, erp=None, **response):
        engine.write(
            a_flow(write_to_erp=erp or {}, custom_response={**response}), response=SCRIPT_SAYS % said
        )
        settings = {"idempotency": True}
        sandbox.use({"name": "500", "requests": {"count": 3}, "rules": [BOOKED_500], "settings": settings})
        return engine.run("run-1")

    @pytest.mark.parametrize("said", ["failure", "do_nothing", "auth_fail"])
    def test_it_is_in_doubt_and_waits_for_a_person(self, engine, sandbox, said):
        """Without an exit nothing is sent again, by no retry, no clear and no poll."""
        report = self.run(engine, sandbox, said)
        engine.clear_failed("run-1")
        engine.run("run-2")
        engine.run("run-3")

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert "the ERP answered 500" in report.behind[0].error
        assert engine.states()[2] == "parked"
        assert engine.booked() == [1, 2, 3]

    @pytest.mark.parametrize("said", ["failure", "do_nothing", "auth_fail"])
    @pytest.mark.parametrize("exit_", ["look_up", "key"])
    def test_an_exit_settles_it(self, engine, sandbox, said, exit_):
        """The look-up finds the booking, or the same key brings the first answer back."""
        erp = {"look_up": LOOK_UP} if exit_ == "look_up" else {"idempotency_header": "Idempotency-Key"}

        assert self.run(engine, sandbox, said, erp).counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_the_flows_owner_may_let_the_script_decide(self, engine, sandbox):
        """With decides_unknown its do_nothing is followed: the request is sent again at the next poll."""
        report = self.run(engine, sandbox, "do_nothing", decides_unknown=True)
        engine.run("run-2")

        assert report.counts == {"done": 2, "postponed": 1}
        assert engine.booked() == [1, 2, 2, 3]


class TestErpMoved:
    """The connection's host is changed while a request is in doubt: only the old one knows it."""

    @pytest.mark.parametrize("exit_", [{"look_up": LOOK_UP}, {"idempotency_header": "Idempotency-Key"}])
    def test_neither_look_up_nor_key_is_tried_and_a_person_decides(self, engine, sandbox, exit_):
        """Nothing goes to the old address or the new one; the report says why."""
        engine.write(a_flow(write_to_erp=exit_))
        blind = {"match": {"route": "erp.look_up"}, "then": {"status": 400}}
        deaf = {"match": {"route": "erp.book"}, "then": {"close": "before", "book": "before"}}
        sandbox.use({"name": "cut", "requests": {"count": 1}, "rules": [blind, deaf]})
        engine.run("run-1")
        sandbox.use({"name": "fine", "requests": {"count": 1}}, keep=True)
        calls = len(sandbox.calls)
        engine.erp_url = sandbox.erp_url.replace("127.0.0.1", "localhost")
        report = engine.clear_failed("run-1")
        engine.run("run-2")

        assert "the ERP's address was changed" in report.behind[0].error
        assert engine.states() == {1: "parked"}
        assert not [call for call in sandbox.calls[calls:] if call["route"] in ("erp.book", "erp.look_up")]

    def test_a_flow_that_writes_its_host_out_is_measured_by_that(self, engine, sandbox):
        """The connection moves, the flow's own address does not: the key settles it as ever."""
        host = sandbox.erp_url
        erp = {"url": f"{host}/cancellations", "idempotency_header": "Idempotency-Key"}
        engine.write(a_flow(write_to_erp=erp, delivery={"task_retries": 0}))
        deaf = {"match": {"route": "erp.book"}, "then": {"close": "before", "book": "before"}}
        settings = {"idempotency": True}
        sandbox.use({"name": "cut", "requests": {"count": 1}, "rules": [deaf], "settings": settings})
        engine.run("run-1")
        sandbox.use({"name": "fine", "requests": {"count": 1}, "settings": settings}, keep=True)
        engine.erp_url = host.replace("127.0.0.1", "localhost")

        assert engine.clear_failed("run-1").counts == {"done": 1}
        assert engine.booked() == [1]


class TestKeyRemoved:
    def test_what_the_erp_holds_under_a_key_is_not_sent_without_it(self, engine, sandbox):
        """PENDING under its key; then the flow loses its header: the ERP could not recognise the request."""
        engine.write(a_flow(write_to_erp={"idempotency_header": "Idempotency-Key"}))
        pending = {"status": 200, "body": {"status": "PENDING"}, "book": "before"}
        rule = {"match": {"route": "erp.book", "attempt": 1}, "then": pending}
        settings = {"idempotency": True}
        sandbox.use({"name": "held", "requests": {"count": 1}, "rules": [rule], "settings": settings})
        engine.run("run-1")
        engine.write(a_flow())
        report = engine.run("run-2")

        assert report.counts == {"parked": 1}
        assert "no longer that key" in report.behind[0].error
        assert engine.booked() == [1]


class TestRedoOfDoubt:
    def test_a_401_does_not_use_up_a_persons_word(self, engine, sandbox):
        """The token has ended since: one new login, and what the person asked for is sent."""
        sandbox.use({"name": "cut", "requests": {"count": 1}, "rules": [CUT_UNBOOKED]})
        engine.run("run-1")
        engine.redo(1)
        expired = {"match": {"route": "erp.book"}, "then": {"expire_tokens": True}, "times": 1}
        sandbox.use({"name": "expired", "requests": {"count": 1}, "rules": [expired]}, keep=True)

        assert engine.run("run-2").counts == {"done": 1}
        assert engine.booked() == [1]


CUT_UNBOOKED = {
    "match": {"route": "erp.book", "attempt": 1},
    "then": {"close": "before", "book": "never"},
}
