"""How the browser's tests get from page to page: as a link does; loading Airflow's pages takes seconds."""

from __future__ import annotations

from urllib.parse import urlsplit

from playwright.sync_api import Page

__all__ = ["leave", "visit"]

NOWHERE = "/nowhere"
GO = """(place) => {
    history.pushState(null, "", place);
    dispatchEvent(new PopStateEvent("popstate", {state: null}));
}"""
IS_THERE = """() => {
    if (document.body.innerText.includes("Page Not Found")) return "left";
    return document.querySelector("[role=dialog], [role=alertdialog]") && "asked";
}"""


def visit(page: Page, url: str) -> None:
    """Open a page: nothing of the one before is left, whichever it was.

    What Airflow's own pages have read they keep for minutes: where a test changes it behind their back, it
    has to load them with ``page.goto``.
    """
    if leave(page, url):
        page.evaluate(GO, url)
    else:
        page.goto(url)


def leave(page: Page, url: str) -> bool:
    """Leave for a page that is none, if the tab is in Airflow; False where that asks something first.

    Args:
        page: The tab.
        url: Any page of the same Airflow.
    """
    if urlsplit(page.url)[:2] != urlsplit(url)[:2]:
        return False
    page.evaluate(GO, NOWHERE)
    return bool(page.wait_for_function(IS_THERE).json_value() == "left")
