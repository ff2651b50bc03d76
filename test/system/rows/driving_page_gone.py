"""Row 39: the page that drives is closed or cut off, while the policy publishes on."""

from __future__ import annotations

import time
from contextlib import closing

from pi05_msgs.msg import RobotState, TeleopCommand
from system.browser import Browser, Line, free_port
from system.catalog import Trial
from system.checks import Checks
from system.holding import hold_checks, mode_and_reason
from system.scene import Scene

_LIMIT_MS = 300.0  # 0.2 s until the bridge finds the newest input old, a frame, and the braking.
_GONE_S = 1.2
_FORWARD = (0.5,) + (0.0,) * 9 + (-1.0, -1.0)


def run(trial: Trial) -> Checks:
    """Drive by the real console and teleop node, and lose the page in two ways."""
    checks = Checks()
    port = free_port()
    nodes = ("control_bridge", "teleop", "console")
    with Scene(nodes, parameters={"console": {"port": port}}) as scene:
        scene.move()
        states: list[int] = []
        scene.node.create_subscription(
            TeleopCommand, "teleop_command", lambda message: states.append(message.state), 10
        )
        for what in ("closed", "half-open"):
            trial.report(what)
            _lose(checks, scene, port, what)
            checks.equal(f"{what}: still engaged", states[-1], TeleopCommand.ENGAGED)
            _give_back(checks, scene, port, what)
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
    return checks


def _lose(checks: Checks, scene: Scene, port: int, what: str) -> None:
    """Take over from the policy, and lose the page with the switch held."""
    with closing(Line(port)) as line, Browser(line.url) as browser:
        _press(scene, browser)
        time.sleep(0.5)
        cause = time.monotonic_ns()
        if what == "closed":
            browser.leave()
        else:
            line.die()
        time.sleep(_GONE_S)
        detected = hold_checks(checks, scene, cause, _LIMIT_MS, what=what)
        found = mode_and_reason(scene, detected)
        checks.add(f"{what}: reason", "teleop", found, "teleop" in found)
        by_policy = scene.first_state(cause, _by(RobotState.CONTROL_POLICY))
        checks.equal(f"{what}: the policy drives", by_policy is not None, False)


def _give_back(checks: Checks, scene: Scene, port: int, what: str) -> None:
    """Give back by another page: press and let go. Taking control alone moves nothing."""
    with Browser(f"http://127.0.0.1:{port}") as browser:
        began = time.monotonic_ns()
        checks.equal(f"{what}: takes control", browser.take(over=browser.lease), 200)
        time.sleep(0.3)
        moved = scene.first_state(began, lambda state: state.mode == RobotState.MODE_RUNNING)
        checks.equal(f"{what}: moves by that", moved is not None, False)
        browser.wait_mine()
        browser.press(_FORWARD)
        time.sleep(0.5)
        browser.let_go()
        scene.wait(lambda: _by(RobotState.CONTROL_POLICY)(scene.state), "the policy to drive")


def _press(scene: Scene, browser: Browser) -> None:
    browser.next_state()
    browser.take(over=browser.lease)
    browser.wait_mine()
    browser.next_state()
    browser.press(_FORWARD)
    scene.wait(lambda: _by(RobotState.CONTROL_TELEOP)(scene.state), "the page to drive")


def _by(source: int):  # type: ignore[no-untyped-def]
    return lambda state: state.control_source == source
