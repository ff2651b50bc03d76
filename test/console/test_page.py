"""The page in headless Chromium, against a console without a graph."""

import os
import re
import shutil

import pytest

pytest.importorskip("playwright", reason="playwright is not installed (requirements/tools.txt)")

import playwright.sync_api as playwright
from fakes.console_pages import ServedConsole
from fakes.contrast import faint_texts

from pi05_ros.console.answers import Answer
from pi05_ros.console.gate import Gate
from pi05_ros.console.server import Server

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
        page.fill("input[name=token]", "wrong-wrong-wrong")
        page.click("button")
        expect(page, "[role=status]").to_have_text(
            "Wrong token. Enter the access token of this robot."
        )
        page.fill("input[name=token]", TOKEN)
        page.click("button")
        expect(page, "#link").to_have_text("connected")
        page.click("#stop")
        expect(page, "#messages").to_contain_text("stopped")


def take_control(page):
    page.click("#take")
    expect(page, "#take").to_have_text("Release control")


def test_an_old_token_is_asked_for_anew(visit):
    with ServedConsole(token=TOKEN) as console:
        page = visit(console)
        page.fill("input[name=token]", TOKEN)
        page.click("button")
        expect(page, "#link").to_have_text("connected")
        console.server.close()
        other = Gate("127.0.0.1", f"another-{TOKEN}")
        console.server = Server(console.hub, other, console.server.port)
        expect(page, "input[name=token]").to_be_visible()


def test_a_hidden_tab_gathers_no_work(visit):
    with ServedConsole() as console:
        page = visit(console)
        expect(page, "#link").to_have_text("connected")
        page.evaluate(
            """() => {
                window.asked = 0; // A browser calls no frames of a hidden tab.
                window.requestAnimationFrame = () => { window.asked += 1; };
            }"""
        )
        page.wait_for_timeout(1000)
        assert page.evaluate("window.asked") == 1


def test_a_browser_that_keeps_nothing_shows_the_page(visit):
    with ServedConsole() as console:
        page = visit(console)
        page.add_init_script(
            """Object.defineProperty(window, "localStorage", {
                get() { throw new DOMException("denied", "SecurityError"); }
            });"""
        )
        page.reload()
        expect(page, "#link").to_have_text("connected")
        page.fill("#operator", "ada")
        take_control(page)
        assert console.control.holder.name == "ada"
        page.keyboard.press("Escape")
        expect(page, "#messages").to_contain_text("stopped")


def test_what_was_refused_need_not_be_typed_again(visit):
    with ServedConsole() as console:
        shown(console)

        async def refuse(name, arguments):
            return Answer(409, "check the page, then repeat")

        page = visit(console)
        take_control(page)
        for field, button in (("#task-text", "Start"), ("#say-text", "Say")):
            page.fill(field, "pick up the plate")
            page.get_by_role("button", name=button, exact=True).click()
            expect(page, field).to_have_value("")
        done, console.robot.do = console.robot.do, refuse
        page.fill("#episode-notes", "by the window")
        page.click("#episode-start")
        expect(page, "#episode-notes").to_have_value("by the window")
        page.fill("#say-text", "pick up the cup")
        page.press("#say-text", "Enter")
        expect(page, "#messages").to_contain_text("check the page, then repeat")
        expect(page, "#say-text").to_have_value("pick up the cup")
        console.robot.do = done


def test_taking_over_is_asked_in_the_page_where_stop_works(visit):
    with ServedConsole() as console:
        holder, page = visit(console), visit(console)
        dialogs = []
        page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
        take_control(holder)
        first = console.control.holder
        expect(page, "#take").to_have_text("Take over")  # It has heard who holds control.
        page.click("#take")
        expect(page, "#take").to_have_text(re.compile("^Confirm: from"))
        assert console.control.holder.session == first.session and dialogs == []
        page.keyboard.press("Escape")
        expect(page, "#messages").to_contain_text("stopped")
        expect(page, "#take").to_have_text("Take over", timeout=10_000)
        page.dblclick("#take")
        expect(page, "#take").to_have_text(re.compile("^Confirm: from"))
        page.wait_for_timeout(500)
        page.click("#take")
        expect(page, "#take").to_have_text("Release control")
        expect(holder, "#take").to_have_text("Take over")


def test_keys_are_for_whoever_holds_control_and_types_nothing(visit):
    with ServedConsole() as console:
        shown(console)
        page = visit(console)
        expect(page, ".picks button").to_have_count(2)
        page.keyboard.press("1")
        take_control(page)
        page.keyboard.press("/")
        page.keyboard.type("1 m/ 2")
        expect(page, "#say-text").to_have_value("1 m/ 2")
        assert (console.robot.done, console.robot.stops) == ([], 0)
        page.fill("#say-text", "")
        page.evaluate("document.activeElement.blur()")
        page.keyboard.press("2")
        expect(page, "#messages").to_contain_text("instruct done")
        assert console.robot.done == [("instruct", {"text": "pick up the cup"})]
        page.focus("#arm")
        page.keyboard.press("Space")  # Even on another button.
        expect(page, "#messages").to_contain_text("stopped")
        assert console.robot.done == [("instruct", {"text": "pick up the cup"})]


def test_stop_works_where_scripts_do_not_run(visit):
    with ServedConsole() as console:
        page = visit(console, java_script_enabled=False)
        assert "This page needs JavaScript" in page.locator("noscript").text_content()
        page.click("#stop")
        expect(page, "body").to_contain_text("stopped")
        assert console.robot.stops == 1


def test_diagnostics_of_another_robot_are_not_taken_for_ours(visit):
    with ServedConsole() as console:
        fine = {"level": 0, "message": "fine", "values": {}}
        names = ("pi05/planner", "robot2/pi05/planner", "battery: left", "pi05/arm/motor")
        shown(console, diagnostics=dict.fromkeys(names, fine))
        page = visit(console)
        expect(page, "#diagnostics li span:first-child").to_have_text(
            ["battery: left", "arm/motor", "planner", "robot2/pi05/planner"]
        )


def test_stop_goes_by_http_while_the_websocket_is_down(visit):
    with ServedConsole() as console:
        page = visit(console)
        page.add_init_script("window.WebSocket = class { constructor() {} };")
        page.reload()
        expect(page, "#mode").to_have_text("CONNECTING")
        page.keyboard.press("Space")
        expect(page, "#messages").to_contain_text("stopped")
        assert console.robot.stops >= 1


def shown(console, cameras=("front",), text="pick up the plate", **sections):
    """Puts a small robot into the page state."""
    console.page_state.put(
        "static",
        {
            "platform": "small", "description": "", "namespace": "/pi05",
            "cameras": [{"name": name, "width": 64, "height": 48} for name in cameras],
            "names": ["arm_joint"], "units": ["rad"],
            "groups": [{"name": "arm", "begin": 0, "end": 1}],
            "vocabulary": ["pick up the plate", "pick up the cup"],
        },
    )  # fmt: skip
    console.page_state.put(
        "subtask",
        {
            "id": 1, "task": text, "text": text, "source": "human", "score": 0.5, "latency": 0.1,
            "boxes": [], "model_answered": True, "model_text": text, "model_score": 0.4,
        },
    )  # fmt: skip
    for name, value in sections.items():
        console.page_state.put(name, value)


LONG = "x" * 250
TELEOP = {"state": "engaged", "device": "page", "reason": "", "error": None}
LATE = {"level": 1, "message": "late", "values": {}}
RECORDING = {
    "state": "recording", "id": "1", "task": "", "operator_name": "", "home": "", "outcome": "",
    "path": "/bags/1", "duration": 1.0, "messages": 2, "bytes": 3, "message": "",
}  # fmt: skip
WIDTHS = (1400, 900, 390)


def test_long_words_make_no_page_wider(visit):
    with ServedConsole() as console:
        shown(
            console,
            text=LONG,
            robot={"mode": "holding", "reason": LONG, "measured": [], "control": "teleop"},
            teleop={**TELEOP, "state": "aligning", "reason": LONG},
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
def test_it_can_be_read(visit, scheme):
    with ServedConsole() as console:
        page = visit(console, color_scheme=scheme)
        shown(console, episode=RECORDING, diagnostics={"pi05/planner": LATE})
        for mode in ("running", "holding", "disarmed", "faulted", "stopped", "silent", "unknown"):
            robot = {"mode": mode, "reason": "because", "control": "teleop", "measured": []}
            shown(console, robot=robot, teleop=TELEOP)
            expect(page, "#mode").to_have_text(mode.upper())
            assert faint_texts(page) == [], mode


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
