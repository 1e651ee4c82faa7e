"""The workbench in Debian's Chromium, as a curator uses it: by keyboard, on a desktop and on a phone.

Screenshots go to `FAWEN_SCREENSHOTS` where it is set, to be looked at.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from knowledge.database import Database
from tests.conftest import PASSWORD, Served, add_staff, serving

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
ODD = "公司食堂养的鹅跑到马路上被车压了，司机要公司赔车漆，公司要赔吗，鹅的钱谁出"

pytestmark = pytest.mark.browser


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
    with serving(sqlite) as served:
        yield served


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Page]:
    """A page of each width; a script error or a request to another host fails the test."""
    width, height = SIZES[request.param]
    context = chromium.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
    page = context.new_page()
    troubles: list[str] = []
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    page.on("request", lambda sent: None if "//127.0.0.1:" in sent.url else troubles.append(sent.url))
    yield page
    context.close()
    # A refused form (401, 409) is logged by the browser as a failed load: that is what it should be.
    assert not [text for text in troubles if "Failed to load resource" not in text], troubles


def photograph(page: Page, name: str) -> None:
    folder = os.environ.get("FAWEN_SCREENSHOTS")
    if folder:
        width = page.viewport_size["width"] if page.viewport_size else 0
        page.screenshot(path=f"{folder}/{name}-{width}.png", full_page=True)


def test_a_curator_signs_in_and_answers_by_keyboard(served: Served, page: Page) -> None:
    add_staff(served.database)
    zhang = served.user("zhang")
    found = re.search(r"Q\d{8}-\d{4}", zhang.says(ODD).text)
    assert found
    number = found[0]

    page.goto(f"{served.url}/admin/")
    photograph(page, "sign-in")
    expect(page.get_by_label("用户名")).to_be_focused()
    page.keyboard.type("李")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("用户名或密码不对")
    page.get_by_label("密码").fill(PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="待解问题")).to_be_visible()
    photograph(page, "inquiries")
    page.get_by_role("link", name=re.compile("鹅跑到马路上")).click()
    expect(page.get_by_role("heading", name=number)).to_be_visible()
    photograph(page, "inquiry")
    page.get_by_label("答复提问人").fill("鹅由公司饲养管理，造成损失的，公司一般要赔偿。")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_text("待送达")).to_be_visible()
    photograph(page, "answered")
    zhang.says("你好").hears("鹅由公司饲养管理")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_curator_reads_an_entry(served: Served, page: Page) -> None:
    add_staff(served.database)
    page.goto(f"{served.url}/admin/entries")
    page.get_by_label("用户名").fill("李")
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()

    page.get_by_label("查找条目").fill("试用期")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name=re.compile("试用期最长多久"))).to_be_visible()
    photograph(page, "entries")
    page.get_by_role("link", name=re.compile("试用期最长多久")).click()

    expect(page.get_by_text("《劳动合同法》第十九条")).to_be_visible()
    expect(page.get_by_text("本条尚未经律师复核")).to_be_visible()
    photograph(page, "entry")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
