"""What people see in Airflow's own pages of the flows."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Locator, Page, expect

from in_browser import visit
from live_airflow import connections_to

pytestmark = [pytest.mark.needs("browser"), pytest.mark.timeout(240)]

PARAMETERS = ("Request ids", "Modified from", "Modified to", "Limit", "Dry run", "Redo")
ERP_FIELDS = (
    "Login kind",
    "Login URL",
    "Login headers",
    "Extra login body",
    "Token path",
    "Header",
    "Prefix",
    "Grant type",
    "OAuth URL",
    "Client id",
    "Client secret",
    "Scope",
    "Client authentication",
    "Refresh token",
    "Secret headers",
    "Verify TLS",
    "Proxy",
)


class TestRun:
    def test_names_its_rows_after_requests(self, page, address, run):
        """A request has its number and its order's in the table of task instances."""
        visit(page, f"{address}/{run}")
        for request_id in (4701, 4702, 4703):
            expect(page.get_by_text(re.compile(rf"#{request_id} · order \d+")).first).to_be_visible()
        page.get_by_role("button", name="Expand all task groups").click()
        expect(page.get_by_text("write_to_erp").first).to_be_visible()

    def test_report_names_what_failed_once_and_in_the_open(self, page, address, run, keep_picture):
        """Nothing has to be unfolded to read which request failed, where, and what to do."""
        visit(page, f"{address}/{run}/tasks/report")
        log = page.get_by_test_id("virtualized-list")
        expect(log).to_contain_text("this run: 2 done, 1 failed")
        expect(log).to_contain_text("What to do")
        said = log.inner_text()
        assert said.count("Request 4702: failed at custom_response: the ERP answered 422") == 1
        assert "Request 4701" not in said
        log.get_by_text("AirflowFailException").click()  # folds Airflow's own traceback
        keep_picture("report")

    def test_log_of_a_batch_tells_why_its_request_was_refused(self, page, address, run):
        """The attributes for the log and the ERP's answer are there, the protections are folded."""
        visit(page, f"{address}/{run}/tasks/requests.custom_response/mapped/1")
        log = page.get_by_test_id("virtualized-list")
        expect(log).to_contain_text("Request 4702: refused at custom_response: the ERP answered 422")
        expect(log).to_contain_text("Protections around response.py")
        assert "in force" not in log.inner_text()


class TestFlow:
    def test_a_broken_one_shows_each_problem_on_a_line_of_its_own(self, page, address):
        """The errors are a list, not one block of code."""
        visit(page, f"{address}/dags/not_valid")
        page.get_by_role("button", name="Dag Docs").click()
        problems = page.get_by_role("dialog").get_by_role("listitem")
        expect(problems.filter(has_text="nonsense: unknown key")).to_have_count(1)
        expect(problems.filter(has_text="get_data.connection:")).to_have_count(1)

    def test_trigger_form_shows_and_explains_every_parameter_at_once(self, page, address, keep_picture):
        """No section has to be opened first."""
        visit(page, f"{address}/dags/every_step")
        page.get_by_role("button", name="Trigger Dag").click()
        form = page.get_by_role("dialog")
        for label in PARAMETERS:
            expect(labelled(form, label)).to_be_visible()
        for words in (
            "whatever their status",
            "at or after this time",
            "nothing is written to the ERP",
            "second time",
        ):
            expect(form.get_by_text(words)).to_be_visible()
        keep_picture("trigger")


class TestConnectionForm:
    def test_of_omnitron_asks_for_address_user_and_password(self, page, address):
        """By the names that people know them by."""
        form = open_connection_form(page, address, "Omnitron")
        for label in ("Base URL", "User name", "Password"):
            expect(labelled(form, label)).to_be_visible()

    def test_of_an_erp_offers_every_field_and_shows_tls_checks_on(self, page, address):
        """A new connection checks certificates, and its form says so."""
        form = open_connection_form(page, address, "ERP")
        form.get_by_role("button", name="Extra Fields", exact=True).click()
        for label in ERP_FIELDS:
            expect(labelled(form, label)).to_be_visible()
        expect(form.get_by_role("checkbox", name="Verify TLS")).to_be_checked()
        assert "null" not in form.inner_text()


class TestTestButton:
    @pytest.mark.parametrize(
        ("password", "said"),
        [("erp-secret", "Logged in to"), ("wrong", "This connection: login with POST")],
        ids=["right password", "wrong password"],
    )
    def test_says_what_came_of_the_login(self, page, address, live, password, said):
        """The reason is on the page, and the password is not."""
        at = urlsplit(live.sandbox.erp_url)
        connection = connections_to(live.sandbox)["erp_default"] | {"password": password}
        connection |= {"host": f"http://{at.hostname}{at.path}", "port": at.port}
        live.airflow.api.set_connection("tested", connection)
        page.goto(f"{address}/connections")  # its list does not hear of what others add
        row = page.get_by_role("row").filter(has_text="tested")
        row.get_by_role("button", name="Test Connection").click()
        expect(page.get_by_text(said)).to_be_visible(timeout=15_000)
        assert password not in page.get_by_text(said).inner_text()


def labelled(form: Locator, label: str) -> Locator:
    """Find a field's label; behind that of a field that needs a value stands an asterisk."""
    return form.get_by_text(re.compile(rf"^{re.escape(label)}\s*\*?$"))


def open_connection_form(page: Page, address: str, kind: str) -> Locator:
    """Open the form of a new connection of one type."""
    visit(page, f"{address}/connections")
    page.get_by_role("button", name="Add Connection").click()
    form = page.get_by_role("dialog")
    form.get_by_role("combobox").click()
    page.keyboard.type(kind)
    page.get_by_role("option", name=kind, exact=True).click()
    return form
