"""A signed-in browser on the real Airflow of the session."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from in_browser import leave
from live_airflow import ROOT, Live, share, until_the_last
from needs import find_browser
from order_cancellation.demo.rest import read_password

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
IMAGES = ROOT / "docs" / "images"
# what a page hears when the theme is changed in another tab: it need not be loaded again
CHOOSE_THEME = """(theme) => {
    localStorage.setItem("theme", theme);
    window.dispatchEvent(new StorageEvent("storage", {key: "theme", newValue: theme}));
}"""
FORGET = """() => {
    localStorage.clear();
    window.dispatchEvent(new StorageEvent("storage", {key: "theme", newValue: null}));
}"""
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
SLOW_MS = 30_000

THREE_OF_WHICH_ONE_IS_REFUSED = {
    "name": "one_refused",
    "requests": {"count": 3, "first_id": 4701},
    "rules": [
        {
            "match": {"route": "erp.book", "position": 2},
            "then": {"status": 422, "body": {"code": "PERIOD_CLOSED"}, "book": "never"},
        }
    ],
}


def pytest_configure(config: pytest.Config) -> None:
    """Make ``live`` known: the Airflow that the other tests on a real one use too."""
    share(config)


@dataclass
class Visitor:
    """Somebody's browser, signed in.

    Args:
        context: The browser.
        life: Which of Airflow's lives its pages are of.
    """

    context: BrowserContext
    life: int


@pytest.fixture(scope="session")
def chromium(live: Live, pytestconfig: pytest.Config) -> Browser:
    """The installed browser; it goes before Airflow does, for Playwright keeps an event loop running."""
    ending = until_the_last(pytestconfig)
    playwright = ending.enter_context(sync_playwright())
    browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
    ending.callback(browser.close)
    expect.set_options(timeout=SLOW_MS)  # for all pages, as their contexts' own is for clicks
    return browser


@pytest.fixture(scope="session")
def address(live: Live) -> str:
    """Where the pages are: what the browser and Airflow's own links both use."""
    return live.airflow.place.url


@pytest.fixture(scope="session")
def admin(chromium: Browser, address: str, live: Live) -> Visitor:
    """Somebody who may do all."""
    return Visitor(signed_in(chromium, address, live.airflow.user, live.airflow.password), live.lives)


@pytest.fixture(scope="session")
def viewer(chromium: Browser, address: str, live: Live) -> Visitor:
    """Somebody who may only look."""
    return Visitor(signed_in(chromium, address, "viewer", read_password(live.home, "viewer")), live.lives)


@pytest.fixture
def page(admin: Visitor, address: str, live: Live) -> Iterator[Page]:
    """A tab of somebody who is signed in."""
    with tab(admin, address, live) as page:
        yield page


@pytest.fixture
def viewers_page(viewer: Visitor, address: str, live: Live) -> Iterator[Page]:
    """A tab of somebody who may only look."""
    with tab(viewer, address, live) as page:
        yield page


def signed_in(chromium: Browser, address: str, user: str, password: str) -> BrowserContext:
    """Sign in as people do, and leave the tab open."""
    context = chromium.new_context(viewport={"width": 1280, "height": 800}, locale="en-US", timezone_id="UTC")
    context.set_default_timeout(SLOW_MS)
    page = context.new_page()
    page.goto(f"{address}/dags")
    page.locator("input[name=username]").fill(user)
    page.locator("input[name=password]").fill(password)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/dags**")
    return context


@contextmanager
def tab(visitor: Visitor, address: str, live: Live) -> Iterator[Page]:
    """Lend a tab; a script error in it fails the test.

    Where it can't be left empty, and after a new start of Airflow, the next one is new.
    """
    context = visitor.context
    if visitor.life != live.lives:
        visitor.life = live.lives
        for stale in context.pages:
            stale.close()
    page = context.pages[0] if context.pages else context.new_page()
    errors: list[str] = []

    def note(error: Error) -> None:
        errors.append(str(error))

    page.on("pageerror", note)
    yield page
    page.remove_listener("pageerror", note)
    for other in context.pages[1:]:
        other.close()
    page.evaluate(FORGET)
    if not leave(page, address):
        page.close()
    assert errors == []


@pytest.fixture(scope="session")
def run(live: Live) -> str:
    """A run over three requests, of which the ERP refuses the second; its path below the address."""
    live.begin(THREE_OF_WHICH_ONE_IS_REFUSED)
    run_id, state = live.run("every_step")
    assert state == "failed", live.states("every_step", run_id)
    return f"dags/every_step/runs/{run_id}"


@pytest.fixture
def keep_picture(page: Page) -> Callable[[str], None]:
    """Keep a picture for the documentation, where SCREENSHOTS=1 asks for it."""

    def keep(name: str) -> None:
        if os.environ.get("SCREENSHOTS") == "1":
            IMAGES.mkdir(parents=True, exist_ok=True)
            page.wait_for_timeout(1000)  # dialogs slide in
            page.screenshot(path=Path(IMAGES, f"{name}.png"))

    return keep


@pytest.fixture(scope="session")
def axe(page_packages: Path) -> str:
    """The checker of accessibility, from the pages' locked packages."""
    return (page_packages / "axe-core" / "axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def breaches(page: Page, axe: str) -> Callable[[], list[str]]:
    """What keeps somebody from using our part of the page: breaches of WCAG 2.1 AA, in both themes.

    They differ in their colours and in nothing else.
    """

    def find(theme: str, rules: dict[str, object]) -> list[str]:
        page.evaluate(CHOOSE_THEME, theme)
        page.wait_for_function("(theme) => document.documentElement.classList.contains(theme)", arg=theme)
        page.wait_for_function("document.getAnimations().every((one) => one.playState !== 'running')")
        page.evaluate(axe)
        found = page.evaluate(
            "(rules) => axe.run('[data-testid=order-cancellation]', {runOnly: rules})", rules
        )
        return [
            f"{theme}: {one['id']}: {node['html'][:200]}"
            for one in found["violations"]
            for node in one["nodes"]
        ]

    return lambda: find("dark", COLOURS) + find("light", RULES)
