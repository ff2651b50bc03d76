"""planner: from a task to subtasks, about once a second, from all cameras."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle

from pi05_msgs.action import ExecuteTask
from pi05_msgs.msg import BoundingBox, Subtask
from pi05_msgs.srv import Instruct
from pi05_ros.inference import instructions
from pi05_ros.inference.letterbox import Letterbox
from pi05_ros.inference.tasks import CurrentSubtask, Outcome, TaskKeeper
from pi05_ros.nodes import qos
from pi05_ros.nodes.base import OK, WARN, Health, run_node
from pi05_ros.nodes.brain_node import BrainNode, BrainParameters
from pi05_ros.nodes.brains import BrainSource
from pi05_ros.nodes.conversions import ns_to_time, seconds_to_duration
from pi05_ros.nodes.parameters import parameter

_MESSAGES = {
    Outcome.DONE: "the task is done",
    Outcome.CANCELED: "cancelled by the client",
    Outcome.PREEMPTED: "a newer task replaced it",
    Outcome.TIMEOUT: "the time limit ran out",
    Outcome.DEACTIVATED: "the planner was deactivated",
}


@dataclass(frozen=True)
class PlannerParameters(BrainParameters):
    """Parameters of planner."""

    task: str = parameter("", "Task to begin with when the planner becomes active; empty: wait.")
    period_s: float = parameter(
        1.0, "Time between two predictions, by the pictures' stamps [s].", minimum=0.05, maximum=60
    )


class Planner(BrainNode[PlannerParameters]):
    """Runs the high level: π(l̂ | o, l)."""

    def __init__(self, brain_source: BrainSource | None = None, **arguments: Any) -> None:
        """Makes the node, unconfigured.

        Args:
            brain_source: Where the brain comes from; None makes one of its own.
            **arguments: For the lifecycle node.
        """
        super().__init__("planner", PlannerParameters, brain_source, **arguments)
        self._lock = threading.Lock()  # Guards the keeper and the goal.
        self._action: ActionServer | None = None
        self._goal: ServerGoalHandle | None = None
        self._results: dict[bytes, ExecuteTask.Result] = {}  # By goal, until it is fetched.
        self._publisher: Any = None
        self._service: Any = None
        self._watch: Any = None
        self._keeper = TaskKeeper(self.parameters.period_s)

    def configure(self) -> None:
        """Opens and warms the brain, makes the output."""
        self.open_brain()
        self._publisher = self.create_publisher(Subtask, "subtask", qos.LATCHED)
        # They live on while the node is inactive: to say so, and to deliver the last result.
        self._action = ActionServer(
            self,
            ExecuteTask,
            "execute_task",
            execute_callback=self._finish,
            handle_accepted_callback=self._on_accepted,
            goal_callback=self._on_goal,
            cancel_callback=self._on_cancel,
        )
        self._service = self.create_service(Instruct, "instruct", self._on_instruct)

    def activate(self) -> None:
        """Opens the inputs; begins with the task of the parameter, if there is one."""
        self._keeper = TaskKeeper(self.parameters.period_s, self._keeper.next_id)
        self.start_thinking(self._platform.planner_cameras)
        self._watch = self.steady_timer(0.2, self._check_time)
        task = instructions.clean(self.parameters.task)
        if task:
            with self._lock:
                self._begin(task, None)

    def deactivate(self) -> None:
        """Ends the task and closes the inputs."""
        self._end(Outcome.DEACTIVATED)
        with self._lock:
            # What an operator said without a task ends too.
            if self._keeper.subtask is not None and self._keeper.subtask.text:
                self._publish(self._keeper.end(self.now_ns()), {})
        self.stop_thinking()
        if self._watch is not None:
            self.destroy_timer(self._watch)
            self._watch = None

    def cleanup(self) -> None:
        """Gives the brain back and frees the output."""
        self.close_brain()
        if self._action is not None:
            self._action.destroy()
            self._action = None
        if self._service is not None:
            self.destroy_service(self._service)
            self._service = None
        if self._publisher is not None:
            self.destroy_publisher(self._publisher)
            self._publisher = None

    def health(self) -> Health:
        """Task, subtask, and what it waits for."""
        with self._lock:
            task, subtask = self._keeper.task, self._keeper.subtask
        values = {
            "brain": self._brain.info.description,
            "task": task.text if task else "",
            "subtask": subtask.text if subtask else "",
        }
        if task is None:
            return Health(OK, "waiting for a task", values)
        if blindness := self.blindness():
            return Health(WARN, f"cannot plan: {blindness}", values)
        return Health(OK, f"planning: {task.text}", values)

    # The high level: the worker's thread.

    def think(self) -> None:
        """Asks the brain for the next subtask when one is due."""
        assert self._observer is not None
        moment = self._observer.moment()
        if moment is None:
            return
        with self._lock:
            if not self._keeper.is_due(moment.observation.stamp_ns):
                return
            task = self._keeper.task
        assert task is not None
        prediction = self._brain.predict_subtask(moment.observation, task.text)
        with self._lock:
            if self._keeper.task is not task:
                return  # Another task began while the brain was thinking.
            subtask = self._keeper.predicted(
                prediction, self._brain.info.subtask_source, moment.observation.stamp_ns
            )
            if subtask is not None:
                self._publish(subtask, moment.pictures.letterboxes)
            # In the same breath: a task or an instruction that comes now is not done.
            done = prediction.done and not self._keeper.instruction
            goal = self._end_held(Outcome.DONE) if done else None
        if goal is not None:
            goal.execute()

    # Tasks: the executor's thread.

    def _on_goal(self, goal: ExecuteTask.Goal) -> GoalResponse:
        text = goal.task
        trouble = instructions.problem(text) or ("" if text.strip() else "it is empty")
        if not self.is_active:
            trouble = "the planner is not active"
        if trouble:
            self.get_logger().error(f"task refused: {trouble}")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_cancel(self, goal: ServerGoalHandle) -> CancelResponse:
        return CancelResponse.ACCEPT

    def _on_accepted(self, goal: ServerGoalHandle) -> None:
        """Begins the goal's task. `execute` is called when it ends: it blocks nobody meanwhile."""
        self._end(Outcome.PREEMPTED)
        limit = goal.request.time_limit
        with self._lock:
            self._goal = goal
            self._begin(
                instructions.clean(goal.request.task), limit.sec + limit.nanosec * 1e-9 or None
            )

    def _finish(self, goal: ServerGoalHandle) -> ExecuteTask.Result:
        """Gives the goal's result; called by rclpy after `execute`."""
        result = self._results.pop(bytes(goal.goal_id.uuid))
        if goal.is_cancel_requested:
            goal.canceled()
        elif result.code == Outcome.DONE:
            goal.succeed()
        else:
            goal.abort()
        return result

    def _begin(self, task: str, limit: float | None) -> None:
        """Begins a task; the lock is held."""
        self._brain.begin_task(task)
        self._keeper.begin(task, self.now_ns(), limit)
        self.get_logger().info(f"task: {task}")
        self.think_soon()

    def _end(self, outcome: Outcome) -> None:
        """Ends the present task, if there is one, and tells policy and client."""
        with self._lock:
            goal = self._end_held(outcome)
        if goal is not None:
            goal.execute()

    def _end_held(self, outcome: Outcome) -> ServerGoalHandle | None:
        """As `_end`, with the lock held; returns the goal to `execute` without it."""
        if self._keeper.task is None:
            return None
        task, count = self._keeper.task, self._keeper.subtask_count
        self._publish(self._keeper.end(self.now_ns()), {})
        self.get_logger().info(f"task ended: {_MESSAGES[outcome]}")
        goal, self._goal = self._goal, None
        if goal is not None:
            elapsed = max(0, self.now_ns() - task.started_ns) * 1e-9
            self._results[bytes(goal.goal_id.uuid)] = ExecuteTask.Result(
                code=int(outcome),
                message=_MESSAGES[outcome],
                subtask_count=count,
                elapsed=seconds_to_duration(elapsed),
            )
        return goal

    def _check_time(self) -> None:
        with self._lock:
            late = self._keeper.out_of_time(self.now_ns())
            goal = self._goal
        if late:
            self._end(Outcome.TIMEOUT)
        elif goal is not None and goal.is_cancel_requested:
            self._end(Outcome.CANCELED)

    def _on_instruct(
        self, request: Instruct.Request, response: Instruct.Response
    ) -> Instruct.Response:
        if not self.is_active:
            response.code = Instruct.Response.INACTIVE
            response.message = "not taken: the planner is not active"
            return response
        trouble = instructions.problem(request.text)
        if trouble:
            response.code = Instruct.Response.INVALID_TEXT
            response.message = f"not taken: {trouble}"
            return response
        with self._lock:
            text = instructions.clean(request.text)
            subtask = self._keeper.instruct(text, self.now_ns())
            if subtask is not None:
                self._publish(subtask, {})
                response.subtask_id = subtask.id
            self.think_soon()
        response.code = Instruct.Response.NONE
        response.message = f"subtask is now: {text}" if text else "the brain decides again"
        return response

    # Output; the lock is held.

    def _publish(self, subtask: CurrentSubtask, letterboxes: Any) -> None:
        message = Subtask(
            id=subtask.id,
            task=subtask.task,
            text=subtask.text,
            boxes=[
                _box_message(box, letterboxes[box.camera])
                for box in subtask.boxes
                if box.camera in letterboxes
            ],
            source=subtask.source,
            score=subtask.score,
        )
        message.header.stamp = ns_to_time(subtask.stamp_ns)
        if subtask.source == Subtask.SOURCE_HUMAN:
            message.latency = float("nan")
        else:
            message.latency = max(0.0, (self.now_ns() - subtask.stamp_ns) * 1e-9)
        self._publisher.publish(message)
        if self._goal is not None:
            feedback = ExecuteTask.Feedback(subtask=message)
            if self._keeper.task is not None:
                elapsed = max(0, self.now_ns() - self._keeper.task.started_ns) * 1e-9
                feedback.elapsed = seconds_to_duration(elapsed)
            self._goal.publish_feedback(feedback)


def _box_message(box: Any, letterbox: Letterbox) -> BoundingBox:
    """A box of the padded model picture as one of the camera's own picture."""
    x_min, y_min = letterbox.to_picture(box.x_min, box.y_min)
    x_max, y_max = letterbox.to_picture(box.x_max, box.y_max)
    return BoundingBox(
        camera=box.camera,
        label=box.label[:64],
        x_min=x_min,
        y_min=y_min,
        x_max=x_max,
        y_max=y_max,
        score=box.score,
    )


def main(args: Sequence[str] | None = None) -> int:
    """Runs planner alone."""
    return run_node(Planner, args)


if __name__ == "__main__":
    sys.exit(main())
