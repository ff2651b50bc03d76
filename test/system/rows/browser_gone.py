"""Row 27: the operator's browser is closed, dies, sleeps or is cut off under a dead-man switch."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from pi05_msgs.msg import RobotState
from system.browser import Browser, Line, free_port
from system.catalog import Trial
from system.checks import Checks
from system.holding import hold_checks
from system.scene import Scene

_LIMIT_MS = 300.0
_GONE = 1.6  # How long the browser is away [s].
_BACK = (0.98, 10.0)  # The bridge resumes after a second without a pause of the browser [s].


def _closed(browser: Browser, line: Line) -> None:
    browser.leave()


def _killed(browser: Browser, line: Line) -> None:
    line.reset()


def _asleep(browser: Browser, line: Line) -> Callable[[], None]:
    browser.suspend()
    return browser.resume


def _half_open(browser: Browser, line: Line) -> None:
    line.die()


# Name -> what happens to a browser; it returns what brings the browser back, or None.
_WAYS: dict[str, Callable[[Browser, Line], Callable[[], None] | None]] = {
    "closed": _closed,
    "killed": _killed,
    "asleep": _asleep,
    "half-open": _half_open,
}


def run(trial: Trial) -> Checks:
    """Try each way several times while the robot drives."""
    checks = Checks()
    port = free_port()
    parameters: dict[str, dict[str, object]] = {
        "console": {"port": port, "require_operator": "true"},
        "control_bridge": {"peers": "console"},
    }
    with Scene(("control_bridge", "console"), parameters=parameters) as scene:
        scene.wait(lambda: scene.states, "a robot state")
        scene.arm_with_retries()
        scene.source.on = True
        began = time.monotonic_ns()
        time.sleep(1.5)  # Longer than a hold lasts that ends by itself.
        checks.equal("moves without an operator", _moved(scene, began), False)
        for number in range(1, trial.count(3) + 1):
            for what in _WAYS:
                trial.report(f"round {number}: {what}")
                _try(checks, scene, port, what, f"{what} {number}")
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
    return checks


def _try(checks: Checks, scene: Scene, port: int, way: str, what: str) -> None:
    """Take control by a browser, drive, and lose the browser."""
    with closing(Line(port)) as line, Browser(line.url) as browser:
        browser.next_state()
        checks.equal(f"{what}: takes control", browser.take(over=browser.lease), 200)
        scene.drive()
        time.sleep(0.3)
        cause = time.monotonic_ns()
        come_back = _WAYS[way](browser, line)
        time.sleep(_GONE)
        held = hold_checks(checks, scene, cause, _LIMIT_MS, what=what)
        checks.equal(
            f"{what}: moved while nobody looked", _moved(scene, held + 100_000_000), False
        )
        if come_back is not None:
            healthy = time.monotonic_ns()
            come_back()
            _recovery_check(checks, scene, healthy, what)


def _recovery_check(checks: Checks, scene: Scene, healthy_ns: int, what: str) -> None:
    """Check that the robot resumes by itself after a second in which the browser responded.

    On a busy machine a late response restarts that second.
    """
    end = time.monotonic() + _BACK[1]
    running: int | None = None
    while running is None and time.monotonic() < end:
        time.sleep(0.01)
        running = scene.first_state(healthy_ns, lambda s: s.mode == RobotState.MODE_RUNNING)
    value = None if running is None else (running - healthy_ns) * 1e-9
    checks.between(f"{what}: awake again to running", value, *_BACK, "s")


def _moved(scene: Scene, after_ns: int) -> bool:
    standing = scene.robot.witness.standing_since(after_ns, time.monotonic_ns())
    return standing is None or standing > after_ns
