"""The page in headless Chromium, against a console without a graph."""

import os
import re
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


def shown(console, cameras=("front",), text="pick up the plate", **sections):
    """Puts a small robot on the board."""
    console.board.put(
        "static",
        {
            "platform": "small", "description": "", "namespace": "/pi05",
            "cameras": [{"name": name, "width": 64, "height": 48} for name in cameras],
            "names": ["arm_joint"], "units": ["rad"],
            "groups": [{"name": "arm", "begin": 0, "end": 1}],
            "vocabulary": ["pick up the plate", "pick up the cup"],
        },
    )  # fmt: skip
    console.board.put(
        "subtask",
        {
            "id": 1, "task": text, "text": text, "source": "human", "score": 0.5, "latency": 0.1,
            "boxes": [], "model_answered": True, "model_text": text, "model_score": 0.4,
        },
    )  # fmt: skip
    for name, value in sections.items():
        console.board.put(name, value)


LONG = "x" * 250
WIDTHS = (1400, 900, 390)


def test_long_words_make_no_page_wider(visit):
    with ServedConsole() as console:
        shown(
            console,
            text=LONG,
            robot={"mode": "holding", "reason": LONG},
            diagnostics={f"pi05/{LONG}": {"level": 1, "message": LONG, "values": {}}},
            task={"state": "done", "text": LONG, "message": LONG},
            decisions=[
                {"outcome": LONG, "answer": LONG, "trigger": LONG, "score": 0.5, "reason": LONG}
            ],
        )
        page = visit(console)
        expect(page, "#task").to_have_text(LONG)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            over = "document.documentElement.scrollWidth - window.innerWidth"
            assert page.evaluate(over) <= 0, width
            # What the robot says may not push the rest of the page away.
            assert page.locator("#banner").bounding_box()["height"] < 260, width


@pytest.mark.parametrize("count", [1, 2, 3, 4, 6])
def test_cameras_fill_the_width_whatever_their_number(visit, count):
    with ServedConsole() as console:
        shown(console, cameras=[f"camera_{k}" for k in range(count)])
        page = visit(console)
        expect(page, ".camera").to_have_count(count)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 800})
            outer = page.locator("#cameras").bounding_box()
            tiles = [tile.bounding_box() for tile in page.locator(".camera").all()]
            right = max(tile["x"] + tile["width"] for tile in tiles)
            assert right == pytest.approx(outer["x"] + outer["width"], abs=1), width
            assert max(tile["width"] for tile in tiles) == tiles[0]["width"]
            assert len({round(tile["width"]) for tile in tiles[1:]}) <= 1, width


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_the_banner_can_be_read(visit, scheme):
    with ServedConsole() as console:
        page = visit(console, color_scheme=scheme)
        for mode in ("running", "holding", "disarmed", "faulted", "stopped", "silent", "unknown"):
            shown(console, robot={"mode": mode, "reason": "because"})
            expect(page, "#mode").to_have_text(mode.upper())
            colour = page.evaluate(
                """() => {
                    document.getAnimations().forEach((a) => a.finish()); // It changes softly.
                    return getComputedStyle(document.querySelector("#banner")).backgroundColor;
                }"""
            )
            assert contrast_with_white(colour) >= 4.5, (mode, colour)


def contrast_with_white(colour):
    """As WCAG 2 reckons; colour: rgb(r, g, b)."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)]
    r, g, b = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 1.05 / (0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05)


def test_text_that_runs_backwards_turns_nothing_else_around(visit):
    with ServedConsole() as console:
        shown(console, text="pick up \u202e the plate")
        page = visit(console)
        expect(page, "#model").to_contain_text("40 %")
        order = page.evaluate(
            """() => {
                const text = document.querySelector("#model").lastChild, range = new Range();
                return [1, 4].map((at) => {
                    range.setStart(text, at), range.setEnd(text, at + 1);
                    return range.getBoundingClientRect().left;
                });
            }"""
        )
        assert order[0] < order[1]  # The 4 of "40 %" stands left of its sign.
