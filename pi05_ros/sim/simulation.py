"""A mock home that runs: world, controllers and score, advanced tick by tick in simulated time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.controllers.manager import ControllerManager, ManagerConfig
from pi05_ros.sim.scoring import Score, scorer
from pi05_ros.sim.world import World

TICK_NS = 20_000_000  # One command period at 50 Hz.
START_NS = 1_000_000_000  # Simulated time begins here: a stamp of 0 means "none" to too many.
# Of the physics, at most [s]; the controllers' period is a multiple. With half of it joints follow
# their commands half a milliradian closer, dishes end in the sink as often, and a tick costs half
# as much again.
_TIMESTEP = 0.005
_REMIND_S = 0.1  # A wait asks anew and reminds others at least this often [s of wall time].
_SCORE_TICKS = 5  # The score looks at the home every so many ticks.


class Simulation:
    """Owns the world and the controllers. One thread ticks; others command under `lock`.

    Simulated time only rises: a reset puts the robot and the home back, not the clock.

    Args:
        platform: The robot.
        home: Seed of the home.
        task: What is scored.
        config: Parameters of the controllers; their period divides a tick.

    Attributes:
        lock: Guards `manager` and what it holds; held for well under a millisecond.
        arrival: To be set whenever a command, or anything else that is waited for, has arrived.
        now_ns: Simulated time [ns], written by the ticking thread.
        waited: How long `wait` has waited in all [s of wall time].
        waiting_for: What `wait` waits for now, in words; empty: nothing.

    Raises:
        Pi05Error: No rubric scores the task, or the platform's URDF does not fit.
    """

    def __init__(
        self, platform: Platform, home: int, task: str, config: ManagerConfig | None = None
    ) -> None:
        self.platform = platform
        self.task = task
        config = config or ManagerConfig()
        timestep = min(_TIMESTEP, 1.0 / config.update_rate_hz)
        self.world = World(platform, home, timestep=timestep)
        self._scorer = scorer(task, self.world.kitchen)
        self.manager = ControllerManager(platform, self.world, config, TICK_NS * 1e-9)
        if TICK_NS % self.manager.period_ns:
            raise ValueError(f"a tick of {TICK_NS} ns is no multiple of {self.manager.period_ns}")
        self._streams = [
            witness
            for witness in self.manager.witnesses.values()
            if witness.group.kind != "parallel_gripper"
        ]
        self.lock = threading.Lock()
        self.arrival = threading.Event()
        self.waited = 0.0
        self.waiting_for = ""
        self.now_ns = START_NS
        self.ticks = 0
        self.score: Score = self._update_score()

    def tick(self) -> None:
        """Advances by TICK_NS: controllers and physics by turns, then the score."""
        period_ns = self.manager.period_ns
        for _ in range(TICK_NS // period_ns):
            with self.lock:
                self.manager.update(self.now_ns)
            self.world.step(period_ns * 1e-9)
            self.now_ns += period_ns
        with self.lock:
            self.manager.end_tick()
        self.ticks += 1
        if self.ticks % _SCORE_TICKS == 0:
            self.score = self._update_score()

    def wait(
        self,
        command_limit: float,
        other_blocker: Callable[[], str] = lambda: "",
        remind: Callable[[], None] = lambda: None,
        is_cancelled: Callable[[], bool] = lambda: False,
    ) -> None:
        """Waits until the robot's computers are ready for the next tick.

        Simulated time stands still meanwhile: until each steady command stream has delivered its
        command for the next tick, and for as long as `other_blocker` returns text. A command
        stream at the tick's rate therefore meets each tick once, whatever delay the machine's load
        adds to messages: a run depends on what was commanded, not on other processes. A stream
        that breaks off is waited for once.

        Args:
            command_limit: Longest wait for a command [s of wall time].
            other_blocker: Returns a description of another condition that is not met yet, or an
                empty string. Called again after each `arrival` and at least every `_REMIND_S`.
            remind: Called ten times a second [wall] while waiting, to publish again to nodes that
                may have lost the last tick's messages.
            is_cancelled: Returns whether to stop waiting regardless; the caller also sets
                `arrival` to be noticed at once.
        """
        start = time.perf_counter()
        while True:
            self.arrival.clear()
            commands = start + command_limit - time.perf_counter()
            self.waiting_for = (
                self._awaited_commands() if commands > 0 else ""
            ) or other_blocker()
            if not self.waiting_for or is_cancelled():
                break
            if not self.arrival.wait(_REMIND_S):
                remind()
        self.waiting_for = ""
        self.waited += time.perf_counter() - start

    def reset(self, home: int) -> None:
        """Begins the home with seed `home` afresh; commands and goals end, the robot holds.

        Called by the ticking thread.
        """
        self.world.reset(home)
        with self.lock:
            self.manager.reset(self.now_ns)
        self._scorer = scorer(self.task, self.world.kitchen)
        self.score = self._update_score()

    def _awaited_commands(self) -> str:
        """Controllers whose steady stream has brought nothing for the next tick, in words."""
        with self.lock:
            names = [stream.group.controller.name for stream in self._streams if stream.is_awaited]
        return f"commands for {', '.join(names)}" if names else ""

    def _update_score(self) -> Score:
        """The score of the home as it is now."""
        held = self.world.held()
        return self._scorer.update(self.world.scene_state(), held, self.now_ns * 1e-9)
