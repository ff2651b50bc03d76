"""Row 38: two nodes publish commands of an operator, of different names and of one name."""

import time
from contextlib import suppress

from pi05_msgs.msg import RobotState
from system.catalog import Trial
from system.checks import Checks
from system.holding import hold_checks, latch_checks, mode_and_reason
from system.leader import leader_in
from system.operator import ScenarioError
from system.scene import Scene

_LIMIT_S = 1.0  # From the second leader to the fault.


def run(trial: Trial) -> Checks:
    """Start a second leader beside the first, twice."""
    checks = Checks()
    with Scene() as scene:
        scene.move()
        _case(scene, checks, trial, "one name", "teleop")
        _case(scene, checks, trial, "two names", "leader_two")
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
    return checks


def _case(scene: Scene, checks: Checks, trial: Trial, what: str, name: str) -> None:
    """Let one leader drive, start another one, and check that a fault is latched."""
    trial.report(f"two leaders of {what}")
    with leader_in(scene) as first:
        first.on = True
        scene.wait(
            lambda: scene.state.control_source == RobotState.CONTROL_TELEOP, "the leader to drive"
        )
        time.sleep(0.3)  # Until the goals of the grippers have arrived.
        began = time.monotonic_ns()
        with leader_in(scene, name, first_sequence=500) as second:
            # The one of another name is found in the graph, also while it is silent.
            second.on = what == "one name"
            with suppress(ScenarioError):  # The checks say so.
                faulted = RobotState.MODE_FAULTED
                scene.wait(lambda: scene.state.mode == faulted, "the fault", _LIMIT_S)
            time.sleep(0.2)
        detected = hold_checks(checks, scene, began, None, what=what, mode=RobotState.MODE_FAULTED)
        found = mode_and_reason(scene, detected)
        checks.add(f"{what}: reason", "teleop_command", found, "teleop_command" in found)
    if what == "two names":
        latch_checks(checks, scene, RobotState.MODE_FAULTED, what=what)
    else:
        scene.trigger("reset")
        scene.move()
