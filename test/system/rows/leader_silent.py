"""Row 36: the node of the leader is stopped and killed while an operator drives."""

import signal
import time
from collections.abc import Callable

from pi05_msgs.msg import RobotState, TeleopCommand
from system.catalog import Trial
from system.checks import Checks
from system.holding import hold_checks, mode_and_reason, mode_name, recovery_check
from system.leader import Leader, leader_in
from system.processes import NodeProcess
from system.scene import PLATFORM, Scene

_STOPPED_S = 0.7  # Longer than the silence that holds, shorter than the one that disarms.
_LIMIT_MS = 300.0  # From the last command to base velocity 0: 0.2 s of silence and the braking.


def run(trial: Trial) -> Checks:
    """Withhold commands; send old inputs; stop and kill the process. The policy publishes on."""
    checks = Checks()
    with Scene() as scene:
        scene.move()
        with leader_in(scene) as leader:
            _in_harness(scene, leader, checks, trial)
        _as_process(scene, checks, trial)
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
    return checks


def _in_harness(scene: Scene, leader: Leader, checks: Checks, trial: Trial) -> None:
    """Check silence and old inputs of a node that sends no heartbeats."""
    _engage(scene, leader)
    trial.report("no commands")
    leader.on = False
    time.sleep(_STOPPED_S)
    _hold(checks, scene, leader.last_ns, "silent", "teleop is silent")
    leader.on = True
    recovery_check(checks, scene, time.monotonic_ns(), "silent")
    trial.report("commands from old inputs")
    _engage(scene, leader)
    leader.input_age = 1.0
    began = time.monotonic_ns()
    time.sleep(_STOPPED_S)
    _hold(checks, scene, began, "old input", "teleop")
    leader.input_age = 0.01
    leader.state = TeleopCommand.RELEASED  # The policy continues at once.
    released = time.monotonic_ns()
    scene.drive()
    running = scene.first_state(released, _by(RobotState.CONTROL_POLICY))
    value = None if running is None else (running - released) * 1e-6
    checks.at_most("released to policy", value, 200.0, "ms")
    leader.on = False


def _as_process(scene: Scene, checks: Checks, trial: Trial) -> None:
    """Check SIGSTOP and SIGKILL of a process."""
    process = NodeProcess(
        "teleop",
        scene.environment,
        scene.folder / "teleop.log",
        parameters={"platform": PLATFORM},
        module="system.leader",
    )
    try:
        scene.wait(lambda: _by(RobotState.CONTROL_TELEOP)(scene.state), "the leader to drive")
        # Only a node that was there when the robot was armed disarms it by its end.
        scene.arm(False)
        scene.arm_with_retries()
        scene.wait(lambda: _by(RobotState.CONTROL_TELEOP)(scene.state), "the leader to drive")
        time.sleep(0.3)
        trial.report("SIGSTOP of the leader")
        process.signal(signal.SIGSTOP)
        stopped = time.monotonic_ns()
        time.sleep(_STOPPED_S)
        _hold(checks, scene, stopped, "SIGSTOP", "teleop")
        process.signal(signal.SIGCONT)
        recovery_check(checks, scene, time.monotonic_ns(), "SIGSTOP")
        scene.wait(lambda: _by(RobotState.CONTROL_TELEOP)(scene.state), "the leader to drive")
        trial.report("SIGKILL of the leader")
        process.signal(signal.SIGKILL)
        killed = time.monotonic_ns()
        time.sleep(1.3)
        _hold(checks, scene, killed, "SIGKILL", "teleop", RobotState.MODE_DISARMED)
    finally:
        process.close()


def _engage(scene: Scene, leader: Leader) -> None:
    leader.on = True
    scene.wait(lambda: _by(RobotState.CONTROL_TELEOP)(scene.state), "the leader to drive")
    time.sleep(0.3)


def _hold(
    checks: Checks,
    scene: Scene,
    cause_ns: int,
    what: str,
    reason: str,
    mode: int = RobotState.MODE_HOLDING,
) -> None:
    """Check the hold, its reason, and that the policy never drove."""
    detected = hold_checks(checks, scene, cause_ns, _LIMIT_MS, what=what, mode=mode)
    found = mode_and_reason(scene, detected)
    checks.add(f"{what}: reason", reason, found, reason in found)
    by_policy = scene.first_state(cause_ns, _by(RobotState.CONTROL_POLICY))
    checks.equal(f"{what}: the policy drives", by_policy is not None, False)
    checks.equal(f"{what}: mode now", mode_name(scene.state.mode), mode_name(mode))


def _by(source: int) -> Callable[[RobotState], bool]:
    """Return a check of who drives."""
    return lambda state: state.control_source == source
