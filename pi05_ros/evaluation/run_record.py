"""What happens in one run of a mock home, as it is heard from the graph."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pi05_ros.evaluation.holds import Hold, HoldLog, Robot

_RATE_WINDOW_S = 5.0  # Rates are of the last so many simulated seconds.
_DEAF_S = 0.5  # A larger step of /clock, which ticks every 20 ms, is one that was not heard [s].
_ERROR = 2  # diagnostic_msgs/DiagnosticStatus.ERROR


@dataclass
class SubtaskSpan:
    """A subtask and when it was pursued, in simulated seconds since the task began."""

    text: str
    source: str  # Subtask.source
    start_s: float
    end_s: float | None = None  # None: it still is.


@dataclass
class Fault:
    """Something that went wrong, once for each cause."""

    source: str  # Node that told it.
    text: str  # As it was told first.
    first_s: float  # Simulated seconds since the task began.
    count: int = 1  # How often it was told; a node tells its state once a second.


@dataclass(frozen=True)
class Score:
    """Points of the task."""

    points: float = 0.0
    max_points: float = 0.0  # 0: not scored yet.
    criteria: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    # What gives points -> (reached, most).

    @property
    def is_full(self) -> bool:
        """Whether no more points can be had."""
        return self.max_points > 0 and self.points >= self.max_points


@dataclass(frozen=True)
class Commands:
    """The stream of commands as the controllers of the mock home saw it."""

    sent: int = 0  # Ticks of simulated time in which the stream brought its commands.
    missed: int = 0  # Ticks in which a running stream brought none.
    faults: Mapping[str, int] = field(default_factory=dict)  # What was wrong with them: count.


@dataclass(frozen=True)
class Outcome:
    """How the planner ended the task."""

    done: bool  # It says that the task is done.
    message: str  # In plain words.


@dataclass(frozen=True)
class Bag:
    """The episode that is recorded of the run, as the recorder tells it."""

    recording: bool = False  # Whether it is open.
    path: str = ""  # Empty: none was begun.
    outcome: str = ""
    message_count: int = 0
    byte_count: int = 0
    message: str = ""  # What the recorder has to say, in plain words.


class RunRecord:
    """Collects what the graph tells. Its methods may be called from different threads.

    Simulated time is 0 when the task begins. What happened before does not count as the run's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sim_now = self._sim_start = 0.0
        self._wall_now = self._wall_start = 0.0
        self.began = False
        self._ended = False
        self.score = Score()
        self.commands = Commands()
        self.chunks = 0
        self.graph_state = ""  # lifecycle_manager/state
        self.brain = ""  # What thinks, in its own words.
        self.graph_message = ""  # What the lifecycle manager waits for.
        # When the mock home's statistics came last [s, steady].
        self.simulation_spoke_s = float("-inf")
        self.simulation_waits_for = ""  # What the mock home waits for; empty: nothing, or unknown.
        self.outcome: Outcome | None = None  # Of the action; None: it has not ended.
        self.bag = Bag()
        self.page = ""  # Address of the operator's page; empty: it is not served, or not yet.
        self._subtasks: list[SubtaskSpan] = []
        self._faults: dict[tuple[str, str], Fault] = {}
        self._holds = HoldLog()
        self._chunk_stamp: float | None = None
        self._chunk_times: deque[float] = deque(maxlen=500)
        self._picture_times: deque[float] = deque(maxlen=500)
        self._sent_history: deque[tuple[float, int]] = deque(maxlen=30)

    def clock(self, sim_s: float, wall_s: float) -> None:
        """Takes a tick of simulated time [s], and the steady wall time of its arrival [s]."""
        with self._lock:
            if self._ended:
                return
            if (gap := sim_s - self._sim_now) > _DEAF_S:
                self._holds.deaf(gap)
            self._sim_now, self._wall_now = sim_s, wall_s

    @property
    def hears_time(self) -> bool:
        """Whether a tick of simulated time has come: before that, no run can be timed."""
        with self._lock:
            return self._wall_now > 0

    def begin(self) -> None:
        """Notes that the task begins now."""
        with self._lock:
            self.began = True
            self._sim_start, self._wall_start = self._sim_now, self._wall_now
            self._subtasks.clear()
            self._faults.clear()
            self._holds.begin()

    def end(self) -> None:
        """Notes that the run is over: what the graph says while it stops does not count."""
        with self._lock:
            self._close_subtask()
            self._holds.end(self._now())
            self._ended = True

    def subtask(self, text: str, source: str) -> None:
        """Takes a subtask; an empty text: none is pursued."""
        with self._lock:
            if not self._ended:
                self._holds.subtask(bool(text), self._now())
            last = self._subtasks[-1] if self._subtasks else None
            if not self._counts or (last and last.end_s is None and last.text == text):
                return
            self._close_subtask()
            if text:
                self._subtasks.append(SubtaskSpan(text, source, self._now()))

    def robot_state(self, mode: int, reason: str) -> None:
        """Takes the bridge's mode and why it is that: RobotState.mode and .reason."""
        with self._lock:
            if not self._ended:
                self._holds.robot(mode, reason, self._now())

    def chunk(self, stamp_s: float) -> None:
        """Takes an action chunk; stamp of its observation [s]."""
        with self._lock:
            self.chunks += self._counts
            self._chunk_stamp = stamp_s
            self._chunk_times.append(self._sim_now)

    def picture(self) -> None:
        """Takes one picture of the first camera."""
        with self._lock:
            self._picture_times.append(self._sim_now)

    def health(self, source: str, level: int, message: str) -> None:
        """Takes a node's diagnostic status. An ERROR while the task runs is a fault."""
        with self._lock:
            if level < _ERROR or not self._counts:
                return
            # "for 2.1 s" and "for 3.1 s" are one fault.
            key = (source, re.sub(r"[0-9.]+", "#", message))
            if key in self._faults:
                self._faults[key].count += 1
            else:
                self._faults[key] = Fault(source, message, round(self._now(), 2))

    def commanded(self, commands: Commands) -> None:
        """Takes the mock home's counts."""
        with self._lock:
            self.commands = commands
            self._sent_history.append((self._sim_now, commands.sent))

    @property
    def sim_s(self) -> float:
        """Simulated time since the task began [s]; 0 before."""
        with self._lock:
            return self._now()

    @property
    def real_time_factor(self) -> float | None:
        """Simulated seconds in a wall second since the task began; None before."""
        with self._lock:
            wall = self._wall_now - self._wall_start
            return self._now() / wall if self.began and wall > 0 else None

    @property
    def chunk_age_s(self) -> float | None:
        """Simulated age of the newest chunk's observation [s]; None: no chunk yet."""
        with self._lock:
            return None if self._chunk_stamp is None else self._sim_now - self._chunk_stamp

    @property
    def current_subtask(self) -> str:
        """Text of the subtask that is pursued now; empty: none."""
        with self._lock:
            last = self._subtasks[-1] if self._subtasks else None
            return last.text if last and last.end_s is None else ""

    def subtasks(self) -> list[SubtaskSpan]:
        """All subtasks so far, in order."""
        with self._lock:
            return list(self._subtasks)

    @property
    def robot(self) -> Robot:
        """What is known of the robot now."""
        with self._lock:
            return self._holds.snapshot(self._now())

    def holds(self) -> list[Hold]:
        """All holds so far, in order; see Hold."""
        with self._lock:
            return [replace(hold) for hold in self._holds.holds]

    def faults(self) -> list[Fault]:
        """All faults so far, in order of their first time."""
        with self._lock:
            return sorted(self._faults.values(), key=lambda fault: fault.first_s)

    def rates_hz(self) -> tuple[float, float, float]:
        """Commands, chunks and pictures of one camera in a simulated second, lately."""
        with self._lock:
            commands = 0.0
            if len(self._sent_history) > 1:
                (t0, n0), (t1, n1) = self._sent_history[0], self._sent_history[-1]
                for t, n in self._sent_history:
                    if t >= t1 - _RATE_WINDOW_S:
                        t0, n0 = t, n
                        break
                commands = (n1 - n0) / (t1 - t0) if t1 > t0 else 0.0
            return commands, self._rate(self._chunk_times), self._rate(self._picture_times)

    @property
    def _counts(self) -> bool:
        return self.began and not self._ended

    def _rate(self, times: deque[float]) -> float:
        since = self._sim_now - _RATE_WINDOW_S
        return sum(t > since for t in times) / _RATE_WINDOW_S

    def _now(self) -> float:
        return self._sim_now - self._sim_start if self.began else 0.0

    def _close_subtask(self) -> None:
        if self._subtasks and self._subtasks[-1].end_s is None:
            self._subtasks[-1].end_s = self._now()
