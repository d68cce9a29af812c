"""What people do on the pages of requests: find out why one failed, redo it, settle doubt, look at data."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from in_browser import visit
from live_airflow import FLOW, Live, write_flow

pytestmark = [pytest.mark.needs("browser"), pytest.mark.timeout(300)]

REFUSAL = {"code": "PERIOD_CLOSED", "message": "The posting period 2026-02 is closed"}
SECOND_IS_REFUSED = {
    "name": "second_refused",
    "requests": {"count": 3, "first_id": 5701},
    "rules": [
        {
            "match": {"route": "erp.book", "position": 2},
            "then": {"status": 422, "body": REFUSAL, "book": "never"},
        }
    ],
}
ANSWER_IS_LOST = {
    "name": "answer_lost",
    "requests": {"count": 1, "first_id": 5801},
    "rules": [{"match": {"route": "erp.book"}, "then": {"close": "before", "book": "before"}}],
}
ALL_FINE = {"name": "all_fine"}
WITHOUT_LOOK_UP = "\n".join(line for line in FLOW.splitlines() if "look_up" not in line)
UNDER_WAY_MS = 60_000


@pytest.fixture(scope="module")
def refunds(live: Live) -> str:
    """A flow of which the ERP has refused request 5702; no test changes it."""
    return a_red_morning(live, "refunds", FLOW, SECOND_IS_REFUSED)


def a_red_morning(live: Live, name: str, flow: str, scenario: dict[str, Any]) -> str:
    """Make a flow, and run it once; not everything goes well."""
    write_flow(live.flows, name, flow.replace("title: Every step", f"title: {name}"))
    live.begin(scenario)
    run_id, state = live.run(name)
    assert state == "failed", live.states(name, run_id)
    return name


def open_request(page: Page, address: str, flow: str, request_id: int) -> None:
    """Go to a request's page by way of the list."""
    visit(page, f"{address}/plugin/requests?flow={flow}")
    page.get_by_role("link", name=str(request_id), exact=True).click()
    expect(page.get_by_role("heading", name=f"Request {request_id}")).to_be_focused()


def state_of(page: Page) -> Locator:
    """Return the badge of the request's state."""
    return page.get_by_test_id("state")


def confirm(page: Page, why: str, button: str) -> None:
    """Give the reason that a dialog asks for, and go on."""
    dialog = page.get_by_role("alertdialog")
    expect(dialog.get_by_role("button", name=button)).to_be_disabled()
    dialog.get_by_role("textbox").fill(why)
    dialog.get_by_role("button", name=button).click()
    expect(dialog).to_be_hidden()


class TestFailed:
    def test_is_found_understood_redone_and_seen_done(self, page, address, live, keep_picture):
        """The whole way of an operator's morning."""
        flow = a_red_morning(live, "redone", FLOW, SECOND_IS_REFUSED)
        visit(page, f"{address}/plugin/requests?flow={flow}")
        expect(page.get_by_role("row")).to_have_count(1 + 3)
        keep_picture("requests")
        page.get_by_role("button", name="failed 1").click()
        expect(page).to_have_url(re.compile("state=failed"))
        expect(page.get_by_role("row")).to_have_count(1 + 1)
        page.get_by_role("link", name="5702", exact=True).click()

        story = page.get_by_role("region", name="The story")
        expect(story).to_contain_text("and no call booked anything.")
        keep_picture("request")
        page.get_by_text("The ERP's answer").last.click()  # of the last call: a first one may have met a 401
        expect(page.get_by_role("group", name=re.compile("The ERP's answer")).last).to_contain_text(
            "The posting period 2026-02 is closed"
        )

        page.get_by_role("button", name="Redo…").click()
        expect(page.get_by_role("alertdialog")).to_contain_text("The ERP has not booked it.")
        confirm(page, "The period is open again", "Redo it")
        expect(story).to_contain_text("It is done again at the next run")

        live.begin(ALL_FINE, keep=True)
        _, ended = live.run(flow)
        assert ended == "success"
        expect(state_of(page)).to_have_text("done", timeout=UNDER_WAY_MS)  # without loading the page again
        expect(page.get_by_text("because: The period is open again")).to_be_visible()
        assert live.booked() == [5701, 5702, 5703]

    def test_log_is_one_click_away(self, page, address, refunds):
        """The timeline leads to the task's own log in Airflow."""
        open_request(page, address, refunds, 5702)
        page.get_by_role("link", name="Task log of Script").first.click()
        expect(page).to_have_url(re.compile(rf"/dags/{refunds}/runs/[^/]+/tasks/requests\.script/mapped/1"))
        expect(page.get_by_test_id("virtualized-list")).to_be_visible()

    def test_ones_are_chosen_by_keys_to_be_redone_together(self, page, address, refunds):
        """Each kind's meaning is stated before, a second booking in plain words; so far nothing is done."""
        visit(page, f"{address}/plugin/requests?flow={refunds}")
        page.get_by_role("checkbox", name=re.compile("Choose Request")).first.focus()
        page.keyboard.press("Space")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("Space")
        page.get_by_role("button", name="Redo…").click()
        dialog = page.get_by_role("alertdialog")
        expect(dialog).to_contain_text("the money moves twice")
        expect(dialog.get_by_role("button", name=re.compile("twice$"))).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog).to_be_hidden()
        expect(page.get_by_text("2 requests chosen")).to_be_visible()


class TestInDoubt:
    def test_is_settled_by_a_person_who_looked_into_the_erp(self, page, address, live):
        """Said to be booked, it is written back and never sent again."""
        flow = a_red_morning(live, "doubtful", WITHOUT_LOOK_UP, ANSWER_IS_LOST)
        open_request(page, address, flow, 5801)
        expect(state_of(page)).to_have_text("in doubt")
        page.get_by_role("button", name="The ERP has booked it…").click()
        expect(page.get_by_role("alertdialog")).to_contain_text("Omnitron")
        confirm(page, "Seen in the ERP as 77-1", "Yes, it is booked")
        decision = "decided by admin: booked, because: Seen in the ERP as 77-1"
        expect(page.get_by_text(decision, exact=True)).to_be_visible()
        live.begin(ALL_FINE, keep=True)
        _, ended = live.run(flow)
        assert ended == "success"
        expect(state_of(page)).to_have_text("done", timeout=UNDER_WAY_MS)
        assert live.booked() == [5801]


class TestPersonalData:
    def test_is_shown_for_a_reason_that_is_written_down(self, page, address, refunds):
        """Masked at first; who looked, and why, stands in the history."""
        open_request(page, address, refunds, 5702)
        page.get_by_text("The request as Omnitron had it").click()
        body = page.get_by_role("group", name=re.compile("The request as Omnitron had it"))
        expect(body).to_contain_text('"email": "***"')
        page.get_by_role("button", name="Reveal personal data…").click()
        confirm(page, "The customer is on the phone", "Reveal")
        expect(body).to_contain_text(re.compile(r'"email": "[^*"]+@'))
        expect(page.get_by_text("shown to admin, because: The customer is on the phone")).to_be_visible()
        expect(page.get_by_role("button", name="Mask it again")).to_be_focused()
        page.get_by_role("button", name="Mask it again").click()
        expect(body).to_contain_text('"email": "***"')


class TestRunTab:
    def test_shows_the_requests_of_its_run_alone(self, page, address, run, refunds):
        """From a run one tab leads to them."""
        visit(page, f"{address}/{run}")
        # before its tasks are listed, Airflow's page may still go to its own first tab, whatever was clicked
        expect(page.get_by_role("link", name="login", exact=True).first).to_be_visible()
        page.locator(f'a[href$="{run}/plugin/run-requests"]').click()
        expect(page.get_by_role("heading", name="Requests of this run")).to_be_visible()
        for request_id in (4701, 4702, 4703):
            expect(page.get_by_role("link", name=str(request_id), exact=True)).to_be_visible()
        expect(page.get_by_role("row")).to_have_count(1 + 3)


class TestViewer:
    def test_sees_all_and_can_do_nothing(self, viewers_page, address, refunds):
        """No boxes, no actions, and personal data masked for good."""
        page = viewers_page
        visit(page, f"{address}/plugin/requests?flow={refunds}")
        expect(page.get_by_role("row")).to_have_count(1 + 3)
        expect(page.get_by_role("checkbox")).to_have_count(0)
        open_request(page, address, refunds, 5702)
        expect(page.get_by_text("Personal data is masked.")).to_be_visible()
        expect(page.get_by_role("button", name=re.compile("Redo|booked|Reveal"))).to_have_count(0)


def test_everybody_can_use_the_pages(page, address, refunds, breaches):
    """No breach of WCAG 2.1 AA in both themes: a list with chosen rows, and a request with its bodies."""
    visit(page, f"{address}/plugin/requests?flow={refunds}")
    page.get_by_role("checkbox", name="Choose Request 5701").focus()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Redo…")).to_be_visible()
    found = {"list": breaches()}
    open_request(page, address, refunds, 5702)
    for body in ("The request as Omnitron had it", "What was sent to the ERP", "The ERP's answer"):
        page.get_by_text(body).last.click()
    found["request"] = breaches()
    assert found == {"list": [], "request": []}
