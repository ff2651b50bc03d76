"""Teleoperation in headless Chromium, against a console without a graph."""

import os
import shutil
import time

import pytest

pytest.importorskip("playwright", reason="playwright is not installed (requirements/tools.txt)")

import playwright.sync_api as playwright
from fakes.console_pages import ServedConsole

from pi05_ros.console.drive import KEEP, RELEASED

CHROMIUM = os.environ.get("PI05_CHROMIUM") or shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    not CHROMIUM, reason="there is no chromium on PATH (apt install chromium)"
)
# A gamepad that the tests press: window.pad.
PAD = """
    window.pad = {
        id: "Pad (STANDARD)", connected: true, mapping: "standard", axes: [0, 0, 0, 0],
        buttons: Array.from({length: 17}, () => ({value: 0})),
    };
    navigator.getGamepads = () => [window.pad];
"""
STATIC = {
    "platform": "small", "description": "", "namespace": "/pi05", "cameras": [],
    "names": ["left_gripper", "right_gripper", "torso_height", "base_vx"],
    "units": ["fraction", "fraction", "m", "m/s"], "vocabulary": ["pick up the cup"],
    "groups": [{"name": "torso", "begin": 2, "end": 3}],
}  # fmt: skip
READY = {"state": "released", "device": "", "reason": "", "error": None}
HELD_KEEP = (KEEP, KEEP)


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as p:
        # Root needs --no-sandbox; the only page that is opened is ours.
        yield p.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])


@pytest.fixture
def console():
    with ServedConsole() as served:
        served.page_state.put("static", STATIC)
        served.page_state.put("teleop", READY)
        yield served


@pytest.fixture
def page(browser, console):
    context = browser.new_context(viewport={"width": 1400, "height": 1400})
    opened = context.new_page()
    opened.errors = []
    opened.on("pageerror", lambda error: opened.errors.append(str(error)))
    opened.add_init_script(PAD)
    opened.goto(console.url)
    yield opened
    assert opened.errors == []
    context.close()


def expect(page, selector):
    return playwright.expect(page.locator(selector))


def take_control(page):
    page.click("#take")
    expect(page, "#drive").to_have_attribute("data-ready", "true")


def until(page, condition, what):
    """Waits with the browser at work."""
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, f"waited for {what}"
        page.wait_for_timeout(10)


def rests(page, console):
    """No frame comes any more."""
    count = len(console.robot.driven)
    page.wait_for_timeout(200)
    return len(console.robot.driven) == count


def center(page, selector):
    box = page.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_without_control_or_teleop_it_says_so_and_offers_nothing(page, console):
    expect(page, "#drive-state").to_have_text("take control to drive")
    expect(page, "[data-axis=hand_z] >> nth=0").to_be_disabled()
    take_control(page)
    expect(page, "[data-axis=hand_z] >> nth=0").to_be_enabled()
    console.page_state.put("teleop", {**READY, "state": "absent"})
    expect(page, "#drive-state").to_contain_text("nothing heard on teleop_command")
    expect(page, "#drive .pad >> nth=0").to_be_hidden()
    console.page_state.put("teleop", {**READY, "state": "engaged", "device": "leader"})
    expect(page, "#drive-state").to_have_text("leader has control")
    # Another page drove, and is gone.
    console.page_state.put("teleop", {**READY, "state": "engaged", "device": "page"})
    expect(page, "#drive-state").to_contain_text("press and let go to hand back")
    assert console.robot.driven == []


def test_a_held_pad_drives_until_it_is_let_go(page, console):
    take_control(page)
    driven = console.robot.driven
    page.click("[data-speed='1']")
    page.click("[data-hand='1']")
    x, y = center(page, "#drive-base .pad")
    height = page.locator("#drive-base .pad").bounding_box()["height"]
    page.mouse.move(x, y - height / 4)
    page.mouse.down()
    until(page, lambda: len(driven) > 4, "frames")
    begun, count = time.monotonic(), len(driven)
    until(page, lambda: len(driven) > count + 15, "frames")
    assert 15 <= (len(driven) - count) / (time.monotonic() - begun) <= 32
    first = driven[0]
    assert (first.dead_man, first.hand) == (True, 1)
    assert first.axes[0] == pytest.approx(0.5, abs=0.05)  # Halfway up: forward.
    assert first.axes[1:10] == pytest.approx([0.0] * 9, abs=0.02)
    assert first.axes[10:] == HELD_KEEP
    page.mouse.move(x + 2000, y)  # Out of the pad: fully to the right, and still held.
    until(page, lambda: driven[-1].axes[1] == -1.0, "the drag")
    page.mouse.up()
    until(page, lambda: not driven[-1].dead_man, "the release")
    assert rests(page, console)
    assert [f for f in driven if not f.dead_man] == [RELEASED]


def test_keys_drive_only_in_the_panel_and_a_lost_focus_ends_it(page, console):
    take_control(page)
    driven = console.robot.driven
    page.keyboard.down("w")
    page.keyboard.up("w")
    assert rests(page, console) and driven == []
    page.focus("#drive")
    page.keyboard.down("w")
    page.keyboard.down("q")
    until(page, lambda: driven and driven[-1].axes[2] == 0.5, "forward and a turn")
    assert driven[-1].axes[0] == 0.5  # Half of the greatest speed, as the page begins.
    page.focus("#say-text")
    until(page, lambda: not driven[-1].dead_man, "the release")
    page.keyboard.up("w")
    assert rests(page, console)
    page.focus("#drive")
    page.keyboard.down("w")
    until(page, lambda: driven[-1].dead_man, "another press")
    page.evaluate("window.dispatchEvent(new Event('blur'))")
    until(page, lambda: not driven[-1].dead_man, "the release of a window in the background")
    page.keyboard.press("Space")  # Stop, in the panel too.
    expect(page, "#messages").to_contain_text("stopped")


def test_a_gamepad_drives_while_its_shoulder_button_is_held(page, console):
    take_control(page)
    driven = console.robot.driven
    page.click("[data-speed='1']")
    page.evaluate("pad.axes = [0, -1, 0, 0]; pad.buttons[6].value = 0.75")
    assert rests(page, console) and driven == []
    page.evaluate("pad.buttons[4].value = 1")
    until(page, lambda: driven, "frames")
    assert driven[-1].axes == (1.0, *[0.0] * 9, 0.25, KEEP)
    page.evaluate("Object.defineProperty(document, 'hidden', {value: true, configurable: true});"
                  "document.dispatchEvent(new Event('visibilitychange'))")  # fmt: skip
    until(page, lambda: not driven[-1].dead_man, "the release of a hidden tab")
    page.evaluate("delete document.hidden")
    assert rests(page, console)  # Still held: it must be let go first.
    page.evaluate("pad.buttons[4].value = 0")
    page.wait_for_timeout(100)
    page.evaluate("pad.buttons[4].value = 1; pad.buttons[5].value = 1; pad.axes = [0, 0, 0, -1]")
    until(page, lambda: driven[-1].dead_man, "a new press")
    assert driven[-1].axes[:7] == (0.0,) * 6 + (1.0,)  # With the other shoulder: the hand, up.


def test_a_page_that_froze_must_be_pressed_again(page, console):
    take_control(page)
    driven = console.robot.driven
    page.evaluate("pad.buttons[4].value = 1")
    until(page, lambda: driven, "frames")
    page.evaluate("{ const end = performance.now() + 700; while (performance.now() < end); }")
    expect(page, "#drive-state").to_contain_text("let go, then press again")
    assert rests(page, console)
    page.evaluate("pad.buttons[4].value = 0")
    until(page, lambda: not driven[-1].dead_man, "the release")
    count = len(driven)
    page.evaluate("pad.buttons[4].value = 1")
    until(page, lambda: len(driven) > count, "a new press")


def test_axes_of_a_gamepad(page):
    read = """async (changes) => {
        const {readGamepad, stick} = await import("/gamepad.js");
        Object.assign(pad, {axes: changes.axes ?? [0, 0, 0, 0]});
        pad.buttons.forEach((button, k) => (button.value = changes.buttons?.[k] ?? 0));
        return changes.stick === undefined ? readGamepad(pad) : stick(changes.stick);
    }"""
    # A dead zone of 0.12: 0.56 is half of the rest.
    for value, wanted in ((0.1, 0), (-0.12, 0), (0.56, 0.5), (-1, -1), (1.2, 1)):
        assert page.evaluate(read, {"stick": value}) == pytest.approx(wanted)
    found = page.evaluate(read, {"axes": [1, 0, -1, 0], "buttons": {"1": 1, "3": 1, "7": 1}})
    assert (found["held"], found["otherHand"]) == (False, True)
    assert (found["axes"]["base_vy"], found["axes"]["base_wz"]) == (-1, 1)  # Right, turn left.
    assert found["axes"]["right_gripper_target"] == 1  # Open wins over the trigger.
    assert found["axes"]["left_gripper_target"] is None
    hand = page.evaluate(read, {"buttons": {"5": 1, "12": 1, "14": 1}})["axes"]
    assert (hand["hand_pitch"], hand["hand_roll"], "base_vx" in hand) == (1, -1, False)


def test_the_banner_says_who_drives(page):
    say = """async ([control, teleop]) => {
        const {driverText} = await import("/status.js");
        return driverText(control && {measured: [], control}, teleop);
    }"""
    leader = {"state": "engaged", "device": "leader", "reason": "", "error": None}
    aligning = {**leader, "state": "aligning", "reason": "left_arm_joint_2 is 0.4 rad away"}
    for control, teleop, wanted in (
        (None, None, ""),
        ("none", READY, "nobody drives"),
        ("policy", None, "the model drives"),
        ("teleop", leader, "operator drives (leader)"),
        ("policy", aligning, "aligning: left_arm_joint_2 is 0.4 rad away"),
        ("policy", {**aligning, "reason": "", "error": 0.4}, "aligning: 0.4 from the robot"),
    ):
        assert page.evaluate(say, [control, teleop]) == wanted


def test_a_suspended_task_is_shown_with_a_button_that_lets_it_go_on(page, console):
    expect(page, "#suspended").to_be_hidden()
    values = {"suspended": "the robot was stopped"}
    planner = {"level": 1, "message": "x", "values": values}
    console.page_state.put("diagnostics", {"pi05/planner": planner})
    expect(page, "#suspended-why").to_have_text("the task is suspended: the robot was stopped")
    expect(page, "#resume-task").to_be_disabled()
    take_control(page)
    page.click("#resume-task")
    expect(page, "#messages").to_contain_text("resume_task done")
    assert console.robot.done == [("resume_task", {})]
