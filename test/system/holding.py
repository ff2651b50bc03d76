"""Checks of HOLD as the table of faults defines it, shared by all rows."""

from __future__ import annotations

import time

from diagnostic_msgs.msg import DiagnosticStatus

from pi05_msgs.msg import RobotState
from system.checks import Checks, milliseconds
from system.scene import Scene

BASE_LIMIT_MS = 100.0  # Base velocity 0 within this of detection.
DRIFT_LIMIT = 0.02  # [rad], [m]
DIAGNOSTIC_LIMIT_MS = 1000.0
# An automatic hold ends after this long of healthy input; a tick may be one period early.
RECOVERY = (0.98, 1.5)  # [s]


def hold_checks(
    checks: Checks,
    scene: Scene,
    cause_ns: int,
    limit_ms: float | None,
    *,
    what: str = "",
    until_ns: int | None = None,
    mode: int = RobotState.MODE_HOLDING,
    error: bool = True,
) -> int:
    """Add the checks of a hold.

    Args:
        checks: Receives the checks.
        scene: With its recording of the run.
        cause_ns: When the fault began (steady).
        limit_ms: Longest time from the fault to base velocity 0; None: checked from detection.
        what: Prefix of the name of each check.
        until_ns: End of the hold (steady); None: now.
        mode: Wanted mode at its end.
        error: Whether /diagnostics must show ERROR.

    Returns:
        When the bridge first reported a hold (steady); `until_ns` if it did not.
    """
    until = time.monotonic_ns() if until_ns is None else until_ns
    begin = f"{what}: " if what else ""
    witness = scene.robot.witness
    detected = scene.first_state(
        cause_ns, lambda state: state.mode != RobotState.MODE_RUNNING, until
    )
    checks.at_most(
        f"{begin}fault to hold",
        None if detected is None else milliseconds(detected - cause_ns),
        1000.0 if limit_ms is None else limit_ms,
        "ms",
    )
    if detected is None:
        return until
    standing = witness.standing_since(detected, until)
    if limit_ms is not None:
        value = None if standing is None else milliseconds(standing - cause_ns)
        checks.at_most(f"{begin}fault to base 0", value, limit_ms, "ms")
    value = None if standing is None else milliseconds(standing - detected)
    checks.at_most(f"{begin}detection to base 0", value, BASE_LIMIT_MS, "ms")
    # From the last command that followed a chunk, so that braking counts as drift.
    accepted = [
        arrival
        for arrival, state in scene.states
        if arrival < detected and state.mode == RobotState.MODE_RUNNING
    ]
    drift = witness.drift(accepted[-1], until) if accepted else None
    checks.at_most(f"{begin}drift of the joints", drift, DRIFT_LIMIT)
    checks.equal(f"{begin}goals to grippers", witness.goals_between(detected, until), 0)
    modes = [s.mode for a, s in scene.states if a <= until]
    checks.equal(f"{begin}mode at the end", mode_name(modes[-1]), mode_name(mode))
    if error:
        reported = scene.first_diagnostic(
            cause_ns, lambda status: status.level == DiagnosticStatus.ERROR
        )
        value = None if reported is None else milliseconds(reported - detected)
        checks.at_most(f"{begin}detection to ERROR", value, DIAGNOSTIC_LIMIT_MS, "ms")
    checks.equal(f"{begin}processes that ended", scene.ended(), 0)
    return detected


def recovery_check(checks: Checks, scene: Scene, healthy_ns: int, what: str = "") -> None:
    """Wait and check that the robot resumes by itself after a second of healthy input."""
    begin = f"{what}: " if what else ""
    end = time.monotonic() + RECOVERY[1] + 0.5
    running: int | None = None
    while running is None and time.monotonic() < end:
        time.sleep(0.01)
        running = scene.first_state(healthy_ns, lambda s: s.mode == RobotState.MODE_RUNNING)
    value = None if running is None else (running - healthy_ns) * 1e-9
    checks.between(f"{begin}healthy again to running", value, *RECOVERY, "s")


def latch_checks(checks: Checks, scene: Scene, mode: int, what: str = "") -> None:
    """Check a latched hold: healthy input changes nothing, arming is refused, reset ends it.

    The fault must be gone and the policy publish. Leaves the robot driving where that succeeds.
    """
    begin = f"{what}: " if what else ""
    time.sleep(RECOVERY[1] + 0.2)
    latched = mode_name(scene.state.mode)
    checks.equal(f"{begin}mode {RECOVERY[1] + 0.2:.1f} s after", latched, mode_name(mode))
    checks.equal(f"{begin}armed without reset", scene.arm().success, False)
    checks.equal(f"{begin}reset", scene.trigger("reset").success, True)
    scene.move()
    checks.equal(f"{begin}after reset and arm", mode_name(scene.state.mode), "RUNNING")


def mode_and_reason(scene: Scene, at_ns: int | None) -> str:
    """Return mode and reason at a moment (steady) as text."""
    if at_ns is None:
        return "never"
    states = [state for arrival, state in list(scene.states) if arrival <= at_ns]
    return f"{mode_name(states[-1].mode)}: {states[-1].reason}" if states else "no state"


def mode_name(mode: int) -> str:
    """Return the name of a mode of RobotState."""
    names = {
        value: name.removeprefix("MODE_")
        for name, value in (
            (name, getattr(RobotState, name)) for name in dir(RobotState) if name[:5] == "MODE_"
        )
    }
    return names.get(mode, str(mode))
