"""Planner, policy, control bridge and robot in a closed loop on a simulated clock.

Scheduler, bridge, blending and limits are those that run on a robot. The durations of pictures,
inference and transport come from `LoopTiming` and `delay`. There are no ROS messages, threads or
waits, so that a run is deterministic and faster than real time.
"""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.brain.observation import Observation, SceneState
from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.scheduler import ChunkRelease, ChunkRequest, ChunkScheduler, SubtaskRef
from pi05_ros.control.bridge import Tick
from pi05_ros.control.chunk import Chunk, ChunkRejected
from pi05_ros.errors import MessageError
from pi05_ros.evaluation.bridged_robot import BridgedRobot

START_NS = 1_000_000_000  # Time at which a loop begins; 0 is no stamp.
_FIRST_FRAME = 0.1  # From the start to the first observation [s].
_STATES_KEPT = 100  # Robot states among which the nearest to an observation is found.

# Low level: an observation, and what is requested for it, to a chunk (H, D) float64; None: the
# inference failed, and the next observation is tried.
Policy = Callable[[Observation, ChunkRequest], np.ndarray | None]
# High level: an observation to the subtask of the present task.
Planner = Callable[[Observation], SubtaskPrediction]
# Camera name -> (H, W, 3) uint8 rgb at the brain's size, taken now.
Images = Callable[[], Mapping[str, np.ndarray]]


@dataclass(frozen=True)
class LoopTiming:
    """Durations and intervals of everything but the policy [s]."""

    frame: float = 1 / 30  # Between two observations.
    frame_latency: float = 0.015  # From an observation's stamp to its arrival.
    transport: float = 0.001  # Of a message: chunk, robot state, subtask.
    tick_phase: float = 0.007  # Of the first tick: the bridge is not synchronous with cameras.
    plan: float = 1.0  # Between two observations of the planner.
    plan_delay: float = 0.1  # From such an observation to its answer.


@dataclass(frozen=True)
class LoopHooks:
    """Optional inputs, outputs and faults of a loop."""

    on_tick: Callable[[Tick, int], None] | None = None  # After each period; the time is its start.
    images: Images | None = None  # Called at each observation, for brains that need pictures.
    lost: Callable[[ChunkRelease], bool] | None = None  # Whether a chunk never arrives.
    # What a planner outside the loop receives, as its node does: each robot state, the stamp and
    # pictures of each observation, and each chunk that is published.
    on_state: Callable[[StateSample], None] | None = None
    on_observation: Callable[[int, Mapping[str, np.ndarray]], None] | None = None
    on_release: Callable[[ChunkRequest, ChunkRelease], None] | None = None


class ClosedLoop:
    """Runs policy and planner against a bridged robot.

    The bridge is armed once, as soon as the robot is measured, as by an operator at the start.
    After a latched fault the robot holds until the end of the run.

    Args:
        robot: Bridge and robot.
        scheduler: Decides when the policy is asked, as in the policy node.
        policy: The low level.
        delay: Gives the time that the policy takes for the next chunk [s].
        planner: The high level; None: `follow` sets the subtask.
        task: Task of the planner.
        timing: Other durations; None takes the defaults.
        hooks: Observers, pictures and faults; None: none.

    Attributes:
        robot: See Args.
        scheduler: See Args.
        now_ns: Simulated time.
        subtask: What chunks are computed for; empty text: nothing is to be done.
        predictions: Planner's answers that have arrived, with the stamps of their observations.
        requests: All that was requested of the policy.
        releases: Published chunks, each with its request.
        refused: Why computed chunks were not published.
        rejected: Rules by which the bridge rejected chunks.
        is_computing: Whether the policy computes a chunk now.
    """

    def __init__(
        self,
        robot: BridgedRobot,
        scheduler: ChunkScheduler,
        policy: Policy,
        delay: Callable[[], float],
        *,
        planner: Planner | None = None,
        task: str = "",
        timing: LoopTiming | None = None,
        hooks: LoopHooks | None = None,
    ) -> None:
        self.robot, self.scheduler = robot, scheduler
        self.now_ns = START_NS
        self.subtask = SubtaskRef(task, 0, "")
        self.predictions: list[tuple[int, SubtaskPrediction]] = []
        self.requests: list[ChunkRequest] = []
        self.releases: list[tuple[ChunkRequest, ChunkRelease]] = []
        self.refused: list[str] = []
        self.rejected: list[str] = []
        self.is_computing = False
        self._policy, self._delay, self._planner = policy, delay, planner
        self._timing, self._hooks = timing or LoopTiming(), hooks or LoopHooks()
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._states: deque[tuple[StateSample, SceneState | None]] = deque(maxlen=_STATES_KEPT)
        # Stamp and pictures of the newest observation that has arrived at the policy.
        self._newest: tuple[int, Mapping[str, np.ndarray]] | None = None
        self._arm_pending = True
        self.after(self._timing.tick_phase, self._tick)
        self.after(_FIRST_FRAME, self._frame)
        if planner is not None:
            self.after(_FIRST_FRAME, self._plan)

    @property
    def seconds(self) -> float:
        """Simulated time since the start [s]."""
        return (self.now_ns - START_NS) * 1e-9

    def run(self, seconds: float) -> None:
        """Advance the simulation by `seconds`."""
        end_ns = self.now_ns + _ns(seconds)
        while self._events[0][0] <= end_ns:
            self.now_ns, _, event = heapq.heappop(self._events)
            event()
        self.now_ns = end_ns

    def follow(self, task: str, text: str, spoken: bool = False) -> None:
        """Publish a subtask with a new id; empty text: nothing is to be done.

        Args:
            task: The task.
            text: The subtask.
            spoken: Whether it is an operator's verbal instruction.
        """
        self.pursue(SubtaskRef(task, self.subtask.id + 1, text, spoken))

    def pursue(self, subtask: SubtaskRef) -> None:
        """Publish a subtask with the id that its planner has given it."""
        self.subtask = subtask
        bridge = self.robot.bridge
        self.after(
            self._timing.transport,
            lambda: bridge.follow_subtask(subtask.id, subtask.task, subtask.text),
        )
        self._request_chunk()

    def observe(self) -> Observation:
        """Take an observation now: the last robot state, its ground truth, and pictures."""
        return self.observation_at(self.now_ns, self._images())

    def observation_at(self, stamp_ns: int, images: Mapping[str, np.ndarray]) -> Observation:
        """Assemble the observation of a time from its pictures and the nearest robot state."""
        state, scene = self._nearest(stamp_ns)
        return Observation(stamp_ns, state.names, state.measured, state.commanded, images, scene)

    def after(self, seconds: float, event: Callable[[], None]) -> None:
        """Schedule an event for `seconds` from now."""
        self._at(self.now_ns + _ns(seconds), event)

    def _at(self, time_ns: int, event: Callable[[], None]) -> None:
        heapq.heappush(self._events, (time_ns, next(self._order), event))

    def _images(self) -> Mapping[str, np.ndarray]:
        return {} if self._hooks.images is None else self._hooks.images()

    def _nearest(self, stamp_ns: int) -> tuple[StateSample, SceneState | None]:
        """Return the state nearest to a stamp, as the observation buffer of a node does."""
        if not self._states:
            raise RuntimeError("the robot was not measured yet: run the loop first")
        nearest = self._states[-1]
        for entry in reversed(self._states):  # Stamps rise; of two equally near the older counts.
            if abs(entry[0].stamp_ns - stamp_ns) > abs(nearest[0].stamp_ns - stamp_ns):
                break
            nearest = entry
        return nearest

    # The bridge.

    def _tick(self) -> None:
        self.after(self.robot.platform.period, self._tick)
        now_ns, scene = self.now_ns, self.robot.robot.scene()
        self.robot.measure(now_ns)
        if self._arm_pending:
            self._arm()
        tick = self.robot.tick(now_ns)
        state = self.robot.state(tick, now_ns)
        if state is not None:
            self._states.append((state, scene))
            self.after(self._timing.transport, lambda: self._take_state(state))
        if self._hooks.on_tick is not None:
            self._hooks.on_tick(tick, now_ns)

    def _take_state(self, state: StateSample) -> None:
        self.scheduler.add_state(state)
        if self._hooks.on_state is not None:
            self._hooks.on_state(state)

    def _arm(self) -> None:
        try:
            self.robot.bridge.arm(self.now_ns, self.now_ns)
            self._arm_pending = False
        except MessageError:
            return  # Tried again at the next tick.

    def _arrive(self, request: ChunkRequest, release: ChunkRelease) -> None:
        """Hand a chunk to the bridge, with the values that its message has."""
        chunk = Chunk(
            stamp_ns=request.stamp_ns,
            start_ns=release.start_ns,
            session=request.session,
            epoch=request.epoch,
            sequence=release.sequence,
            subtask_id=request.subtask.id,
            names=self.robot.platform.names,
            period=self.robot.platform.period,
            horizon=len(release.actions),
            data=release.actions.astype(np.float32).ravel(),
        )
        try:
            self.robot.bridge.add_chunk(chunk, self.now_ns)
        except ChunkRejected as error:
            self.rejected.append(error.rule)

    # The policy: one chunk at a time, always from the newest observation.

    def _frame(self) -> None:
        self.after(self._timing.frame, self._frame)
        stamp_ns, images = self.now_ns, self._images()

        def arrive() -> None:
            self._newest = stamp_ns, images
            self.scheduler.add_observation(stamp_ns)
            if self._hooks.on_observation is not None:
                self._hooks.on_observation(stamp_ns, images)
            self._request_chunk()

        self.after(self._timing.frame_latency, arrive)

    def _request_chunk(self) -> None:
        if self.is_computing or self._newest is None or not self.subtask.text:
            return
        stamp_ns, images = self._newest
        state, _ = self._nearest(stamp_ns)
        request = self.scheduler.request(
            stamp_ns, state.session, state.epoch, self.subtask, self.now_ns
        )
        if request is None:
            return
        self.requests.append(request)
        self.is_computing = True
        actions = self._policy(self.observation_at(stamp_ns, images), request)
        self.after(self._delay(), lambda: self._publish(request, actions))

    def _publish(self, request: ChunkRequest, actions: np.ndarray | None) -> None:
        self.is_computing = False
        if actions is None:
            return
        refusal = self.scheduler.refusal(request, self.subtask, self.now_ns)
        if refusal:
            self.refused.append(refusal)
        else:
            release = self.scheduler.release(request, actions, self.now_ns)
            self.releases.append((request, release))
            if self._hooks.on_release is not None:
                self._hooks.on_release(request, release)
            if self._hooks.lost is None or not self._hooks.lost(release):
                self.after(self._timing.transport, lambda: self._arrive(request, release))
        self._request_chunk()

    # The planner.

    def _plan(self) -> None:
        assert self._planner is not None
        self.after(self._timing.plan, self._plan)
        stamp_ns, prediction = self.now_ns, self._planner(self.observe())
        self.after(self._timing.plan_delay, lambda: self._planned(stamp_ns, prediction))

    def _planned(self, stamp_ns: int, prediction: SubtaskPrediction) -> None:
        self.predictions.append((stamp_ns, prediction))
        if prediction.problem:
            return  # As in the planner node: the last subtask stands.
        if prediction.text != self.subtask.text or not self.subtask.id:
            self.follow(self.subtask.task, prediction.text)


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
