"""Row 1: a camera that the policy needs publishes nothing."""

import time

from system.catalog import Trial
from system.checks import Checks
from system.holding import hold_checks, recovery_check
from system.scene import Scene

_RATE = 30.0  # Of the cameras [Hz].


def run(trial: Trial) -> Checks:
    """Silence each camera of the policy in turn; chunks continue."""
    checks = Checks()
    with Scene(("camera_ingestion", "control_bridge"), cameras=_RATE) as scene:
        scene.move()
        for name in scene.platform.policy_cameras:
            scene.drive()
            time.sleep(0.8)
            trial.report(f"camera {name} is silent")
            with scene.cameras.lock:
                scene.cameras.silent.add(name)
                cause = scene.cameras.sent_ns[name]
            time.sleep(1.7)
            hold_checks(checks, scene, cause, 400.0, what=name)
            healthy = time.monotonic_ns()
            scene.cameras.silent.clear()
            recovery_check(checks, scene, healthy, name)
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
    return checks
