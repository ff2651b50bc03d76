"""Row 28: two operators at a time, and a tab that slept through a stop."""

from __future__ import annotations

import random
import time

from pi05_msgs.msg import RobotState
from system.browser import Browser, free_port
from system.catalog import Trial
from system.checks import Checks, percentile
from system.scene import Scene

_DRIVES = 0.3  # Longest that the base drives before the stop [s].
_ASLEEP = 0.5  # [s]
_COMMANDS = ("resume", "arm", "reset", "disarm", "hand_back")


def run(trial: Trial) -> Checks:
    """One drives and falls asleep, the other stops; what the first then says is refused."""
    checks = Checks()
    port = free_port()
    noise = random.Random(trial.seed)
    with Scene(("control_bridge", "console"), parameters={"console": {"port": port}}) as scene:
        scene.move()
        url = f"http://127.0.0.1:{port}"
        with Browser(url) as ada, Browser(url) as bob:
            rounds = _Rounds(scene, noise)
            for number in range(trial.count(10)):
                trial.say(f"round {number + 1}")
                rounds.one(ada, bob)
                ada, bob = bob, ada
            rounds.tell(checks)
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
        checks.equal("processes that ended", scene.ended(), 0)
    return checks


class _Rounds:
    """What happened in all rounds."""

    def __init__(self, scene: Scene, noise: random.Random) -> None:
        self._scene, self._noise = scene, noise
        self._watchers: list[int] = []  # Answers to who only watches.
        self._both: list[list[int]] = []  # To two who take at once.
        self._stale: list[int] = []  # To what a tab says that slept.
        self._fresh: list[int] = []  # To what the holder says who looks.
        self._stops_ms: list[float] = []
        self._left = 0  # Rounds in which the robot left STOPPED by a stale command.

    def one(self, ada: Browser, bob: Browser) -> None:
        """ada holds control and sleeps; bob stops, takes over and goes on."""
        scene = self._scene
        for page in (ada, bob):
            page.look()
            page.ask({"type": "release"})
        self._both.append(sorted((ada.take(), bob.take())))
        holder, watcher = (ada, bob) if self._mine(ada) else (bob, ada)
        for name in _COMMANDS:
            self._watchers.append(watcher.command(name))
        scene.drive()
        time.sleep(self._noise.uniform(0.05, _DRIVES))
        holder.look()
        was = {"seen": holder.seen, "lease": holder.lease}
        holder.sleep()
        pressed = time.monotonic_ns()
        self._fresh.append(watcher.stop())
        time.sleep(_ASLEEP)
        standing = scene.robot.witness.standing_since(pressed, time.monotonic_ns())
        self._stops_ms.append(float("nan") if standing is None else (standing - pressed) * 1e-6)
        holder.wake()
        # The clicks that waited: they carry what the tab showed before it slept.
        for name in _COMMANDS:
            self._stale.append(holder.command(name, **was))
        watcher.look()
        self._fresh.append(watcher.take(over=watcher.lease))
        watcher.look()
        # By now the sleeper looks again; but the lease is another's.
        holder.look()
        for name in _COMMANDS:
            self._stale.append(holder.command(name))
        time.sleep(0.1)
        self._left += scene.state.mode != RobotState.MODE_STOPPED
        self._fresh.append(watcher.command("resume"))

    def tell(self, checks: Checks) -> None:
        """The checks of all rounds."""
        checks.equal(
            "two take at once", sorted({tuple(pair) for pair in self._both}), [(200, 409)]
        )
        checks.equal("to who only watches", sorted(set(self._watchers)), [409])
        checks.equal("to a tab that slept", sorted(set(self._stale)), [409])
        checks.equal("stale commands", len(self._stale), 2 * len(_COMMANDS) * len(self._both))
        checks.equal("left STOPPED by one", self._left, 0)
        checks.equal("to who looks", sorted(set(self._fresh)), [200])
        worst = percentile(self._stops_ms, 1.0)
        checks.at_most("a watcher's stop to base 0, max", worst, 200.0, "ms")
        checks.at_most("p50", percentile(self._stops_ms, 0.5), 100.0, "ms")

    @staticmethod
    def _mine(page: Browser) -> bool:
        page.look()
        page.look()
        return bool(page.shown["control"]["mine"])
