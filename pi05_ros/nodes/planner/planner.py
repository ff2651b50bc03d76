"""Node `planner`: predicts subtasks of a task from all cameras; see docs/design/planning.md."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from std_srvs.srv import Trigger

from pi05_msgs.msg import ActionChunk, PlanDecision, RobotState, Subtask
from pi05_msgs.srv import Instruct
from pi05_ros.brain import instructions
from pi05_ros.brain.instructions import InstructCode
from pi05_ros.brain.observation_buffer import ObservationContext, StateSample
from pi05_ros.cameras.letterbox import Letterbox
from pi05_ros.nodes.brain_common.brain_node import BrainNode
from pi05_ros.nodes.brain_common.brains import BrainSource
from pi05_ros.nodes.common import qos
from pi05_ros.nodes.common.health import ERROR, OK, WARN, Health
from pi05_ros.nodes.common.running import run_node
from pi05_ros.nodes.planner.parameters import PlannerParameters
from pi05_ros.nodes.planner.plan_messages import decision_message, subtask_message
from pi05_ros.nodes.planner.task_server import MESSAGES, TaskServer
from pi05_ros.planning.answers import AnswerVerdict
from pi05_ros.planning.decisions import Decision, Question
from pi05_ros.planning.planning import Planning
from pi05_ros.planning.tasks import CurrentSubtask, Outcome


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
        self._outputs: list[Any] = []
        self._operator_services: list[Any] = []
        self._chunk_subscription: Any = None
        self._task_timer: Any = None
        self._warned: set[str] = set()

    def configure(self) -> None:
        """Open and warm up the brain, create outputs and services."""
        self.open_brain()
        self._planning = Planning(self._platform, self.parameters.replanning)
        self._subtasks = self.create_publisher(Subtask, "subtask", qos.LATCHED)
        self._decisions = self.create_publisher(PlanDecision, "plan_decision", qos.PLAN_DECISION)
        self._outputs = [self._subtasks, self._decisions]
        # They stay while the node is inactive: to reject requests and to deliver the last result.
        self._tasks = TaskServer(
            self,
            lambda: "" if self.is_active else "the planner is not active",
            lambda: self._end(Outcome.PREEMPTED),
            self._begin,
        )
        self._operator_services = [
            self.create_service(Instruct, "instruct", self._on_instruct),
            self.create_service(Trigger, "cancel_task", self._on_cancel),
        ]

    def activate(self) -> None:
        """Open the inputs and begin the task of the parameter, if there is one."""
        with self._lock:
            first_id = self._planning.keeper.next_id
            self._planning = Planning(self._platform, self.parameters.replanning, first_id)
        self._warned = set()
        self.start_inference(self._platform.planner_cameras, self._on_state)
        self._chunk_subscription = self.create_subscription(
            ActionChunk, "action_chunk", self.guarded(self._on_chunk), qos.ACTION_CHUNK_GLANCE
        )
        self._task_timer = self.steady_timer(0.2, self._check_task)
        task = instructions.clean(self.parameters.task)
        if task:
            self._begin(task, None)

    def deactivate(self) -> None:
        """End the task and close the inputs."""
        self._end(Outcome.DEACTIVATED)
        with self._lock:
            # An instruction without a task ends as well.
            subtask = self._planning.keeper.subtask
            if subtask is not None and subtask.text:
                self._publish_subtask(self._planning.end(self.now_ns()), {})
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
        for service in self._operator_services:
            self.destroy_service(service)
        self._operator_services = []
        for publisher in self._outputs:
            self.destroy_publisher(publisher)
        self._outputs = []

    def health(self) -> Health:
        """Task, subtask, and problems of planning."""
        with self._lock:
            task, subtask = self._planning.keeper.task, self._planning.keeper.subtask
            unfit = self._planning.unfit(self.now_ns())
            warnings = self._planning.warnings(self.now_ns())
        values = {
            "brain": self._brain.info.description,
            "task": task.text if task else "",
            "subtask": subtask.text if subtask else "",
        }
        observation_problem = self.observation_problem() if task is not None else ""
        problems = [
            unfit,
            f"cannot plan: {observation_problem}" if observation_problem else "",
            *warnings.values(),
        ]
        if any(problems):
            return Health(ERROR if unfit else WARN, "; ".join(filter(None, problems)), values)
        return Health(OK, f"planning: {task.text}" if task else "waiting for a task", values)

    def fitness(self) -> str:
        """Return why the robot must hold: no usable answer of the brain for some seconds."""
        with self._lock:
            return self._planning.unfit(self.now_ns())

    # The high level: the worker's thread.

    def run_inference(self) -> None:
        """Predict the next subtask if one is due."""
        assert self._observations is not None
        moment = self._observations.latest()
        if moment is None:
            return
        with self._lock:
            question = self._planning.question(moment.observation.stamp_ns)
        if question is not None:
            self._predict(question, moment)

    def _predict(self, question: Question, moment: ObservationContext) -> None:
        stamp_ns, planning = moment.observation.stamp_ns, self._planning
        try:
            prediction = self._brain.predict_subtask(moment.observation, question.task.text)
        except Exception as error:
            why = (str(error).splitlines() or [type(error).__name__])[0][:200]
            with self._lock:
                decision = planning.on_failure(question, why, stamp_ns, self.now_ns())
                self._publish_decision(decision, {})
            raise
        with self._lock:
            decision = planning.on_answer(
                question, prediction, self._brain.info.subtask_source, stamp_ns, self.now_ns()
            )
            # Under the same lock: a task or an instruction that arrives now must not end with it.
            if decision is not None and decision.verdict == AnswerVerdict.DONE:
                self._end_locked(Outcome.DONE)
            self._publish_decision(decision, moment.pictures.letterboxes)

    # Inputs: the executor's thread.

    def _on_state(self, state: StateSample, message: RobotState) -> None:
        running = message.mode == RobotState.MODE_RUNNING
        with self._lock:
            self._planning.on_state(state.stamp_ns, state.measured, state.commanded, running)

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
            self._planning.begin(task, self.now_ns(), limit)
            self._brain.begin_task(task)
        self.get_logger().info(f"task: {task}")
        self.request_inference()

    def _end(self, outcome: Outcome) -> None:
        """End the current task, if there is one; publish that to policy and client."""
        with self._lock:
            self._end_locked(outcome)

    def _end_locked(self, outcome: Outcome) -> None:
        """End the current task, with the lock held; see `_end`."""
        task, count = self._planning.keeper.task, self._planning.keeper.subtask_count
        if task is None:
            return
        self._publish_subtask(self._planning.end(self.now_ns()), {})
        self.get_logger().info(f"task ended: {MESSAGES[outcome]}")
        if self._tasks is not None:
            self._tasks.finish(outcome, count, max(0, self.now_ns() - task.started_ns) * 1e-9)

    def _check_task(self) -> None:
        with self._lock:
            late = self._planning.keeper.out_of_time(self.now_ns())
            warnings = self._planning.warnings(self.now_ns())
        for kind in warnings.keys() - self._warned:
            self.get_logger().warning(warnings[kind])
        self._warned = set(warnings)
        if late:
            self._end(Outcome.TIMEOUT)
        elif self._tasks is not None and self._tasks.is_cancel_requested:
            self._end(Outcome.CANCELED)

    def _on_instruct(
        self, request: Instruct.Request, response: Instruct.Response
    ) -> Instruct.Response:
        """Serve a request; an exception that leaves a service would end the process."""
        answer = self.guarded(self._instruct)(request.text)
        failed = (InstructCode.FAILED, "not accepted: internal error, see the log of planner", 0)
        response.code, response.message, response.subtask_id = answer or failed
        return response

    def _instruct(self, text: str) -> tuple[InstructCode, str, int]:
        """Take an instruction; return code, message and the subtask's id."""
        if not self.is_active:
            return InstructCode.INACTIVE, "not accepted: the planner is not active", 0
        problem = instructions.text_problem(text)
        if problem:
            return InstructCode.INVALID_TEXT, f"not accepted: {problem}", 0
        text = instructions.clean(text)
        with self._lock:
            decision = self._planning.instruct(text, self.now_ns())
            self._publish_decision(decision, {})
            subtask = self._planning.keeper.subtask
        self.request_inference()
        if text:
            return InstructCode.NONE, f"subtask is now: {text}", subtask.id
        return InstructCode.NONE, "the brain decides again", subtask.id if decision.publish else 0

    def _on_cancel(self, _: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        """Serve a request; an exception that leaves a service would end the process."""
        failed = (False, "not cancelled: internal error, see the log of planner")
        response.success, response.message = self.guarded(self._cancel)() or failed
        return response

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

    # Output; the lock is held.

    def _publish_decision(
        self, decision: Decision | None, letterboxes: Mapping[str, Letterbox]
    ) -> None:
        if decision is None:
            return
        standing = self._planning.keeper.subtask
        if decision.publish:
            self._publish_subtask(standing, letterboxes)
        self._decisions.publish(decision_message(decision, standing, self.now_ns()))

    def _publish_subtask(
        self, subtask: CurrentSubtask, letterboxes: Mapping[str, Letterbox]
    ) -> None:
        message = subtask_message(subtask, letterboxes, self.now_ns())
        self._subtasks.publish(message)
        task = self._planning.keeper.task
        if self._tasks is not None:
            elapsed = max(0, self.now_ns() - task.started_ns) * 1e-9 if task else 0.0
            self._tasks.publish_feedback(message, elapsed)


def main(args: Sequence[str] | None = None) -> int:
    """Run planner alone."""
    return run_node(Planner, args)


if __name__ == "__main__":
    sys.exit(main())
