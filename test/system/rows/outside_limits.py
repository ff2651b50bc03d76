"""Row 20: targets outside the position limits."""

import time

import numpy as np

from pi05_msgs.msg import ActionChunk, RobotState
from pi05_ros.platforms.platform import Platform
from system.bench import Bench
from system.catalog import Trial
from system.checks import Checks
from system.fuzz import with_actions
from system.scene import Scene
from system.source import HORIZON

_REACH = 6.0  # [s]: the farthest limit, from the other side.
_SPEED = 0.5  # Share of v_max at which targets move towards it.
_TOLERANCE = 0.05  # Of a range: docs/design/safety.md.


def run(trial: Trial) -> Checks:
    """Send targets 1 % and 500 % outside over the wire, then any share in process."""
    checks = Checks()
    times = trial.count(10_000)
    with Scene() as scene:
        scene.move()
        for side in (1, -1):
            trial.report(f"1 % {'above' if side > 0 else 'below'} the limits")
            before = scene.count("control_bridge", "values clamped")
            limit = _limit(scene.platform, side)
            scene.source.change = _Approach(scene, 0.01 * side)
            time.sleep(_REACH)
            name = "1 % above" if side > 0 else "1 % below"
            commanded = scene.robot.witness.positions_at(time.monotonic_ns())
            off = np.nanmax(np.abs(commanded - limit)[_joints(scene.platform)])
            checks.at_most(f"{name}: joints stand from their limits", float(off), 1e-3, "rad")
            clamped = scene.count("control_bridge", "values clamped") - before
            checks.at_least(f"{name}: values counted as clamped", clamped, 100)
        trial.report("500 % outside")
        scene.source.change = lambda message: _outside(message, scene.platform, 5.0)
        time.sleep(1.3)
        accepted = scene.count("control_bridge", "chunks accepted")
        rejected = scene.count("control_bridge", "chunks rejected limits")
        time.sleep(1.2)
        more = scene.count("control_bridge", "chunks accepted") - accepted
        checks.equal("500 %: accepted", more, 0)
        checks.at_least("500 %: counted as rejected", rejected, 3)
        stopped = scene.state.mode != RobotState.MODE_RUNNING
        checks.equal("500 %: executed nothing", stopped, True)
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
        checks.equal("processes that ended", scene.ended(), 0)
    trial.report(f"{times} chunks in the bridge's own logic")
    _in_process(scene.platform, times, trial.seed, checks)
    return checks


class _Approach:
    """A hook that moves the targets of every joint to a share of its range outside."""

    def __init__(self, scene: Scene, share: float) -> None:
        self._platform = scene.platform
        self._began = time.monotonic()
        self._start = scene.robot.witness.positions_at(time.monotonic_ns())
        self._goal = _goal(scene.platform, share)

    def __call__(self, message: ActionChunk) -> ActionChunk:
        actions = np.array(message.data, dtype=np.float64).reshape(HORIZON, -1)
        joints = _joints(self._platform)
        times = time.monotonic() - self._began - message.latency
        elapsed = times + np.arange(HORIZON)[:, None] * self._platform.period
        way = self._goal - self._start
        reach = _SPEED * self._platform.max_velocity * np.maximum(elapsed, 0.0)
        path = self._start + np.clip(way, -reach, reach)
        actions[:, joints] = path[:, joints]
        return with_actions(message, actions)


def _goal(platform: Platform, share: float) -> np.ndarray:
    """Return positions this share of the range outside the limits; negative: below."""
    return _limit(platform, share) + share * (platform.upper - platform.lower)


def _joints(platform: Platform) -> np.ndarray:
    return np.array([d.unit in ("rad", "m") for d in platform.dimensions])


def _limit(platform: Platform, side: float) -> np.ndarray:
    return platform.upper if side > 0 else platform.lower


def _outside(message: ActionChunk, platform: Platform, share: float) -> ActionChunk:
    """Return the chunk with every joint this share of its range outside.

    Grippers and base stay as they are: a base at its limit would drive.
    """
    actions = np.array(message.data, dtype=np.float64).reshape(HORIZON, -1)
    joints = _joints(platform)
    actions[:, joints] = _goal(platform, share)[joints]
    return with_actions(message, actions)


def _in_process(platform: Platform, times: int, seed: int, checks: Checks) -> None:
    """Send chunks with one value up to 10 % outside, or by five ranges."""
    bench = Bench(platform)
    noise = np.random.default_rng(seed)
    ranges = platform.upper - platform.lower
    wrong = 0
    bench.arm()
    for _ in range(times):
        share = float(noise.choice([noise.uniform(0.0, 0.1), 5.0]))
        # Rounded to float32, a value this near to the limit may fall to either side.
        if abs(share - _TOLERANCE) < 1e-4:
            continue
        actions = np.tile(bench.platform.home, (10, 1))
        column = int(noise.integers(platform.size))
        side = 1 if noise.random() < 0.5 else -1
        outside = _limit(platform, side)[column] + side * share * ranges[column]
        actions[noise.integers(10), column] = outside
        taken = bench.send(bench.chunk(actions))
        wrong += taken != (share < _TOLERANCE)
        bench.tick()
        if not bench.bridge.mode.is_armed:
            bench.arm()
    checks.equal("in process: judged wrongly", wrong, 0)
    faults = len(bench.witness.faults()) + bench.gripper_faults
    checks.equal("in process: commands beyond a limit", faults, 0)
