"""Row 10: a chunk's first row lies far from the command."""

import time
from dataclasses import replace

import numpy as np

from system.catalog import Trial
from system.checks import Checks
from system.scene import Scene

_SHIFTS = (0.15, 0.4, 0.8)  # [rad]
_SETTLE = 1.6  # [s]: to cover the farthest at half the greatest velocity.


def run(trial: Trial) -> Checks:
    """Step the targets of all arm joints there and back, by more each time."""
    checks = Checks()
    with Scene() as scene:
        scene.move()
        time.sleep(1.0)
        began = time.monotonic_ns()
        distances, reached = [], True
        for shift in _SHIFTS:
            trial.report(f"chunks that start {shift:g} rad away")
            for target in (shift, 0.0):
                before = _commanded(scene)
                scene.source.motion = replace(scene.source.motion, shift=target)
                chunk = scene.source.chunk()
                assert chunk is not None
                first = np.array(chunk.data[: scene.platform.size])
                distances.append(_farthest(scene, first, before))
                time.sleep(_SETTLE)
                chunk = scene.source.chunk()
                assert chunk is not None
                first = np.array(chunk.data[: scene.platform.size])
                reached = reached and _farthest(scene, first, _commanded(scene)) < 0.05
        faults = scene.robot.witness.faults(began)
        checks.at_least("nearest of the starts", min(distances), 0.1, "rad")
        checks.at_most("fastest step, of v_max·dt", scene.robot.witness.fastest(began), 1.000001)
        checks.equal("commands beyond a limit", len(faults), 0)
        checks.equal("targets reached", reached, True)
        checks.equal("processes that ended", scene.ended(), 0)
    return checks


def _commanded(scene: Scene) -> np.ndarray:
    return scene.robot.witness.positions_at(time.monotonic_ns())


def _farthest(scene: Scene, first: np.ndarray, second: np.ndarray) -> float:
    arms = [d.unit == "rad" for d in scene.platform.dimensions]
    return float(np.abs(first - second)[arms].max())
