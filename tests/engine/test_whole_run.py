"""One run takes every matching request from Omnitron to the ERP and back."""

from __future__ import annotations

import pytest

from engine_harness import SCRIPT, a_flow
from order_cancellation.http.listing import problem_of
from order_cancellation.service import runs


@pytest.fixture
def engine(engine):
    """With a flow of every step."""
    engine.write(a_flow(scripts=True))
    return engine


class TestAllFine:
    def test_every_request_is_booked_once_and_completed_in_omnitron(self, engine, sandbox):
        """A run over three fine requests ends with three bookings, three completed requests, all done."""
        report = engine.run()

        assert report.green
        assert report.counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]
        assert {request["status"] for request in sandbox.requests} == {"completed"}

    def test_what_was_sent_is_what_script_and_mapping_made(self, engine, sandbox):
        """The booked body has the mapping's names and nothing else."""
        engine.run()

        assert set(engine.sandbox.book[0]["body"]) == {"request_id", "reference", "amount"}

    def test_a_second_run_sends_nothing_again(self, engine, sandbox):
        """Requests that are done are skipped even if Omnitron lists them still."""
        engine.write(a_flow(scripts=True, write_to_omnitron={"on_success": None}))
        engine.run("run-1")
        report = engine.run("run-2")

        assert engine.booked() == [1, 2, 3]
        assert report.counts == {}
        assert "3 already done" in report.lines[-1]

    def test_an_empty_poll_has_no_batches(self, engine, sandbox):
        """Nothing to do gives no batch, and a green report."""
        sandbox.use({"name": "all_fine", "requests": {"count": 0}})

        assert engine.get_data("run-1") == []
        assert engine.report("run-1").green

    def test_each_of_few_requests_has_a_batch_of_its_own(self, engine):
        """Three requests give three batches, named after their request."""
        engine.write(a_flow(scripts=True, rows=True))
        assert engine.get_data("run-1") == [0, 1, 2]

    def test_many_requests_are_spread_over_the_parallel_batches(self, engine, sandbox):
        """Nine requests give four batches."""
        engine.write(a_flow(scripts=True, rows=True))
        sandbox.use({"name": "all_fine", "requests": {"count": 9}})

        assert engine.get_data("run-1") == [0, 1, 2, 3]
        assert engine.run("run-2").counts == {"done": 9}

    @pytest.mark.parametrize("absent", ["script", "custom_response", "post_script"])
    def test_a_step_that_a_flow_lacks_is_not_missed(self, engine, absent):
        """Without an optional step everything still ends as done."""
        mapping = MAPPING_OF_REQUEST if absent == "script" else None
        engine.write(a_flow(scripts=True, **{absent: None}), **({"mapping": mapping} if mapping else {}))

        assert engine.run().counts == {"done": 3}
        assert engine.booked() == [1, 2, 3]

    def test_a_flow_with_nothing_to_prepare_sends_the_request_itself(self, engine, sandbox):
        """Without script and mapping the ERP gets Omnitron's object."""
        engine.write(a_flow(script=None, mapping=None, post_script=None, custom_response=None))

        assert engine.run().counts == {"done": 3}
        assert sandbox.book[0]["body"]["order_item"]["order"]["number"]

    def test_an_expired_token_costs_one_new_login_and_no_failure(self, engine, sandbox):
        """A 401 in the middle is answered by a new login and one repeat."""
        sandbox.use({"name": "expired_token", "requests": {"count": 6}})

        assert engine.run().counts == {"done": 6}
        assert engine.booked() == [1, 2, 3, 4, 5, 6]


OMNITRON_AWAY = {"match": {"route": "omnitron.update"}, "then": {"status": 403}}
MAPPING_OF_REQUEST = '[{"operation": "shift", "spec": {"id": "request_id", "uuid": "reference"}}]'


class TestTakingUp:
    def test_max_requests_leaves_the_rest_for_the_next_run(self, engine):
        """What there is no room for is told and taken by the next run."""
        engine.write(a_flow(scripts=True, get_data={"max_requests": 2}))

        first = engine.run("run-1")

        assert first.counts == {"done": 2}
        assert "1 left for the next run" in first.lines[-1]
        assert engine.run("run-2").counts == {"done": 1}

    def test_what_is_unfinished_comes_before_what_is_new(self, engine, sandbox):
        """Where money may have moved there is room first, however much is listed."""
        sandbox.use({"name": "forbids", "requests": {"count": 1}, "rules": [OMNITRON_AWAY]})
        engine.run("run-1")
        engine.write(a_flow(scripts=True, get_data={"max_requests": 1}))
        more = {"match": {"route": "omnitron.list"}, "then": {"add": 2}, "times": 1}
        sandbox.use({"name": "more", "requests": {"count": 1}, "rules": [more]}, keep=True)
        first = engine.run("run-2")

        assert engine.states() == {1: "done"}
        assert first.counts == {"done": 1}
        assert "2 left for the next run" in first.lines[-1]

    def test_a_redo_comes_before_what_is_new(self, engine, sandbox):
        """A person's word is not put off for a long list."""
        engine.run("run-1", request_ids=(1,))
        engine.write(a_flow(scripts=True, get_data={"max_requests": 1}))
        engine.redo(1)
        engine.run("run-2")

        assert engine.booked() == [1, 1]

    def test_a_redo_of_what_omnitron_no_longer_has_falls_away_and_is_told_once(self, engine, sandbox):
        """Red in the run that finds out, with the reason in the history; green ever after."""
        engine.run("run-1")
        engine.redo(2)
        gone = {"match": {"route": "omnitron.detailed"}, "then": {"status": 404, "body": {}}}
        sandbox.use({"name": "gone", "requests": {"count": 3}, "rules": [gone]}, keep=True)
        told, after = engine.run("run-2"), engine.run("run-3")

        [problem] = told.problems
        assert problem.startswith(
            "Request 2: not taken up at get_data: Omnitron has no request of this number"
        )
        assert "so the redo falls away" in problem
        assert after.green
        assert "falls away" in engine.show(2)["history"][-1]["note"]
        assert engine.booked() == [1, 2, 3]

    def test_a_redo_is_of_that_request_and_not_of_its_number(self, engine, sandbox):
        """Omnitron has another request under the number: it is sent once, and not at each poll again."""
        engine.run("run-1")
        engine.redo(2)
        other = {"id": 2, "set": {"uuid": "another", "status": "approved"}}
        change = {"match": {"route": "omnitron.detailed"}, "then": {"change": other}, "times": 1}
        sandbox.use({"name": "other", "requests": {"count": 3}, "rules": [change]}, keep=True)
        told = engine.run("run-2")
        engine.run("run-3")

        assert "another request under this number" in told.problems[0]
        assert sorted(entry["body"]["reference"] for entry in sandbox.book).count("another") == 1

    def test_request_ids_are_read_one_by_one_whatever_their_status(self, engine, sandbox):
        """A request that the flow's status would not list is done when it is named."""
        sandbox.use({"name": "all_fine", "requests": {"count": 3, "statuses": ["open"]}})

        assert engine.run(request_ids=(2,)).counts == {"done": 1}
        assert engine.booked() == [2]

    def test_a_number_that_omnitron_does_not_have_is_told(self, engine):
        """An unknown number reddens the report with a line that names it."""
        report = engine.run(request_ids=(99,))

        assert not report.green
        assert "Request 99" in report.problems[0]

    @pytest.mark.parametrize("dry_run", [False, True])
    def test_a_named_one_of_another_channel_or_type_is_told_and_not_sent(self, engine, sandbox, dry_run):
        """Whatever its status it is done, but by the flow of its channel and type."""
        [other] = {"cancel", "refund"} - {sandbox.requests[0]["cancellation_type"]}
        told = []
        for filtered in ({"channel_id": 9999}, {"cancel_type": other}):
            engine.write(a_flow(get_data=filtered))
            told += engine.run(request_ids=(1,), redo=True, dry_run=dry_run).problems

        assert "and the flow takes channel 9999" in told[0]
        assert f"and the flow takes {other}" in told[1]
        assert sandbox.book == []

    def test_a_redo_for_which_there_is_no_room_reddens_the_run(self, engine):
        """No later run knows of the parameter."""
        engine.run("run-1")
        report = engine.run("redo-run", request_ids=(1, 2), redo=True, limit=1)

        assert report.counts == {"done": 1}
        assert not report.green
        assert "Request 2: not taken up at get_data: there was no room for it" in report.problems[0]

    def test_what_is_listed_but_can_not_be_compared_is_not_closed(self, engine, sandbox):
        """Its channel is missing in one list: it is left out and told, and Omnitron still has it."""
        channel = sandbox.requests[0]["channel"]["pk"]
        refuse = {"match": {"route": "erp.book"}, "then": {"status": 422, "body": {}}}
        bare = {"match": {"route": "omnitron.list"}, "then": {"drop": ["results.0.channel"]}}
        one = {"name": "one", "requests": {"count": 1, "channels": [channel]}}
        engine.write(a_flow(get_data={"channel_id": channel}))
        sandbox.use({**one, "rules": [refuse]})
        engine.run("run-1")
        sandbox.use({**one, "rules": [bare]}, keep=True)
        report = engine.run("run-2")

        assert "has no channel that can be compared" in report.problems[0]
        assert engine.states() == {1: "failed"}

    def test_a_request_without_uuid_is_told_and_hides_nothing(self, engine, sandbox):
        """The other requests are done; the one without uuid stands in the report."""
        sandbox.use("omnitron_no_uuid")

        report = engine.run()

        assert report.counts["done"] == len(sandbox.requests) - 1
        assert not report.green
        assert report.problems[0].startswith("get_data: Page 1, entry ")
        assert "uuid" in report.problems[0]

    def test_an_unlisted_request_that_was_never_sent_is_withdrawn(self, engine, sandbox):
        """A failed request that leaves Omnitron's list is closed."""
        engine.write(a_flow(scripts=True), script="raise ValueError('broken')")
        engine.run("run-1")
        sandbox.use({"name": "all_fine", "requests": {"count": 0}})
        engine.run("run-2")

        assert set(engine.states().values()) == {"withdrawn"}

    def test_a_redone_request_is_sent_again_by_a_persons_word_only(self, engine, sandbox):
        """After redo the next run sends a done request once more."""
        engine.run("run-1")
        engine.redo(2)
        engine.run("run-2")

        assert engine.booked() == [1, 2, 2, 3]
        assert engine.states() == {1: "done", 2: "done", 3: "done"}


class TestDryRun:
    def test_nothing_leaves_and_no_request_is_entered(self, engine, sandbox):
        """A dry run writes nowhere: no booking, no status, no request in the ledger."""
        report = engine.run(dry_run=True)

        assert report.counts == {"computed": 3, "failed": 0}
        assert sandbox.book == []
        assert sandbox.writes == []
        assert engine.requests() == []

    def test_it_shows_what_would_be_sent(self, engine, sandbox):
        """Each request has its would-be call and write-back."""
        engine.run(dry_run=True)

        with runs.open_ledger(engine.settings) as ledger:
            [first, *_] = ledger.dry.load("acme", "run-1")

        assert first.data["call"]["method"] == "POST"
        assert first.data["call"]["url"].endswith("/cancellations")
        assert first.data["write_back"]["on_success"] == {"status": "completed"}

    def test_what_is_done_would_not_be_sent_again(self, engine):
        """The same rule as a real run's decides; a person's redo is part of it."""
        engine.write(a_flow(scripts=True, write_to_omnitron={"on_success": None}))
        engine.run("run-1")
        report = engine.run("dry", dry_run=True)
        redone = engine.run("dry-redo", dry_run=True, request_ids=(2,), redo=True)

        assert report.counts == {"computed": 0, "failed": 0}
        assert "3 already done" in report.lines[-1]
        assert redone.counts == {"computed": 1, "failed": 0}
        assert engine.booked() == [1, 2, 3]

    def test_a_named_request_that_cannot_be_read_hides_none_of_the_others(self, engine, sandbox, caplog):
        """As in a real run: it is told, by its number, and the others are computed."""
        page = {"match": {"route": "omnitron.detailed", "id": 2}, "then": {"malformed": "not_json"}}
        sandbox.use({"name": "page", "requests": {"count": 3}, "rules": [page]})

        report = engine.run(dry_run=True, request_ids=(1, 2, 3))

        assert report.counts == {"computed": 2, "failed": 0}
        assert report.problems[0].startswith("Request 2: not taken up at get_data: it could not be read")
        assert "Flow 'acme': Request 2: not taken up" in caplog.text

    def test_what_the_script_says_is_in_the_log(self, engine, caplog):
        """Its own lines, what it prints, and its ``log.*`` attributes, as the real step tells them."""
        caplog.set_level("INFO")
        says = "log.warn('odd')\nprint('hello')\nsession.putAttribute('log.n', '7')\n"
        engine.write(a_flow(scripts=True), script=says + SCRIPT)

        engine.run(dry_run=True)

        assert ("WARNING", "Request 1, script: odd") in [
            (one.levelname, one.message) for one in caplog.records
        ]
        assert "Request 1, script printed: hello" in caplog.text
        assert "Request 1, script: log.n = 7" in caplog.text

    def test_what_omnitron_would_be_told_is_in_the_log(self, engine, caplog):
        """Both outcomes, and without personal data."""
        caplog.set_level("INFO")
        mail = "{{ request.customer.email }}"
        own = {"method": "PATCH", "path": "/x/{{ request.id }}/", "body": {"note": f"for {mail}"}}
        told = {"on_success": {"status": "completed"}, "on_failure": {"request": own}}
        engine.write(a_flow(scripts=True, write_to_omnitron=told))

        engine.run(dry_run=True)

        assert "Request 1: would tell Omnitron on_success: status completed" in caplog.text
        assert (
            'Request 1: would tell Omnitron on_failure: PATCH /x/1/, body {"note": "for ***"}' in caplog.text
        )

    def test_one_to_be_done_again_that_cannot_be_read_hides_none_of_the_others(self, engine, sandbox):
        engine.run("run-1")
        engine.redo(1, 2)
        page = {"match": {"route": "omnitron.detailed", "id": 2}, "then": {"malformed": "not_json"}}
        sandbox.use({"name": "page", "requests": {"count": 3}, "rules": [page]}, keep=True)

        report = engine.run("dry", dry_run=True)

        assert report.counts == {"computed": 1, "failed": 0}
        assert report.problems[0].startswith("Request 2: not taken up at get_data: it could not be read")

    def test_what_a_person_wants_done_again_would_be_sent_listed_or_not(self, engine):
        engine.run("run-1")
        engine.redo(2)

        assert engine.run("dry", dry_run=True).counts == {"computed": 1, "failed": 0}

    def test_its_steps_have_no_port_that_can_write(self, engine, monkeypatch):
        """No ERP at all, and Omnitron for reading only: even a defect could send nothing."""
        engine.write(a_flow(scripts=True, rows=True))
        ports = []
        real = runs.rehearsal.run_step

        async def looked_at(step, batch, context):
            ports.append((context.erp, context.omnitron))
            return await real(step, batch, context)

        async def read(context, *rest):
            ports.append((context.erp, context.omnitron))
            return await real_get_data(context, *rest)

        real_get_data = runs.rehearsal.get_data
        monkeypatch.setattr(runs.rehearsal, "run_step", looked_at)
        monkeypatch.setattr(runs.rehearsal, "get_data", read)
        engine.run(dry_run=True)

        assert len(ports) == 1 + 3 * len(engine.steps())
        assert {erp for erp, _ in ports} == {None}
        assert not [one for _, one in ports if hasattr(one, "set_status") or hasattr(one, "free")]

    def test_a_real_run_after_it_is_not_hindered(self, engine):
        """What a dry run computed holds nothing back."""
        engine.run("dry", dry_run=True)

        assert engine.run("run-1").counts == {"done": 3}


class TestStrangeEntries:
    def test_an_entry_that_no_column_holds_is_told_and_hides_nothing(self, engine, sandbox):
        """The other requests of its page are done; the report names the one that can't be kept."""
        changes = [{"position": 2, "set": {"uuid": "u" * 65}}]
        sandbox.use({"name": "all_fine", "requests": {"count": 3, "changes": changes}})

        report = engine.run()

        assert report.counts == {"done": 2}
        assert "too long" in report.problems[0]

    @pytest.mark.parametrize("number", [2**63, -1])
    def test_so_is_a_number_beyond_all_numbers(self, number):
        """Postgres would refuse it, and with it the whole page."""
        assert "too long" in problem_of({"id": number, "uuid": "u1"})


class TestProofOfReading:
    def test_the_log_says_what_was_read_and_what_became_of_it(self, engine, sandbox, caplog):
        caplog.set_level("INFO")
        sandbox.use({"name": "pages", "requests": {"count": 5}, "settings": {"limit_cap": 2}})
        engine.get_data("run-1", limit=4)
        assert "Omnitron listed 5 entries on 3 pages: 5 distinct, 5 of them match" in caplog.text
        assert "4 taken up (4 new); 1 left for the next run (max_requests or limit)" in caplog.text
