"""Row 28: two operators at a time, and a tab that was suspended during a stop."""

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
    """Suspend one operator's browser, stop by the other; the first one's commands are refused."""
    checks = Checks()
    port = free_port()
    noise = random.Random(trial.seed)
    with Scene(("control_bridge", "console"), parameters={"console": {"port": port}}) as scene:
        scene.move()
        url = f"http://127.0.0.1:{port}"
        with Browser(url) as ada, Browser(url) as bob:
            rounds = _Rounds(scene, noise)
            for number in range(trial.count(10)):
                trial.report(f"round {number + 1}")
                rounds.one(ada, bob)
                ada, bob = bob, ada
            rounds.judge(checks)
        checks.equal("commands beyond a limit", len(scene.robot.witness.faults()), 0)
        checks.equal("processes that ended", scene.ended(), 0)
    return checks


class _Rounds:
    """Responses and delays of all rounds."""

    def __init__(self, scene: Scene, noise: random.Random) -> None:
        self._scene, self._noise = scene, noise
        self._watchers: list[int] = []  # Responses to a page without control.
        self._both: list[list[int]] = []  # Responses to two pages that take control at once.
        self._stale: list[int] = []  # Responses to commands of a tab that was suspended.
        self._fresh: list[int] = []  # Responses to the holder whose page is up to date.
        self._stops_ms: list[float] = []
        self._left = 0  # Rounds in which a stale command ended STOPPED.

    def one(self, ada: Browser, bob: Browser) -> None:
        """Suspend the holder; the other page stops, takes control and resumes."""
        scene = self._scene
        for page in (ada, bob):
            page.next_state()
            page.request({"type": "release"})
        self._both.append(sorted((ada.take(), bob.take())))
        holder, watcher = (ada, bob) if self._mine(ada) else (bob, ada)
        for name in _COMMANDS:
            self._watchers.append(watcher.command(name))
        scene.drive()
        time.sleep(self._noise.uniform(0.05, _DRIVES))
        holder.next_state()
        was = {"seen": holder.seen, "lease": holder.lease}
        holder.suspend()
        pressed = time.monotonic_ns()
        self._fresh.append(watcher.stop())
        time.sleep(_ASLEEP)
        standing = scene.robot.witness.standing_since(pressed, time.monotonic_ns())
        self._stops_ms.append(float("nan") if standing is None else (standing - pressed) * 1e-6)
        holder.resume()
        # Commands that waited: they carry the state that the tab showed before.
        for name in _COMMANDS:
            self._stale.append(holder.command(name, **was))
        watcher.next_state()
        self._fresh.append(watcher.take(over=watcher.lease))
        watcher.next_state()
        # The page is up to date again, but the lease is another's.
        holder.next_state()
        for name in _COMMANDS:
            self._stale.append(holder.command(name))
        time.sleep(0.1)
        self._left += scene.state.mode != RobotState.MODE_STOPPED
        self._fresh.append(watcher.command("resume"))

    def judge(self, checks: Checks) -> None:
        """Add the checks of all rounds."""
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
        page.next_state()
        page.next_state()
        return bool(page.shown["control"]["mine"])
