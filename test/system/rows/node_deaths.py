"""Row 33: a node is killed, or stopped by a signal, while the robot drives; a callback raises."""

from __future__ import annotations

import os
import signal
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

from pi05_msgs.msg import RobotState
from pi05_ros.errors import Pi05Error
from system.catalog import Trial
from system.checks import Checks
from system.scene import Scene
from system.stand_in import FAULTY_VARIABLE, INJECTED
from system.supervised import SupervisedGraph

_CAMERA_RATE = 15.0  # [Hz]
_NODES = ("camera_ingestion", "planner", "policy", "control_bridge")
_BACK = {"planner": 5.0, "policy": 5.0}  # [s]; the stand-in has no weights to load.
_BACK_OTHERS = 3.0  # [s]
_LIMIT = 15.0  # [s]
_STOPPED = 1.3  # How long a process is stopped [s].
_TASK = "a task"
_FAULTY_EVERY = 20  # Messages.


@dataclass
class _Tally:
    """Measurements of one node; lists have an entry for each time."""

    standing_ms: list[float | None] = field(default_factory=list)
    back: list[float | None] = field(default_factory=list)  # [s]
    went_on: list[str] = field(default_factory=list)  # Times at which the bridge did not hold.
    not_disarmed: int = 0  # Times that the robot was armed when the node was back.
    others_died: int = 0
    moved: int = 0  # Times that the base moved again before it was armed.


def run(trial: Trial) -> Checks:
    """Kill and stop each node several times (--times), then let callbacks raise."""
    checks = Checks()
    rounds = 5 if trial.times is None else trial.times
    with Scene((), cameras=_CAMERA_RATE, fake_policy=False) as scene:
        graph = SupervisedGraph(scene, _TASK)
        try:
            deaths = _Deaths(scene, graph)
            for what in (deaths.kill, deaths.stop):
                tallies: defaultdict[str, _Tally] = defaultdict(_Tally)
                name = "kill -9" if what == deaths.kill else "SIGSTOP"
                for number in range(rounds):
                    for node in _NODES:
                        trial.report(f"{name} of {node}, {number + 1} of {rounds}")
                        what(node, tallies[node])
                for node, tally in tallies.items():
                    _judge(checks, f"{name} {node}", node, tally)
            trial.report("kill -9 of lifecycle_manager")
            _manager(checks, scene, graph)
            checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
        except Pi05Error as error:
            tail = graph.log.read_text(errors="replace").splitlines()[-25:]
            checks.add("scenario", "to its end", f"{error}\n" + "\n".join(tail), False)
        finally:
            graph.close()
    trial.report("exceptions in callbacks")
    _exceptions(checks)
    return checks


class _Deaths:
    """Kills and stops of nodes, and measurements around them."""

    def __init__(self, scene: Scene, graph: SupervisedGraph) -> None:
        self.scene = scene
        self.graph = graph

    def kill(self, node: str, tally: _Tally) -> None:
        """Kill a node, which supervisor and lifecycle manager bring back."""
        self._drive()
        instance = self._instance(node)
        before = self.graph.pids()
        began = time.monotonic_ns()
        os.kill(before[node], signal.SIGKILL)
        self._watch(node, began, tally)
        back = self._wait_for(lambda: self.graph.activated(node, began))
        tally.back.append(None if back is None else (back - began) * 1e-9)
        self._wait_for(lambda: self._heartbeat(node, began, instance))
        self._settle(node, before, tally)

    def stop(self, node: str, tally: _Tally) -> None:
        """Stop a node by SIGSTOP and continue it after a while."""
        self._drive()
        before = self.graph.pids()
        began = time.monotonic_ns()
        os.kill(before[node], signal.SIGSTOP)
        try:
            self._watch(node, began, tally)
            time.sleep(max(0.0, _STOPPED - (time.monotonic_ns() - began) * 1e-9))
        finally:
            os.kill(before[node], signal.SIGCONT)
        continued = time.monotonic_ns()
        back = self._wait_for(lambda: self._heartbeat(node, continued, 0))
        tally.back.append(None if back is None else (back - continued) * 1e-9)
        self._settle(node, before, tally)

    def _drive(self) -> None:
        """Arm, and wait until the base drives."""
        scene = self.scene
        scene.wait(lambda: scene.states, "a robot state", 60.0)
        scene.arm_with_retries(30.0)
        scene.drive(20.0)
        time.sleep(0.2)

    def _instance(self, node: str) -> int:
        return next(m.instance for _, m in reversed(self.scene.heartbeats) if m.node == node)

    def _watch(self, node: str, began: int, tally: _Tally) -> None:
        """Measure when the base stands, and check whether the bridge holds."""
        time.sleep(0.7)
        until = time.monotonic_ns()
        standing = self.scene.robot.witness.standing_since(began, until)
        tally.standing_ms.append(None if standing is None else (standing - began) * 1e-6)
        if node != "control_bridge":
            held = self.scene.first_state(
                began, lambda s: s.mode != RobotState.MODE_RUNNING, until
            )
            if held is None:
                gap = self.scene.robot.witness.longest_gap(began - 100_000_000, until) * 1e-9
                tally.went_on.append(f"{gap:.2f} s without a command")

    def _heartbeat(self, node: str, after_ns: int, but: int) -> int | None:
        """Return when a heartbeat of another instance than `but` came (steady ns), or None."""
        for arrival, message in reversed(self.scene.heartbeats):
            if arrival <= after_ns:
                return None
            if message.node == node and message.instance != but:
                return arrival
        return None

    def _wait_for(self, look: Callable[[], int | None]) -> int | None:
        """Poll `look` until it returns a value; None: it did not in time."""
        end = time.monotonic() + _LIMIT
        while (found := look()) is None and time.monotonic() < end:
            time.sleep(0.005)
        return found

    def _settle(self, node: str, before: dict[str, int], tally: _Tally) -> None:
        """Check that with the node back the robot is disarmed and does not move."""
        scene = self.scene
        back = time.monotonic_ns()
        scene.wait(lambda: scene.first_state(back, lambda s: True), "a robot state after it", 20.0)
        time.sleep(0.4)
        tally.not_disarmed += scene.state.mode != RobotState.MODE_DISARMED
        tally.moved += scene.robot.witness.base_speed(time.monotonic_ns()) > 0
        after = self.graph.pids()
        tally.others_died += sum(
            after.get(name) != pid for name, pid in before.items() if name != node
        )


def _judge(checks: Checks, name: str, node: str, tally: _Tally) -> None:
    standing = None if None in tally.standing_ms else max(tally.standing_ms, default=None)  # type: ignore[type-var]
    back = None if None in tally.back else max(tally.back, default=None)  # type: ignore[type-var]
    checks.at_most(f"{name}: base 0, worst of {len(tally.standing_ms)}", standing, 300.0, "ms")
    if node != "control_bridge":
        text = "; ".join(tally.went_on) or "each time"
        checks.add(f"{name}: the bridge holds", "each time", text, not tally.went_on)
    checks.at_most(f"{name}: back, worst", back, _BACK.get(node, _BACK_OTHERS), "s")
    checks.equal(f"{name}: times armed when back", tally.not_disarmed, 0)
    checks.equal(f"{name}: times that the base moved when back", tally.moved, 0)
    checks.equal(f"{name}: others that died", tally.others_died, 0)


def _manager(checks: Checks, scene: Scene, graph: SupervisedGraph) -> None:
    """Kill the lifecycle manager, which must come back and adopt the running nodes."""
    node = "lifecycle_manager"
    before = graph.pids()
    began = time.monotonic_ns()
    os.kill(before[node], signal.SIGKILL)
    scene.wait(
        lambda: scene.first_diagnostic(
            began + 400_000_000, lambda s: s.name.endswith(f"{node}: active")
        ),
        "the lifecycle manager to report all nodes active",
        20.0,
    )
    reported = scene.first_diagnostic(
        began + 400_000_000, lambda s: s.name.endswith(f"{node}: active")
    )
    value = None if reported is None else (reported - began) * 1e-9
    # Not a limit of the table: it has to discover four nodes and query the state of each.
    checks.at_most(f"kill -9 {node}: reports all active", value, 6.0, "s")
    after = graph.pids()
    others = sum(after.get(name) != pid for name, pid in before.items() if name != node)
    checks.equal(f"kill -9 {node}: others that died", others, 0)


def _exceptions(checks: Checks) -> None:
    """Check that exceptions in callbacks are logged and counted, and that nodes survive them."""
    with Scene(
        _NODES,
        cameras=_CAMERA_RATE,
        fake_policy=False,
        module="system.stand_in",
        environment={FAULTY_VARIABLE: str(_FAULTY_EVERY)},
    ) as scene:
        time.sleep(3.5)
        for node in _NODES:
            counted = scene.count(node, "callback errors")
            checks.at_least(f"exceptions in {node}: counted", counted, 2)
            log = scene.processes[node].log.read_text(errors="replace")
            checks.equal(f"exceptions in {node}: logged", INJECTED in log, True)
        checks.equal("exceptions: processes that ended", scene.ended(), 0)
