"""Row 37: a leader that jumps, is clutched while both move, and sends no numbers."""

import time
from dataclasses import replace

import numpy as np

from pi05_msgs.msg import ActionChunk, RobotState, TeleopCommand
from pi05_ros.nodes.common.conversions import float_array
from system.catalog import Trial
from system.checks import Checks
from system.holding import hold_checks
from system.leader import Leader, leader_in
from system.scene import Scene

_CLUTCHES = 3
_JUMP = 0.8  # [rad]


def run(trial: Trial) -> Checks:
    """Clutch again and again, step the targets there and back, then send NaN."""
    checks = Checks()
    with Scene() as scene:
        scene.move()
        with leader_in(scene) as leader:
            _moves(scene, leader, checks, trial)
            _not_finite(scene, leader, checks, trial)
        checks.equal("processes that ended", scene.ended(), 0)
    return checks


def _moves(scene: Scene, leader: Leader, checks: Checks, trial: Trial) -> None:
    """Check that no command breaks a limit, whatever the leader does."""
    began = time.monotonic_ns()
    # Away from the policy, and in opposite phase.
    leader.motion = replace(leader.motion, shift=0.2, phase=np.pi)
    leader.on = True
    trial.report("a clutch while both move")
    sources = set()
    for _ in range(_CLUTCHES):
        for state in (TeleopCommand.ENGAGED, TeleopCommand.RELEASED):
            leader.state = state
            time.sleep(0.35)
            sources.add(scene.state.control_source)
    checks.equal("drivers", sources, {RobotState.CONTROL_POLICY, RobotState.CONTROL_TELEOP})
    trial.report("a leader that jumps")
    leader.state = TeleopCommand.ENGAGED
    time.sleep(0.5)
    for shift in (_JUMP, 0.0):
        leader.motion = replace(leader.motion, shift=shift, phase=0.0)
        time.sleep(0.9)
    witness = scene.robot.witness
    checks.at_most("fastest step, of v_max·dt", witness.fastest(began), 1.000001)
    checks.at_least("fastest step, of v_max·dt", witness.fastest(began), 0.1)
    checks.equal("commands beyond a limit", len(witness.faults(began)), 0)
    checks.equal("takeovers", scene.count("control_bridge", "takeovers"), _CLUTCHES + 1)


def _not_finite(scene: Scene, leader: Leader, checks: Checks, trial: Trial) -> None:
    """Check that one bad chunk is dropped and that several latch."""
    bad: list[int] = []

    def spoil_one(chunk: ActionChunk) -> ActionChunk:
        if not bad:
            bad.append(1)
            chunk.data = float_array(np.full(len(chunk.data), np.nan), "f")
        return chunk

    trial.report("targets that are no numbers")
    leader.change = spoil_one
    time.sleep(0.5)
    driver = (scene.state.mode, scene.state.control_source)
    driven = (RobotState.MODE_RUNNING, RobotState.CONTROL_TELEOP)
    checks.equal("one chunk of NaN: driven on", driver == driven, True)

    def spoil(chunk: ActionChunk) -> ActionChunk:
        chunk.data = float_array(np.full(len(chunk.data), np.nan), "f")
        return chunk

    leader.change = spoil
    began = time.monotonic_ns()
    time.sleep(0.5)
    hold_checks(checks, scene, began, 300.0, what="NaN", mode=RobotState.MODE_FAULTED)
    checks.equal("NaN: armed without reset", scene.arm().success, False)
