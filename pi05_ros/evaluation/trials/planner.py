"""The planner of a closed loop: the rules of the planner node, on simulated time.

What the node does with messages and threads happens here in the order of the loop's events;
`pi05_ros/planning` decides in both.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pi05_ros.brain.interface import SubtaskPrediction
from pi05_ros.brain.observation_buffer import StateSample
from pi05_ros.chunking.scheduler import ChunkRelease, ChunkRequest, SubtaskRef
from pi05_ros.errors import Pi05Error
from pi05_ros.evaluation.closed_loop import ClosedLoop
from pi05_ros.evaluation.trials.modes import HighLevel
from pi05_ros.evaluation.world_pictures import ModelPictures
from pi05_ros.planning.answers import AnswerVerdict
from pi05_ros.planning.decisions import Decision, Question
from pi05_ros.planning.ending import EndingSettings
from pi05_ros.planning.planning import Planning
from pi05_ros.planning.replanning import ReplanningSettings
from pi05_ros.planning.robot_watch import RobotMode
from pi05_ros.planning.tasks import CurrentSubtask, Outcome
from pi05_ros.platforms.platform import Platform

CHECK_S = 0.2  # Time between two checks of the task's end [s], as in the node.
_INSTANCE = 1  # Of its heartbeats.


class LoopPlanner:
    """Asks a high level when it is due, and publishes what the rules accept.

    Args:
        platform: The robot.
        high: The high level; None: the task itself is spoken as the subtask.
        delay: From an observation to the answer [s].

    Attributes:
        planning: State and rules.
        outcome: How the task ended; None: it goes on.
        message: Why it failed; empty: it did not.
        failures: Why queries failed, with the number of each.
    """

    def __init__(self, platform: Platform, high: HighLevel | None, delay: float) -> None:
        self.planning = Planning(
            platform, ReplanningSettings(), 1, EndingSettings(), asks=high is not None
        )
        self.outcome: Outcome | None = None
        self.message = ""
        self.failures: dict[str, int] = {}
        self._high, self._delay = high, delay
        self._task = ""
        self._newest: tuple[int, Mapping[str, np.ndarray]] | None = None
        self._is_asking = False
        self._next_check_ns = 0

    def begin(self, loop: ClosedLoop, task: str, limit: float) -> None:
        """Begin the task; the robot's states and pictures come from `loop`.

        Args:
            loop: The loop.
            task: Its text.
            limit: Time limit [s].
        """
        self._loop, self._task = loop, task
        self.planning.begin(task, loop.now_ns, limit)
        if self._high is not None:
            self._high.begin_task(task)
        else:
            self._publish_decision(self.planning.instruct(task, loop.now_ns))

    def unfit(self) -> str:
        """Return why the robot must hold now, as the node's heartbeat says it; empty: no."""
        return self.planning.unfit(self._loop.now_ns)

    # Hooks of the loop.

    def on_state(self, state: StateSample) -> None:
        """Take a robot state; send the heartbeat, and end the task if it is over."""
        now_ns, mode = self._loop.now_ns, RobotMode(state.mode)
        running = mode == RobotMode.RUNNING
        self.planning.on_state(state.stamp_ns, state.measured, state.commanded, running)
        self._publish(self.planning.on_mode(mode, now_ns))
        self._loop.robot.bridge.peers.on_heartbeat("planner", _INSTANCE, self.unfit(), now_ns)
        if now_ns >= self._next_check_ns:
            self._next_check_ns = now_ns + round(CHECK_S * 1e9)
            self._check(now_ns)

    def on_observation(self, stamp_ns: int, images: Mapping[str, np.ndarray]) -> None:
        """Take pictures, and ask if a query is due."""
        self._newest = stamp_ns, images
        self._ask()

    def on_release(self, request: ChunkRequest, release: ChunkRelease) -> None:
        """Take a published chunk."""
        self.planning.on_chunk(request.subtask.id, release.actions)

    # Queries.

    def _ask(self) -> None:
        if self._high is None or self._is_asking or self._newest is None:
            return
        stamp_ns, images = self._newest
        question = self.planning.question(stamp_ns)
        if question is None:
            return
        if isinstance(images, ModelPictures):
            images = images.at(self._high.image_size)
        observation = self._loop.observation_at(stamp_ns, images)
        history = question.history[-self._high.history :] if self._high.history else ()
        self._is_asking = True
        answer: SubtaskPrediction | str
        try:
            answer = self._high.predict(observation, question.task.text, history)
        except Pi05Error as error:
            answer = (str(error).splitlines() or [type(error).__name__])[0][:200]
            self.failures[answer] = self.failures.get(answer, 0) + 1
        source = self._high.source
        self._loop.after(self._delay, lambda: self._answered(question, answer, source, stamp_ns))

    def _answered(
        self, question: Question, answer: SubtaskPrediction | str, source: str, stamp_ns: int
    ) -> None:
        """Take an answer, or why there is none."""
        now_ns, planning = self._loop.now_ns, self.planning
        self._is_asking = False
        if isinstance(answer, str):
            planning.on_failure(question, answer, stamp_ns, now_ns)
            return
        decision = planning.on_answer(question, answer, source, stamp_ns, now_ns)
        if decision is not None and decision.verdict == AnswerVerdict.DONE:
            self._end(Outcome.DONE)
        self._publish_decision(decision)

    # Outputs.

    def _check(self, now_ns: int) -> None:
        if self.planning.keeper.task is None:
            return
        if self.planning.keeper.out_of_time(now_ns):
            self._end(Outcome.TIMEOUT)
        elif failure := self.planning.failure(now_ns):
            self._end(Outcome.FAILED, failure)

    def _end(self, outcome: Outcome, message: str = "") -> None:
        self.outcome, self.message = outcome, message
        self._publish(self.planning.end(self._loop.now_ns))

    def _publish_decision(self, decision: Decision | None) -> None:
        if decision is not None and decision.publish:
            self._publish(self.planning.keeper.subtask)

    def _publish(self, subtask: CurrentSubtask | None) -> None:
        """Publish a subtask to policy and bridge; None, or the present one: nothing changed."""
        if subtask is None:
            return
        spoken = subtask.source == "human"
        reference = SubtaskRef(subtask.task, subtask.id, subtask.text, spoken)
        if reference != self._loop.subtask:
            self._loop.pursue(reference)
