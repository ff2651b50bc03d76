"""Closed simulation of a mock home: world, controllers and score, advanced in ticks of 20 ms.

`Simulation` owns a `World` (physics), a `ControllerManager` (the ros2_control controllers) and the
task's rubric. One thread calls `tick` and `wait`; other threads pass commands to the controllers
under `lock`. All times are simulated nanoseconds from START_NS on, unless stated as wall time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.controllers.manager import ControllerManager, ManagerConfig
from pi05_ros.sim.homes.difficulty import IDEAL, Difficulty
from pi05_ros.sim.tasks.registry import room_of, scorer, text_in
from pi05_ros.sim.tasks.score import Score
from pi05_ros.sim.world import World

TICK_NS = 20_000_000  # One command period at 50 Hz.
START_NS = 1_000_000_000  # Start of simulated time: in ROS, a stamp of 0 often means "none".
# Largest time step of the physics [s]; the controllers' period is a multiple of it. At half of it,
# joints follow their commands 0.5 mrad closer, scores are the same, and a tick costs 50 % more.
_TIMESTEP = 0.005
_REMIND_S = 0.1  # Interval at which `wait` checks its conditions and calls `remind` [s, wall].
_SCORE_TICKS = 5  # Ticks between two updates of the score.


class Simulation:
    """Runs the world and the controllers. One thread ticks; others command under `lock`.

    Simulated time never decreases: a reset restarts the robot and the home, not the clock.

    Args:
        platform: The robot.
        home: Seed of the home.
        task: Text or name of the task that is scored.
        room: Kind of the room; empty: the one that the task is done in.
        config: Parameters of the controllers; their period divides a tick.
        difficulty: Of the home.

    Attributes:
        task: What the robot is told in this home.
        lock: Guards `manager` and its controllers; held for well under a millisecond.
        arrival: Event to be set by other threads when a command or another awaited input arrives.
        now_ns: Simulated time [ns], written by the ticking thread.
        waited: Total duration of all waits [s, wall].
        waiting_for: Description of the input that `wait` waits for now; empty: none.

    Raises:
        Pi05Error: No rubric scores the task, or the platform's URDF does not fit.
    """

    def __init__(
        self,
        platform: Platform,
        home: int,
        task: str,
        config: ManagerConfig | None = None,
        room: str = "",
        difficulty: Difficulty = IDEAL,
    ) -> None:
        self.platform = platform
        config = config or ManagerConfig()
        timestep = min(_TIMESTEP, 1.0 / config.controller_rate_hz)
        self.world = World(
            platform, home, room or room_of(task), timestep=timestep, difficulty=difficulty
        )
        self._asked = task
        self._begin_scoring()
        self.manager = ControllerManager(platform, self.world, config, TICK_NS * 1e-9)
        if TICK_NS % self.manager.period_ns:
            raise ValueError(f"a tick of {TICK_NS} ns is no multiple of {self.manager.period_ns}")
        self._streams = [
            witness for witness in self.manager.witnesses.values() if witness.is_stream
        ]
        self.lock = threading.Lock()
        self.arrival = threading.Event()
        self.waited = 0.0
        self.waiting_for = ""
        self.now_ns = START_NS
        self.ticks = 0
        self.score: Score = self._update_score()

    def tick(self) -> None:
        """Advance by TICK_NS: controllers and physics alternate, then the score is updated."""
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
        """Wait until the nodes are ready for the next tick.

        Simulated time stands still meanwhile: until each steady command stream has delivered its
        command for the next tick, and for as long as `other_blocker` returns text. A command
        stream at the tick's rate therefore meets each tick once, whatever delay the machine's load
        adds to messages: a run depends on what was commanded, not on other processes. A stream
        that breaks off is waited for once.

        Args:
            command_limit: Longest wait for a command [s, wall].
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
        """Restart in the home with seed `home`; commands and goals end, and the robot holds.

        Must be called from the ticking thread.
        """
        self.world.reset(home)
        with self.lock:
            self.manager.reset(self.now_ns)
        self._begin_scoring()
        self.score = self._update_score()

    def _begin_scoring(self) -> None:
        self.task = text_in(self._asked, self.world.room)
        self._scorer = scorer(self.task, self.world.room)

    def _awaited_commands(self) -> str:
        """Describe the controllers whose steady stream has no command for the next tick yet."""
        with self.lock:
            names = [stream.group.controller.name for stream in self._streams if stream.is_awaited]
        return f"commands for {', '.join(names)}" if names else ""

    def _update_score(self) -> Score:
        """Update the rubric with the present state and return the score."""
        held = self.world.held()
        return self._scorer.update(self.world.scene_state(), held, self.now_ns * 1e-9)
