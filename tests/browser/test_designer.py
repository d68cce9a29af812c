"""What people do in the designer: build a flow and run it, repair one, time it, go back, try a card."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from in_browser import visit
from live_airflow import FLOW, Live, write_flow

pytestmark = [pytest.mark.needs("browser"), pytest.mark.timeout(300)]

TAKEN_UP_MS = 60_000
TWO_FINE = {"name": "all_fine", "requests": {"count": 2, "first_id": 6701}}
SCRIPT = """import json

request = json.loads(input_text)
session.putAttribute("kind", request["cancellation_type"])
outputStream.write(json.dumps({"id": request["id"], "sku": request["order_item"]["product"]["sku"]}))
"""
MAPPING = '[{"operation": "shift", "spec": {"id": "request_id", "sku": "item"}}]'
CARDS = (
    "get_data",
    "script",
    "mapping",
    "write_to_erp",
    "custom_response",
    "write_to_omnitron",
    "post_script",
    "schedule",
    "delivery",
    "about",
    "cases",
    "raw",
    "history",
)
COMMENT = "# nobody touches this line\n"


def make_flow(live: Live, name: str) -> str:
    """Write a flow of every step, with a comment that has to survive."""
    write_flow(live.flows, name, COMMENT + FLOW.replace("title: Every step", f"title: {name}"))
    return name


def open_card(page: Page, address: str, flow: str, card: str) -> Locator:
    """Open a card of a flow; returns the card."""
    visit(page, f"{address}/plugin/flows?flow={flow}&card={card}")
    expect(page.get_by_role("heading", level=2)).to_be_visible()
    return page.get_by_role("region").filter(has=page.get_by_role("heading", level=2))


def go_to(page: Page, card: str) -> None:
    """Go to another card by the navigation."""
    page.get_by_role("navigation", name="Cards").get_by_role("link", name=re.compile(f"^{card}")).click()
    expect(page.get_by_role("heading", name=card, level=2)).to_be_visible()


def write(page: Page, editor: str, text: str) -> None:
    """Put a text in place of what stands in a code editor."""
    page.get_by_role("textbox", name=editor, exact=True).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def save(page: Page, note: str = "") -> None:
    """Save, and wait until Airflow has it."""
    page.get_by_role("button", name="Save", exact=True).click()
    dialog = page.get_by_role("dialog")
    if note:
        dialog.get_by_role("textbox", name="Note").fill(note)
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("Saved, and live in Airflow")).to_be_visible(timeout=TAKEN_UP_MS)


def press_run(page):
    """Run the card's draft by its key, once the menu over it has gone."""
    expect(page.get_by_role("menu")).to_have_count(0)
    expect(page.get_by_role("button", name="Run", exact=True)).to_be_enabled()
    page.keyboard.press("Control+Enter")


class TestNewFlow:
    def test_is_built_from_nothing_tried_and_run(self, page, address, live, keep_picture):
        """From an empty list's button to bookings in the ERP's book."""
        live.begin(TWO_FINE)
        visit(page, f"{address}/plugin/flows")
        page.get_by_role("button", name="New flow").click()
        page.get_by_role("textbox", name="Title").fill("Acme, refunds")
        expect(page.get_by_role("textbox", name="Id")).to_have_value("acme_refunds")
        page.get_by_role("radio", name="Empty").check(force=True)
        page.get_by_role("button", name="Create").click()
        expect(page.get_by_role("heading", name="Acme, refunds")).to_be_visible()

        go_to(page, "Script")
        page.get_by_text("Off", exact=True).click()
        write(page, "Script", SCRIPT)
        page.get_by_role("button", name="Fetch from Omnitron").click()
        page.get_by_role("menuitem", name="One request, personal data masked").click()
        expect(page.get_by_role("textbox", name="Input")).to_contain_text("cancellation_type")
        press_run(page)
        expect(page.get_by_role("textbox", name="Result: result_data")).to_contain_text("AKN-")
        expect(page.get_by_role("region", name="attributes")).to_contain_text("kind")
        keep_picture("designer_script")

        go_to(page, "Mapping")
        page.get_by_text("Off", exact=True).click()
        write(page, "Mapping", MAPPING)
        page.get_by_role("button", name="Take the previous card's result").click()
        expect(page.get_by_role("textbox", name="Input")).to_contain_text("AKN-")
        press_run(page)
        rules = page.get_by_role("region", name="Which rule wrote each field")
        expect(rules).to_contain_text("request_id")
        page.get_by_role("button", name="Save as test case").click()
        page.get_by_role("textbox", name="Name").fill("plain")
        page.get_by_role("button", name="Keep as case").click()

        go_to(page, "Write Data to ERP")
        page.get_by_role("textbox", name="Cancellation Request API URL").fill("/cancellations")
        expect(page.get_by_text("If the ERP's answer gets lost")).to_be_visible()
        save(page, "It begins")

        run = re.compile("Unpause and run|Run now")
        page.get_by_role("button", name=run).click()
        page.get_by_role("alertdialog").get_by_role("button", name=run).click()
        expect(page.get_by_text("A run is queued")).to_be_visible()
        live.wait(lambda: live.booked() == [6701, 6702], "two bookings in the ERP's book", seconds=120)

    def test_has_an_id_that_is_checked_while_one_types(self, page, address, live):
        """The server's rule, said before anything is sent."""
        visit(page, f"{address}/plugin/flows")
        page.get_by_role("button", name="New flow").click()
        page.get_by_role("textbox", name="Id").fill("every_step")
        expect(page.get_by_text("There is a flow of this id.")).to_be_visible()
        expect(page.get_by_role("button", name="Create")).to_be_disabled()


class TestBrokenFlow:
    def test_says_what_is_wrong_in_the_list_and_is_repaired_as_text(self, page, address, live, keep_picture):
        """Somebody has spoilt flow.yaml in an editor."""
        flow = make_flow(live, "spoilt")
        file = live.flows / flow / "flow.yaml"
        good = file.read_text(encoding="utf-8")
        file.write_text(good.replace("status: approved", "status: aproved"), encoding="utf-8")
        visit(page, f"{address}/plugin/flows")
        row = page.get_by_role("row").filter(has_text=flow)
        expect(row).to_contain_text("broken")
        expect(row).to_contain_text("get_data.status")
        keep_picture("flows")

        row.get_by_role("link").first.click()
        expect(page.get_by_role("img", name="1 error")).to_be_visible()
        go_to(page, "flow.yaml")
        write(page, "flow.yaml", good)
        expect(page.get_by_role("img", name="1 error")).to_be_hidden()
        save(page)
        assert file.read_text(encoding="utf-8") == good

    def test_marks_an_error_in_a_script_at_its_line_and_is_not_saved(self, page, address, live):
        """Python 2 is told while one types."""
        flow = make_flow(live, "python_two")
        open_card(page, address, flow, "script")
        write(page, "Script", 'x = 1\nprint "hello"\n')
        expect(page.locator(".cm-lint-marker-error")).to_be_visible()
        expect(page.get_by_text(re.compile("script.py, line 2"))).to_be_visible()
        page.get_by_role("button", name=re.compile("Save .*to repair")).click()
        dialog = page.get_by_role("dialog")
        expect(dialog).to_contain_text("It can't be saved before this is repaired")
        expect(dialog.get_by_role("button", name="Save", exact=True)).to_be_disabled()


class TestTrial:
    def test_of_a_script_without_an_end_is_stopped_by_a_press(self, page, address, live):
        """Nobody waits for the script's time limit, and nothing goes on where nobody looks."""
        flow = make_flow(live, "endless")
        open_card(page, address, flow, "script")
        write(page, "Script", "while True:\n    pass\n")
        write(page, "Input", '{"id": 1}')
        press_run(page)
        page.get_by_role("button", name="Stop").press("Enter")
        expect(page.get_by_role("button", name="Stop")).to_have_count(0)
        write(page, "Script", 'print("quick")\n')
        press_run(page)
        expect(page.get_by_text("quick", exact=True)).to_be_visible()


class TestSchedule:
    def test_is_saved_alone_and_no_other_line_changes(self, page, address, live, keep_picture):
        """In words, with the next times, in the flow's own time zone."""
        flow = make_flow(live, "timed")
        file = live.flows / flow / "flow.yaml"
        before = file.read_text(encoding="utf-8")
        open_card(page, address, flow, "schedule")
        page.get_by_text("Cron", exact=True).click()
        page.get_by_role("textbox", name="Cron").fill("30 3 * * *")
        page.get_by_role("combobox", name="Time zone").fill("Europe/Istanbul")
        expect(page.get_by_text(re.compile(r"\d{4}-\d\d-\d\d 03:30 \+03:00")).first).to_be_visible()
        keep_picture("designer_schedule")
        save(page)
        after = file.read_text(encoding="utf-8")
        assert "30 3 * * *" in after
        assert [line for line in before.splitlines() if line not in after.splitlines()] == []


class TestHistory:
    def test_shows_what_changed_and_brings_an_old_version_back(self, page, address, live):
        """Who, when and why, as a diff; restored as a new version."""
        flow = make_flow(live, "changing")
        script = live.flows / flow / "script.py"
        before = script.read_text(encoding="utf-8")
        open_card(page, address, flow, "script")
        write(page, "Script", "outputStream.write(input_text)\n" + "# a long file\n" * 60)
        save(page, "Nothing is changed any more")

        go_to(page, "History")
        row = page.get_by_role("row").filter(has_text="Nothing is changed any more")
        expect(row).to_contain_text("current")
        row.get_by_role("button", name="Changes").click()
        expect(page.get_by_role("region", name="Difference in script.py")).to_contain_text(
            "+outputStream.write(input_text)"
        )
        page.get_by_role("button", name="Restore", disabled=False).first.click()
        dialog = page.get_by_role("alertdialog")
        expect(dialog.get_by_role("region", name="Difference in script.py")).to_be_visible()
        expect(dialog.get_by_role("button", name="Restore")).to_be_in_viewport(ratio=1)
        dialog.get_by_role("button", name="Restore").click()
        expect(page.get_by_text(re.compile("Restored the version of"))).to_be_visible(timeout=TAKEN_UP_MS)
        assert script.read_text(encoding="utf-8") == before


class TestTwoPeople:
    def test_both_see_what_the_other_has_changed(self, page, address, live):
        """Mine goes on top; theirs stays where I touched nothing."""
        flow = make_flow(live, "shared")
        folder = live.flows / flow
        open_card(page, address, flow, "write_to_erp")
        page.get_by_role("textbox", name="Cancellation Request API URL").fill("/refunds")
        (folder / "post.py").write_text("x = 1  # theirs\n", encoding="utf-8")

        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
        dialog = page.get_by_role("dialog", name="Somebody has changed this flow meanwhile")
        expect(dialog).to_contain_text("+x = 1  # theirs")
        dialog.get_by_role("button", name="Keep mine on top").click()
        expect(page.get_by_text("Saved, and live in Airflow")).to_be_visible(timeout=TAKEN_UP_MS)
        assert "url: /refunds" in (folder / "flow.yaml").read_text(encoding="utf-8")
        assert COMMENT in (folder / "flow.yaml").read_text(encoding="utf-8")
        assert (folder / "post.py").read_text(encoding="utf-8") == "x = 1  # theirs\n"

    def test_what_is_not_saved_is_not_lost_by_a_click(self, page, address, live):
        """Airflow's own menu is guarded too."""
        flow = make_flow(live, "left")
        open_card(page, address, flow, "about")
        page.get_by_role("textbox", name="Owner").fill("me")
        page.get_by_test_id("nav-sidebar").get_by_text("Dags", exact=True).click()
        dialog = page.get_by_role("alertdialog", name="Leave without saving?")
        dialog.get_by_role("button", name="Cancel").click()
        expect(page.get_by_role("textbox", name="Owner")).to_have_value("me")

    def test_who_may_only_look_reads_why(self, viewers_page, address, live):
        """A viewer sees every card, and no way to change one."""
        flow = make_flow(live, "looked_at")
        open_card(viewers_page, address, flow, "write_to_erp")
        expect(viewers_page.get_by_text("Your role in Airflow lets you look")).to_be_visible()
        expect(viewers_page.get_by_role("textbox", name="Cancellation Request API URL")).to_be_disabled()


class TestTab:
    def test_of_a_dag_shows_the_flow(self, page, address, live):
        """The same cards, where Airflow's users look first."""
        visit(page, f"{address}/dags/every_step")
        page.get_by_role("link", name="Flow", exact=True).click()
        expect(page.get_by_role("heading", name="Get Data From Omnitron", level=2)).to_be_visible()

    def test_of_another_dag_says_that_it_is_no_flow(self, page, address, live):
        visit(page, f"{address}/dags/change_schedule/plugin/flow")
        expect(page.get_by_text("change_schedule is no flow")).to_be_visible()


def test_every_card_can_be_used_by_everybody(
    page: Page, address: str, breaches: Callable[[], list[str]], keep_picture: Callable[[str], None]
) -> None:
    """No breach of WCAG 2.1 AA on the list and on each card, in both themes."""
    visit(page, f"{address}/plugin/flows")
    expect(page.get_by_role("heading", name=re.compile("flows?$"))).to_be_visible()
    found = {"list": breaches()}
    open_card(page, address, "every_step", CARDS[0])
    for card in CARDS:
        link = page.get_by_role("navigation", name="Cards").locator(f"a[href*='card={card}']")
        link.press("Enter")
        expect(link).to_have_attribute("aria-current", "page")
        found[card] = breaches()
        if card == "write_to_erp":
            keep_picture("designer_light")
    assert {card: broken for card, broken in found.items() if broken} == {}
