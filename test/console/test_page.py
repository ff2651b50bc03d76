"""The page in headless Chromium, against a console without a graph."""

import os
import shutil

import pytest

pytest.importorskip("playwright", reason="playwright is not installed (requirements/tools.txt)")

import playwright.sync_api as playwright
from fakes.console_pages import ServedConsole

CHROMIUM = os.environ.get("PI05_CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="there is no chromium on PATH (apt install chromium)"
)
TOKEN = "a-long-enough-token"


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        # Root needs --no-sandbox; the only page that is opened is ours.
        yield p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def visit(browser):
    """Opens a console's page in a browser of its own, which forgets all at the end."""
    made = []

    def open_page(console, **options):
        made.append(browser.new_context(**options))
        page = made[-1].new_page()
        page.goto(console.url)
        return page

    yield open_page
    for context in made:
        context.close()


def expect(page, selector):
    return playwright.expect(page.locator(selector))


def test_the_token_is_entered_in_a_browser(visit):
    with ServedConsole(token=TOKEN) as console:
        page = visit(console)
        page.fill("input[name=token]", TOKEN)
        page.click("button")
        expect(page, "#link").to_have_text("connected")
        page.click("#stop")
        expect(page, "#messages").to_contain_text("stopped")
