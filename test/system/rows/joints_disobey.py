"""Row 9: a measured position jumps, or a joint or the base does not follow its commands."""

import time
from dataclasses import replace

import numpy as np

from pi05_msgs.msg import RobotState
from system.catalog import Trial
from system.checks import Checks, milliseconds
from system.holding import hold_checks, latch_checks
from system.scene import Scene

_JOINT = "right_arm_joint_4"
_FAULTED = RobotState.MODE_FAULTED
_TRACKING_LIMIT = 0.2  # [rad]
_BASE_LIMIT_MS = 750.0  # The error of the base lasts for 0.5 s, and the base brakes.


def run(trial: Trial) -> Checks:
    """Let one measurement jump by 0.5 rad; reverse the odometry; freeze the joints."""
    checks = Checks()
    with Scene() as scene:
        scene.move()
        time.sleep(1.0)
        trial.report("a small tracking error, which is none")
        scene.robot.errors[_JOINT] = 0.12
        began = time.monotonic_ns()
        time.sleep(0.6)
        stopped = scene.first_state(began, lambda s: s.mode != RobotState.MODE_RUNNING)
        checks.equal("error of 0.12 rad: goes on", stopped is None, True)
        scene.robot.errors.clear()
        time.sleep(0.3)

        trial.report("a jump of 0.5 rad")
        cause = time.monotonic_ns()
        scene.robot.errors[_JOINT] = 0.5
        time.sleep(1.3)
        hold_checks(checks, scene, cause, 200.0, what="jump", mode=_FAULTED)
        scene.robot.errors.clear()
        latch_checks(checks, scene, _FAULTED, "jump")

        trial.report("odometry that is reversed")
        time.sleep(1.0)
        cause = time.monotonic_ns()
        scene.robot.reversed_odometry = True
        time.sleep(2.0)
        hold_checks(checks, scene, cause, _BASE_LIMIT_MS, what="reversed", mode=_FAULTED)
        scene.robot.reversed_odometry = False
        latch_checks(checks, scene, _FAULTED, "reversed")

        trial.report("joints that freeze")
        # So wide that the error grows past the limit, so slow that a hold stays near its place.
        scene.source.motion = replace(scene.source.motion, amplitude=0.25, frequency=0.16)
        time.sleep(1.0)
        scene.robot.frozen = True
        cause = time.monotonic_ns()
        time.sleep(6.0)
        exceeded = _exceeded(scene, cause)
        checks.equal("the error passed 0.2 rad", exceeded is not None, True)
        if exceeded is not None:
            detected = scene.first_state(exceeded, lambda s: s.mode != RobotState.MODE_RUNNING)
            value = None if detected is None else milliseconds(detected - exceeded)
            # Faster than 100 ms would not be the rule; commands are 20 ms apart.
            checks.between("0.2 rad to fault", value, 80.0, 160.0, "ms")
            hold_checks(checks, scene, exceeded, 260.0, what="frozen", mode=_FAULTED)
        scene.robot.frozen = False
        scene.source.motion = replace(scene.source.motion, amplitude=0.1, frequency=0.4)
        latch_checks(checks, scene, _FAULTED, "frozen")
    return checks


def _exceeded(scene: Scene, after_ns: int) -> int | None:
    """Return when a command was first too far from a frozen joint (steady ns), or None."""
    measured = scene.robot.measured()
    for group in scene.platform.groups_of("joint_trajectory"):
        standing = np.array([measured[d.joint_name] for d in group.dimensions])
        for command in scene.robot.witness.commands[group.name]:
            error = np.abs(command.values - standing).max()
            if command.arrival_ns > after_ns and error > _TRACKING_LIMIT:
                return command.arrival_ns
    return None
