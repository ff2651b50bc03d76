"""Row 21: steps above the limits of velocity and acceleration, and an oscillation at 25 Hz."""

import time
from dataclasses import replace

import numpy as np
from diagnostic_msgs.msg import DiagnosticStatus

from pi05_msgs.msg import ActionChunk, RobotState
from pi05_ros.platforms.platform import Platform
from system.bench import Bench
from system.catalog import Trial
from system.checks import Checks
from system.fuzz import violent_actions, with_actions
from system.holding import mode_and_reason
from system.scene import Scene
from system.source import HORIZON

_TICKS = 3  # Of each chunk in process.


def run(trial: Trial) -> Checks:
    """Send an oscillation of ±1 rad from row to row over the wire; then 10,000 violent chunks."""
    checks = Checks()
    times = trial.count(10_000)
    with Scene() as scene:
        scene.move()
        time.sleep(1.2)
        trial.report("±1 rad at 25 Hz")
        scene.source.change = lambda message: _oscillate(message, scene.platform)
        time.sleep(2.0)
        scene.source.change = None
        scene.source.on = False
        time.sleep(1.5)
        scene.source.on = True
        scene.drive()
        time.sleep(2.0)  # Until the lag of the start is made up for.
        trial.report("faster than the joints can")
        _too_fast(scene, checks)
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
        checks.at_least("commands judged", len(scene.robot.witness.base), 200)
        checks.equal("processes that ended", scene.ended(), 0)
    trial.report(f"{times} violent chunks in the bridge's own logic")
    _in_process(scene.platform, times, trial.seed, checks)
    return checks


def _too_fast(scene: Scene, checks: Checks) -> None:
    """Check WARN and hold for sines of 1 rad at four times the joints' speed.

    Each joint has a phase of its own, so that at every moment one of them lags.
    """
    began = time.monotonic_ns()
    scene.source.motion = replace(scene.source.motion, amplitude=1.0, frequency=1.25, phase=0.9)
    time.sleep(4.2)
    scene.source.on = False
    warned = scene.first_diagnostic(
        began, lambda s: s.name.endswith("control_bridge") and s.level >= DiagnosticStatus.WARN
    )
    held = scene.first_state(began, lambda s: s.mode == RobotState.MODE_HOLDING)
    seconds = [None if at is None else (at - began) * 1e-9 for at in (warned, held)]
    # Reports come once a second, and the first such chunk up to 0.1 s after `began`.
    checks.between("limited to WARN", seconds[0], 1.0, 2.2, "s")
    checks.between("limited to hold", seconds[1], 3.0, 3.5, "s")
    reason = mode_and_reason(scene, held)
    checks.add("the hold's reason", "the limits", reason, "limits" in reason)
    standing = None
    if held is not None:
        standing = scene.robot.witness.standing_since(held, held + 500_000_000)
    value = None if held is None or standing is None else (standing - held) * 1e-6
    checks.at_most("hold to base 0", value, 100.0, "ms")


def _oscillate(message: ActionChunk, platform: Platform) -> ActionChunk:
    """Return the chunk with every arm joint at mid-range ±1 rad, alternating from row to row."""
    actions = np.array(message.data, dtype=np.float64).reshape(HORIZON, -1)
    arms = np.array([d.unit == "rad" for d in platform.dimensions])
    middle = 0.5 * (platform.lower + platform.upper)
    swing = np.where(np.arange(HORIZON) % 2, 1.0, -1.0)[:, None]
    actions[:, arms] = (middle + swing)[:, arms]
    return with_actions(message, actions)


def _in_process(platform: Platform, times: int, seed: int, checks: Checks) -> None:
    bench = Bench(platform)
    noise = np.random.default_rng(seed)
    accepted = moved = 0
    bench.arm()
    for _ in range(times):
        rows = int(noise.integers(2, HORIZON + 1))
        accepted += bench.send(bench.chunk(violent_actions(noise, platform, rows)))
        before = bench.commanded
        for _ in range(_TICKS):
            bench.tick()
        moved += bool((bench.commanded != before).any())
        if not bench.bridge.mode.is_armed:
            bench.arm()
    checks.at_least("in process: chunks accepted", accepted, 0.5 * times)
    checks.at_least("in process: chunks that moved the robot", moved, 0.5 * times)
    faults = len(bench.witness.faults()) + bench.gripper_faults
    checks.equal("in process: commands beyond a limit", faults, 0)
