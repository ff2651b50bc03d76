"""Action server of execute_task: one goal at a time, which ends with its task."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle

from pi05_msgs.action import ExecuteTask
from pi05_msgs.msg import Subtask
from pi05_ros.brain import instructions
from pi05_ros.nodes.common.base import ManagedNode
from pi05_ros.nodes.common.conversions import seconds_to_duration
from pi05_ros.planning.tasks import Outcome

MESSAGES = {
    Outcome.DONE: "task done",
    Outcome.CANCELED: "task cancelled",
    Outcome.PREEMPTED: "replaced by a newer task",
    Outcome.TIMEOUT: "time limit reached",
    Outcome.DEACTIVATED: "planner deactivated",
    Outcome.FAILED: "task failed",
}


class TaskServer:
    """Accepts goals, publishes feedback, and delivers a result when the task ends.

    rclpy executes a goal's callback only when its task has ended, so that a goal blocks no other
    callback meanwhile.

    Args:
        node: Owns the action.
        problem: Returns why the node does not accept a task (its text, cleaned) now, as one
            clause; empty: it does.
        preempt: Ends the current task for a newer one.
        begin: Begins the task of a goal: text, and time limit [s] or None.
    """

    def __init__(
        self,
        node: ManagedNode[Any],
        problem: Callable[[str], str],
        preempt: Callable[[], None],
        begin: Callable[[str, float | None], None],
    ) -> None:
        self._node = node
        self._problem = problem
        self._preempt = preempt
        self._begin = begin
        self._lock = threading.Lock()  # Guards the goal: the worker thread ends tasks as well.
        self._goal: ServerGoalHandle | None = None
        self._results: dict[bytes, ExecuteTask.Result] = {}  # By goal, until it is fetched.
        self._server = ActionServer(
            node,
            ExecuteTask,
            "execute_task",
            execute_callback=self._deliver,
            # An exception in one of these would end the process.
            handle_accepted_callback=node.guarded(self._on_accepted),
            goal_callback=lambda goal: node.guarded(self._on_goal)(goal) or GoalResponse.REJECT,
            cancel_callback=lambda _: CancelResponse.ACCEPT,
        )

    @property
    def is_cancel_requested(self) -> bool:
        """True if the client of the current goal has requested its cancellation."""
        with self._lock:
            return self._goal is not None and self._goal.is_cancel_requested

    def publish_feedback(self, subtask: Subtask, elapsed: float) -> None:
        """Publish feedback to the client of the current goal, if there is one. elapsed [s]."""
        with self._lock:
            goal = self._goal
        if goal is not None:
            goal.publish_feedback(
                ExecuteTask.Feedback(subtask=subtask, elapsed=seconds_to_duration(elapsed))
            )

    def finish(self, outcome: Outcome, message: str, subtask_count: int, elapsed: float) -> None:
        """End the current goal, if there is one. elapsed [s]."""
        with self._lock:
            goal, self._goal = self._goal, None
        if goal is None:
            return
        executor = self._node.executor
        if executor is None or self._node not in executor.get_nodes():
            # No executor runs: the task that delivers the result would never be called.
            self._node.get_logger().warning(
                "shutting down: the client of execute_task gets no result"
            )
            return
        self._results[bytes(goal.goal_id.uuid)] = ExecuteTask.Result(
            code=int(outcome),
            message=message,
            subtask_count=subtask_count,
            elapsed=seconds_to_duration(elapsed),
        )
        # In the executor's thread, as cancellation is: rclpy does not execute a goal that is
        # cancelled at the same moment.
        executor.create_task(goal.execute)

    def close(self) -> None:
        """Destroy the action server."""
        self._server.destroy()

    # Called by rclpy, in the executor's thread.

    def _on_goal(self, goal: ExecuteTask.Goal) -> GoalResponse:
        task = instructions.clean(goal.task)
        problem = instructions.text_problem(goal.task) or ("" if task else "it is empty")
        problem = problem or self._problem(task)
        if problem:
            self._node.get_logger().error(f"task rejected: {problem}")
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_accepted(self, goal: ServerGoalHandle) -> None:
        self._preempt()
        with self._lock:
            self._goal = goal  # Before it begins: the worker may end the task at once.
        limit = goal.request.time_limit
        self._begin(
            instructions.clean(goal.request.task), limit.sec + limit.nanosec * 1e-9 or None
        )

    def _deliver(self, goal: ServerGoalHandle) -> ExecuteTask.Result:
        result = self._results.pop(bytes(goal.goal_id.uuid))
        if goal.is_cancel_requested:
            goal.canceled()
        elif result.code == Outcome.DONE:
            goal.succeed()
        else:
            goal.abort()
        return result
