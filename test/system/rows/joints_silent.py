"""Row 7: joint states are silent."""

import time

from system.catalog import Trial
from system.checks import Checks
from system.holding import hold_checks, recovery_check
from system.scene import Scene

_SILENCE = 2.5  # [s]: two reports in /diagnostics lie in it.


def run(trial: Trial) -> Checks:
    """Stop joint states while the robot drives and chunks continue."""
    checks = Checks()
    with Scene() as scene:
        scene.move()
        time.sleep(1.0)
        scene.robot.silent_joints = True
        time.sleep(0.02)  # A message under way.
        cause = scene.robot.joints_sent_ns
        trial.report("joint states are silent")
        time.sleep(_SILENCE)
        detected = hold_checks(checks, scene, cause, 200.0)
        accepted = [
            int(item.value)
            for arrival, status in scene.diagnostics
            if arrival > detected and status.name.endswith("control_bridge")
            for item in status.values
            if item.key == "chunks accepted"
        ]
        checks.at_least("reports during the hold", len(accepted), 2)
        checks.at_most("chunks accepted during the hold", _spread(accepted), 0)
        healthy = time.monotonic_ns()
        scene.robot.silent_joints = False
        recovery_check(checks, scene, healthy)
    return checks


def _spread(counts: list[int]) -> int | None:
    return max(counts) - min(counts) if counts else None
