"""Node `planner`: predicts subtasks of a task from all cameras; see docs/design/planning.md."""

from __future__ import annotations

import dataclasses
import sys
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from pi05_msgs.msg import ActionChunk, RobotState
from pi05_ros.brain import instructions
from pi05_ros.brain.instructions import InstructCode
from pi05_ros.brain.label_text import label_problem
from pi05_ros.brain.limits import subtask_problem, task_problem
from pi05_ros.brain.observation_buffer import ObservationContext, StateSample
from pi05_ros.control.modes import DEACTIVATED, NOT_ARMED_YET, without_problem
from pi05_ros.errors import ConfigError
from pi05_ros.nodes.brain_common.brain_node import BrainNode
from pi05_ros.nodes.brain_common.brains import BrainSource
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.health import Health
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.planner.operator_services import OperatorServices
from pi05_ros.nodes.planner.parameters import PlannerParameters
from pi05_ros.nodes.planner.plan_health import planning_health
from pi05_ros.nodes.planner.plan_outputs import PlanOutputs
from pi05_ros.nodes.planner.task_server import MESSAGES, TaskServer
from pi05_ros.planning.answers import AnswerVerdict
from pi05_ros.planning.decisions import Question
from pi05_ros.planning.planning import Planning
from pi05_ros.planning.robot_watch import RobotMode
from pi05_ros.planning.tasks import Outcome


class Planner(BrainNode[PlannerParameters]):
    """Runs the high level, π(l̂ | o, l).

    Args:
        brain_source: Source of the brain; None creates one for this node.
        **arguments: Passed on to LifecycleNode.
    """

    def __init__(self, brain_source: BrainSource | None = None, **arguments: Any) -> None:
        super().__init__("planner", PlannerParameters, brain_source, **arguments)
        self._lock = threading.Lock()  # Guards the planning.
        self._planning: Any = None
        self._tasks: TaskServer | None = None
        self._outputs: Any = None
        self._operator_services: OperatorServices | None = None
        self._chunk_subscription: Any = None
        self._task_timer: Any = None
        self._warned: set[str] = set()
        # The parameter's task, and the robot was not armed since: nobody gave it just now.
        self._awaits_arming = False
        self._left_out: tuple[str, ...] = ()  # Cameras that the newest query went without.

    def configure(self) -> None:
        """Open and warm up the brain, create outputs and services."""
        self.open_brain()
        self._planning = self._new_planning(first_id=1)
        # They stay while the node is inactive: to reject requests and to deliver the last result.
        self._tasks = TaskServer(
            self,
            self._task_problem,
            lambda: self._end(Outcome.PREEMPTED),
            self._begin,
        )
        self._outputs = PlanOutputs(self, self._tasks)
        self._operator_services = OperatorServices(
            self, self._instruct, self._cancel, self._resume
        )

    def activate(self) -> None:
        """Open the inputs and begin the task of the parameter, if there is one."""
        task = instructions.clean(self.parameters.task)
        if problem := task and task_problem(self._brain, task):
            raise ConfigError("parameter task", problem)
        with self._lock:
            self._planning = self._new_planning(self._planning.keeper.next_id)
        self._warned, self._left_out = set(), ()
        cameras = self._brain.info.cameras_of_planner(self._platform)
        # The planner goes on without a camera of its own; one of the policy's is the robot's.
        own = set(cameras) - set(self._brain.info.cameras_of_policy(self._platform))
        self.start_inference(cameras, self._on_state, own)
        self._chunk_subscription = self.create_subscription(
            ActionChunk, "action_chunk", self.guarded(self._on_chunk), qos.ACTION_CHUNK_GLANCE
        )
        self._task_timer = self.steady_timer(0.2, self._check_task)
        if task:
            self._begin(task, None)
            self._awaits_arming = True

    def deactivate(self) -> None:
        """End the task and close the inputs."""
        self._end(Outcome.DEACTIVATED)
        with self._lock:
            # An instruction without a task ends as well.
            subtask = self._planning.keeper.subtask
            if subtask is not None and subtask.text:
                self._outputs.publish_subtask(
                    self._planning.end(self.now_ns()), self._planning.keeper
                )
        self.stop_inference()
        if self._chunk_subscription is not None:
            self.destroy_subscription(self._chunk_subscription)
            self._chunk_subscription = None
        if self._task_timer is not None:
            self.destroy_timer(self._task_timer)
            self._task_timer = None

    def cleanup(self) -> None:
        """Release the brain and destroy outputs and services."""
        self.close_brain()
        if self._tasks is not None:
            self._tasks.close()
            self._tasks = None
        if self._operator_services is not None:
            self._operator_services.close()
            self._operator_services = None
        if self._outputs is not None:
            self._outputs.close()
            self._outputs = None

    def health(self) -> Health:
        """Task, subtask, counts, and problems of planning."""
        with self._lock:
            has_task = self._planning.keeper.task is not None
        problem = self.observation_problem() if has_task else ""
        left_out = ", ".join(self._left_out) if has_task else ""
        with self._lock:
            return planning_health(
                self._planning,
                self._brain.info.description,
                self.now_ns(),
                f"cannot plan: {problem}" if problem else "",
                f"planning without camera {left_out}" if left_out else "",
            )

    def fitness(self) -> str:
        """Return why the robot must hold: no usable answer of the brain for some seconds."""
        with self._lock:
            return self._planning.unfit(self.now_ns())

    # The high level: the worker's thread.

    def run_inference(self) -> None:
        """Predict the next subtask if one is due."""
        assert self._observations is not None
        if not self._brain.info.predicts:
            return
        moment = self._observations.latest()
        if moment is None:
            return
        with self._lock:
            question = self._planning.question(moment.observation.stamp_ns)
        if question is not None:
            self._note_cameras(moment.left_out)
            self._predict(question, moment)

    def _note_cameras(self, left_out: tuple[str, ...]) -> None:
        """Log a change of the cameras that queries go without."""
        before, self._left_out = self._left_out, left_out
        if left_out and left_out != before:
            names = ", ".join(left_out)
            self.get_logger().warning(f"planning without camera {names}: check its driver")
        elif before and not left_out:
            self.get_logger().info("planning with all cameras again")

    def _predict(self, question: Question, moment: ObservationContext) -> None:
        stamp_ns, planning = moment.observation.stamp_ns, self._planning
        try:
            history = question.history[-count:] if (count := self._brain.info.history) else ()
            options = {"history": history} if history else {}
            prediction = self._brain.predict_subtask(
                moment.observation, question.task.text, **options
            )
        except Exception as error:
            why = (str(error).splitlines() or [type(error).__name__])[0][:200]
            with self._lock:
                decision = planning.on_failure(question, why, stamp_ns, self.now_ns())
                self._outputs.publish_decision(decision, self._planning.keeper, {})
            raise
        with self._lock:
            decision = planning.on_answer(
                question, prediction, self._brain.info.subtask_source, stamp_ns, self.now_ns()
            )
            # Under the same lock: a task or an instruction that arrives now must not end with it.
            if decision is not None and decision.verdict == AnswerVerdict.DONE:
                self._end_locked(Outcome.DONE)
            if decision is not None and moment.left_out:
                reason = f"{decision.reason}; without camera {', '.join(moment.left_out)}"
                decision = dataclasses.replace(decision, reason=reason)
            self._outputs.publish_decision(decision, planning.keeper, moment.pictures.letterboxes)

    # Inputs: the executor's thread.

    def _on_state(self, state: StateSample, message: RobotState) -> None:
        mode = RobotMode(message.mode) if message.mode in list(RobotMode) else RobotMode.UNKNOWN
        running = mode == RobotMode.RUNNING
        by_operator = state.control_source == RobotState.CONTROL_TELEOP
        with self._lock:
            self._planning.on_state(
                state.stamp_ns, state.measured, state.commanded, running, by_operator
            )
            subtask = self._planning.on_mode(mode, self.now_ns())
            if self._awaits_arming and mode != RobotMode.UNKNOWN:
                # A planner that was restarted must not go on after a fault on its own account.
                reason = without_problem(message.reason)
                fresh = mode.is_armed or reason in (NOT_ARMED_YET, DEACTIVATED)
                why = f"the robot was {mode.name.lower()} when the planner started"
                subtask = subtask if fresh else self._planning.suspend(why, self.now_ns())
                self._awaits_arming = fresh and not mode.is_armed
            self._outputs.publish_subtask(subtask, self._planning.keeper)

    def _on_chunk(self, message: ActionChunk) -> None:
        actions = np.array(message.data, dtype=np.float64)
        right = tuple(message.names) == self._platform.names and message.horizon > 0
        if not right or actions.size != message.horizon * self._platform.size:
            return  # The bridge rejects and reports it.
        with self._lock:
            self._planning.on_chunk(
                message.subtask_id, actions.reshape(message.horizon, self._platform.size)
            )

    # Tasks and operators: the executor's thread.

    def _begin(self, task: str, limit: float | None) -> None:
        """Begin a task. limit: time limit [s], or None."""
        with self._lock:
            self._awaits_arming = False
            self._planning.begin(task, self.now_ns(), limit)
            self._brain.begin_task(task)
        self.get_logger().info(f"task: {task}")
        self.request_inference()

    def _end(self, outcome: Outcome) -> None:
        """End the current task, if there is one; publish that to policy and client."""
        with self._lock:
            self._end_locked(outcome)

    def _end_locked(self, outcome: Outcome, why: str = "") -> None:
        """End the current task, with the lock held; see `_end`."""
        task, count = self._planning.keeper.task, self._planning.keeper.subtask_count
        if task is None:
            return
        self._outputs.publish_subtask(self._planning.end(self.now_ns()), self._planning.keeper)
        message = f"{MESSAGES[outcome]}: {why}" if why else MESSAGES[outcome]
        self.get_logger().info(f"task ended: {message}")
        if self._tasks is not None:
            elapsed = max(0, self.now_ns() - task.started_ns) * 1e-9
            self._tasks.finish(outcome, message, count, elapsed)

    def _check_task(self) -> None:
        with self._lock:
            failure = self._planning.failure(self.now_ns())
            late = self._planning.keeper.out_of_time(self.now_ns())
            warnings = self._planning.warnings(self.now_ns())
            if late:
                self._end_locked(Outcome.TIMEOUT)
            elif failure:
                self._end_locked(Outcome.FAILED, failure)
        for kind in warnings.keys() - self._warned:
            self.get_logger().warning(warnings[kind])
        self._warned = set(warnings)
        if self._tasks is not None and self._tasks.is_cancel_requested:
            self._end(Outcome.CANCELED)

    def _task_problem(self, task: str) -> str:
        """Return why no task, or not this one, is accepted now; empty: it is."""
        return task_problem(self._brain, task) if self.is_active else "the planner is not active"

    def _new_planning(self, first_id: int) -> Planning:
        parameters = self.parameters
        return Planning(
            self._platform,
            parameters.replanning,
            first_id,
            parameters.ending,
            asks=self._brain.info.predicts,
        )

    def _instruct(self, text: str) -> tuple[InstructCode, str, int]:
        """Take an instruction; return code, message and the subtask's id."""
        if not self.is_active:
            return InstructCode.INACTIVE, "not accepted: the planner is not active", 0
        problem = instructions.text_problem(text)
        text = instructions.clean(text)
        if text:
            problem = problem or label_problem(text) or subtask_problem(self._brain, text)
        if problem:
            return InstructCode.INVALID_TEXT, f"not accepted: {problem}", 0
        with self._lock:
            decision = self._planning.instruct(text, self.now_ns())
            self._outputs.publish_decision(decision, self._planning.keeper, {})
            subtask = self._planning.keeper.subtask
        self.request_inference()
        if text:
            return InstructCode.NONE, f"subtask is now: {text}", subtask.id
        return InstructCode.NONE, "the brain decides again", subtask.id if decision.publish else 0

    def _cancel(self) -> tuple[bool, str]:
        """End the current task of any source; return success and message."""
        if not self.is_active:
            return False, "not cancelled: the planner is not active"
        with self._lock:
            task = self._planning.keeper.task
            if task is None:
                return False, "no task to cancel"
            self._end_locked(Outcome.CANCELED)
        return True, f"cancelled: {task.text}"

    def _resume(self) -> tuple[bool, str]:
        """Let a suspended task go on; return success and message."""
        if not self.is_active:
            return False, "not resumed: the planner is not active"
        with self._lock:
            if not self._planning.suspended:
                return False, "no task is suspended"
            subtask = self._planning.resume(self.now_ns())
            self._outputs.publish_subtask(subtask, self._planning.keeper)
        self.request_inference()
        return True, "the task goes on while the robot is armed"


def main(args: Sequence[str] | None = None) -> int:
    """Run planner alone."""
    return run_node(Planner, args)


if __name__ == "__main__":
    sys.exit(main())
