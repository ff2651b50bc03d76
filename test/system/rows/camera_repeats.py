"""Row 2: a camera repeats the same stamp, or the same bytes."""

import time

from diagnostic_msgs.msg import DiagnosticStatus

from system.catalog import Trial
from system.checks import Checks
from system.holding import hold_checks, recovery_check
from system.scene import Scene

_RATE = 30.0  # Of the cameras [Hz].
_CAMERA = "front"
_WARN_AT, _HOLD_AT = 15, 30  # Same bytes in a row.


def run(trial: Trial) -> Checks:
    """Freeze the front camera's stamp; then its picture, while its stamps advance."""
    checks = Checks()
    with Scene(("camera_ingestion", "control_bridge"), cameras=_RATE) as scene:
        scene.move()
        time.sleep(1.0)
        trial.report("the same stamp again and again")
        with scene.cameras.lock:
            scene.cameras.same_stamp.add(_CAMERA)
            cause = scene.cameras.sent_ns[_CAMERA]
        time.sleep(1.7)
        hold_checks(checks, scene, cause, 400.0, what="same stamp")
        healthy = time.monotonic_ns()
        scene.cameras.same_stamp.clear()
        recovery_check(checks, scene, healthy, "same stamp")
        time.sleep(1.2)

        trial.report("the same bytes again and again")
        with scene.cameras.lock:
            scene.cameras.same_bytes.add(_CAMERA)
            cause = scene.cameras.sent_ns[_CAMERA]
        time.sleep(_HOLD_AT / _RATE + 1.7)
        _same_bytes(checks, scene, cause)
        healthy = time.monotonic_ns()
        scene.cameras.same_bytes.clear()
        recovery_check(checks, scene, healthy, "same bytes")
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
    return checks


def _same_bytes(checks: Checks, scene: Scene, cause: int) -> None:
    """Check the hold for repeated bytes; `cause`: when they were first sent (steady)."""
    period_ns = 1e9 / _RATE
    # The picture counts as the first, so the n-th comes n - 1 periods later.
    warn, hold = (round(cause + (n - 1) * period_ns) for n in (_WARN_AT, _HOLD_AT))
    warned = scene.first_diagnostic(
        cause,
        lambda s: s.name.endswith("camera_ingestion") and s.level >= DiagnosticStatus.WARN,
    )
    value = None if warned is None else (warned - warn) * 1e-9
    # One period early, where counting begins with the second; reports come once a second.
    checks.between("same bytes: 15th to WARN", value, -1.5 / _RATE, 1.1, "s")
    detected = hold_checks(checks, scene, hold - round(1.5 * period_ns), None, what="same bytes")
    value = (detected - hold) * 1e-6
    checks.between("same bytes: 30th to hold", value, -1500.0 / _RATE, 300.0, "ms")
