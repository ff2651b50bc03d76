"""Row 23: chunks of an old task, after a stop or a change of task.

Each generation of chunks drives the base along one direction only, in turn vx, vy, wz, so that the
base's commands show which generation is executed.
"""

import copy
import random
import time
from dataclasses import replace

import numpy as np

from pi05_msgs.msg import ActionChunk
from pi05_ros.nodes.common.conversions import ns_to_time
from pi05_ros.platforms.platform import Platform
from system.bench import Bench
from system.catalog import Trial
from system.checks import Checks
from system.scene import Scene
from system.source import HORIZON

_ON_THE_WIRE = 24
_SPEED = 0.2  # [m/s], [rad/s]
_ZERO = 1e-6
_DELIVERY = 0.06  # An event has reached the bridge and its next tick after so long [s].
# A base at _SPEED stands after this, also where a new chunk takes over and it slows down at its
# acceleration limit instead of braking.
_STAND = 0.45  # [s]
# Ids rise with every change of text: a generation's own is even, and the odd one before it has an
# empty text.
_EVENTS = ("stop and reset", "stop and resume", "disarm", "new task", "nothing to do")


def run(trial: Trial) -> Checks:
    """Keep sending old chunks with new stamps and sequences after each of five events."""
    checks = Checks()
    times = trial.count(1000)
    wired = min(times, _ON_THE_WIRE)
    with Scene() as scene:
        noise = random.Random(trial.seed)
        scene.publish_subtask(2, "task 1", "go on")
        scene.source.subtask_id = 2
        scene.source.motion = replace(scene.source.motion, base=_direction(1))
        scene.move()
        executed = 0
        for number in range(wired):
            event = _EVENTS[number % len(_EVENTS)]
            trial.report(f"on the wire {number + 1} of {wired}: {event}")
            executed += _on_the_wire(scene, number + 2, event, noise)
        checks.equal("on the wire: interleavings", wired, wired)
        checks.equal("on the wire: old actions executed", executed, 0)
        rejected = scene.count("control_bridge", "chunks rejected epoch")
        rejected += scene.count("control_bridge", "chunks rejected task")
        checks.at_least("on the wire: old chunks rejected", rejected, 5 * wired)
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
        checks.equal("processes that ended", scene.ended(), 0)
    trial.report(f"{times - wired} interleavings in the bridge's own logic")
    _in_process(scene.platform, times - wired, trial.seed, checks)
    return checks


def _direction(generation: int) -> tuple[float, float, float]:
    speeds = [0.0, 0.0, 0.0]
    speeds[generation % 3] = _SPEED
    return (speeds[0], speeds[1], speeds[2])


def _on_the_wire(scene: Scene, generation: int, event: str, noise: random.Random) -> int:
    """Try one event on a driving robot; return the number of commands that execute old actions."""
    scene.wait(
        lambda: scene.robot.witness.base[-1].values[(generation - 1) % 3] > _SPEED / 2,
        "the base to drive in the present direction",
    )
    time.sleep(noise.uniform(0.0, 0.1))
    old = scene.source.chunk()
    assert old is not None
    scene.source.on = False
    began = time.monotonic_ns()
    if event in ("new task", "nothing to do"):
        scene.publish_subtask(*_subtask_fields(event, generation))
    elif event == "disarm":
        scene.arm(False)
    else:
        scene.trigger("stop")
    acknowledged = time.monotonic_ns()
    executed = 0
    # Old ones alone, then old ones among new ones.
    _send_old(scene, old, 0.25, noise)
    _renew(scene, generation, event)
    scene.source.on = True
    _send_old(scene, old, 0.35, noise)
    part = (generation - 1) % 3
    before = _SPEED
    for command in scene.robot.witness.base:
        if command.arrival_ns < began:
            continue
        speed = abs(float(command.values[part]))
        since = (command.arrival_ns - acknowledged) * 1e-9
        rises = since > _DELIVERY and speed > before + _ZERO
        executed += rises or (since > _STAND and speed > _ZERO)
        before = speed
    return executed


def _subtask_fields(event: str, generation: int) -> tuple[int, str, str]:
    """Return id, task and text of the planner's subtask."""
    if event == "new task":
        return 2 * generation, f"task {generation}", "go on"
    return 2 * generation - 1, f"task {generation}", ""


def _renew(scene: Scene, generation: int, event: str) -> None:
    """Begin the new generation."""
    scene.source.motion = replace(scene.source.motion, base=_direction(generation))
    if event == "nothing to do":
        scene.publish_subtask(*_subtask_fields("new task", generation))
    if event in ("new task", "nothing to do"):
        scene.source.subtask_id = 2 * generation
    elif event == "stop and resume":
        scene.wait(lambda: scene.trigger("resume").success, "resume")
    else:
        if event == "stop and reset":
            scene.trigger("reset")
        scene.arm_with_retries()


def _send_old(scene: Scene, old: ActionChunk, seconds: float, noise: random.Random) -> None:
    """Publish the old chunk repeatedly, with present stamps and sequences."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        message = copy.copy(old)
        scene.source.sent += 1
        message.sequence = scene.source.sent
        message.header = copy.deepcopy(old.header)
        message.header.stamp = ns_to_time(scene.robot.now_ns())
        scene.source.publish(message)
        time.sleep(noise.uniform(0.005, 0.03))


def _in_process(platform: Platform, times: int, seed: int, checks: Checks) -> None:
    bench = Bench(platform)
    noise = random.Random(seed)
    executed = accepted = drove = 0
    bench.bridge.follow_subtask(*_subtask_fields("new task", 1))
    bench.arm()
    for number in range(times):
        generation = number + 1
        actions = _actions(platform, generation)
        for _ in range(noise.randint(4, 12)):
            bench.send(bench.chunk(actions, subtask_id=2 * generation))
            bench.tick()
        part = platform.slices["base"].start + generation % 3
        before = abs(bench.commanded[part])
        drove += before > _ZERO
        epoch = bench.bridge.epoch
        event = noise.choice(_EVENTS)
        _begin(bench, event, generation + 1)
        # Old and new chunks, the event's second half and ticks in any order.
        steps = ["old"] * 6 + ["new"] * 4 + ["tick"] * 8 + ["again"]
        noise.shuffle(steps)
        renewed = False
        for step in steps + ["again"] + ["tick"] * 16:
            if step == "old":
                message = bench.chunk(actions, subtask_id=2 * generation)
                message.epoch = epoch
                accepted += bench.send(message)
            elif step == "new" and renewed:
                new = _actions(platform, generation + 1)
                bench.send(bench.chunk(new, subtask_id=2 * generation + 2))
            elif step == "again" and not renewed:
                _complete(bench, event, generation + 1)
                renewed = True
            elif step == "tick":
                bench.tick()
                speed = abs(bench.commanded[part])
                executed += speed > before + _ZERO
                before = speed
        executed += before > _ZERO
    checks.equal("in process: interleavings", times, times)
    checks.at_least("in process: old actions were being executed", drove, 0.9 * times)
    checks.equal("in process: old chunks accepted", accepted, 0)
    checks.equal("in process: old actions executed", executed, 0)
    faults = len(bench.witness.faults()) + bench.gripper_faults
    checks.equal("in process: commands beyond a limit", faults, 0)


def _actions(platform: Platform, generation: int) -> np.ndarray:
    actions = np.tile(platform.home, (HORIZON, 1))
    actions[:, platform.slices["base"]] = _direction(generation)
    return actions


def _begin(bench: Bench, event: str, generation: int) -> None:
    """Apply an event: a stop, a disarm, or a subtask of the planner."""
    if event == "disarm":
        bench.bridge.disarm(bench.now_ns)
    elif event in ("new task", "nothing to do"):
        bench.bridge.follow_subtask(*_subtask_fields(event, generation))
    else:
        bench.bridge.stop(bench.now_ns, "stopped by an operator")


def _complete(bench: Bench, event: str, generation: int) -> None:
    """Apply the second half of an event, after which the robot may move again."""
    if event == "nothing to do":
        bench.bridge.follow_subtask(*_subtask_fields("new task", generation))
        return
    if event == "new task":
        return
    if event == "stop and resume":
        bench.insist(bench.bridge.resume)
    else:
        bench.arm()
    bench.bridge.follow_subtask(*_subtask_fields("new task", generation))
