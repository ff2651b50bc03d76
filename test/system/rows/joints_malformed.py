"""Row 8: joint states with NaN, infinity, wrong length, doubled, missing or reordered names."""

import math
import time
from collections.abc import Callable

import numpy as np
from sensor_msgs.msg import JointState

from pi05_msgs.msg import RobotState
from system.catalog import Trial
from system.checks import Checks
from system.holding import hold_checks, recovery_check
from system.scene import Scene

_JOINT = "left_arm_joint_1"
_WATCH = 0.6  # [s]


def run(trial: Trial) -> Checks:
    """Try harmless changes; then each defect, once (dropped) and three in a row (hold)."""
    checks = Checks()
    with Scene() as scene:
        scene.move()
        time.sleep(0.5)
        for name, change in (("reordered", _reordered), ("extra joints", _extra)):
            trial.report(f"joint states: {name}")
            _harmless(checks, scene, name, change)
        for name, defect in _DEFECTS.items():
            trial.report(f"joint states: {name}")
            _one_defect(checks, scene, name, defect)
            cause = time.monotonic_ns()
            scene.robot.defect = defect
            time.sleep(_WATCH)
            # The first report of the next second may still be of the driving robot.
            hold_checks(checks, scene, cause, 200.0, what=name, error=False)
            finite = all(
                np.isfinite(state.measured).all() for at, state in scene.states if at > cause
            )
            checks.equal(f"{name}: measured state finite", finite, True)
            healthy = time.monotonic_ns()
            scene.robot.defect = None
            recovery_check(checks, scene, healthy, name)
        checks.equal("processes that ended", scene.ended(), 0)
    return checks


def _harmless(
    checks: Checks, scene: Scene, name: str, change: Callable[[JointState], JointState]
) -> None:
    scene.robot.defect = change
    began = time.monotonic_ns()
    time.sleep(_WATCH)
    stopped = scene.first_state(began, lambda s: s.mode != RobotState.MODE_RUNNING)
    checks.equal(f"{name}: goes on", stopped is None, True)
    # Every joint has a position of its own, so that a swap by order would show.
    state = scene.state
    measured = dict(zip(state.names, state.measured, strict=True))
    off = max(
        abs(measured[d.name] - scene.robot.measured()[d.joint_name])
        for d in scene.platform.dimensions
        if not d.is_velocity and d.unit != "fraction"
    )
    checks.at_most(f"{name}: measured off by", off, 0.05, "rad")
    scene.robot.defect = None


def _one_defect(
    checks: Checks, scene: Scene, name: str, defect: Callable[[JointState], JointState]
) -> None:
    """Check that a single bad message is dropped and the robot keeps running."""
    began = time.monotonic_ns()
    left = [1]

    def once(message: JointState) -> JointState:
        if left:
            left.pop()
            return defect(message)
        return message

    scene.robot.defect = once
    time.sleep(0.3)
    scene.robot.defect = None
    stopped = scene.first_state(began, lambda s: s.mode != RobotState.MODE_RUNNING)
    checks.equal(f"{name}: one message", "held" if stopped else "dropped", "dropped")


def _reordered(message: JointState) -> JointState:
    message.name = message.name[::-1]
    message.position = message.position[::-1]
    return message


def _extra(message: JointState) -> JointState:
    message.name = ["wheel_left_joint", *message.name, "head_joint"]
    message.position = [12.5, *message.position, -3.0]
    return message


def _value(value: float) -> Callable[[JointState], JointState]:
    def change(message: JointState) -> JointState:
        message.position[message.name.index(_JOINT)] = value
        return message

    return change


def _short(message: JointState) -> JointState:
    message.position = message.position[:-1]
    return message


def _doubled(message: JointState) -> JointState:
    message.name = [*message.name, _JOINT]
    message.position = [*message.position, 0.3]
    return message


def _missing(message: JointState) -> JointState:
    index = message.name.index(_JOINT)
    message.name = [name for name in message.name if name != _JOINT]
    del message.position[index]
    return message


_DEFECTS: dict[str, Callable[[JointState], JointState]] = {
    "NaN": _value(math.nan),
    "infinity": _value(math.inf),
    "wrong length": _short,
    "doubled name": _doubled,
    "missing name": _missing,
}
