"""The scripted expert as a brain: subtasks and chunks from the ground truth of a mock home."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

import numpy as np

from pi05_ros.brain.continuation import Continuation, ContinuationError, ContinuationMode
from pi05_ros.brain.interface import (
    Box,
    BrainInfo,
    ChunkPrediction,
    PastSubtask,
    SubtaskPrediction,
)
from pi05_ros.brain.observation import Observation
from pi05_ros.platforms.platform import Platform
from pi05_ros.sim.expert.chunks import ChunkMaker
from pi05_ros.sim.expert.config import ScriptedExpertConfig
from pi05_ros.sim.expert.kinematics import ArmKinematics
from pi05_ros.sim.expert.language import UnknownText, parse_subtask
from pi05_ros.sim.expert.moves import Moves
from pi05_ros.sim.expert.planner import SubtaskPlanner
from pi05_ros.sim.expert.projection import item_boxes
from pi05_ros.sim.expert.recent_chunks import RecentChunks, RunningCommands
from pi05_ros.sim.expert.skills import HoldSkill, PickSkill, PlaceSkill, Skill
from pi05_ros.sim.expert.state import RobotState
from pi05_ros.sim.expert.state_estimator import StateEstimator, check_observation
from pi05_ros.sim.expert.transforms import on_floor
from pi05_ros.sim.expert.workplace import Workplace
from pi05_ros.sim.homes.rooms import draw_room

_LOG = logging.getLogger(__name__)
_HORIZON = 50  # Rows, as in π0.5.


class ExpertBrain:
    """Predicts subtasks and action chunks from the ground truth of a mock home.

    The low level uses the subtask's text and the observation only, never the task. Both levels may
    be called from different threads; a lock serialises them.

    Args:
        platform: The robot.
        config: Parameters of its motion; None: the defaults.
        picture_size: (height, width) of the model's pictures, to which boxes refer [pixel].
        kinematics: Of the platform, where several brains use one after the other; None: its own.
    """

    def __init__(
        self,
        platform: Platform,
        config: ScriptedExpertConfig | None = None,
        picture_size: tuple[int, int] = (224, 224),
        kinematics: ArmKinematics | None = None,
    ) -> None:
        self.info = BrainInfo(
            name="expert",
            checkpoint="",
            description="scripted expert that knows the mock home; nothing is learned",
            subtask_source="external",
            image_size=None,
            needs_scene=True,
            horizon=_HORIZON,
            period=platform.period,
        )
        config = config or ScriptedExpertConfig()
        self._platform = platform
        self._config = config
        self._picture_size = picture_size
        self._lock = threading.Lock()
        self._kinematics = kinematics or ArmKinematics(platform)
        self._chunks = ChunkMaker(platform, config.limit_share, _HORIZON)
        self._recent = RecentChunks(platform.period, platform.is_velocity, config.latency)
        self._estimator = StateEstimator(self._kinematics, config)
        self._moves: Moves | None = None
        self._planner: tuple[str, SubtaskPlanner] | None = None
        self._warned_text = ""

    def warm_up(self, continuation: ContinuationMode | None = None) -> None:
        """Solve inverse kinematics once, to load its libraries; `continuation` is ignored."""
        with self._lock:
            for arm in self._kinematics.layout.arms:
                tcp = self._kinematics.tcps(self._platform.home)[arm.side]
                self._kinematics.solve(arm.side, tcp, self._platform.home)

    def begin_task(self, task: str) -> None:
        """Discard the state of an earlier task."""
        with self._lock:
            self._planner = None

    def predict_subtask(
        self, observation: Observation, task: str, history: Sequence[PastSubtask] = ()
    ) -> SubtaskPrediction:
        """Predict the next subtask, with boxes around its item; `history` is not needed.

        Raises:
            UnknownText: The expert does not support the task.
            Pi05Error: The observation is not of this robot in a mock home.
        """
        with self._lock:
            moves, robot, _ = self._observe(observation)
            if self._planner is None or self._planner[0] != task:
                self._planner = (task, SubtaskPlanner(moves, task))
            decision = self._planner[1].decide(robot, observation.stamp_ns * 1e-9)
            boxes: tuple[Box, ...] = ()
            if decision.item is not None:
                boxes = item_boxes(
                    self._kinematics,
                    observation.state,
                    on_floor(robot.base),
                    decision.item,
                    robot.items[decision.item.name],
                    self._picture_size,
                )
            return SubtaskPrediction(decision.text, boxes, done=decision.done)

    def predict_chunk(
        self, observation: Observation, subtask: str, continuation: Continuation | None = None
    ) -> ChunkPrediction:
        """Predict a chunk of targets for `subtask`. With an unknown text the robot holds.

        The expert keeps its recent chunks, and continues them without a `continuation`.

        Raises:
            ContinuationError: `continuation` is not None.
            Pi05Error: The observation is not of this robot in a mock home.
        """
        if continuation is not None:
            raise ContinuationError(
                f"the expert does not go on from chunks by '{continuation.mode}'; use async"
            )
        with self._lock:
            moves, robot, running = self._observe(observation)
            skill = self._skill(moves, robot, subtask)
            chunk = self._chunks.make(skill, robot, running.committed)
            self._recent.add(observation.stamp_ns, chunk)
            return ChunkPrediction(chunk)

    def replace_last_chunk(self, stamp_ns: int, chunk: np.ndarray) -> None:
        """Replace the last chunk by the one that is actually executed.

        Args:
            stamp_ns: Stamp of its observation [ns].
            chunk: (horizon, D) float64 targets, platform units.
        """
        with self._lock:
            self._recent.replace(stamp_ns, chunk)

    def close(self) -> None:
        """Do nothing: there are no resources to free."""

    def _observe(self, observation: Observation) -> tuple[Moves, RobotState, RunningCommands]:
        """Return moves, state at the stamp and running commands; set up a new home if needed."""
        scene = check_observation(observation, self._platform.names)
        if self._moves is None or _drawn(self._moves) != (scene.room, scene.home):
            place = Workplace(self._kinematics, draw_room(scene.room, scene.home), self._config)
            self._moves = Moves(place)
            self._planner = None
            self._recent.clear()
            self._estimator.clear()
        commanded = np.asarray(observation.commanded, dtype=np.float64)
        commanded = np.where(np.isfinite(commanded), commanded, observation.state)
        running = self._recent.match(commanded, observation.stamp_ns)
        kitchen = self._moves.workplace.room
        robot = self._estimator.estimate(observation, scene, kitchen, running)
        return self._moves, robot, running

    def _skill(self, moves: Moves, robot: RobotState, subtask: str) -> Skill:
        try:
            command = parse_subtask(subtask, moves.workplace.room)
        except UnknownText as error:
            if subtask != self._warned_text:
                _LOG.warning("%s; the robot holds still", error)
                self._warned_text = subtask
            return HoldSkill(moves)
        if command.item is None:
            return HoldSkill(moves)
        if command.verb == "pick":
            return PickSkill(moves, command.item, robot)
        return PlaceSkill(moves, command.item, robot)


def _drawn(moves: Moves) -> tuple[str, int]:
    """Return kind and seed of the room that moves are for."""
    room = moves.workplace.room
    return room.kind, room.seed
