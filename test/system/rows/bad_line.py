"""Row 15: chunks are lost, late, doubled and out of order."""

import itertools
import time
from dataclasses import replace

from pi05_msgs.msg import RobotState
from system.catalog import Trial
from system.checks import Checks
from system.relay import LineFaults
from system.scene import Scene

_LINE = LineFaults(drop=0.2, double=0.2, delay=0.05, spread=0.03, reorder=0.15, hold_back=0.15)
_WATCH = 10.0  # [s]


def run(trial: Trial) -> Checks:
    """Run a policy at 10 Hz behind a bad line; the arms swing wide."""
    checks = Checks()
    with Scene(line=_LINE, seed=trial.seed) as scene:
        scene.source.motion = replace(scene.source.motion, amplitude=0.3)
        scene.move()
        began = time.monotonic_ns()
        trial.report("20 % lost, 50 ± 30 ms late, doubled, out of order")
        time.sleep(_WATCH)
        states = [state for arrival, state in list(scene.states) if arrival > began]
        executed = [
            (s.chunk_stamp.sec * 1_000_000_000 + s.chunk_stamp.nanosec, s.chunk_sequence)
            for s in states
            if s.chunk_sequence
        ]
        witness, line = scene.robot.witness, scene.source.relay.counts
        running = sum(s.mode == RobotState.MODE_RUNNING for s in states) / len(states)
        pairs = list(itertools.pairwise(executed))
        for fault in ("dropped", "doubled", "held back"):
            checks.at_least(f"chunks {fault} by the line", line[fault], 5)
        checks.at_least("different chunks executed", len(set(executed)), 30)
        checks.equal("stamp fell", sum(b[0] < a[0] for a, b in pairs), 0)
        checks.equal("sequence fell", sum(b[1] < a[1] for a, b in pairs), 0)
        checks.at_most("fastest step, of v_max·dt", witness.fastest(began), 1.000001)
        checks.equal("commands beyond a limit", len(witness.faults(began)), 0)
        checks.at_least("share of time running", running, 0.9)
        checks.equal("processes that ended", scene.ended(), 0)
    return checks
