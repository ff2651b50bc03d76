"""Row 22: the policy is two seconds late, or hangs."""

import time

from pi05_msgs.msg import RobotState
from system.catalog import Trial
from system.checks import Checks
from system.holding import mode_name
from system.scene import Scene
from system.source import HORIZON

_LATE = (0.6, 2.0)  # Ages of observations that are too old [s].


def run(trial: Trial) -> Checks:
    """Send no chunk for 2 s, then chunks from old observations, then good ones."""
    checks = Checks()
    with Scene() as scene:
        source, witness = scene.source, scene.robot.witness
        for what in ("hangs", *_LATE):
            name = what if isinstance(what, str) else f"{what:g} s late"
            trial.report(
                f"the policy {name}" if isinstance(what, str) else f"the policy is {name}"
            )
            if scene.states and scene.state.mode == RobotState.MODE_HOLDING:
                source.on = True
                scene.drive()
            else:
                scene.move()
            time.sleep(0.5)
            end_ns = _silence(scene)
            if not isinstance(what, str):
                source.observation_age = what
                source.on = True
            time.sleep(2.0)
            until = time.monotonic_ns()
            standing = witness.standing_since(end_ns - 1_000_000_000, until)
            value = None if standing is None else (standing - end_ns) * 1e-6
            checks.at_most(f"{name}: base 0 after the horizon's end", value, 0.0, "ms")
            checks.equal(f"{name}: mode", mode_name(scene.state.mode), "HOLDING")
            drift = witness.drift(end_ns + 100_000_000, until)
            checks.at_most(f"{name}: drift of the joints", drift, 0.02)
            source.on = False
            source.observation_age = 0.03
            time.sleep(0.2)
            healthy = time.monotonic_ns()
            source.on = True
            scene.drive()
            running = scene.first_state(healthy, lambda s: s.mode == RobotState.MODE_RUNNING)
            value = None if running is None else (running - healthy) * 1e-9
            checks.at_most(f"{name}: good chunk to running", value, 1.5, "s")
        rejected = scene.count("control_bridge", "chunks rejected age")
        checks.at_least("late chunks rejected", rejected, 30)
        checks.equal("commands beyond a limit", len(witness.faults()), 0)
        checks.equal("processes that ended", scene.ended(), 0)
    return checks


def _silence(scene: Scene) -> int:
    """Stop the policy; return the end of its last chunk's horizon (steady ns)."""
    scene.source.on = False
    time.sleep(0.02)  # A chunk that was being made.
    horizon_ns = round(HORIZON * scene.platform.period * 1e9)
    end_by_robot = scene.source.last_stamp_ns + horizon_ns
    return end_by_robot - scene.robot.now_ns() + time.monotonic_ns()
