"""Where the focus is after what was done, and flows that leave and come back as files."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from in_browser import visit
from live_airflow import FLOW, write_flow

pytestmark = [pytest.mark.needs("browser"), pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def flow(live) -> str:
    """A flow that no other module changes."""
    write_flow(live.flows, "by_keys", FLOW.replace("title: Every step", "title: By keys"))
    return "by_keys"


def show_list(page: Page, address: str) -> None:
    """Go to the list of flows."""
    visit(page, f"{address}/plugin/flows")
    expect(page.get_by_role("heading", name=re.compile("flows?$"))).to_be_visible()


def choose(page: Page, flow: str, item: str) -> None:
    """Choose from the menu of a flow's row, with the mouse."""
    page.get_by_role("button", name=f"Actions for {flow}").click()
    page.get_by_role("menuitem", name=item).click()


class TestFocus:
    def test_stays_on_the_button_that_could_not_be_pressed_for_a_while(self, page, address, flow):
        """A browser takes it from a button that is disabled; a keyboard's way would begin anew."""
        visit(page, f"{address}/plugin/flows?flow={flow}&card=script")
        page.get_by_role("textbox", name="Input").click()
        page.keyboard.insert_text('{"id": 1, "order_item": {"product": {"sku": "A"}}}')
        for name, told in (("Run", "ran"), ("Compare with live", "gives the same result")):
            page.get_by_role("button", name=name, exact=True).press("Enter")
            expect(page.get_by_text(told).first).to_be_visible()
            expect(page.get_by_role("button", name=name, exact=True)).to_be_focused()

    def test_goes_to_the_flows_name_after_a_save_whose_button_is_disabled_by_then(self, page, address, flow):
        visit(page, f"{address}/plugin/flows?flow={flow}&card=about")
        page.get_by_role("textbox", name="Owner").fill("somebody")
        page.get_by_role("button", name="Save", exact=True).press("Enter")
        page.get_by_role("dialog").get_by_role("textbox", name="Note").press("Enter")
        expect(page.get_by_role("dialog")).to_have_count(0)
        expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
        expect(page.get_by_role("heading", level=1)).to_be_focused()

    @pytest.mark.parametrize("item", ["Duplicate", "Delete…"])
    def test_is_on_the_rows_button_again_after_its_dialog(self, page, address, flow, item):
        show_list(page, address)
        choose(page, flow, item)
        expect(page.get_by_role("textbox").first).to_be_focused()
        page.keyboard.press("Escape")
        expect(page.get_by_role("button", name=f"Actions for {flow}")).to_be_focused()


def test_an_exported_flow_is_imported_under_another_name(page, address, live, flow, tmp_path):
    """What comes back is what left, file for file."""
    show_list(page, address)
    with page.expect_download() as started:
        choose(page, flow, "Export (zip)")
    archive = tmp_path / started.value.suggested_filename
    started.value.save_as(archive)
    page.get_by_role("button", name="Import").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=file]").set_input_files(archive)
    expect(dialog.get_by_text("There is a flow of this id.")).to_be_visible()
    dialog.get_by_role("textbox", name="Id").fill("come_back")
    dialog.get_by_role("button", name="Import").click()
    expect(page.get_by_role("heading", level=1, name="By keys")).to_be_focused()
    kept, back = (
        {file.name: file.read_bytes() for file in (live.flows / name).iterdir()}
        for name in (flow, "come_back")
    )
    assert back == kept


def test_a_narrow_window_shows_a_rows_last_column(page, address, flow):
    """The menu, which has all that can be done with a flow, was cut off."""
    show_list(page, address)
    page.set_viewport_size({"width": 700, "height": 800})
    try:
        button = page.get_by_role("button", name=f"Actions for {flow}")
        button.scroll_into_view_if_needed()
        table = page.get_by_role("table").evaluate("(of) => [of.scrollWidth, of.parentElement.clientWidth]")
        assert table[0] <= table[1]
    finally:
        page.set_viewport_size({"width": 1280, "height": 800})


def test_a_script_is_typed_letter_by_letter(page, address, live):
    """The server checks meanwhile, and the editor stays; also after a save of something else."""
    write_flow(live.flows, "typed", FLOW.replace("title: Every step", "title: Typed"))
    visit(page, f"{address}/plugin/flows?flow=typed&card=about")
    page.get_by_role("textbox", name="Owner").fill("somebody")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("button", name="Save", exact=True)).to_be_disabled()
    page.get_by_role("navigation", name="Cards").get_by_role("link", name="Script").first.click()
    editor = page.get_by_role("textbox", name="Script", exact=True)
    editor.click()
    page.keyboard.press("Control+Home")
    page.keyboard.type("# by hand: ", delay=120)
    page.wait_for_timeout(1000)
    page.keyboard.type("two", delay=120)
    expect(editor).to_contain_text("# by hand: two")
    expect(editor).to_be_focused()
