"""Scheduler of one policy activation: when to request a chunk, and how to publish it."""

from __future__ import annotations

import math
from collections import Counter, deque
from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.continuation import Continuation
from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.delay import DelayEstimator
from pi05_ros.chunking.execution_age import executable_rows
from pi05_ros.chunking.join import join
from pi05_ros.chunking.robot_view import RobotView
from pi05_ros.chunking.settings import CHUNK_MODES, ChunkSettings
from pi05_ros.chunking.timeline import ChunkTimeline, PublishedChunk

# Upper bound of the measured interval between observations [rows].
_MAX_INTERVAL = 10.0
# An observation older than the last one by more than this means that time jumped back [ns].
_TIME_JUMP_NS = 100_000_000


@dataclass(frozen=True)
class SubtaskRef:
    """The subtask of a chunk. The id alone is not unique: a restarted planner counts from 1."""

    task: str
    id: int
    text: str
    spoken: bool = False  # An operator's verbal instruction.


@dataclass(frozen=True)
class ChunkRequest:
    """Request for a chunk to the brain."""

    stamp_ns: int  # Of the observation.
    session: int
    epoch: int
    subtask: SubtaskRef
    continuation: Continuation | None  # None: the chunk starts afresh.
    asked_rows: float  # Rows between the observation and the request; they are already past.
    is_first: bool  # No chunk is being executed.


@dataclass(frozen=True)
class ChunkRelease:
    """A computed chunk as it is published."""

    sequence: int
    start_ns: int  # Time of row 0.
    committed: int
    actions: np.ndarray  # (rows, D) float64; in mode sync only the rows to execute.


class ChunkScheduler:
    """Schedules the chunks of one activation of the policy. Not thread-safe.

    The delay of a chunk is the row at which the robot first executes it, as reported by the
    robot's state. It has two parts: the rows between observation and request, which are known at
    the request, and the rows from request to execution, which are estimated.

    Args:
        settings: Mode, horizons and margins.
        period: Time between two rows [s].
        horizon: Rows of the brain's chunks.
        max_committed: Most committed rows that the brain supports; None: all but one.

    Raises:
        ValueError: The settings leave no rows of such a horizon.

    Attributes:
        counts: Number of chunks by result: "published", "executed", "never executed", "of an older
            subtask", "of another epoch", "past when done", "overridden by an operator"; and
            "ran out", how often the robot reached the end of a chunk before the next one arrived.
        delay_rows: Row at which the newest chunk was first executed; NaN: none yet.
    """

    def __init__(
        self,
        settings: ChunkSettings,
        period: float,
        horizon: int,
        max_committed: int | None = None,
    ) -> None:
        rows = min(horizon, executable_rows(0.0, period, settings.max_execution_age_s))
        if settings.execution_horizon + settings.chunk_margin >= rows:
            age = "" if rows == horizon else f" within {settings.max_execution_age_s:g} s"
            raise ValueError(
                f"execution_horizon {settings.execution_horizon} and chunk_margin "
                f"{settings.chunk_margin} must be below the horizon of {rows} rows{age} together"
            )
        self.settings = settings
        self.mode = CHUNK_MODES[settings.mode]
        self.counts: Counter[str] = Counter()
        self.delay_rows = math.nan
        self._period_ns = period * 1e9
        self._horizon = horizon
        self._executable = rows  # Of a chunk that begins at its observation.
        self._max_committed = horizon - 1 if max_committed is None else max_committed
        self._delay = DelayEstimator(settings.initial_delay, settings.delay_window)
        self._timeline = ChunkTimeline()
        self._robot = RobotView()
        self._sequence = 0
        self._lost_in_a_row = 0
        self._last: tuple[int, SubtaskRef] | None = None  # Stamp and subtask last published.
        self._stamps: deque[int] = deque(maxlen=6)  # Of the last observations.

    @property
    def estimate_rows(self) -> float:
        """Estimated rows from the request of a chunk to its execution."""
        return self._delay.rows

    def problem(self) -> str:
        """Problem with the succession of chunks, as one clause; empty: none."""
        if self._lost_in_a_row > 1:
            return (
                f"the bridge executed none of the last {self._lost_in_a_row} chunks; see its "
                "diagnostics"
            )
        # A chunk is requested after the last one arrived, and must arrive before that one ends.
        if not self.mode.waits and 2 * self.delay_rows + self._interval() > self._executable - 1:
            return (
                f"a chunk delay of {self.delay_rows:.0f} rows is too long for a horizon of "
                f"{self._executable}: the robot pauses between chunks"
            )
        if self.mode.continuation is not None and self.delay_rows > self._max_committed + 1:
            return (
                f"a chunk delay of {self.delay_rows:.0f} rows exceeds the {self._max_committed} "
                "rows that the brain can continue: motion may be discontinuous"
            )
        return ""

    # Inputs.

    def add_state(self, state: StateSample) -> None:
        """Handle a robot state: update the executed chunk, the delay and the lost chunks."""
        if self._robot.is_new_session(state):
            self._timeline.clear()
        was_following = self._robot.follows_chunk
        self._robot.add(state)
        if self._robot.is_overridden:
            # Its rows are the operator's: the next chunk starts afresh from what is measured.
            if overridden := self._timeline.override():
                self.counts["overridden by an operator"] += overridden
            return
        at_ns = max(state.commanded_ns, state.stamp_ns)  # Unarmed, commanded_ns does not advance.
        if state.chunk_sequence and not math.isnan(state.chunk_row):
            taken = self._timeline.mark_executed(
                state.chunk_sequence, state.chunk_stamp_ns, state.commanded_ns
            )
            if taken is not None:
                self._note_delay(taken, state.chunk_row)
        lost = self._timeline.mark_overdue(at_ns)
        if self._robot.is_armed:
            self.counts["never executed"] += lost
            self._lost_in_a_row += lost
        if self._robot.follows_chunk:
            return
        last = self._timeline.last
        if was_following and last is not None and at_ns >= last.end_ns and not self.mode.waits:
            self.counts["ran out"] += 1
        self._timeline.forget_executed(at_ns)

    def _note_delay(self, chunk: PublishedChunk, row: float) -> None:
        self.counts["executed"] += 1
        self._lost_in_a_row = 0
        if chunk.was_overridden:
            return  # It waited for the operator.
        self.delay_rows = row
        if not self.mode.waits:
            self._delay.add(max(0.0, row - chunk.asked_rows), is_warm_up=chunk.is_first)

    def add_observation(self, stamp_ns: int) -> None:
        """Record the stamp of a new observation, to measure the interval between them."""
        if self._stamps and stamp_ns < self._stamps[-1] - _TIME_JUMP_NS:
            self._stamps.clear()
            self._timeline.clear()
            self._last = None
        if not self._stamps or stamp_ns > self._stamps[-1]:
            self._stamps.append(stamp_ns)

    # Chunks.

    def request(
        self, stamp_ns: int, session: int, epoch: int, subtask: SubtaskRef, now_ns: int
    ) -> ChunkRequest | None:
        """Return a request if a chunk is to be computed from an observation now; None: wait.

        Args:
            stamp_ns: Stamp of the newest observation [ns].
            session: Session of its robot state.
            epoch: Epoch of its robot state.
            subtask: The present subtask; its text is not empty.
            now_ns: Present time, on the clock of the stamps [ns].
        """
        if not self._robot.matches(session, epoch):
            return None  # Observed before the bridge's epoch changed: the bridge would reject it.
        if self._last is not None and self._last[1].task != subtask.task:
            self._timeline.clear()  # The bridge drops the executed chunk when the task changes.
        if not self._is_due(stamp_ns, subtask, now_ns):
            return None
        asked_rows = max(0.0, (now_ns - stamp_ns) / self._period_ns)
        plan = self._timeline.plan(stamp_ns, self._horizon, self._period_ns)
        if plan is not None and self._is_cut(subtask):
            # Nothing but the committed rows may pull the chunk back to the earlier plan.
            plan = plan[0], min(self._committed(asked_rows), plan[1])
        return ChunkRequest(
            stamp_ns=stamp_ns,
            session=session,
            epoch=epoch,
            subtask=subtask,
            continuation=None if plan is None else self._continuation(*plan, asked_rows),
            asked_rows=asked_rows,
            is_first=plan is None,
        )

    def refusal(self, request: ChunkRequest, subtask: SubtaskRef | None, now_ns: int) -> str:
        """Reason why a computed chunk must not be published, which is counted; empty: it may be.

        Args:
            request: The request of the chunk.
            subtask: The present subtask; None: there is none.
            now_ns: Present time [ns].
        """
        end_ns = request.stamp_ns + (self._executable - 1) * self._period_ns
        if subtask != request.subtask:
            reason = "of an older subtask"
        elif not self._robot.matches(request.session, request.epoch):
            reason = "of another epoch"
        elif not self.mode.waits and now_ns > end_ns:
            reason = "past when done"
        else:
            return ""
        self.counts[reason] += 1
        return reason

    def release(self, request: ChunkRequest, actions: np.ndarray, now_ns: int) -> ChunkRelease:
        """Record that a chunk is published now, and return it as it is published.

        Args:
            request: The request of the chunk; `refusal` gave no reason.
            actions: (H, D) float64.
            now_ns: Present time [ns].
        """
        start_ns, running = request.stamp_ns, request.continuation
        if running is not None:
            actions = join(actions, running, self.settings.fade_rows)
        if self.mode.waits:
            # Row 0 is executed first however late it is; rows after the horizon are cut off.
            actions = actions[: self.settings.execution_horizon]
            start_ns = max(now_ns, request.stamp_ns)
        self._sequence += 1
        self._last = (request.stamp_ns, request.subtask)
        self._timeline.add(
            PublishedChunk(
                sequence=self._sequence,
                stamp_ns=request.stamp_ns,
                start_ns=start_ns,
                period_ns=self._period_ns,
                actions=actions[: self._executed_rows(request.stamp_ns, start_ns)],
                published_ns=now_ns,
                asked_rows=request.asked_rows,
                is_first=request.is_first,
                text=request.subtask.text,
            )
        )
        self.counts["published"] += 1
        committed = 0 if running is None else running.committed
        return ChunkRelease(self._sequence, start_ns, committed, actions)

    def _executed_rows(self, stamp_ns: int, start_ns: int) -> int:
        """Return how many rows of a published chunk the bridge executes at most, 1 or more."""
        lead_s = (start_ns - stamp_ns) * 1e-9
        period, age_s = self._period_ns * 1e-9, self.settings.max_execution_age_s
        return max(1, executable_rows(lead_s, period, age_s))

    def _continuation(
        self, actions: np.ndarray, overlap: int, asked_rows: float
    ) -> Continuation | None:
        if self.mode.continuation is None:
            return None
        committed = min(self._committed(asked_rows), overlap)
        return Continuation(actions, committed, overlap, self.mode.continuation)

    def _committed(self, asked_rows: float) -> int:
        """Return the rows that are executed in any case before a chunk requested now arrives."""
        late = math.ceil(asked_rows + self._delay.rows - 1e-6)
        return min(late, self._max_committed)

    def _is_cut(self, subtask: SubtaskRef) -> bool:
        """Check whether a spoken subtask replaces the text of the executed chunk."""
        last = self._timeline.last
        return subtask.spoken and last is not None and last.text != subtask.text

    def _is_due(self, stamp_ns: int, subtask: SubtaskRef, now_ns: int) -> bool:
        if self._last is None:
            may_move = not self.mode.waits or self._robot.is_overridden
            return may_move or self._robot.stands_since(stamp_ns)
        last_stamp_ns, last_subtask = self._last
        if stamp_ns < last_stamp_ns:
            return False
        rows = (stamp_ns - last_stamp_ns) / self._period_ns
        if self._robot.is_overridden:
            # In every mode and at the usual pace: what the model would do is recorded.
            return subtask != last_subtask or rows >= self.settings.execution_horizon
        if self.mode.waits:
            return self._is_due_standing(stamp_ns)
        if subtask != last_subtask or rows >= self.settings.execution_horizon:
            return True
        running = self._timeline.last
        if running is None:
            # While the robot is not armed, chunks move nothing.
            return stamp_ns > last_stamp_ns and self._robot.is_armed
        # Latest possible time: after one more observation the chunk would arrive too late.
        left = (running.end_ns - stamp_ns) / self._period_ns - self._interval()
        asked_rows = max(0.0, (now_ns - stamp_ns) / self._period_ns)
        return rows > 0 and left < asked_rows + self._delay.rows + self.settings.chunk_margin

    def _is_due_standing(self, stamp_ns: int) -> bool:
        """Check, in mode sync, that the last chunk is over and the observed robot stands."""
        return self._timeline.last is None and self._robot.stands_since(stamp_ns)

    def _interval(self) -> float:
        """Largest interval between recent observations [rows]."""
        stamps = list(self._stamps)
        gaps = [b - a for a, b in zip(stamps, stamps[1:], strict=False)]
        return min(max(gaps, default=0) / self._period_ns, _MAX_INTERVAL)
