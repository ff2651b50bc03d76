"""Events of one run of a mock home, collected from the topics of the graph."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pi05_ros.evaluation.holds import Hold, HoldLog, RobotStatus

_RATE_WINDOW_S = 5.0  # Rates are averages over this time [simulated s].
_CLOCK_GAP_S = 0.5  # A larger step of /clock, which ticks every 20 ms, was not received [s].
_ERROR = 2  # diagnostic_msgs/DiagnosticStatus.ERROR


@dataclass
class SubtaskSpan:
    """A subtask and when it was pursued, in simulated seconds since the task began."""

    text: str
    source: str  # Subtask.source
    start_s: float
    end_s: float | None = None  # None: it is pursued now.


@dataclass
class Fault:
    """A node's error, once for each cause."""

    source: str  # Node that published it.
    text: str  # Text of the first one.
    first_s: float  # Simulated seconds since the task began.
    count: int = 1  # Number of messages; a node publishes its state once a second.


@dataclass(frozen=True)
class Score:
    """Score of the task."""

    points: float = 0.0
    max_points: float = 0.0  # 0: not scored yet.
    criteria: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    # Criterion -> (points, maximum).

    @property
    def is_full(self) -> bool:
        """True when all points are reached."""
        return self.max_points > 0 and self.points >= self.max_points


@dataclass(frozen=True)
class Commands:
    """The stream of commands, as counted by the controllers of the mock home."""

    sent: int = 0  # Ticks of simulated time in which the stream brought its commands.
    missed: int = 0  # Ticks in which a running stream brought none.
    faults: Mapping[str, int] = field(default_factory=dict)  # Kind of fault -> count.


@dataclass(frozen=True)
class Outcome:
    """Result of the task from the planner."""

    done: bool  # Whether the task is done.
    message: str  # In plain words.


@dataclass(frozen=True)
class Bag:
    """The recorded episode of the run, from the topic `episode`."""

    recording: bool = False  # Whether it is being recorded.
    path: str = ""  # Empty: no episode was begun.
    outcome: str = ""
    message_count: int = 0
    byte_count: int = 0
    message: str = ""  # Text of the recorder, in plain words.


class RunRecord:
    """Collects the events of a run. Thread-safe.

    Simulated time is 0 when the task begins. Earlier events do not count.

    Attributes:
        began: Whether the task has begun.
        score: The last score.
        commands: The last counts of commands.
        chunks: Number of action chunks.
        graph_state: State of the lifecycle manager (lifecycle_manager/state).
        graph_message: What the lifecycle manager waits for.
        brain: Description of the brain.
        simulation_reported_s: When the statistics of the mock home came last [s, steady].
        simulation_waits_for: What the mock home waits for; empty: nothing, or unknown.
        outcome: Result of the task; None: it has not ended.
        bag: The recorded episode.
        page: Address of the operator's page; empty: it is not served, or not yet.
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
        self.graph_state = self.graph_message = self.brain = ""
        self.simulation_reported_s = float("-inf")
        self.simulation_waits_for = ""
        self.outcome: Outcome | None = None
        self.bag = Bag()
        self.page = ""
        self._subtasks: list[SubtaskSpan] = []
        self._faults: dict[tuple[str, str], Fault] = {}
        self._holds = HoldLog()
        self._chunk_stamp: float | None = None
        self._chunk_times: deque[float] = deque(maxlen=500)
        self._picture_times: deque[float] = deque(maxlen=500)
        self._sent_history: deque[tuple[float, int]] = deque(maxlen=30)

    def clock(self, sim_s: float, wall_s: float) -> None:
        """Take a tick of simulated time [s], and the steady wall time of its arrival [s]."""
        with self._lock:
            if self._ended:
                return
            if (gap := sim_s - self._sim_now) > _CLOCK_GAP_S:
                self._holds.skip(gap)
            self._sim_now, self._wall_now = sim_s, wall_s

    @property
    def has_clock(self) -> bool:
        """True once simulated time was received: before that, no run can be timed."""
        with self._lock:
            return self._wall_now > 0

    def begin(self) -> None:
        """Begin the task now."""
        with self._lock:
            self.began = True
            self._sim_start, self._wall_start = self._sim_now, self._wall_now
            self._subtasks.clear()
            self._faults.clear()
            self._holds.begin()

    def end(self) -> None:
        """End the run: messages of a graph that stops do not count."""
        with self._lock:
            self._close_subtask()
            self._holds.end(self._now())
            self._ended = True

    def subtask(self, text: str, source: str) -> None:
        """Take a subtask; an empty text: none is pursued."""
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
        """Take the bridge's mode and its reason: RobotState.mode and .reason."""
        with self._lock:
            if not self._ended:
                self._holds.robot(mode, reason, self._now())

    def chunk(self, stamp_s: float) -> None:
        """Take an action chunk, by the stamp of its observation [s]."""
        with self._lock:
            self.chunks += self._counts
            self._chunk_stamp = stamp_s
            self._chunk_times.append(self._sim_now)

    def picture(self) -> None:
        """Take one picture of the first camera."""
        with self._lock:
            self._picture_times.append(self._sim_now)

    def health(self, source: str, level: int, message: str) -> None:
        """Take a node's diagnostic status. An ERROR while the task runs is a fault."""
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
        """Take the counts of the mock home."""
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
    def robot(self) -> RobotStatus:
        """The present state of the robot."""
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
        """Recent rates of commands, chunks and pictures of one camera [1/simulated s]."""
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
