"""Row 26: an operator presses stop at a random moment while the base drives."""

import random
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from std_srvs.srv import Trigger

from pi05_msgs.msg import RobotState
from system.catalog import Trial
from system.checks import Checks, percentile
from system.scene import Scene
from system.threads import request_priority

_BRIDGES = 2  # At once, each with a robot and a domain of its own.
_AFTER = 0.3  # Watched after a stop [s]: longer than the greatest value allowed.
_MOMENT = 0.5  # A stop comes up to so long after the base began to drive [s].
_REST_NS = 60_000_000  # Joints may move on for so long when the base already stands.
# At its limits, so that a stop may come at any speed.
_BASE = (0.49, 0.3, 0.9)


@dataclass
class _Tally:
    """Measurements of one bridge."""

    delays_ms: list[float] = field(default_factory=list)
    drifts: list[float] = field(default_factory=list)
    not_latched: int = 0
    never_stood: int = 0
    problem: str = ""


def run(trial: Trial) -> Checks:
    """Repeat reset, arm, drive, stop on several bridges while chunks continue."""
    checks = Checks()
    times = trial.count(200)
    bridges = min(_BRIDGES, times)
    shares = [times // bridges + (index < times % bridges) for index in range(bridges)]
    tallies = [_Tally() for _ in shares]
    stopping = threading.Event()
    with ExitStack() as stack:
        # Opened here, since a process is killed when the thread that started it ends.
        scenes = [stack.enter_context(Scene(robot_rate=60.0)) for _ in shares]
        threads = [
            threading.Thread(
                target=_press,
                args=(scene, share, random.Random(trial.seed + index), tally, stopping),
            )
            for index, (scene, share, tally) in enumerate(
                zip(scenes, shares, tallies, strict=True)
            )
        ]
        stack.callback(stopping.set)
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            time.sleep(1.0)
            done = sum(len(tally.delays_ms) for tally in tallies)
            trial.report(f"{done} of {times} stops")
        faults = sum(len(scene.robot.witness.faults()) for scene in scenes)
        ended = sum(scene.ended() for scene in scenes)
    delays = [delay for tally in tallies for delay in tally.delays_ms]
    for problem in {tally.problem for tally in tallies} - {""}:
        checks.equal("scenario", problem, "")
    checks.equal("stops", len(delays) + sum(t.never_stood for t in tallies), times)
    checks.at_most("stop to base 0, p99", percentile(delays, 0.99), 100.0, "ms")
    checks.at_most("stop to base 0, max", max(delays, default=None), 200.0, "ms")
    checks.equal("bases that never stood", sum(t.never_stood for t in tallies), 0)
    checks.equal("not latched, or moved again", sum(t.not_latched for t in tallies), 0)
    drift = max((drift for tally in tallies for drift in tally.drifts), default=None)
    checks.at_most("way of the joints at rest", drift, 0.02)
    checks.equal("commands beyond a limit", faults, 0)
    checks.equal("processes that ended", ended, 0)
    return checks


def _press(
    scene: Scene, times: int, noise: random.Random, tally: _Tally, stopping: threading.Event
) -> None:
    """Press one bridge's share of the stops."""
    request_priority()  # No other thread may run between reading the clock and sending.
    try:
        scene.source.motion = replace(scene.source.motion, base=_BASE)
        scene.source.on = True
        scene.wait(lambda: scene.states, "a robot state")
        for _ in range(times):
            if stopping.is_set():
                return
            scene.trigger("reset")
            scene.arm_with_retries()
            scene.drive()
            time.sleep(noise.uniform(0.0, _MOMENT))
            _stop_once(scene, tally)
    except Exception as error:
        tally.problem = f"{type(error).__name__}: {error}"


def _stop_once(scene: Scene, tally: _Tally) -> None:
    client = scene.client(Trigger, "control_bridge/stop")
    pressed = time.monotonic_ns()
    client.call_async(Trigger.Request())
    time.sleep(_AFTER)
    until = time.monotonic_ns()
    witness = scene.robot.witness
    standing = witness.standing_since(pressed, until)
    if standing is None:
        tally.never_stood += 1
    else:
        tally.delays_ms.append((standing - pressed) * 1e-6)
    # Arms brake within their own limits, and then hold.
    came_to_rest = until if standing is None else standing + _REST_NS
    tally.drifts.append(witness.drift(came_to_rest, until))
    tally.not_latched += scene.state.mode != RobotState.MODE_STOPPED
