"""Row 19: chunks with NaN, infinity, a wrong shape, horizon, period or names."""

import random
import time

import numpy as np

from pi05_msgs.msg import RobotState
from system.bench import Bench
from system.catalog import Trial
from system.checks import Checks
from system.fuzz import malformed
from system.holding import hold_checks, latch_checks, mode_name
from system.scene import Scene
from system.source import HORIZON, Motion

_ON_THE_WIRE = 1500
_GAP = 0.005  # Between two messages [s]: faster ones would overflow the queue.
# Bad chunks move every arm joint far aside; the good ones keep within 0.1 rad of home.
_BAD = Motion(shift=1.0, amplitude=0.0)


def run(trial: Trial) -> Checks:
    """Send two bad ones for each good one, two after a good one, and three in a row."""
    checks = Checks()
    times = trial.count(10_000)
    wired = min(times, _ON_THE_WIRE)
    with Scene() as scene:
        scene.move()
        scene.source.on = False
        trial.report(f"{wired} malformed chunks on the wire, among good ones")
        good = _flood(scene, wired, trial.seed, checks)
        time.sleep(1.2)  # The next report.
        rejected = _rejected(scene)
        checks.at_least("counted as rejected", rejected, 0.98 * wired)
        accepted = scene.count("control_bridge", "chunks accepted")
        checks.at_most("accepted, less the good ones", accepted - good, 0)
        _old_runs_to_its_end(scene, trial, checks)
        trial.report("three in a row")
        scene.source.on = True
        scene.drive()
        scene.source.on = False
        cause = time.monotonic_ns()
        _send_bad(scene, random.Random(1), 3)
        time.sleep(1.3)
        hold_checks(checks, scene, cause, 200.0, what="3 in a row", mode=RobotState.MODE_FAULTED)
        scene.source.on = True
        latch_checks(checks, scene, RobotState.MODE_FAULTED, "3 in a row")
        _harmless(scene, checks)
        checks.equal("processes that ended", scene.ended(), 0)
    trial.report(f"{times - wired} more in the bridge's own logic")
    _in_process(scene, times - wired, trial.seed, checks)
    return checks


def _flood(scene: Scene, times: int, seed: int, checks: Checks) -> int:
    """Send two bad chunks and a good one in turn; return the number of good ones."""
    noise = random.Random(seed)
    latched = sent = 0
    while sent < times:
        batch = min(2, times - sent)
        _send_bad(scene, noise, batch)
        sent += batch
        message = scene.source.chunk()
        assert message is not None
        scene.source.publish(message)
        time.sleep(_GAP)
        if scene.state.mode == RobotState.MODE_FAULTED:
            latched += 1  # A good one was lost, so that three bad ones were in a row.
            scene.trigger("reset")
            scene.arm_with_retries()
    checks.at_most("latched by a lost good one", latched, 0.01 * times)
    moving = scene.robot.witness.base_speed(time.monotonic_ns()) > 0
    checks.equal("good ones were executed on", moving, True)
    return scene.source.sent


def _old_runs_to_its_end(scene: Scene, trial: Trial, checks: Checks) -> None:
    """Check that two bad chunks do not end a good one, after which the robot holds."""
    trial.report("the old chunk runs to its end")
    scene.source.on = True
    time.sleep(0.5)
    scene.source.on = False
    time.sleep(0.12)
    last = scene.source.last_stamp_ns - scene.robot.now_ns() + time.monotonic_ns()
    _send_bad(scene, random.Random(2), 2)
    time.sleep(1.3)
    held = scene.first_state(last, lambda s: s.mode != RobotState.MODE_RUNNING)
    horizon = HORIZON * scene.platform.period
    value = None if held is None else (held - last) * 1e-9
    checks.between("2 in a row: held after", value, horizon - 0.05, horizon + 0.1, "s")
    checks.equal("2 in a row: mode", mode_name(scene.state.mode), "HOLDING")


def _send_bad(scene: Scene, noise: random.Random, count: int) -> None:
    motion = scene.source.motion
    for _ in range(count):
        scene.source.motion = _BAD
        good = scene.source.chunk()
        scene.source.motion = motion
        assert good is not None
        scene.source.publish(malformed(noise, good)[1])
        scene.source.sent -= 1  # Good ones only are numbered.
        time.sleep(_GAP)


def _rejected(scene: Scene) -> int:
    """Return the number of all rejections that the bridge reports."""
    for _, status in reversed(list(scene.diagnostics)):
        if status.name.endswith("control_bridge"):
            values = {item.key: item.value for item in status.values}
            return sum(int(v) for k, v in values.items() if k.startswith("chunks rejected"))
    return 0


def _harmless(scene: Scene, checks: Checks) -> None:
    """Check that no value of a bad chunk reached a controller."""
    witness, platform = scene.robot.witness, scene.platform
    farthest = 0.0
    for group in platform.groups_of("joint_trajectory"):
        part = platform.slices[group.name]
        if platform.dimensions[part.start].unit != "rad":
            continue
        for command in witness.commands[group.name]:
            away = abs(command.values - platform.home[part]).max()
            farthest = max(farthest, float(away))
    checks.at_most("farthest from home (good: 0.1, bad: 1)", farthest, 0.5, "rad")
    checks.equal("commands not finite or beyond a limit", len(witness.faults()), 0)


def _in_process(scene: Scene, times: int, seed: int, checks: Checks) -> None:
    bench = Bench(scene.platform)
    noise = random.Random(seed + 1)
    actions = Motion().rows(scene.platform, np.arange(HORIZON) * scene.platform.period)
    accepted = 0
    bench.arm()
    for number in range(times):
        if number % 3 == 0:
            bench.send(bench.chunk(actions))
        accepted += bench.send(malformed(noise, bench.chunk(actions))[1])
        bench.tick()
        if not bench.bridge.mode.is_armed:
            bench.arm()
    checks.equal("in process: accepted", accepted, 0)
    faults = len(bench.witness.faults()) + bench.gripper_faults
    checks.equal("in process: commands beyond a limit", faults, 0)
