"""Row 11: the system's time steps while the robot drives."""

import itertools
import tempfile
import time
from pathlib import Path

from pi05_msgs.msg import RobotState
from system.catalog import Trial
from system.checks import Checks
from system.clock_shim import SteppedClock
from system.scene import Scene

_STEPS = {"-10 s": -10, "+10 s": 10, "-1 h": -3600}  # [s]
_WATCH = 3.5  # [s]
# Commands under way when the time steps carry the time of before.
_UNDER_WAY = 0.05  # [s]
# Greatest distance of a command's stamp from its arrival [s]: on a busy machine a command is late,
# and a wild stamp is off by the step.
_WILD = 0.5


def run(trial: Trial) -> Checks:
    """Step the clock of bridge, robot and policy; the steady clock continues."""
    checks = Checks()
    with tempfile.TemporaryDirectory(prefix="pi05-clock-") as folder:
        clock = SteppedClock(Path(folder))
        with Scene(environment=clock.environment) as scene:
            scene.move()
            for name, seconds in _STEPS.items():
                scene.drive()
                time.sleep(0.7)
                trial.report(f"system time steps by {name}")
                _step(checks, scene, clock, name, seconds * 1_000_000_000)
            checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
            checks.equal("processes that ended", scene.ended(), 0)
    return checks


def _step(checks: Checks, scene: Scene, clock: SteppedClock, name: str, by_ns: int) -> None:
    before_ns = clock.offset_ns
    stepped = time.monotonic_ns()
    clock.step(by_ns)
    scene.robot.clock_offset_ns = clock.offset_ns
    time.sleep(_WATCH)
    until = time.monotonic_ns()
    true_ns = time.time_ns() - until  # Of the system, less the steady clock's.
    witness = scene.robot.witness
    wild, sent = 0, []
    for command in witness.base:
        if not stepped - 100_000_000 <= command.arrival_ns <= until:
            continue
        offsets = [clock.offset_ns]
        if command.arrival_ns < stepped + _UNDER_WAY * 1e9:
            offsets.append(before_ns)
        now = command.arrival_ns + true_ns
        late, offset = min((abs(command.stamp_ns - now - o), o) for o in offsets)
        wild += late > _WILD * 1e9
        sent.append(command.stamp_ns - offset)
    # By the stamps, which do not depend on when the harness receives a command.
    gap = max(after - before for before, after in itertools.pairwise(sent))
    checks.at_most(f"{name}: longest gap between commands", gap * 1e-6, 40.0, "ms")
    checks.at_least(f"{name}: commands", len(sent), 0.9 * _WATCH * scene.platform.rate_hz)
    checks.equal(f"{name}: commands with a wild stamp", wild, 0)
    modes = [s.mode for at, s in list(scene.states) if stepped - 50_000_000 < at <= until]
    holds = sum(
        a == RobotState.MODE_RUNNING and b != RobotState.MODE_RUNNING
        for a, b in itertools.pairwise(modes)
    )
    checks.at_most(f"{name}: holds", holds, 1)
    others = [
        at
        for at, s in list(scene.states)
        if stepped < at <= until and s.mode != RobotState.MODE_RUNNING
    ]
    held = (others[-1] - stepped) * 1e-9 if others else 0.0
    checks.at_most(f"{name}: running again for good after", held, 2.0, "s")
    checks.equal(f"{name}: runs", modes[-1] == RobotState.MODE_RUNNING, True)
