"""What fails, fails alone, says why, and can be taken up again without sending anything twice."""

from __future__ import annotations

import asyncio
from unittest.mock import patch

import pytest

from engine_harness import MAPPING, RESPONSE, SCRIPT, a_flow

REFUSE_SECOND = {
    "name": "one_refused",
    "requests": {"count": 3},
    "rules": [
        {
            "match": {"route": "erp.book", "position": 2},
            "then": {"status": 422, "body": {"error": "period closed"}, "book": "never"},
        }
    ],
}
CUT_SECOND = {
    "name": "cut_second",
    "requests": {"count": 3},
    "rules": [
        {
            "match": {"route": "erp.book", "position": 2, "attempt": 1},
            "then": {"close": "before", "book": "before"},
        }
    ],
}
ALL_FINE = {"name": "all_fine", "requests": {"count": 3}}


class TestRefusal:
    def test_only_the_refused_request_fails_and_the_report_says_why(self, engine, sandbox):
        """Two are done; the report names the third with the ERP's own words."""
        sandbox.use(REFUSE_SECOND)

        report = engine.run()

        assert report.counts == {"done": 2, "failed": 1}
        [line] = report.behind
        assert line.id == 2
        assert line.step == "custom_response"
        assert "422" in line.error
        assert "period closed" in line.error

    def test_its_batch_is_red_from_the_step_that_found_it(self, engine, sandbox):
        """Red from custom_response on, and nowhere else."""
        engine.write(a_flow(scripts=True, rows=True))
        sandbox.use(REFUSE_SECOND)
        engine.run()

        assert engine.red == [(1, "custom_response"), (1, "write_to_omnitron"), (1, "post_script")]

    def test_clear_only_failed_sends_just_that_one_again(self, engine, sandbox):
        """After the ERP is repaired the cleared tasks bring the refused request to its end."""
        sandbox.use(REFUSE_SECOND)
        engine.run()
        sandbox.use(ALL_FINE, keep=True)

        report = engine.clear_failed()

        assert report.green
        assert report.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_on_failure_is_written(self, engine, sandbox):
        """Omnitron hears of the refusal where the flow says so."""
        engine.write(
            a_flow(
                write_to_omnitron={"on_success": {"status": "completed"}, "on_failure": {"action": "reject"}}
            )
        )
        sandbox.use(REFUSE_SECOND)
        engine.run()

        assert [request["status"] for request in sandbox.requests] == ["completed", "rejected", "completed"]
        assert engine.states()[2] == "failed"

    def test_the_next_poll_waits_for_the_retry_pause(self, engine, sandbox):
        """A failed request rests for five minutes before a poll takes it up again."""
        sandbox.use(REFUSE_SECOND)
        engine.run("run-1")
        report = engine.run("run-2")

        assert report.green
        assert "1 failed, waiting for its retry_pause" in report.lines[-1]

    def test_without_a_script_the_default_rule_judges(self, engine, sandbox):
        """422 is a no, 2xx a yes, and the batch is red from write_to_erp on."""
        engine.write(a_flow(rows=True, custom_response=None))
        sandbox.use(REFUSE_SECOND)

        report = engine.run()

        assert report.counts == {"done": 2, "failed": 1}
        assert engine.red[0] == (1, "write_to_erp")


class TestPostponed:
    def test_do_nothing_is_green_and_taken_again_by_the_next_poll(self, engine, sandbox):
        """The request is postponed without red, and done once the ERP is ready for it."""
        sandbox.use("do_nothing")
        first = engine.run("run-1")
        count = len(sandbox.requests)
        sandbox.use({"name": "all_fine", "requests": {"count": count}}, keep=True)
        engine.run("run-2")

        assert first.green
        assert first.counts == {"done": count - 1, "postponed": 1}
        assert set(engine.states().values()) == {"done"}


class TestScripts:
    def test_a_script_that_raises_fails_its_own_request_only(self, engine):
        """The script's error stands with its request; the others are done."""
        engine.write(
            a_flow(scripts=True), script=SCRIPT + "\nif request['id'] == 2: raise ValueError('no tax number')"
        )

        report = engine.run()

        assert report.counts == {"done": 2, "failed": 1}
        assert "no tax number" in report.behind[0].error
        assert report.behind[0].step == "script"

    def test_what_an_earlier_step_made_is_used_again_after_clearing_and_made_anew_by_a_redo(self, engine):
        """Clearing a send does not run a repaired script; the error says what does."""
        engine.write(a_flow(script={"file": "script.py"}, mapping=None), script="outputStream.write('nope')")
        said = engine.run("run-1")
        engine.write(a_flow(script={"file": "script.py"}, mapping=None))
        cleared = engine.clear_failed("run-1")
        engine.redo(1, 2, 3)

        assert "redo the request or wait for a later run" in said.behind[0].error
        assert cleared.behind[0].error == said.behind[0].error
        assert engine.run("run-2").counts == {"done": 3}

    def test_a_repaired_script_is_used_after_clearing(self, engine):
        """The pinned revision gives way to the one that the person repaired."""
        engine.write(a_flow(scripts=True), script="raise ValueError('typo')")
        engine.run()
        engine.write(a_flow(scripts=True))

        assert engine.clear_failed().counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_an_edited_flow_does_not_change_a_run_under_way(self, engine):
        """Steps use the revision that get_data pinned."""
        engine.get_data("run-1")
        engine.write(a_flow(scripts=True), script="raise ValueError('edited meanwhile')")

        assert engine.step("run-1", "script", 0).green

    def test_an_unset_relation_leaves_the_answer_to_be_judged_and_sends_nothing_again(self, engine):
        """The request stays answered; the repaired script judges the stored answer."""
        engine.write(a_flow(), response="pass")
        report = engine.run()
        engine.write(a_flow())
        after = engine.clear_failed()

        assert report.counts == {"answered": 3}
        assert "relation" in report.behind[0].error
        assert after.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_a_post_script_that_fails_is_only_run_again(self, engine):
        """The ERP and Omnitron are left alone when the post script is repeated."""
        engine.write(a_flow(scripts=True), post="raise ValueError('CRM is down')")
        report = engine.run()
        engine.write(a_flow(scripts=True))
        after = engine.clear_failed()

        assert report.counts == {"written_back": 3}
        assert after.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]


def a_page_for_the_second(status, times=None):
    """A scenario in which the second request's answer is a web page, and nothing is booked."""
    rule = {
        "match": {"route": "erp.book", "position": 2},
        "then": {"status": status, "malformed": "not_json"},
        "times": times,
    }
    return {"name": "page", "requests": {"count": 3}, "rules": [rule]}


class TestMapping:
    def test_a_mapping_that_gives_null_fails_the_request(self, engine):
        """Nothing matched: the error says so and nothing is sent."""
        engine.write(a_flow(), mapping='[{"operation": "shift", "spec": {"nothing": "x"}}]')

        report = engine.run()

        assert report.counts == {"failed": 3}
        assert "null" in report.behind[0].error
        assert engine.booked() == []

    def test_a_mapping_without_an_end_fails_the_request(self, engine, monkeypatch):
        """The task goes on with the next request."""
        # ten seconds for each of three requests would be long
        monkeypatch.setattr("order_cancellation.cpu_limit.MOST_S", 0.05)
        endless = f"=split('(a+)+$', '{'a' * 60}b')"
        engine.write(
            a_flow(), mapping=f'[{{"operation": "modify-overwrite-beta", "spec": {{"x": "{endless}"}}}}]'
        )

        report = engine.run()

        assert report.counts == {"failed": 3}
        assert "regular expression that has no end" in report.behind[0].error
        assert engine.booked() == []

    def test_others_have_their_turn_between_two_mappings(self, engine, monkeypatch):
        """A batch of mappings that take long renews its lease, and writes down what is done."""
        turns: list[int] = []
        seen: list[int] = []

        def mapped(_transform, _document):
            seen.append(len(turns))
            asyncio.get_running_loop().call_soon(turns.append, 1)
            return {}

        monkeypatch.setattr("order_cancellation.steps.mapping.map_document", mapped)
        engine.write(a_flow())
        engine.get_data("run-1")

        assert engine.step("run-1", "mapping", 0).green
        assert seen == [0, 1, 2]

    def test_the_mapping_is_back_after_its_repair(self, engine):
        """Clearing uses the repaired mapping."""
        engine.write(a_flow(), mapping='[{"operation": "shift", "spec": {"nothing": "x"}}]')
        engine.run()
        engine.write(a_flow(), mapping=MAPPING)

        assert engine.clear_failed().counts == {"done": 3}


class TestErpAway:
    def test_what_was_surely_not_sent_waits_with_hope(self, engine, sandbox):
        """A refused connection leaves requests prepared, and Airflow's retry may help."""
        engine.write(a_flow(scripts=True, rows=True))
        engine.erp_options = {"login_url": "http://127.0.0.1:9/login"}
        batches = engine.get_data_only("run-1")
        for step in ("script", "mapping"):
            engine.step("run-1", step, batches[0])

        report = engine.step("run-1", "write_to_erp", batches[0])

        assert report.hopeful
        assert report.behind[0].state == "prepared"

    def test_a_retry_sends_it(self, engine, sandbox):
        """The same task run again sends what was not sent."""
        engine.write(a_flow(scripts=True, rows=True))
        engine.erp_options = {"login_url": "http://127.0.0.1:9/login"}
        engine.get_data_only("run-1")
        for step in ("script", "mapping", "write_to_erp"):
            engine.step("run-1", step, 0)
        engine.erp_options = {"login_url": "/login"}

        assert engine.step("run-1", "write_to_erp", 0).green
        assert engine.booked() == [1]

    def test_throttling_is_waited_out_in_the_step(self, engine, sandbox):
        """429 with Retry-After: 0 is repeated soon and ends well."""
        sandbox.use({"name": "erp_throttles", "requests": {"count": 6}})

        assert engine.run().counts == {"done": 6}
        assert engine.booked() == [1, 2, 3, 4, 5, 6]

    @pytest.mark.parametrize("said", ["0", "Thu, 01 Jan 2026 00:00:00 GMT"], ids=["none", "over"])
    def test_an_erp_that_names_no_pause_is_given_a_second_each_time(self, engine, sandbox, monkeypatch, said):
        """Else it would be called some hundred times a second, for as long as it is overloaded."""
        monkeypatch.setattr("order_cancellation.steps.deliver.LONGEST_WAIT_S", 2.0)
        busy = {"match": {"route": "erp.book"}, "then": {"status": 503, "headers": {"Retry-After": said}}}
        sandbox.use({"name": "busy", "requests": {"count": 1}, "rules": [busy]})
        report = engine.run()

        assert report.counts == {"prepared": 1}
        assert "asks to wait" in report.behind[0].error
        assert sum(call["path"] == "/erp/cancellations" for call in sandbox.calls) == 3


class TestRefusalInPlainSight:
    """What an ERP says is shown in lists, reports and pages: whatever it repeats of ours is not."""

    def refused(self, engine, sandbox, body):
        rule = {"match": {"route": "erp.book"}, "then": {"status": 422, "body": body}}
        sandbox.use({"name": "refused", "requests": {"count": 1}, "rules": [rule]})
        [behind] = engine.run().behind
        return behind.error

    def test_a_name_in_capitals_is_hidden(self, engine, sandbox):
        sandbox.use({"name": "all_fine", "requests": {"count": 1}})
        [request] = sandbox.requests
        name = request["customer"]["last_name"]
        assert name.upper() not in self.refused(engine, sandbox, f"{name.upper()} is not known here")

    def test_letters_that_json_escapes_can_be_read(self, engine, sandbox):
        body = r'{"message": "\u015Eube i\u00E7in kay\u0131t yok"}'
        assert "Şube için kayıt yok" in self.refused(engine, sandbox, body)

    def test_the_connections_secrets_and_the_flows_are_hidden(self, engine, sandbox):
        engine.write(a_flow(write_to_erp={"headers": {"X-Api-Key": "Zx81-Secret-77"}}))
        error = self.refused(engine, sandbox, "erp-secret and the key Zx81-Secret-77 are not enough")
        assert "erp-secret" not in error
        assert "Zx81" not in error
        assert "are not enough" in error

    def test_a_very_long_one_holds_nobody_up(self, engine, sandbox):
        """What is shown is its beginning, and only that is looked through."""
        looked_at: list[int] = []
        plain = "order_cancellation.http.masking.redact_text"
        with patch(plain, lambda text: looked_at.append(len(text)) or text):
            self.refused(engine, sandbox, "x" * 3_000_000)
        assert max(looked_at) <= 20_000


class TestWebPageForAnswer:
    """Somebody before the ERP shows a page for people: a sign-in, say, or that it is being maintained."""

    def test_with_200_and_no_script_it_is_in_doubt(self, engine, sandbox):
        """For a yes it would be a refund lost, for a no one sent twice."""
        sandbox.use(a_page_for_the_second(200))
        engine.write(a_flow(custom_response=None))

        report = engine.run()

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert "answered 200" in report.behind[0].error
        assert "web page" in report.behind[0].error
        assert engine.booked() == [1, 3]

    def test_a_look_up_settles_it(self, engine, sandbox):
        """Not booked, so sent once more."""
        sandbox.use(a_page_for_the_second(200, times=1))
        look_up = {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"}
        engine.write(a_flow(custom_response=None, write_to_erp={"look_up": look_up}))

        assert engine.run().counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_a_script_may_call_it_a_yes_and_the_log_says_so(self, engine, sandbox, caplog):
        sandbox.use(a_page_for_the_second(200))

        assert engine.run().counts == {"done": 3}
        assert "Request 2, custom_response: the ERP answered with a web page" in caplog.text

    def test_with_another_status_it_is_judged_like_any_answer(self, engine, sandbox):
        sandbox.use(a_page_for_the_second(404))

        assert engine.run().counts == {"done": 2, "failed": 1}


def a_redirect_for_the_second(status, location, book):
    """A scenario in which the second request's first answer is a redirect."""
    rule = {
        "match": {"route": "erp.book", "position": 2, "attempt": 1},
        "then": {"status": status, "headers": {"Location": location}, "body": "", "book": book},
    }
    return {"name": "moved", "requests": {"count": 3}, "rules": [rule], "settings": {"idempotency": True}}


class TestRedirect:
    """Web programs answer what they have booked with the address of a page that shows it."""

    @pytest.mark.parametrize("status", [301, 302])
    def test_to_another_page_is_in_doubt_and_never_sent_again_by_itself(self, engine, sandbox, status):
        sandbox.use(a_redirect_for_the_second(status, "/erp/result/1", "before"))
        engine.write(a_flow(custom_response=None))

        report = engine.run("run-1")
        engine.clear_failed("run-1")
        engine.run("run-2")

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert f"the ERP answered {status}" in report.behind[0].error
        assert engine.states()[2] == "parked"
        assert engine.booked() == [1, 2, 3]

    def test_of_a_get_is_not_followed(self, engine, sandbox):
        """The list that it leads to would be a 2xx of something else."""
        sandbox.use(a_redirect_for_the_second(302, "/erp/cancellations/2", "never"))
        engine.write(a_flow(custom_response=None, write_to_erp={"method": "GET"}))

        report = engine.run()

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert "erp.look_up" not in [call["route"] for call in sandbox.calls]

    def test_the_same_key_settles_it(self, engine, sandbox):
        """The repeat has the key of what was booked, not a new one."""
        sandbox.use(a_redirect_for_the_second(302, "/erp/result/1", "before"))
        engine.write(a_flow(custom_response=None, write_to_erp={"idempotency_header": "Idempotency-Key"}))

        assert engine.run().counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    @pytest.mark.parametrize(
        ("status", "location"),
        [
            (301, "https://erp.test/erp/cancellations"),
            (302, "/erp/cancellations/"),
            (307, "/elsewhere"),
            (308, "/elsewhere"),
        ],
    )
    def test_of_the_very_call_is_a_no(self, engine, sandbox, status, location):
        """The call was not worked on: somebody has to put the address right."""
        sandbox.use(a_redirect_for_the_second(status, location, "never"))
        engine.write(a_flow(custom_response=None))

        report = engine.run()
        after = engine.clear_failed()

        assert report.counts == {"done": 2, "failed": 1}
        assert after.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]


class TestInDoubt:
    def test_a_cut_answer_is_in_doubt_and_never_sent_again_by_itself(self, engine, sandbox):
        """Without a declared exit the request waits: in doubt now, parked by the next poll."""
        sandbox.use(CUT_SECOND)

        report = engine.run("run-1")
        engine.clear_failed("run-1")
        engine.run("run-2")

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert engine.states()[2] == "parked"
        assert engine.booked() == [1, 2, 3]

    def test_a_persons_yes_is_only_written_back(self, engine, sandbox):
        """Resolved as accepted: Omnitron is told, the ERP is not called."""
        sandbox.use(CUT_SECOND)
        engine.run("run-1")
        engine.resolve(2, "accepted")
        engine.run("run-2")

        assert engine.states()[2] == "done"
        assert engine.booked() == [1, 2, 3]
        assert {request["status"] for request in sandbox.requests} == {"completed"}

    def test_a_persons_no_stays_failed_until_redo(self, engine, sandbox):
        """Resolved as refused: failed for good, and sent again only by redo."""
        sandbox.use(
            {
                **CUT_SECOND,
                "rules": [{**CUT_SECOND["rules"][0], "then": {"close": "before", "book": "never"}}],
            }
        )
        engine.run("run-1")
        engine.resolve(2, "refused")
        engine.run("run-2")
        after_no = engine.states()[2]
        engine.run("run-3")
        engine.redo(2)
        engine.run("run-4")

        assert after_no == "failed"
        assert engine.states()[2] == "done"
        assert engine.booked() == [1, 2, 3]

    def test_a_look_up_finds_the_booking(self, engine, sandbox):
        """With a look-up the doubt is settled in the same step, and nothing is sent again."""
        look_up = {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"}
        engine.write(a_flow(write_to_erp={"look_up": look_up}))
        sandbox.use(CUT_SECOND)

        assert engine.run().counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_a_look_up_answered_with_a_web_page_settles_nothing(self, engine, sandbox):
        """A sign-in with 200 is there, but says neither that it is booked nor that it is not."""
        look_up = {"url": "/cancellations/{{ request.uuid }}", "found": "$", "after": "0s"}
        engine.write(a_flow(write_to_erp={"look_up": look_up}))
        page = {"match": {"route": "erp.look_up"}, "then": {"status": 200, "malformed": "not_json"}}
        sandbox.use({**CUT_SECOND, "rules": [*CUT_SECOND["rules"], page]})

        report = engine.run()

        assert report.counts == {"done": 2, "in_doubt": 1}
        assert "web page" in report.behind[0].error
        assert [request["status"] for request in sandbox.requests] == ["completed", "approved", "completed"]

    def test_a_look_up_that_finds_nothing_lets_it_be_sent_again(self, engine, sandbox):
        """Not booked, so sent once more, and then done."""
        look_up = {"url": "/cancellations/{{ request.uuid }}", "found": "$.found", "after": "0s"}
        engine.write(a_flow(write_to_erp={"look_up": look_up}))
        sandbox.use(
            {
                **CUT_SECOND,
                "rules": [{**CUT_SECOND["rules"][0], "then": {"close": "before", "book": "never"}}],
            }
        )

        assert engine.run().counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_the_same_key_goes_out_again_where_the_erp_honours_it(self, engine, sandbox):
        """A declared idempotency header allows the repeat, byte for byte, and the ERP books once."""
        engine.write(a_flow(write_to_erp={"idempotency_header": "Idempotency-Key"}))
        sandbox.use({**CUT_SECOND, "settings": {"idempotency": True}})

        assert engine.run().counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_failure_on_a_5xx_is_doubt_and_no_refusal(self, engine, sandbox):
        """Every pasted script ends in else: failure; a 500 proves nothing."""
        rule = {"match": {"route": "erp.book", "position": 2}, "then": {"status": 500, "book": "before"}}
        sandbox.use({"name": "500", "requests": {"count": 3}, "rules": [rule]})

        report = engine.run()

        assert report.counts == {"done": 2, "in_doubt": 1}

    def test_decides_unknown_makes_the_script_the_owners_word(self, engine, sandbox):
        """The script is run without a status, and its failure ends the request as failed."""
        engine.write(
            a_flow(custom_response={"decides_unknown": True}),
            response=RESPONSE + "\nassert get_attribute('delivery.outcome') in ('answered', 'unknown')",
        )
        sandbox.use(
            {
                **CUT_SECOND,
                "rules": [{**CUT_SECOND["rules"][0], "then": {"close": "before", "book": "never"}}],
            }
        )

        assert engine.run().counts == {"done": 2, "failed": 1}


class TestOmnitronAway:
    def test_an_accepted_request_whose_update_failed_is_only_updated(self, engine, sandbox):
        """406 parks it, naming the step; a person's yes writes it back without another booking."""
        sandbox.use({"name": "omnitron_forbids", "requests": {"count": 3}})
        report = engine.run("run-1")
        sandbox.use(ALL_FINE, keep=True)
        sandbox_settings_back(sandbox)
        for request_id in (1, 2, 3):
            engine.resolve(request_id, "accepted")
        engine.run("run-2")

        assert report.counts == {"parked": 3}
        assert report.behind[0].step == "write_to_omnitron"
        assert set(engine.states().values()) == {"done"}
        assert engine.booked() == [1, 2, 3]

    @pytest.mark.parametrize("scenario", ["omnitron_not_json", "omnitron_no_results"])
    def test_a_list_that_can_not_be_read_is_an_error_of_get_data(self, engine, sandbox, scenario):
        """The run's report says that the list was never read."""
        from order_cancellation.errors import UnreadableAnswer

        sandbox.use(scenario)

        with pytest.raises(UnreadableAnswer, match="omnitron_default"):
            engine.get_data("run-1")
        assert not engine.report("run-1").green

    def test_a_repeated_page_loses_nothing_and_ends(self, engine, sandbox):
        """What could be read is done; the report says how many may be missing."""
        sandbox.use("omnitron_repeated_page")

        report = engine.run()

        assert report.counts == {"done": 10}
        assert any("missing" in line for line in report.lines)


def sandbox_settings_back(sandbox):
    """Let Omnitron allow every status again."""
    sandbox.sandbox.world.change_settings({"forbidden_transitions": []})


class TestBreaker:
    def test_a_dead_erp_leaves_the_rest_unsent_and_unharmed(self, engine, sandbox):
        """After ten calls in a row without an answer nothing more is sent, so no more get into doubt."""
        engine.write(a_flow(delivery={"parallel_batches": 1}, write_to_erp={"concurrency": 1}))
        rule = {"match": {"route": "erp.book"}, "then": {"close": "before", "book": "never"}}
        sandbox.use({"name": "dead", "requests": {"count": 15}, "rules": [rule]})

        report = engine.run()

        assert report.counts == {"in_doubt": 10, "prepared": 5}
        assert any("nothing is sent for" in line.error for line in report.behind)


class TestExpiredToken:
    def test_one_401_is_enough_for_the_rest_to_go_out_with_a_new_token(self, engine, sandbox):
        """With one call at a time, an ended token costs a single 401 however many requests follow."""
        engine.write(a_flow(delivery={"parallel_batches": 1}, write_to_erp={"concurrency": 1}))
        sandbox.use({"name": "expired_token", "requests": {"count": 6}})

        assert engine.run().counts == {"done": 6}
        refused = [
            call for call in sandbox.calls if call["path"] == "/erp/cancellations" and call["status"] == 401
        ]
        assert len(refused) == 1
