"""Row 31: kill -9 of the recorder while it records: losses, and recovery of the bag."""

from __future__ import annotations

import random
import signal
import tempfile
import time
from collections import Counter
from pathlib import Path

from pi05_msgs.msg import RobotState
from pi05_ros.data.bags.mark import is_marked
from pi05_ros.data.bags.reader import BagReader
from pi05_ros.data.open import open_episodes
from pi05_ros.errors import Pi05Error
from system.catalog import Trial
from system.checks import Checks
from system.known_topics import KnownTopics
from system.recorder_bench import RECORDER, RecorderBench, lost_before, recorded_numbers
from system.scene import Scene

_PICTURE_RATE = 10.0  # [Hz]
_TIMES = 5
_MOST_LOST_S = 1.0
_RECOVERY_S = 20.0


def run(trial: Trial) -> Checks:
    """Record known topics while the robot drives, and kill at random moments."""
    checks = Checks()
    draw = random.Random(trial.seed)
    times = trial.count(_TIMES)
    with (
        tempfile.TemporaryDirectory(prefix="pi05-bags-") as folder,
        Scene(("control_bridge", RECORDER), parameters={RECORDER: {"bags": folder}}) as scene,
    ):
        deaths = _Deaths(scene)
        try:
            scene.move()
            for number in range(times):
                trial.report(f"kill -9 of the recorder, {number + 1} of {times}")
                deaths.kill(draw.uniform(1.0, 4.0))
        finally:
            deaths.known.close()
        deaths.judge(checks)
    return checks


class _Deaths:
    """Kills of the recorder, and measurements of the bags."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.known = KnownTopics(scene.node, _PICTURE_RATE)
        self.bench = RecorderBench(scene)
        self.lost: dict[str, list[float]] = {topic: [] for topic in self.known.sent}
        self.inside: Counter[str] = Counter()
        self.gaps_ms: list[float] = []
        self.held = self.unmarked = self.not_reported = self.not_recovered = self.trained_on = 0

    def kill(self, after: float) -> None:
        """Kill the recorder `after` [s] from when every topic was recorded."""
        scene, bench = self.scene, self.bench
        folder = bench.start()
        bench.received(folder, self.known.sent)
        time.sleep(after)
        began, end_ns = time.monotonic_ns(), time.time_ns()
        scene.processes[RECORDER].signal(signal.SIGKILL)
        time.sleep(0.5)
        until = time.monotonic_ns()
        self.gaps_ms.append(scene.robot.witness.longest_gap(began - 100_000_000, until) * 1e-6)
        self.held += (
            scene.first_state(began, lambda s: s.mode != RobotState.MODE_RUNNING, until)
            is not None
        )
        self.unmarked += not is_marked(folder)
        bench.restart()
        self._await_recovery(folder)
        self._judge_bag(folder, end_ns)

    def _await_recovery(self, folder: Path) -> None:
        """Wait until the next recorder has repaired the bag and reported it."""
        end = time.monotonic() + _RECOVERY_S
        while is_marked(folder) and time.monotonic() < end:
            time.sleep(0.02)
        report = f"{folder.name} was cut off"
        while time.monotonic() < end:
            if any(report in message.message for _, message in self.bench.episodes):
                return
            time.sleep(0.02)
        self.not_reported += 1

    def _judge_bag(self, folder: Path, end_ns: int) -> None:
        with BagReader(folder) as bag:
            self.not_recovered += not (bag.facts is not None and bag.facts.recovered)
        try:
            open_episodes(folder)
            self.trained_on += 1
        except Pi05Error as error:
            self.trained_on += "recover" not in str(error)
        numbers = recorded_numbers(folder)
        for topic, sent in self.known.sent.items():
            inside, lost = lost_before(numbers[topic], sent, end_ns)
            self.inside[topic] += inside
            self.lost[topic].append(lost)

    def judge(self, checks: Checks) -> None:
        """Add the checks of all kills."""
        for topic, lost in self.lost.items():
            name = topic.rsplit("/", 1)[-1]
            checks.at_most(
                f"lost of {name}, worst of {len(lost)}", max(lost, default=None), _MOST_LOST_S, "s"
            )
            checks.equal(f"messages lost inside {name}", self.inside[topic], 0)
        checks.equal("bags without their mark after the kill", self.unmarked, 0)
        checks.equal("bags that were not recovered and marked so", self.not_recovered, 0)
        checks.equal("recoveries that were not told", self.not_reported, 0)
        checks.equal("recovered bags that training would take", self.trained_on, 0)
        checks.equal("times that the bridge held", self.held, 0)
        worst = max(self.gaps_ms, default=None)
        checks.at_most("longest time between two commands at a kill", worst, 60.0, "ms")
        checks.equal("commands beyond a limit", len(self.scene.robot.witness.faults()), 0)
