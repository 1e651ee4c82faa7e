"""Debian's Chromium for every browser test, on two widths.

Screenshots go to `FAWEN_SCREENSHOTS` where it is set, to be looked at.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from knowledge.database import Database
from tests.conftest import Served, serving

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SIZES = {"desktop": (1440, 900), "phone": (390, 844)}
AXE = Axe()
GRAVE = {"serious", "critical"}
# No test measures time: a loaded machine gets as long as it needs, a page that never comes still fails.
PATIENCE_MS = 60_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, without a word to the outside."""
    if not CHROMIUM.exists():
        assert not os.environ.get("CI"), "chromium is missing: .ci/run installs it"
        pytest.skip("no /usr/bin/chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def served(sqlite: Database) -> Iterator[Served]:
    """A running Fawen; the kind of store makes no difference to a page."""
    with serving(sqlite, works=True) as served:
        yield served


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A page of each width; a script error or a request to another host fails the test."""
    width, height = SIZES[request.param]
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("request", lambda sent: None if "//127.0.0.1:" in sent.url else troubles.append(sent.url))
    yield page
    context.close()
    # A refused form (401, 409) is logged by the browser as a failed load: that is what it should be.
    assert not [text for text in troubles if "Failed to load resource" not in text], troubles


def photograph(page: Page, name: str) -> None:
    """Keep a picture, and see that nobody is shut out: no serious finding of axe, nothing wider than the screen."""
    page.wait_for_load_state()
    found = AXE.run(page).response["violations"]
    serious = [(one["id"], [node["html"][:120] for node in one["nodes"]]) for one in found if one["impact"] in GRAVE]
    assert not serious, f"{name}: {serious}"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), f"{name} is too wide"
    folder = os.environ.get("FAWEN_SCREENSHOTS")
    if folder:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)
